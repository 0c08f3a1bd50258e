"""A thousand PBXs for an hour, a tenth of them restarted each minute: exact counters, level memory, no scrape late.

Where the machine is too slow for a thousand PBXs, even for seconds, the exporter refuses scrapes with a 503: their
number is printed, and has a bound. AMI_EXPORTER_SOAK_SECONDS and AMI_EXPORTER_SOAK_PBXS change it;
docs/reliability.md has the figures.
"""

# ruff: noqa: T201 - a long run tells how it goes
from __future__ import annotations

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.fleet import lean, wait_connected
from benchmarks.measure import cpu_seconds, percentile
from benchmarks.pbx import settings, tell
from benchmarks.schedule import INTERVAL, REFUSED, TIMEOUT, Schedule, Scraped
from tests.soak.test_soak import Body
from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import ExporterProcess, exporter
from tests.support.flooding_pbx import flood_corpus

SECONDS = float(os.environ.get("AMI_EXPORTER_SOAK_SECONDS", "3600"))
PBXS = int(os.environ.get("AMI_EXPORTER_SOAK_PBXS", "1000"))
EVENTS_A_SECOND = 10
#: Of a round, in scrape intervals: a minute.
INTERVALS = 4
#: One in so many PBXs restarts in a round.
SHARE = 10
COUNTED = ("Newchannel", "DialBegin", "DialEnd", "Hangup")
#: Rounds until each PBX has restarted once: from then on the process has all it will ever need.
WARM_UP = SHARE
#: MB that allocator and caches may still move afterwards.
GROWTH = 20.0
#: Threads that may serve more scrapes at one moment than at another.
MORE_THREADS = 64
#: Scrapes during which a restarted PBX may be down.
DOWN_SCRAPES = 2
#: Of the scrapes of PBXs that run, the part that may be late: virtual machines stand still for seconds at times.
LATE = 0.0001
#: The part that may be refused: 3.5 % were, where a thousand PBXs just fitted into a core. With more, they do not fit.
MOST_REFUSED = 0.05
#: Each look asks all PBXs.
SETTLE_SECONDS = 120.0


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_a_thousand_pbxs_that_restart_lose_no_event_and_delay_no_scrape_of_the_others(tmp_path: Path) -> None:
    config = tmp_path / "exporter.yml"
    with lean(PBXS) as (pbxs, ports):
        config.write_text(settings(ports, "demo", "demo"))
        with exporter("--config.file", str(config)) as running:
            wait_connected(running, PBXS)
            schedule = Schedule(running.port, [f"/probe?target=pbx{number}" for number in range(PBXS)])
            schedule.run(1)  # all connections are made
            tell(pbxs, f"play {EVENTS_A_SECOND}")
            bodies: list[Body] = []
            lost: list[Scraped] = []
            began = time.monotonic()
            with ThreadPoolExecutor(1) as scraper:
                while time.monotonic() - began < SECONDS:
                    share = len(bodies) % SHARE
                    cpu, from_then = cpu_seconds(running.process.pid), time.monotonic()
                    scraping = scraper.submit(schedule.run, INTERVALS)
                    assert tell(pbxs, f"restart {share}/{SHARE}") == "restarted"
                    scraped = scraping.result()
                    cores = (cpu_seconds(running.process.pid) - cpu) / (time.monotonic() - from_then)
                    bodies.append(Body.of(running.process.pid))
                    tell_of(time.monotonic() - began, bodies[-1], scraped, share, cores)
                    lost += check(scraped, share)
            schedule.close()
            played = [int(number) for number in tell(pbxs, "stop").split()]
            expected = Counter({name: sum(of_one(count)[name] for count in played) for name in COUNTED})
            wait_until(lambda: counted(running) == expected, SETTLE_SECONDS, "the last events")
            print(f"events {sum(played):,}, of these {dict(expected)}")
            assert restarts(running) == sum(len(range(number % SHARE, PBXS, SHARE)) for number in range(len(bodies)))
            refused = sum(one.fault == REFUSED for one in lost)
            scrapes = len(bodies) * PBXS * INTERVALS
            late = len(lost) - refused
            print(f"{scrapes:,} scrapes; of PBXs that ran, {refused} refused, {late} late or not complete")
            assert late <= LATE * scrapes, Counter(one.fault for one in lost)
            assert refused <= MOST_REFUSED * scrapes
            warm, last = bodies[min(WARM_UP, len(bodies) - 1)], bodies[-1]
            print(f"first {bodies[0]}\nwarm  {warm}\nlast  {last}")
            assert last.megabytes - warm.megabytes < GROWTH
            assert last.threads <= warm.threads + MORE_THREADS
            assert last.descriptors <= 3 * PBXS + 64


def of_one(played: int) -> Counter[str]:
    """How often each event is among the first so many that a PBX played."""
    names = [name for name, privilege, _ in flood_corpus() if privilege == "call"]
    whole, rest = divmod(played, len(names))
    return Counter({name: whole * names.count(name) + names[:rest].count(name) for name in COUNTED})


def tell_of(seconds: float, body: Body, scraped: list[Scraped], share: int, cores: float) -> None:
    good = [one.seconds for one in scraped if one.seconds is not None] or [TIMEOUT]
    faults = Counter(one.fault for one in scraped if one.seconds is None)
    times = " / ".join(f"{value * 1000:.0f}" for value in (percentile(good, 0.5), percentile(good, 0.99), max(good)))
    did = f"{cores:.2f} cores, {times} ms, restarted {share}/{SHARE}: {dict(faults)}"
    print(f"{seconds:6.0f} s {body} {did}; the machine takes {loop_milliseconds():.1f} ms for a loop", flush=True)


def loop_milliseconds() -> float:
    """Milliseconds of CPU for a fixed loop: a virtual machine's speed may double and halve within a minute."""
    begin = time.thread_time()
    for _ in range(200_000):
        pass
    return (time.thread_time() - begin) * 1000


def check(scraped: list[Scraped], share: int) -> list[Scraped]:
    """Return the scrapes that should not have failed: all but DOWN_SCRAPES of a PBX that restarted."""
    assert len(scraped) == PBXS * INTERVALS, f"not all were scraped each {INTERVAL} s"
    may_fail = Counter({f"/probe?target=pbx{number}": DOWN_SCRAPES for number in range(share, PBXS, SHARE)})
    lost = []
    for one in scraped:
        if one.seconds is None and one.fault != REFUSED and may_fail[one.path]:
            may_fail[one.path] -= 1
        elif one.seconds is None:
            lost.append(one)
    return lost


def counted(running: ExporterProcess) -> Counter[str]:
    """Events of the names that are compared, of all PBXs."""
    total: Counter[str] = Counter()
    for number in range(PBXS):
        page = running.get(f"/probe?target=pbx{number}&collect[]=events")
        for name in COUNTED:
            total[name] += int(page.total("asterisk_events_total", event=name))
    return total


def restarts(running: ExporterProcess) -> int:
    """Starts that the exporter counted, of all PBXs."""
    pages = (running.get(f"/probe?target=pbx{number}&collect[]=core") for number in range(PBXS))
    return sum(int(page.value("asterisk_boots_total") or 0) for page in pages)
