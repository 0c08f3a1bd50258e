"""Random numbers for the scenarios, in the distributions they need; seeded, so that a run can be repeated."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_SPREAD = 0.6  # sigma of the log-normal durations: a long tail, as in real talk times


class Dice:
    """Draws from one seeded generator."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - a simulation, not a secret
        self._seed = seed

    def apart(self, number: int) -> Dice:
        """Dice with an independent sequence: draws there do not affect draws here."""
        return Dice(self._seed * 1000 + number)

    def chance(self, share: float) -> bool:
        """True in this share of the draws."""
        return self._rng.random() < share

    def expo(self, mean: float) -> float:
        """Exponential with this mean: gaps between independent events, patience."""
        return self._rng.expovariate(1 / mean)

    def around(self, mean: float, *, at_least: float = 0.0) -> float:
        """Log-normal with this mean: durations of human actions."""
        return max(at_least, self._rng.lognormvariate(math.log(mean) - _SPREAD**2 / 2, _SPREAD))

    def between(self, low: float, high: float) -> float:
        return self._rng.uniform(low, high)

    def pick(self, choices: Sequence[T]) -> T:
        return self._rng.choice(choices)

    def weighted(self, choices: Sequence[tuple[float, T]]) -> T:
        weights = [weight for weight, _choice in choices]
        return self._rng.choices([choice for _weight, choice in choices], weights)[0]

    def bits(self, count: int) -> int:
        return self._rng.getrandbits(count)

    def dialled(self, number: str) -> str:
        """The number somebody dials: mostly this one, sometimes one abroad, a service or an emergency number."""
        prefix = self.weighted(((90.0, ""), (8.0, "0044"), (1.7, "0900"), (0.3, "112")))
        return prefix if prefix == "112" else prefix + number

    def number(self) -> str:
        """A telephone number from the range reserved for fiction."""
        return f"1{self._rng.randrange(200, 999)}55501{self._rng.randrange(100):02d}"
