"""Dialled legs, followed from DialBegin to the hangup of the dialled channel. Pure: no metrics, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

MAX_LEGS = 50_000
"""Most legs to follow at a time: five times the channels of the largest known PBX; about 20 MB when full."""

MAX_AGE = 86_400.0
"""Seconds after which a leg or call without hangup is dropped: longer than any call."""


class Aged(Protocol):
    """Anything with a start time (monotonic seconds)."""

    seen: float


def too_old(followed: Mapping[str, Aged], now: float) -> list[str]:
    """Return the keys of entries older than MAX_AGE, of a mapping in order of age; stops at the first younger one."""
    return list(takewhile(lambda key: now - followed[key].seen > MAX_AGE, followed))


@dataclass(slots=True)
class _Leg:
    owner: str
    seen: float
    begun: float | None
    progressed: bool = False
    ended: bool = False
    answered: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The first end of a leg: its owner, and seconds from DialBegin if it was answered and its begin was seen."""

    owner: str
    seconds: float | None


class Legs:
    """Legs by the Uniqueid of the dialled channel. owner is what the caller counts by: a technology or a trunk.

    Asterisk may send DialEnd several times for one leg (a queue's losing members, originated calls): the first counts.
    When full, new legs are not followed: their ends count, but their times are not measured.
    """

    def __init__(self) -> None:
        self._legs: dict[str, _Leg] = {}

    def __len__(self) -> int:
        return len(self._legs)

    def begin(self, leg_id: str, owner: str, now: float) -> None:
        if leg_id not in self._legs and len(self._legs) < MAX_LEGS:
            self._legs[leg_id] = _Leg(owner, now, now)

    def progress(self, leg_id: str, now: float) -> tuple[str, float] | None:
        """Take a DialState; return owner and post-dial delay at the first sign of life, otherwise None."""
        leg = self._legs.get(leg_id)
        if leg is None or leg.begun is None or leg.progressed or leg.ended:
            return None
        leg.progressed = True
        return leg.owner, now - leg.begun

    def end(self, leg_id: str, owner: str, *, answered: bool, now: float) -> Ended | None:
        """Take a DialEnd; return None if this leg has already ended."""
        leg = self._legs.get(leg_id)
        if leg is None:
            leg = _Leg(owner, now, None)
            if len(self._legs) < MAX_LEGS:
                self._legs[leg_id] = leg
        elif leg.ended:
            return None
        leg.ended = True
        if not answered:
            return Ended(leg.owner, None)
        leg.answered = now
        return Ended(leg.owner, None if leg.begun is None else now - leg.begun)

    def hangup(self, leg_id: str, now: float) -> tuple[str, float] | None:
        """Take a Hangup; return owner and talk time of an answered leg, otherwise None."""
        leg = self._legs.pop(leg_id, None)
        if leg is None or leg.answered is None:
            return None
        return leg.owner, now - leg.answered

    def reset(self) -> None:
        self._legs.clear()

    def expire(self, now: float) -> None:
        for leg_id in too_old(self._legs, now):
            del self._legs[leg_id]
