"""A fleet of PBXs on one exporter: CPU, memory, how late a scrape is answered, and whether every event is counted."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from benchmarks.measure import cpu_seconds, percentile, resident
from benchmarks.pbx import process_of, settings, tell
from benchmarks.report import Table, milliseconds
from benchmarks.schedule import INTERVAL, TIMEOUT, Schedule, Scraped
from tests.support.exporter_process import ExporterProcess, exporter

#: PBXs, and events that each sends a second.
FLEETS = ((200, 50), (500, 50), (1000, 10))
CHANNELS, ENDPOINTS = 20, 30
#: Scrape intervals measured, after one in which all connections are made.
INTERVALS = 3
CONNECT_SECONDS = 180.0
#: Time that the last events have to arrive in.
SETTLE_SECONDS = 10.0


def run(fleets: Sequence[tuple[int, int]] = FLEETS) -> list[Table]:
    """One row for each fleet."""
    table = Table(
        f"PBXs that answer from recordings ({CHANNELS} channels, {ENDPOINTS} endpoints each), all in one process. Each "
        f"is scraped every {INTERVAL:.0f} s over HTTP at a moment of its own, and the time is taken from that moment, "
        f"whether the exporter was ready or not; no answer after {TIMEOUT:.0f} s, the timeout that the requests "
        f"name, is a failure. {INTERVALS} intervals.",
        (
            *("PBXs", "events/s each", "exporter CPU, cores", "threads", "RSS MB", "p50 ms", "p99 ms", "max ms"),
            *("scrapes failed", "events played", "counted", "PBXs' CPU"),
        ),
    )
    table.rows.extend(_fleet(size, events) for size, events in fleets)
    return [table]


def lean(count: int) -> AbstractContextManager[tuple[subprocess.Popen[str], list[int]]]:
    """PBXs that answer from recordings, in a process of their own, and their ports."""
    options = ("--count", str(count), "--channels", str(CHANNELS), "--endpoints", str(ENDPOINTS))
    return process_of("benchmarks.lean_pbxs", *options)


def _fleet(size: int, events: int) -> tuple[str, ...]:
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        pbxs, ports = stack.enter_context(lean(size))
        config = Path(folder) / "config.yml"
        config.write_text(settings(ports, "demo", "demo"))
        ours = stack.enter_context(exporter("--config.file", str(config)))
        wait_connected(ours, size)
        schedule = Schedule(ours.port, [f"/probe?target=pbx{number}" for number in range(size)])
        stack.callback(schedule.close)
        before = [counted(ours, number) for number in range(size)]
        tell(pbxs, f"play {events}")
        schedule.run(1)
        return (f"{size:,}", str(events), *_measure(ours, size, schedule, pbxs, before))


def _measure(
    ours: ExporterProcess,
    size: int,
    schedule: Schedule,
    pbxs: subprocess.Popen[str],
    before: Sequence[float],
) -> tuple[str, ...]:
    pids = (ours.process.pid, pbxs.pid)
    was, begin = [cpu_seconds(pid) for pid in pids], time.monotonic()
    scraped = schedule.run(INTERVALS)
    seconds = time.monotonic() - begin
    own, theirs = ((cpu_seconds(pid) - old) / seconds for pid, old in zip(pids, was, strict=True))
    threads = len(list(Path(f"/proc/{ours.process.pid}/task").iterdir()))
    memory = resident(ours.process.pid)
    played = [int(number) for number in tell(pbxs, "stop").split()]
    seen = _settled(ours, size, played, before)
    return (
        *(f"{own:.2f}", str(threads), f"{memory:.0f}", *_times(scraped)),
        f"{sum(one.seconds is None for one in scraped)} of {len(scraped)}{_faults(scraped)}",
        *(f"{sum(played):,}", f"{seen:,.0f}", f"{theirs:.2f}"),
    )


def _times(scraped: Sequence[Scraped]) -> tuple[str, ...]:
    """The figures of all scrapes, failed ones as the time after which they had failed."""
    seconds = [TIMEOUT if one.seconds is None else one.seconds for one in scraped]
    return tuple(milliseconds(one) for one in (percentile(seconds, 0.5), percentile(seconds, 0.99), max(seconds)))


def _faults(scraped: Sequence[Scraped]) -> str:
    faults = sorted({one.fault for one in scraped if one.fault})
    return f" ({'; '.join(faults[:3])})" if faults else ""


def _settled(ours: ExporterProcess, size: int, played: Sequence[int], before: Sequence[float]) -> float:
    """Events that were counted, once that is all of them or SETTLE_SECONDS are over."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        seen = sum(counted(ours, number) - before[number] for number in range(size))
        if seen >= sum(played) or time.monotonic() > deadline:
            return seen


def wait_connected(ours: ExporterProcess, size: int) -> None:
    """Wait until every event link is up."""
    deadline = time.monotonic() + CONNECT_SECONDS
    waiting = list(range(size))
    while waiting:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(waiting)} of {size} event links are not up")
        waiting = [number for number in waiting if not _link_up(ours, number)]
        time.sleep(0.5 * bool(waiting))


def _link_up(ours: ExporterProcess, number: int) -> bool:
    page = ours.get(f"/probe?target=pbx{number}&collect[]=core")
    return page.value("ami_exporter_link_up", link="events") == 1.0


def counted(ours: ExporterProcess, number: int) -> float:
    """Events of one PBX that were received."""
    page = ours.get(f"/probe?target=pbx{number}&collect[]=core")
    return page.value("ami_exporter_events_received_total") or 0.0
