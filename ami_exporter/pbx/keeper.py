"""The load guard: answers that are served again instead of being asked for again.

An answer that took t ≥ 0.5 s is served again for 20 × t seconds, so that watching never takes more than a twentieth of
a PBX's time; a collector may have a min_interval besides. Only complete answers are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ami_exporter.pbx.poll import Result

SLOW_SECONDS = 0.5
REST_FACTOR = 20.0


@dataclass(frozen=True, slots=True)
class _Kept:
    result: Result
    until: float


class Keeper:
    """Kept results of one target, by collector. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def serves(self, names: frozenset[str]) -> dict[str, Result]:
        """The kept results of these names that are to be served again now."""
        now = self._clock()
        kept = {name: self._kept.get(name) for name in names}
        return {name: one.result for name, one in kept.items() if one is not None and now < one.until}

    def keep(self, result: Result, min_interval: float) -> None:
        """Keep a fresh result as long as it must rest; a failed one forgets what was kept before."""
        rest = max(min_interval, REST_FACTOR * result.slow if result.slow >= SLOW_SECONDS else 0.0)
        if result.success and rest > 0:
            self._kept[result.name] = _Kept(result, result.taken + rest)
        else:
            self._kept.pop(result.name, None)

    def forget(self) -> None:
        """Drop everything: the PBX is down, was restarted, or the target was reloaded."""
        self._kept.clear()
