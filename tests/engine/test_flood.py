"""A flood of events: none lost, memory flat, scrapes still quick. The minute-long one is in tests/soak."""

from __future__ import annotations

import os
import statistics
import threading
import time
from pathlib import Path

from ami_exporter.demo import Settings, SimulatedPbx
from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import exporter

RATE = 50_000
SECONDS = 10
# Bytes unread, about a second of the flood: on a machine with other work the flood waits, so that the test is about
# events and not about the machine.
AHEAD = 10 << 20


def resident(pid: int) -> int:
    """Resident memory in kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def cpu_seconds(pid: int) -> float:
    """Processor time it has used: the same whatever else the machine does."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_flood_of_events_is_counted_to_the_last_one_while_scrapes_stay_quick() -> None:
    with (
        SimulatedPbx(Settings(traffic=0, warmup=0)) as pbx,
        exporter(
            *("--ami.address", f"127.0.0.1:{pbx.port}", "--ami.username", pbx.username),
            environ={"AMI_EXPORTER_AMI_SECRET": pbx.secret},
        ) as running,
    ):
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 10, "the event link")
        flood = pbx.flood(RATE, RATE * SECONDS, AHEAD)
        before = cpu_seconds(running.process.pid)
        seconds, sizes, pause = [], [], threading.Event()
        while not flood.finished:
            begin = time.monotonic()
            assert "\nasterisk_up 1\n" in running.get().body
            seconds.append(time.monotonic() - begin)
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
        # A quarter of the scrapes, and some times the processor time that it takes: room for a machine with other work
        # and for measuring coverage. The exact figures are those of make bench.
        assert statistics.quantiles(seconds)[0] < 0.2
        assert busy < 4 * SECONDS
