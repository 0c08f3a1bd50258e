"""A flood of events: none lost, memory flat, scrapes still quick: ten seconds of it, a minute in `make soak`."""

from __future__ import annotations

import os
import statistics
import threading
from pathlib import Path

import pytest

from ami_exporter.demo import DemoSettings
from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import exporter
from tests.support.flooding_pbx import FloodingPbx

pytestmark = pytest.mark.slow

RATE = 50_000
SECONDS, LONG = 10, 60
# Bytes unread, about a second of the flood: on a machine with other work the flood waits, so that the test is about
# events and not about the machine.
AHEAD = 10 << 20
# Events that may be played while a scrape is answered, in three of four scrapes; 2,000 to 3,500 are. Where measuring
# coverage or other work slows the scrapes, the flood waits for its reader, so that this figure stays where it is.
OVERTAKE = 10_000


def resident(pid: int) -> int:
    """Resident memory in kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def cpu_seconds(pid: int) -> float:
    """Processor time it has used: the same whatever else the machine does."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("seconds", [SECONDS, pytest.param(LONG, marks=[pytest.mark.soak, pytest.mark.timeout(0)])])
def test_a_flood_of_events_is_counted_to_the_last_one_while_scrapes_stay_quick(seconds: int) -> None:
    with (
        FloodingPbx(DemoSettings(traffic=0, warmup=0)) as pbx,
        exporter(
            *("--ami.address", f"127.0.0.1:{pbx.port}", "--ami.username", pbx.username),
            environ={"AMI_EXPORTER_AMI_SECRET": pbx.secret},
        ) as running,
    ):
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 10, "the event link")
        flood = pbx.flood(RATE, RATE * seconds, AHEAD)
        before = cpu_seconds(running.process.pid)
        overtook, sizes, pause = [], [], threading.Event()
        while not flood.finished:
            played = flood.played
            assert "\nasterisk_up 1\n" in running.get().body
            overtook.append(flood.played - played)
            # Paces the scrapes, far denser than any Prometheus; parsing them here would slow the flooding server.
            pause.wait(0.5)
            sizes.append(resident(running.process.pid))

        def counted(name: str) -> float:
            return running.get().total("asterisk_events_total", event=name)

        wait_until(lambda: counted("Hangup") >= flood.sent["Hangup"], 60, "the last event")
        busy = cpu_seconds(running.process.pid) - before
        selected = [name for name in flood.sent if counted(name)]
        assert len(selected) > 5
        assert {name: counted(name) for name in selected} == {name: flood.sent[name] for name in selected}
        assert running.get().value("ami_exporter_link_connects_total", link="events") == 1
        assert sizes[-1] - sizes[0] < 20_000
        assert statistics.quantiles(overtook)[-1] < OVERTAKE
        # Ten times what it takes, as measuring coverage takes half of that; the exact figure is that of make bench.
        assert busy < 8 * seconds
