"""Discrete-event engine: processes are generators that yield how many seconds they sleep.

No real time and no global randomness in here, so a seed and the moments of ``advance`` decide everything.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")
Process: TypeAlias = Generator[float, None, None]
Step: TypeAlias = Generator[float, None, T]  # a part of a process, used with ``yield from``, that has a result


class Timeline:
    """Simulated time and the processes sleeping in it."""

    def __init__(self, start: float) -> None:
        self.now = start
        self._sleeping: list[tuple[float, int, Process]] = []
        self._order = itertools.count()  # equal times run in the order of their scheduling

    def spawn(self, process: Process, after: float = 0.0) -> None:
        """Start a process ``after`` simulated seconds from now."""
        heapq.heappush(self._sleeping, (self.now + after, next(self._order), process))

    @property
    def next_at(self) -> float:
        """Simulated time of the next step; infinity when nothing sleeps."""
        return self._sleeping[0][0] if self._sleeping else float("inf")

    def advance(self, until: float, max_steps: int = 1 << 60) -> bool:
        """Run what is due up to ``until``; False when ``max_steps`` stopped it with more to do."""
        for _ in range(max_steps):
            if self.next_at > until:
                self.now = max(self.now, until)
                return True
            self.now, _order, process = heapq.heappop(self._sleeping)
            delay = next(process, None)
            if delay is not None:
                self.spawn(process, max(0.0, delay))
        return False
