"""Dialled legs, followed from DialBegin to the hangup of the dialled channel. Pure: no metrics, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

MAX_LEGS = 50_000
"""Legs followed at a time: five times the channels of the largest PBX we know of; about 20 MB when full."""

MAX_AGE = 86_400.0
"""Seconds after which a leg or call whose hangup never came is dropped: longer than any call lasts."""


class Aged(Protocol):
    """What is followed since a time, monotonic seconds."""

    seen: float


def too_old(followed: Mapping[str, Aged], now: float) -> list[str]:
    """Keys of what is older than MAX_AGE, of a mapping in order of age: one look when nothing is."""
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
    """The first end of a leg: whose it is, and seconds from DialBegin when it was answered and its begin was seen."""

    owner: str
    seconds: float | None


class Legs:
    """Legs by the Uniqueid of the dialled channel. owner is what the caller counts by: a technology or a trunk.

    Asterisk may send DialEnd several times for one leg (a queue's losing members, originated calls): the first counts.
    When full, new legs are not followed: their ends still count, their times are not measured.
    """

    def __init__(self) -> None:
        self._legs: dict[str, _Leg] = {}

    def __len__(self) -> int:
        return len(self._legs)

    def begin(self, leg_id: str, owner: str, now: float) -> None:
        """DialBegin."""
        if leg_id not in self._legs and len(self._legs) < MAX_LEGS:
            self._legs[leg_id] = _Leg(owner, now, now)

    def progress(self, leg_id: str, now: float) -> tuple[str, float] | None:
        """DialState: owner and post-dial delay at the first sign of life, else None."""
        leg = self._legs.get(leg_id)
        if leg is None or leg.begun is None or leg.progressed or leg.ended:
            return None
        leg.progressed = True
        return leg.owner, now - leg.begun

    def end(self, leg_id: str, owner: str, *, answered: bool, now: float) -> Ended | None:
        """DialEnd: None when this leg has ended before."""
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
        """Hangup of a channel: owner and talk time when it was an answered leg, else None."""
        leg = self._legs.pop(leg_id, None)
        if leg is None or leg.answered is None:
            return None
        return leg.owner, now - leg.answered

    def reset(self) -> None:
        """Forget all legs."""
        self._legs.clear()

    def expire(self, now: float) -> None:
        """Drop legs that are too old to be true."""
        for leg_id in too_old(self._legs, now):
            del self._legs[leg_id]
