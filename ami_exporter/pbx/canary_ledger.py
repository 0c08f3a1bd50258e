"""The memory of each canary: when it is due, how often it ran, and its results. Pure.

A ledger survives reloads, even those that reconnect the target; after a restart of the exporter the day's calls count
from zero.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ami_exporter.collectors import canary
from ami_exporter.collectors.declarations import Metric
from ami_exporter.config.canary_settings import CanarySettings
from ami_exporter.exposition.writer import Family
from ami_exporter.pbx.canary_watch import CanaryOutcome

DAY_SECONDS: Final = 86_400.0
MOST_BACK_OFF: Final = 4
"""After repeated failures a canary skips intervals, but runs at least every fourth, so that recovery shows."""


@dataclass(slots=True)
class Entry:
    """One canary. due and starts: monotonic seconds; ended: Unix time at which the last call ended."""

    channel: str
    interval: float
    due: float
    starts: deque[float] = field(default_factory=deque)
    failures: int = 0
    resume: float = float("-inf")
    last: CanaryOutcome | None = None
    ended: float = 0.0
    runs: Counter[str] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)

    def calls_of_the_day(self, now: float) -> int:
        """Return the number of calls started in the last 24 hours."""
        while self.starts and now - self.starts[0] >= DAY_SECONDS:
            self.starts.popleft()
        return len(self.starts)

    def next(self, now: float) -> None:
        """Move to the next time of the schedule; missed times are not made up."""
        missed = max(0.0, (now - self.due) // self.interval)
        self.due += self.interval * (missed + 1)

    def finished(self, outcome: CanaryOutcome, now: float, wall: float) -> None:
        """Record the call that was started at the last of `starts`."""
        self.last, self.ended = outcome, wall
        self.runs[outcome.result] += 1
        self.failures = 0 if outcome.up else self.failures + 1
        pause = min(2 ** (self.failures - 1), MOST_BACK_OFF) if self.failures else 1
        begun = self.starts[-1] if self.starts else now
        # Half an interval of tolerance: the schedule decides, not the seconds that a call takes.
        self.resume = begun + (pause - 0.5) * self.interval


class Ledger:
    """All canaries of a target. chance: a number in [0, 1) that places the first call within its interval."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self.entries: dict[str, Entry] = {}

    def use(self, canaries: Mapping[str, CanarySettings], now: float) -> None:
        """Keep one entry for each canary; a changed destination or interval makes a new one."""
        kept = {}
        for name, one in canaries.items():
            known = self.entries.get(name)
            if known is None or (known.channel, known.interval) != (one.channel, one.interval):
                fresh = Entry(one.channel, one.interval, now + self._chance() * one.interval)
                if known is not None:  # the limit of calls a day holds for the name
                    fresh.starts = known.starts
                known = fresh
            kept[name] = known
        self.entries = kept

    def families(self) -> Iterator[Family]:
        """Return the metrics of all canaries' last finished calls."""
        values: dict[Metric, dict[tuple[str, ...], float]] = {metric: {} for metric in canary.COLLECTOR.metrics}
        for name, entry in tuple(self.entries.items()):
            for result in canary.RESULTS:
                values[canary.RUNS][name, result] = float(entry.runs[result])
            for reason in canary.SKIPPED:
                values[canary.SKIPS][name, reason] = float(entry.skips[reason])
            if entry.last is not None:
                for metric, labels, value in _samples(entry.last):
                    values[metric][name, *labels] = value
                values[canary.LAST_RUN][name,] = entry.ended
        return (Family(metric, found) for metric, found in values.items() if found)


def _samples(last: CanaryOutcome) -> Iterator[tuple[Metric, tuple[str, ...], float]]:
    yield canary.UP, (), float(last.up)
    yield from ((canary.PHASE, (phase,), seconds) for phase, seconds in last.phases.items())
    yield from ((canary.MEDIA, (media,), float(heard)) for media, heard in last.media.items())
    yield from ((canary.LOSS, (media,), ratio) for media, ratio in last.loss.items())
    for metric, label in ((canary.CAUSE, last.cause), (canary.SIP_CODE, last.sip_code)):
        if label is not None:
            yield metric, (label,), 1.0
    for metric, value in ((canary.RTT, last.rtt), (canary.MES, last.mes)):
        if value is not None:
            yield metric, (), value
