"""Targets of the engine under test: settings in one line, clocks that a test moves, exposition text read back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from ami_exporter.collectors.declarations import Collector
from ami_exporter.collectors.registry import builtin
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import Settings, TargetSettings
from ami_exporter.exposition.formats import Format
from ami_exporter.exposition.text import render
from ami_exporter.exposition.writer import Family
from ami_exporter.pbx.built_collectors import built_for
from ami_exporter.pbx.event_loop import EventLoop
from ami_exporter.pbx.shared import Shared
from ami_exporter.pbx.target import Clocks, Target
from ami_exporter.service.exporter import Exporter
from tests.support.exporter_process import Series, series_key

#: Seconds for what must not take long, and the least that a deadline here leaves a busy machine.
SOON = 10.0
# How long to wait before giving up: only a failing test, or a very busy machine, takes so long.
LONGEST_WAIT = 40.0
COLLECTORS = builtin()


class MovableClock:
    """The real clock, and what a test adds to it."""

    def __init__(self, base: float | None = None) -> None:
        self.ahead = 0.0 if base is None else base - time.monotonic()

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def movable() -> tuple[MovableClock, MovableClock, Clocks]:
    """Monotonic and wall clock to be moved, and both as Clocks without jitter."""
    monotonic, wall = MovableClock(), MovableClock(1_700_000_000.0)
    return monotonic, wall, Clocks(monotonic, wall, lambda: 0.0)


def settings(port: int, **changes: object) -> TargetSettings:
    """Settings of a target on loopback, without an event link unless `events=True`."""
    plain = TargetSettings("pbx", "127.0.0.1", "exporter", Secret("hunter2"), port, timeout=SOON, events=False)
    return replace(plain, **changes)  # type: ignore[arg-type]  # field names and types are the caller's care


@contextmanager
def target(
    port: int,
    *,
    known: Sequence[Collector] = COLLECTORS,
    clocks: Clocks | None = None,
    shared: Shared | None = None,
    **changes: object,
) -> Iterator[Target]:
    """A running target; `known` are the collectors there are, `changes` fields of TargetSettings."""
    used = clocks or Clocks()
    loop = EventLoop(used.monotonic)
    made = Target(settings(port, **changes), known, used, loop, shared=shared)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        made.join(SOON)
        loop.stop(SOON)


def scrape(one: Target, seconds: float = SOON, *names: str) -> Series:
    """One scrape of these collectors (none: all), read back from valid text in every format."""
    wanted = frozenset(names) if names else frozenset(collector.name for collector in one.collectors)
    return read_back(one.scrape(wanted, one._clocks.monotonic() + seconds))


def read_back(families: Iterable[Family]) -> Series:
    """Parse the exposition text of all formats, which must hold the same; no series and no family comes twice."""
    families = list(families)
    found = parsed(render(families, Format.TEXT_004).decode())
    assert parsed(render(families, Format.TEXT_100).decode()) == found
    text = render(families, Format.OPENMETRICS_100).decode()
    modern = openmetrics(text)  # type: ignore[no-untyped-call]  # the library has no types here
    assert sum(len(family.samples) for family in modern) == len(found)
    return found


def parsed(text: str) -> Series:
    """Read text format 0.0.4."""
    samples = [line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    found = {series_key(key): float(value) for key, _, value in samples}
    assert len(found) == len(samples), "a series came twice"
    headers = [line for line in text.splitlines() if line.startswith("# TYPE ")]
    assert len(set(headers)) == len(headers), "a family came twice"
    return found


def value(series: Series, name: str, /, **labels: str) -> float | None:
    """One series' value; None when it is not there."""
    return series.get((name, frozenset(labels.items())))


def has(series: Series, metric: str) -> bool:
    """Whether any series of a metric is there."""
    return any(name == metric for name, _ in series)


def until(condition: Callable[[], bool], what: str = "the condition") -> None:
    """Wait for it; the test fails if it does not come."""
    deadline = time.monotonic() + LONGEST_WAIT
    while not condition():
        assert time.monotonic() < deadline, f"gave up waiting for {what}"
        time.sleep(0.005)


def listening(one: Target) -> None:
    """Wait until every event link is there and has its classes."""
    until(lambda: all(link.rights.given(None) for link in one.event_links.values()), "the event links")


def collectors_of(_all: Settings, own: TargetSettings) -> Sequence[Collector]:
    """The built-in collectors as a target's settings want them."""
    return built_for(own)


@contextmanager
def exporting(first: Mapping[str, TargetSettings]) -> Iterator[tuple[Exporter, dict[str, TargetSettings]]]:
    """An exporter, and the targets that its next reload will find."""
    after = dict(first)
    one = Exporter(Settings(first), lambda: Settings(dict(after)), collectors_of)
    one.start()
    try:
        yield one, after
    finally:
        one.stop()
