"""Paces Python's garbage collector: it runs rarely, and a full collection only once an hour.

Polls and events leave no reference cycles (tests/performance/test_no_cycles.py). A full collection stops every thread,
with a thousand targets for a third of a second. So objects that have lived for some seconds are frozen, and the
collector skips them. Once an hour it examines everything, for cycles that closed connections may have left.
"""

from __future__ import annotations

import gc

#: Live new objects that trigger a collection of the youngest: a scrape creates some thousands.
YOUNG = 2_000
FREEZE_SECONDS = 15.0
FULL_SECONDS = 3600.0


class GarbagePacer:
    """Call `tick` about once a second, from one thread. now: the start, in monotonic seconds."""

    def __init__(self, now: float) -> None:
        self._freeze_at = now + FREEZE_SECONDS
        self._full_at = now + FULL_SECONDS
        gc.set_threshold(YOUNG, 10, 10)

    def tick(self, now: float) -> None:
        """Freeze or collect when it is time. now: monotonic seconds."""
        if now < self._freeze_at:
            return
        self._freeze_at = now + FREEZE_SECONDS
        if now >= self._full_at:
            self._full_at = now + FULL_SECONDS
            gc.unfreeze()
            gc.collect()
        else:
            gc.collect(1)
        gc.freeze()
