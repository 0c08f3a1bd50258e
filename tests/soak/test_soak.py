"""The long run (`make soak`, an hour): churn, restarts every minute, reloads, 20 scrapes a second; exact at the end.

AMI_EXPORTER_SOAK_SECONDS and AMI_EXPORTER_SOAK_SCRAPES (a second) change it; docs/reliability.md has the figures.
"""

# ruff: noqa: T201 - a long run tells how it goes
from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ami_exporter.demo import DemoSettings, SimulatedPbx
from ami_exporter.web.threads import MAX_IDLE
from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import ExporterProcess, Scrape, exporter
from tests.support.flooding_pbx import FloodingPbx

SECONDS = float(os.environ.get("AMI_EXPORTER_SOAK_SECONDS", "3600"))
SCRAPES = float(os.environ.get("AMI_EXPORTER_SOAK_SCRAPES", "20"))
SCRAPERS = 4
EVENTS_A_ROUND, EVENTS_A_SECOND = 20_000, 1_000
ROUND_SECONDS = 60.0
COUNTED = ("Hangup", "Newchannel", "DialEnd")
PATHS = ("/probe?target=exact", "/probe?target=lively", "/metrics", "/probe?target=exact&collect[]=channels")
#: Rounds before the process has all it will ever need: first polls, learned shapes, every pool thread.
WARM_UP = 2
#: Of signals and of HTTP, an event link for each target, one for each scraper and for the test itself, idle ones kept.
THREADS = 2 + 2 + SCRAPERS + 1 + MAX_IDLE
#: Open files when no HTTP client is connected: two links a target, what listens, what the event loop and Python need.
DESCRIPTORS = 40
#: MB that allocator and caches may still move afterwards.
GROWTH = 10.0


@dataclass
class Body:
    """What the process holds at a moment."""

    threads: int
    descriptors: int
    megabytes: float

    @staticmethod
    def of(pid: int) -> Body:
        status = Path(f"/proc/{pid}/status").read_text()
        threads, kilobytes = (int(status.split(f"{name}:")[1].split()[0]) for name in ("Threads", "VmRSS"))
        return Body(threads, len(list(Path(f"/proc/{pid}/fd").iterdir())), kilobytes / 1024)


@dataclass
class Scrapers:
    """Threads that scrape at a fixed rate together, and what they got."""

    running: ExporterProcess
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._scrape, args=(number,)) for number in range(SCRAPERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _scrape(self, number: int) -> None:
        path = PATHS[number % len(PATHS)]
        due = time.monotonic() + number / SCRAPES
        while not self._over.wait(max(0.0, due - time.monotonic())):
            begin = time.monotonic()
            due = max(due + SCRAPERS / SCRAPES, begin)  # what the machine was too busy for is not made up for
            scrape = self.running.get(path, {"X-Prometheus-Scrape-Timeout-Seconds": "10"})
            self.statuses[scrape.status] += 1
            self.seconds.append(time.monotonic() - begin)


def exact(running: ExporterProcess) -> Scrape:
    return running.get("/probe?target=exact")


def listens(running: ExporterProcess) -> bool:
    return exact(running).value("ami_exporter_link_up", link="events") == 1


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_an_hour_of_churn_restarts_and_scrapes_leaves_nothing_behind(tmp_path: Path) -> None:
    quiet, lively = FloodingPbx(DemoSettings(traffic=0, warmup=0)), SimulatedPbx(DemoSettings())
    with quiet, lively:
        file = tmp_path / "exporter.yml"
        targets = "".join(
            f"  {name}: {{address: '127.0.0.1:{pbx.port}', username: demo, secret_env: SOAK_SECRET}}\n"
            for name, pbx in (("exact", quiet), ("lively", lively))
        )
        file.write_text(f"targets:\n{targets}")
        with exporter("--config.file", str(file), environ={"SOAK_SECRET": "demo"}) as running:
            soak(running, quiet, lively)


def soak(running: ExporterProcess, quiet: FloodingPbx, lively: SimulatedPbx) -> None:
    scrapers = Scrapers(running)
    scrapers.start()
    sent: Counter[str] = Counter()
    bodies: list[Body] = []
    began = time.monotonic()
    try:
        while time.monotonic() - began < SECONDS:
            until = time.monotonic() + ROUND_SECONDS
            play(running, quiet, sent)
            bodies.append(Body.of(running.process.pid))
            print(f"{time.monotonic() - began:6.0f} s {bodies[-1]} {dict(scrapers.statuses)}", flush=True)
            for pbx in (lively, quiet):
                pbx.stop()
                pbx.start()
            running.signal(signal.SIGHUP)
            time.sleep(max(0.0, until - time.monotonic()))
        wait_until(lambda: listens(running), 60, "the event link at the end")
    finally:
        scrapers.stop()
    report(running, scrapers, sent, bodies)
    first, last = bodies[min(WARM_UP, len(bodies) - 1)], bodies[-1]
    assert set(scrapers.statuses) == {200}
    assert {name: exact(running).total("asterisk_events_total", event=name) for name in COUNTED} == {
        name: sent[name] for name in COUNTED
    }
    assert last.threads <= THREADS
    # Connections that clients have closed are ended within seconds.
    wait_until(lambda: Body.of(running.process.pid).descriptors <= DESCRIPTORS, 30, "connections of clients that left")
    assert last.megabytes - first.megabytes < GROWTH
    assert exact(running).value("ami_exporter_link_connects_total", link="events") == len(bodies) + 1


def play(running: ExporterProcess, pbx: FloodingPbx, sent: Counter[str]) -> None:
    """One round's events, sent only to a link that is there, and waited for to the last one."""
    wait_until(lambda: listens(running), 60, "the event link")
    flood = pbx.flood(EVENTS_A_SECOND, EVENTS_A_ROUND)
    wait_until(lambda: flood.finished, 60, "the events to be sent")
    sent.update(flood.sent)
    wait_until(lambda: exact(running).total("asterisk_events_total", event="Hangup") == sent["Hangup"], 60, "the last")


def report(running: ExporterProcess, scrapers: Scrapers, sent: Counter[str], bodies: list[Body]) -> None:
    """What docs/reliability.md quotes."""
    times = sorted(scrapers.seconds)
    counted = {name: exact(running).total("asterisk_events_total", event=name) for name in COUNTED}
    gap = exact(running).value("ami_exporter_events_gap_seconds_total")
    print(f"scrapes {dict(scrapers.statuses)}, median {times[len(times) // 2]:.4f} s, longest {times[-1]:.3f} s")
    print(f"events sent {sum(sent.values())}, of these { ({name: sent[name] for name in COUNTED}) }, counted {counted}")
    print(f"restarts of each PBX and reloads {len(bodies)}, event gap {gap} s")
    print(f"first {bodies[0]}\nwarm  {bodies[min(WARM_UP, len(bodies) - 1)]}\nlast  {bodies[-1]}")
    print("log lines of level error:", sum("level=error" in line for line in running.lines))
