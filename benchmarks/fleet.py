"""A fleet of simulated PBXs on one exporter: CPU, memory, and how long a scrape takes."""

from __future__ import annotations

import http.client
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measure import cpu_seconds, percentile, resident
from benchmarks.pbx import settings, simulated, tell
from benchmarks.report import Table, milliseconds
from benchmarks.subjects import Scrape
from tests.support.exporter_process import ExporterProcess, exporter

#: PBXs, and events that each sends a second.
FLEETS = ((200, 50), (500, 50), (500, 10), (1000, 10))
INTERVAL = 15.0
#: PBXs in one process of simulated ones.
TOGETHER = 50
CHANNELS, ENDPOINTS = 20, 30
#: Scrape intervals measured, after one in which all connect.
INTERVALS = 4
CONNECT_SECONDS = 180.0
#: How long events are played: longer than anything here takes; the process is ended before.
FLOOD_SECONDS = 3600
CLIENTS = 64


def run(fleets: Sequence[tuple[int, int]] = FLEETS) -> list[Table]:
    """One row for each fleet."""
    table = Table(
        f"Simulated PBXs ({CHANNELS} channels, {ENDPOINTS} endpoints each) in processes of their own, every one "
        f"scraped each {INTERVAL:.0f} s over HTTP, spread as Prometheus spreads them; {INTERVALS} intervals.",
        (
            *("PBXs", "events/s each", "exporter CPU, cores", "RSS MB", "scrape p50 ms", "p99 ms", "scrapes failed"),
            *("events/s counted", "simulated PBXs' CPU"),
        ),
    )
    table.rows.extend(_fleet(size, events) for size, events in fleets)
    return [table]


def _fleet(size: int, events: int) -> tuple[str, ...]:
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        processes, ports = [], []
        for _ in range(size // TOGETHER):
            options = ("--count", str(TOGETHER), "--channels", str(CHANNELS), "--endpoints", str(ENDPOINTS))
            process, opened = stack.enter_context(simulated(*options))
            processes.append(process)
            ports += opened
        config = Path(folder) / "config.yml"
        config.write_text(settings(ports, "demo", "demo"))
        ours = stack.enter_context(exporter("--config.file", str(config)))
        pool = stack.enter_context(ThreadPoolExecutor(CLIENTS))
        _wait_connected(ours, size)
        for process in processes:
            tell(process, f"flood {events} {events * FLOOD_SECONDS}")
        _scrape_all(ours, size, pool, 1)
        return (f"{size:,}", str(events), *_measure(ours, size, pool, processes))


def _measure(
    ours: ExporterProcess, size: int, pool: ThreadPoolExecutor, processes: Sequence[subprocess.Popen[str]]
) -> tuple[str, ...]:
    def cpu() -> list[float]:
        return [cpu_seconds(ours.process.pid), sum(cpu_seconds(process.pid) for process in processes)]

    before, counted, begin = cpu(), _events(ours), time.monotonic()
    taken = _scrape_all(ours, size, pool, INTERVALS)
    seconds = time.monotonic() - begin
    own, theirs = ((now - was) / seconds for now, was in zip(cpu(), before, strict=True))
    rate = (_events(ours) - counted) / seconds * size
    good = [one for one in taken if one is not None]
    times = (milliseconds(percentile(good, share)) for share in (0.5, 0.99))
    failed = f"{len(taken) - len(good)} of {len(taken)}"
    return (f"{own:.2f}", f"{resident(ours.process.pid):.0f}", *times, failed, f"{rate:,.0f}", f"{theirs:.2f}")


def _scrape_all(ours: ExporterProcess, size: int, pool: ThreadPoolExecutor, intervals: int) -> list[float | None]:
    """Seconds of each scrape, None of one that failed; every target once an interval, at a time of its own in it."""
    begin = time.monotonic()
    gap = INTERVAL / size
    futures = []
    for number in range(size * intervals):
        time.sleep(max(0.0, begin + number * gap - time.monotonic()))
        futures.append(pool.submit(_scrape, ours.port, number % size))
    return [future.result() for future in futures]


def _scrape(port: int, number: int) -> float | None:
    scrape = Scrape(port, f"/probe?target=pbx{number}")
    begin = time.perf_counter()
    try:
        scrape()
        return time.perf_counter() - begin
    except (OSError, http.client.HTTPException, RuntimeError):  # not reached, cut off, or not complete
        return None
    finally:
        scrape.close()


def _wait_connected(ours: ExporterProcess, size: int) -> None:
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


def _events(ours: ExporterProcess) -> float:
    """Events of one target: all are sent the same."""
    return ours.get("/probe?target=pbx0&collect[]=core").value("ami_exporter_events_received_total") or 0.0
