"""Whether audio was heard on a call, judged by its RTCP reports. Pure: no metrics, no clock.

A report block names the highest sequence number received so far. It rises while packets arrive; if it stays the same,
nothing arrived, however good the loss (0) and the score of the report look. ReportCount 0: nothing ever arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

RESULTS: Final = ("heard", "silent", "stopped", "unknown")
LEAST_SECONDS: Final = 10.0
"""Least seconds of an answered call to judge: reports come every five seconds."""
LEAST_REPORTS: Final = 2
LAST_PART: Final = 1 / 3
"""Audio that was silent for these last seconds of a call has stopped."""
MISSED_REPORTS: Final = 2
"""After so many missing reports the far end, or RTCP, is gone."""
MAX_SOURCES: Final = 8


class Block(NamedTuple):
    """A report block as written: its source and its sequence number; empty if absent."""

    source: str
    cycles: str
    sequence: str


@dataclass(slots=True)
class Sequences:
    """The sequence numbers of the streams that one end of a channel reports on."""

    several: bool = False
    """Streams alternate: audio and video of one call, which a report does not distinguish."""
    _last: dict[str, Block] = field(default_factory=dict)
    _source: str = ""

    def moved(self, blocks: Sequence[Block]) -> list[bool]:
        """Tell for each block whether packets have arrived since the previous block of its stream."""
        return [self._moved(block) for block in blocks]

    def _moved(self, block: Block) -> bool:
        before = self._last.get(block.source)
        if before is None and len(self._last) >= MAX_SOURCES:
            del self._last[next(iter(self._last))]
        self.several = self.several or (before is not None and block.source != self._source)
        self._source = block.source
        self._last[block.source] = block
        return not block.sequence or block != before


@dataclass(slots=True)
class Heard:
    """One direction of an answered call, judged by its reports. Times in seconds, monotonic.

    Time on hold, and until the first report after it, is ignored.
    """

    since: float
    reports: int = 0
    _fresh: bool = True  # since the answer or a hold: no packets so far mean nothing
    _ever: bool = False
    _total: float = 0.0
    _still: float = 0.0
    _unclear: float = 0.0

    def report(self, now: float, *, moved: bool, expected: bool) -> None:
        """Take a report. expected: whether packets should have arrived since the previous one."""
        passed, self.since = now - self.since, now
        fresh, self._fresh = self._fresh, False
        self.reports += 1
        if moved:
            self._ever = True
            self._total += passed
            self._still = self._unclear = 0.0
        elif not fresh:
            self._total += passed
            if expected:
                self._still += passed
            else:
                self._unclear += passed

    def on_hold(self, now: float) -> None:
        """Note that the call is on hold, or was since the last report."""
        self.since, self._fresh = now, True

    def result(self, now: float, *, on_hold: bool) -> str:
        """Judge at the end of the call."""
        if self.reports < LEAST_REPORTS or not self._total:
            return "unknown"
        tail = 0.0 if on_hold else now - self.since
        if tail > max(MISSED_REPORTS * self._total / self.reports, LAST_PART * (self._total + tail)):
            return "unknown"
        if self._still >= LAST_PART * self._total:
            return "stopped" if self._ever else "silent"
        return "unknown" if self._still + self._unclear >= LAST_PART * self._total else "heard"
