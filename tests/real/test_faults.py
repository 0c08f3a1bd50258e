"""Faults of a real Asterisk 22 under scrapes: stopped, killed, restarted, reloaded, revoked, shouting."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.real.conftest import AsteriskFactory
from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.exporter_process import ExporterProcess, Scrape, exporter
from tests.support.faulty_proxy import FaultyProxy
from tests.support.planted import AMI_SECRETS

USER = "events"
#: Restarts of AMI's listener; 500 in `make soak`.
RESTARTS = 10
LONG = int(os.environ.get("AMI_EXPORTER_SOAK_RESTARTS", "500"))


@contextmanager
def watched(port: int) -> Iterator[ExporterProcess]:
    """An exporter whose event link is there, too."""
    flags = ("--ami.address", f"127.0.0.1:{port}", "--ami.username", USER)
    with exporter(*flags, environ={"AMI_EXPORTER_AMI_SECRET": AMI_SECRETS[USER]}) as running:
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 20, "the event link")
        yield running


def in_seconds(running: ExporterProcess, seconds: float) -> Scrape:
    """A scrape by a Prometheus that waits that long for an answer, and must get one."""
    begin = time.monotonic()
    scrape = running.get(headers={"X-Prometheus-Scrape-Timeout-Seconds": str(seconds)})
    assert time.monotonic() - begin < seconds + 1.0  # of a busy machine
    assert scrape.status == 200
    return scrape


def complete(scrape: Scrape) -> bool:
    results = scrape.by("asterisk_scrape_collector_success", "collector")
    polled = scrape.by("asterisk_scrape_collector_duration_seconds", "collector")
    return scrape.value("asterisk_up") == 1 and len(polled) >= 10 and polled.keys() <= results.keys()


@contextmanager
def scraping(running: ExporterProcess) -> Iterator[list[Scrape]]:
    """Scrape without a pause in a thread of its own, as long as the block lasts."""
    over, found = threading.Event(), list[Scrape]()

    def scrape() -> None:
        while not over.is_set():
            found.append(in_seconds(running, 5))

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(scrape)
        try:
            yield found
        finally:
            over.set()
        done.result(20)


def rewrite(server: AsteriskServer, change: Callable[[str], str]) -> None:
    """Change manager.conf and have it read again."""
    file = server.folder / "etc" / "manager.conf"
    file.write_text(change(file.read_text()))
    server.cli("manager reload")


def test_a_stopped_process_costs_the_scrapes_their_deadline_and_nothing_afterwards(
    asterisk_factory: AsteriskFactory,
) -> None:
    server = asterisk_factory(22)
    with watched(server.ami_port) as running:
        assert complete(running.get())
        server.pause()
        try:
            for _ in range(2):
                frozen = in_seconds(running, 1.5)
                assert frozen.value("asterisk_up") == 0
                assert frozen.value("asterisk_active_calls") is None
        finally:
            server.resume()
        wait_until(lambda: complete(running.get()), 10, "everything back")
        assert running.get().value("asterisk_boots_total") == 0


def test_a_kill_in_the_middle_of_scrapes_and_a_restart_under_them(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    server.originate_local(100)
    with watched(server.ami_port) as running:
        with scraping(running) as found:
            wait_until(lambda: len(found) >= 3, 10, "scrapes before")
            running.wait_older(6)
            server.kill()
            wait_until(lambda: found[-1].value("asterisk_up") == 0, 10, "a scrape of nobody")
            server.start()
            server.wait_booted()
            wait_until(lambda: complete(found[-1]), 15, "everything back")
        for scrape in found:  # never a part of the channels
            assert scrape.total("asterisk_active_channels") in {0, 200}
            assert scrape.value("asterisk_active_calls") in {None, 0, 100}
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 15, "the event link")
        last = running.get()
        assert last.value("asterisk_boots_total") == 1
        gap = last.value("ami_exporter_events_gap_seconds_total")
        assert gap is not None
        assert 0 < gap < 30


def test_core_reload_in_the_middle_takes_nothing_away(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    with watched(server.ami_port) as running:
        before = running.get().by("asterisk_scrape_collector_success", "collector")
        with scraping(running) as found:
            for _ in range(3):
                server.cli("core reload")
            wait_until(lambda: len(found) > 3, 20, "scrapes among and after the reloads")
        assert {scrape.value("asterisk_up") for scrape in found} == {1}
        assert running.get().by("asterisk_scrape_collector_success", "collector") == before
        assert running.get().value("ami_exporter_link_connects_total", link="poll") == 1
        assert running.get().total("asterisk_reloads_total") >= 3


def test_a_revoked_user_is_refused_once_and_let_in_by_a_restart_when_it_is_back(
    asterisk_factory: AsteriskFactory,
) -> None:
    server = asterisk_factory(22)
    with FaultyProxy(server.ami_port) as proxy, watched(proxy.port) as running:
        rewrite(server, lambda text: text.replace(f"[{USER}]", "[revoked]"))
        assert running.get().value("asterisk_up") == 1  # Asterisk lets sessions live that are there
        proxy.kick()
        wait_until(lambda: running.get().value("asterisk_up") == 0, 10, "the refusal")
        wait_until(lambda: "check username and secret" in running.log, 10, "the log line")
        rewrite(server, lambda text: text.replace("[revoked]", f"[{USER}]"))
        for _ in range(5):
            running.signal(signal.SIGHUP)
            refused = running.get()
        assert refused.value("ami_exporter_login_failures_total", reason="authentication") == 1
    with watched(server.ami_port) as running:
        wait_until(lambda: complete(running.get()), 15, "everything back")


def test_a_right_taken_away_is_unavailable_and_not_asked_for(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    with FaultyProxy(server.ami_port) as proxy, watched(proxy.port) as running:
        assert running.get().value("asterisk_active_calls") == 0
        rewrite(server, lambda text: text.replace("write = reporting", "write ="))
        proxy.kick()
        found = running.get()
        assert found.value("asterisk_up") == 1
        assert found.value("asterisk_active_calls") is None
        lost = found.by("asterisk_scrape_collector_unavailable", "collector", "reason")
        assert lost["channels", "not_offered"] == 1
        assert "SECURITY" not in server.log() or "RequestNotAllowed" not in server.log()


def test_a_shouting_server_disturbs_nothing(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    with watched(server.ami_port) as running:
        server.cli("core set verbose 10")
        server.cli("core set debug 10")
        with scraping(running) as found:
            server.originate_local(50)
            server.hang_up_all()
        assert {scrape.value("asterisk_up") for scrape in found} == {1}
        last = running.get()
        assert last.value("ami_exporter_link_connects_total", link="events") == 1
        wait_until(lambda: running.get().total("asterisk_channels_created_total") == 100, 10, "every channel counted")


def cut_off(proxy: FaultyProxy, running: ExporterProcess) -> bool:
    """Cut all connections; one that was just being made may slip through."""
    proxy.kick()
    return in_seconds(running, 5).value("asterisk_up") == 0


def restart_listener(server: AsteriskServer, proxy: FaultyProxy, running: ExporterProcess, times: int) -> None:
    """Close AMI's port and open it again, cutting what is connected, so many times."""
    for _ in range(times):
        rewrite(server, lambda text: text.replace("enabled = yes", "enabled = no"))
        wait_until(lambda: cut_off(proxy, running), 15, "nobody there")
        rewrite(server, lambda text: text.replace("enabled = no", "enabled = yes"))
        wait_until(lambda: complete(in_seconds(running, 5)), 15, "everything back")


def descriptors(running: ExporterProcess) -> int:
    return len(os.listdir(f"/proc/{running.process.pid}/fd"))  # noqa: PTH208 - a count is all that is wanted


@pytest.mark.parametrize("times", [RESTARTS, pytest.param(LONG, marks=[pytest.mark.soak, pytest.mark.timeout(0)])])
def test_restarts_of_the_ami_listener_leave_nothing_behind(asterisk_factory: AsteriskFactory, times: int) -> None:
    server = asterisk_factory(22)
    with FaultyProxy(server.ami_port) as proxy, watched(proxy.port) as running:
        restart_listener(server, proxy, running, 2)
        before = descriptors(running)
        restart_listener(server, proxy, running, times)
        assert (running.get().value("ami_exporter_link_connects_total", link="poll") or 0) >= times + 3
        # HTTP connections that the client has closed are ended by the idle time (5 s) at the latest.
        wait_until(lambda: descriptors(running) <= before + 2, 15, "as many descriptors as before")
