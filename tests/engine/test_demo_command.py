"""`demo`: the whole product without an Asterisk, in today's dialect and in that of the AMI document."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import Scrape, exporter

pytestmark = pytest.mark.slow

DIALECTS = ("modern", "1.1")


@pytest.fixture(scope="module", params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def scrape(dialect: str) -> Scrape:
    """A scrape of the demo with 30 channels standing on top of its living traffic, once events have come."""
    with exporter("demo", "--dialect", dialect, "--channels", "30", "--seed", "7") as running:
        wait_until(lambda: running.get().total("asterisk_events_total") > 20, 30, "living traffic")
        return running.get()


def test_every_collector_succeeds_in_both_dialects(scrape: Scrape) -> None:
    assert scrape.value("asterisk_up") == 1
    results = scrape.by("asterisk_scrape_collector_success", "collector")
    assert len(results) > 11
    assert set(results.values()) == {1.0}
    everything = [name for name, _ in scrape.series() if name == "asterisk_scrape_collector_success"]
    assert len(everything) == len(results)


def test_channels_queues_endpoints_and_trunks_have_figures(scrape: Scrape, dialect: str) -> None:
    assert scrape.total("asterisk_active_channels") >= 30
    assert (scrape.value("asterisk_active_calls") is not None) == (dialect == "modern")
    assert scrape.total("asterisk_queue_members") > 5
    assert scrape.total("asterisk_endpoints") > 20
    assert scrape.by("asterisk_trunk_up", "trunk").keys() >= {("telco-a",), ("telco-b",)}
    assert scrape.by("asterisk_trunk_channels", "direction").keys() == {("inbound",), ("outbound",)}


def test_each_member_of_each_queue_is_known(scrape: Scrape, dialect: str) -> None:
    memberships = scrape.total("asterisk_queue_members")
    for state in ("up", "paused", "available", "in_call"):
        shown = [name for name, _ in scrape.series() if name == f"asterisk_queue_member_{state}"]
        # Before 11.22 no member says whether it is in a call.
        assert len(shown) == (0 if state == "in_call" and dialect == "1.1" else memberships)


def test_prometheus_own_linter_finds_nothing_to_say(scrape: Scrape, promtool: Path) -> None:
    done = subprocess.run(
        [promtool, "check", "metrics"], input=scrape.body, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
