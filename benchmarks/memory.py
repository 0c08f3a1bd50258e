"""Memory: with few and with many channels, and over many scrapes and events."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.measure import resident
from benchmarks.pbx import SECRET, USER, asterisk, fill, simulated, tell
from benchmarks.report import Table
from benchmarks.subjects import Scrape
from tests.support.exporter_process import ExporterProcess, exporter

#: Scrapes and events of the long run; the short one is for a look.
FULL = (100_000, 10_000_000)
SHORT = (5_000, 500_000)
STEPS = 5
RATE = 25_000
#: Scrapes before memory is read: pools, learned packet shapes and the allocator's arenas have settled then.
WARM = 50
FLOOD_SECONDS = 3600.0


def run(*, full: bool) -> list[Table]:
    """Tables by channels and over time."""
    return [by_channels(), over_time(*(FULL if full else SHORT))]


def by_channels() -> Table:
    """RSS of one process that scrapes a real Asterisk with 10 and then 10,000 channels."""
    table = Table("RSS by channels of a real Asterisk 22, the same process.", ("channels", "RSS MB"))
    with tempfile.TemporaryDirectory() as folder, asterisk(Path(folder)) as server:
        options = ("--ami.address", f"127.0.0.1:{server.ami_port}", "--ami.username", USER)
        with exporter(*options, environ={"AMI_EXPORTER_AMI_SECRET": SECRET}) as ours:
            scrape = Scrape(ours.port)
            for channels in (10, 10_000):
                fill(server, channels)
                scrape.wait_fresh()
                for _ in range(WARM if channels < 1000 else 5):
                    scrape()
                table.rows.append((f"{channels:,}", f"{resident(ours.process.pid):.1f}"))
            scrape.close()
    return table


def over_time(scrapes: int, events: int) -> Table:
    """RSS over scrapes while events come, of a simulated PBX."""
    table = Table(
        f"RSS over {scrapes:,} scrapes and {events:,} events (simulated PBX, 60 endpoints; in turn).",
        ("scrapes", "events", "RSS MB"),
    )
    with simulated() as (process, ports):
        options = ("--ami.address", f"127.0.0.1:{ports[0]}", "--ami.username", "demo")
        with exporter(*options, environ={"AMI_EXPORTER_AMI_SECRET": "demo"}) as ours:
            scrape = Scrape(ours.port)
            for _ in range(WARM):
                scrape()
            tell(process, f"flood {RATE} 20000")
            tell(process, "wait")
            _wait_counted(ours, 20_000)
            table.rows.append((f"{WARM:,}", "20,000", f"{resident(ours.process.pid):.1f}"))
            for step in range(1, STEPS + 1):
                for _ in range(scrapes // STEPS):
                    scrape()
                tell(process, f"flood {RATE} {events // STEPS}")
                tell(process, "wait")
                _wait_counted(ours, 20_000 + step * (events // STEPS))
                row = (f"{WARM + step * (scrapes // STEPS):,}", f"{20_000 + step * (events // STEPS):,}")
                table.rows.append((*row, f"{resident(ours.process.pid):.1f}"))
            scrape.close()
    return table


def _wait_counted(ours: ExporterProcess, events: int) -> None:
    deadline = time.monotonic() + FLOOD_SECONDS
    while (ours.get("/metrics?collect[]=core").value("ami_exporter_events_received_total") or 0) < events:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not {events} events counted")
        time.sleep(0.2)
