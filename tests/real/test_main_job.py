"""The main job: a real PBX, a process of the exporter, and figures that agree with what Asterisk's console says."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.real.conftest import AsteriskFactory
from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.exporter_process import ExporterProcess, Scrape, exporter
from tests.support.planted import AMI_SECRETS

CALLS = 50


def watching(server: AsteriskServer, user: str = "events", *flags: str) -> tuple[list[str], dict[str, str]]:
    """Flags and environment that point an exporter at a server."""
    arguments = ["--ami.address", f"127.0.0.1:{server.ami_port}", "--ami.username", user, *flags]
    return arguments, {"AMI_EXPORTER_AMI_SECRET": AMI_SECRETS[user]}


@pytest.fixture(scope="module")
def loaded(asterisk: AsteriskServer) -> Iterator[AsteriskServer]:
    """A server with 100 channels, made by Originate."""
    asterisk.originate_local(CALLS)
    yield asterisk
    asterisk.hang_up_all()


@pytest.fixture(scope="module")
def watched(loaded: AsteriskServer) -> Iterator[ExporterProcess]:
    """An exporter that watches it, by flags alone."""
    arguments, environ = watching(loaded)
    with exporter(*arguments, environ=environ) as running:
        yield running


def console_states(server: AsteriskServer) -> Counter[str]:
    """State → channels, as `core show channels concise` lists them."""
    lines = server.cli("core show channels concise").splitlines()
    return Counter(line.split("!")[4].lower() for line in lines if "!" in line)


def test_active_channels_agree_with_core_show_channels(loaded: AsteriskServer, watched: ExporterProcess) -> None:
    found: list[tuple[Counter[str], Scrape, Counter[str]]] = []

    def read_between_two_equal_lists() -> bool:
        found.append((console_states(loaded), watched.get(), console_states(loaded)))
        return found[-1][0] == found[-1][2]

    wait_until(read_between_two_equal_lists, 20, "a console that says the same before and after the scrape")
    console, scrape, _ = found[-1]
    assert scrape.status == 200
    assert scrape.value("asterisk_up") == 1
    assert loaded.channels() == 2 * CALLS
    assert scrape.by("asterisk_active_channels", "technology", "state") == {("Local", "up"): 2 * CALLS}
    assert scrape.by("asterisk_active_channels", "state") == {(state,): n for state, n in console.items()}


def test_active_calls_equal_the_distinct_linkedids_of_an_independent_list(
    loaded: AsteriskServer, watched: ExporterProcess
) -> None:
    with loaded.ami() as ami:
        linked = {item["Linkedid"] for item in ami.items("CoreShowChannels", "CoreShowChannelsComplete")}
    assert len(linked) == CALLS
    assert watched.get().value("asterisk_active_calls") == len(linked)


def test_start_time_is_steady_to_the_second_and_agrees_with_the_console(
    loaded: AsteriskServer, watched: ExporterProcess
) -> None:
    times = {watched.get().value("asterisk_start_time_seconds") for _ in range(5)}
    assert len(times) == 1
    uptime = re.search(r"System uptime: (\d+)", loaded.cli("core show uptime seconds"))
    assert uptime is not None
    assert times.pop() == pytest.approx(time.time() - int(uptime[1]), abs=2.0)


def test_every_enabled_collector_succeeds(watched: ExporterProcess) -> None:
    results = watched.get().by("asterisk_scrape_collector_success", "collector")
    assert set(results.values()) == {1.0}
    assert ("channels",) in results


def test_version_names_the_server(loaded: AsteriskServer, watched: ExporterProcess) -> None:
    ((version, system),) = watched.get().by("asterisk_info", "version", "system_name")
    assert version.split(".")[0] == str(loaded.major)
    assert system == f"real{loaded.major}"


def test_a_restart_is_survived_and_counted_with_everything_back(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    arguments, environ = watching(server)
    with exporter(*arguments, environ=environ) as running:
        before = running.get()
        assert before.value("asterisk_up") == 1
        running.wait_older(6)
        server.kill()
        down = running.get()
        assert (down.status, down.value("asterisk_up")) == (200, 0)
        assert down.value("asterisk_active_calls") is None
        assert down.value("asterisk_boots_total") == 0
        assert down.total("ami_exporter_login_failures_total", reason="refused") > 0
        server.start()
        server.wait_booted()
        server.originate_local(3)
        after = running.get()
        assert after.value("asterisk_up") == 1
        assert after.total("asterisk_active_channels") == 6
        assert set(after.by("asterisk_scrape_collector_success", "collector").values()) == {1.0}
        assert after.value("asterisk_boots_total") == 1
        started = (before.value("asterisk_start_time_seconds"), after.value("asterisk_start_time_seconds"))
        assert started[1] is not None
        assert started[0] is not None
        assert started[1] > started[0]


def test_a_wrong_secret_is_tried_once_and_then_backed_off(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    arguments, _ = watching(server)
    with exporter(*arguments, environ={"AMI_EXPORTER_AMI_SECRET": "wrong-on-purpose"}) as running:
        for _ in range(5):
            scrape = running.get()
            assert (scrape.status, scrape.value("asterisk_up")) == (200, 0)
        failures = scrape.value("ami_exporter_login_failures_total", reason="authentication")
        assert failures is not None
        assert 1 <= failures <= 3
        wait_until(lambda: "cannot connect" in running.log, 5, "a line in the log")
        assert "check username and secret" in running.log
        assert "wrong-on-purpose" not in running.log + scrape.body


def test_the_exporter_starts_while_the_pbx_is_down_and_finds_it_later(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    server.stop()
    arguments, environ = watching(server)
    with exporter(*arguments, environ=environ) as running:
        assert running.get().value("asterisk_up") == 0
        server.start()
        server.wait_booted()
        assert running.get().value("asterisk_up") == 1


def test_polling_in_a_loop_while_the_pbx_boots_ends_with_every_collector(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    arguments, environ = watching(server)
    with exporter(*arguments, environ=environ) as running:
        complete = {
            labels
            for labels, _ in running.get().by("asterisk_scrape_collector_unavailable", "collector", "action").items()
        }
        server.kill()
        server.start()
        wait_until(lambda: running.get().value("asterisk_up") == 1, 30, "AMI answers while modules load")
        server.wait_booted()

        def all_back() -> bool:
            found = running.get().by("asterisk_scrape_collector_unavailable", "collector", "action")
            return set(found) == complete

        wait_until(all_back, 10, "the actions of modules that were loaded late")
