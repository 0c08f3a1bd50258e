"""Discrete-event engine: processes are generators that yield the seconds they sleep.

It uses no real time and no global randomness, so a seed and the times passed to ``advance`` decide everything.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")
Process: TypeAlias = Generator[float, None, None]
Step: TypeAlias = Generator[float, None, T]  # a part of a process that returns a result to ``yield from``


class Timeline:
    """Simulated time and the processes sleeping in it."""

    def __init__(self, start: float) -> None:
        self.now = start
        self._sleeping: list[tuple[float, int, Process]] = []
        self._order = itertools.count()  # processes due at the same time run in the order they were scheduled

    def spawn(self, process: Process, after: float = 0.0) -> None:
        """Start a process ``after`` simulated seconds from now."""
        heapq.heappush(self._sleeping, (self.now + after, next(self._order), process))

    @property
    def next_at(self) -> float:
        """Simulated time of the next step; infinity if no process sleeps."""
        return self._sleeping[0][0] if self._sleeping else float("inf")

    def advance(self, until: float, max_steps: int = 1 << 60) -> bool:
        """Run the steps due up to ``until``; False if ``max_steps`` was reached before all had run."""
        for _ in range(max_steps):
            if self.next_at > until:
                self.now = max(self.now, until)
                return True
            self.now, _order, process = heapq.heappop(self._sleeping)
            delay = next(process, None)
            if delay is not None:
                self.spawn(process, max(0.0, delay))
        return False
