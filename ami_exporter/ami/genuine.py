"""Tells which headers of a packet Asterisk wrote, and which are part of a value that contains line ends.

Asterisk writes values unescaped. A caller's number, a dialled extension or the data of an application may contain line
ends, and then one value looks like several headers or packets. Asterisk's own headers have a fixed order, and forged
text stands between the beginning of its value and the next genuine header. A header that has the same place in every
possible reading is genuine; if readings differ, it is in doubt.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True)
class Place:
    """One header in Asterisk's order. free: its value may hold text from outside, line ends included."""

    name: str
    optional: bool = False
    free: bool = False


Order = tuple[Place, ...]
"""The headers of one kind of event or list item, in order; the first is `event`."""


class Reading(Enum):
    """What the headers of a packet are."""

    WHOLE = "whole"  # a complete event or item
    CUT = "cut"  # its beginning: a blank line in a value cut off the rest
    NONE = "none"  # neither


@dataclass(frozen=True, slots=True)
class Found:
    """What all readings agree on. genuine: positions in the packet; unsure: names of headers that are in doubt.

    texts: position of a value that contains line ends → position after the last header that is part of it.
    """

    reading: Reading
    genuine: tuple[int, ...] = ()
    unsure: frozenset[str] = frozenset()
    texts: dict[int, int] = field(default_factory=dict)


def find(order: Order, names: Sequence[str], vocabulary: Container[str]) -> Found:
    """Match the headers of a packet, or of its pieces, with the order of their kind.

    names: of the headers in wire order, in lower case. vocabulary: all header names of Asterisk. Other names may stand
    anywhere, because newer servers send more, but never count as genuine.
    """
    kept = [position for position, name in enumerate(names) if name in vocabulary]
    if not kept or kept[0] != 0 or names[0] != order[0].name:
        return Found(Reading.NONE)
    table = _Table(order, [names[position] for position in kept])
    if not table.complete:
        return Found(Reading.CUT if table.may_be_cut() else Reading.NONE)
    sure, unsure = table.agreed()
    torn = table.torn(sure)
    ends = {here: after for here, after in zip(sure, (*list(sure)[1:], len(kept)), strict=True) if here in torn}
    return Found(
        Reading.WHOLE,
        tuple(kept[here] for here in sure),
        unsure,
        {kept[here]: kept[after] if after < len(kept) else len(names) for here, after in ends.items()},
    )


def fits(order: Order, names: Sequence[str], vocabulary: Container[str]) -> bool:
    """Whether the headers are exactly those of the order, apart from names outside the vocabulary."""
    known = iter([name for name in names if name in vocabulary])
    name = next(known, None)
    for place in order:
        if place.name == name:
            name = next(known, None)
        elif not place.optional:
            return False
    return name is None


class _Table:
    """For each place of an order, where it can stand in a packet. Costs places times headers for any input."""

    def __init__(self, order: Order, names: Sequence[str]) -> None:
        self._order = order
        self._size = len(names)
        self._standing: dict[str, list[int]] = {}
        for position, name in enumerate(names):
            self._standing.setdefault(name, []).append(position)
        self._before = [tuple(self._neighbours(index)) for index in range(len(order) + 1)]
        self._after: list[list[int]] = [[] for _ in order]
        for index in range(1, len(order)):
            for earlier in self._before[index]:
                self._after[earlier].append(index)
        self._ahead = self._reach_from_the_beginning()
        self._ends = self._where_it_can_end()
        self._back = self._reach_to_the_end()

    @property
    def complete(self) -> bool:
        """Whether there is a reading."""
        return bool(self._ends)

    def may_be_cut(self) -> bool:
        """Whether the headers may be the beginning of a packet that is cut off in a free value."""
        return any(place.free and reached for place, reached in zip(self._order, self._ahead, strict=True))

    def agreed(self) -> tuple[dict[int, int], frozenset[str]]:
        """Return positions that all readings share, with their places, and names of places that only some have."""
        sure: dict[int, int] = {}
        unsure: set[str] = set()
        for index, place in enumerate(self._order):
            positions = self._ahead[index] & self._back[index]
            if len(positions) == 1 and not self._may_be_missing(index):
                sure[next(iter(positions))] = index
            elif positions:
                unsure.add(place.name)
        return sure, frozenset(unsure)

    def torn(self, sure: Mapping[int, int]) -> frozenset[int]:
        """Return positions of headers whose value must contain following headers, for lack of places for them.

        If another free value stands between, the text may be in that one, so neither is reported.
        """
        found = set()
        after = [*list(sure.items())[1:], (self._size, len(self._order))]
        for (here, index), (next_here, next_index) in zip(sure.items(), after, strict=True):
            gap = set(range(here + 1, next_here))
            between = [i for i in range(index + 1, next_index) if gap & self._ahead[i] & self._back[i]]
            if len(gap) > len(between) and not any(self._order[i].free for i in between):
                found.add(here)
        return frozenset(found)

    def _neighbours(self, index: int) -> Iterator[int]:
        """Return the places that may come directly before this one: optional ones and the first mandatory one."""
        for earlier in range(index - 1, -1, -1):
            yield earlier
            if not self._order[earlier].optional:
                return

    def _reach_from_the_beginning(self) -> list[set[int]]:
        reached: list[set[int]] = [{0}]
        for index in range(1, len(self._order)):
            before = self._before[index]
            # Anything may follow a free value, only the next header follows others.
            first = min((min(reached[i]) for i in before if self._order[i].free and reached[i]), default=self._size)
            reached.append(
                {
                    position
                    for position in self._standing.get(self._order[index].name, ())
                    if position > first or any(position - 1 in reached[i] for i in before)
                }
            )
        return reached

    def _where_it_can_end(self) -> dict[int, set[int]]:
        last = self._size - 1
        ends = {
            index: set(self._ahead[index]) if self._order[index].free else self._ahead[index] & {last}
            for index in self._before[len(self._order)]
        }
        return {index: positions for index, positions in ends.items() if positions}

    def _reach_to_the_end(self) -> list[set[int]]:
        reached: list[set[int]] = [set() for _ in self._order]
        for index in range(len(self._order) - 1, -1, -1):
            after = self._after[index]
            last = max((max(reached[i]) for i in after if reached[i]), default=-1)
            free = self._order[index].free
            reached[index] = set(self._ends.get(index, ())) | {
                position
                for position in self._ahead[index]
                if (free and position < last) or any(position + 1 in reached[i] for i in after)
            }
        return reached

    def _may_be_missing(self, index: int) -> bool:
        """Whether a reading omits this optional header and takes its look-alike for text."""
        if not self._order[index].optional:
            return False
        before = [i for i in self._before[index] if self._order[i].free and self._ahead[i] & self._back[i]]
        after = [i for earlier in self._before[index] for i in self._after[earlier] if i > index]
        last = max((max(self._back[i]) for i in after if self._back[i]), default=-1)
        return any(i in self._ends or min(self._ahead[i]) < last for i in before)
