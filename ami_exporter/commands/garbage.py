"""When Python looks for garbage: seldom, and never through everything while scrapes wait.

Nothing that a poll or an event leaves needs the garbage collector (tests/performance/test_no_cycles.py). A full
collection stops every thread, with a thousand targets for a third of a second. So whatever has lived for some seconds
is frozen, and the collector passes it over. Once an hour it looks through everything, for what connections that ended
may have left.
"""

from __future__ import annotations

import gc

#: Objects made and not yet freed before young ones are looked at: a scrape makes some thousands.
YOUNG = 2_000
FREEZE_SECONDS = 15.0
FULL_SECONDS = 3600.0


class GarbagePacer:
    """Call `tick` about once a second, from one thread. now: monotonic seconds of the start."""

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
