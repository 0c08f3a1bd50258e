"""One AMI packet, decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar, Union, overload

if TYPE_CHECKING:
    import re


T = TypeVar("T")
Values = Union["re.Match[str]", Sequence[str]]
Picker = Callable[[Values], tuple[str, ...]]


class Layout:
    """The headers of a message, in wire order; messages of one shape share a layout.

    names: in lower case. positions: name → place of its first value among a message's values, from 1 on.
    event, action_id: places of these two, or of an empty value. plain: whether a message with these headers is what it
    seems to be; None: nobody has looked yet. open_ended: whether headers follow its ActionID. routine: whether nobody
    need look at an event with these headers but those who count it.
    """

    __slots__ = ("_pickers", "action_id", "event", "names", "open_ended", "plain", "positions", "routine")

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.plain: bool | None = None
        self.open_ended = False
        self.routine = False
        self.positions: dict[str, int] = {}
        for position, name in enumerate(names, 1):
            self.positions.setdefault(name, position)
        self.event = self.positions.get("event", len(self.names) + 1)
        self.action_id = self.positions.get("actionid", len(self.names) + 1)
        # As many as there are calls of Message.pick in the code, and report blocks of an RTCP event.
        self._pickers: dict[tuple[str, ...], Picker] = {}

    def picker(self, names: tuple[str, ...]) -> Picker:
        """Return a function that picks these headers' values from a message's values."""
        known = self._pickers.get(names)
        if known is None:
            absent = len(self.names) + 1
            first, second, *others = (self.positions.get(name, absent) for name in names)
            known = self._pickers[names] = itemgetter(first, second, *others)
        return known


class Message(Mapping[str, str]):
    """Header name in lower case → its first value, in wire order.

    AMI spells names differently from version to version (`BridgeID`, `BridgeId`), so names are in lower case. Headers
    may be repeated (`Variable`, `Output`, `Contacts`), so all values are kept. Values are decoded as UTF-8; other bytes
    become backslash escapes. A message with an `event` header is an event, even if it has a `response` header as well
    (OriginateResponse has both).

    Values are decoded on demand: a poll wants ten of a channel's 33 headers. cells: the values at the layout's
    positions.
    """

    __slots__ = ("cells", "layout")

    def __init__(self, layout: Layout, values: Values) -> None:
        """Make a message of values at the layout's positions, followed by an empty one for absent headers."""
        self.layout = layout
        self.cells = values

    @classmethod
    def of(cls, headers: Iterable[tuple[str, str]] | Mapping[str, str]) -> Message:
        """Make a message of headers in wire order, names in lower case."""
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        return cls(Layout([name for name, _ in pairs]), ("", *(value for _, value in pairs), ""))

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str) -> str: ...
    @overload
    def get(self, name: str, /, default: T) -> str | T: ...
    def get(self, name: str, /, default: object = None) -> object:
        position = self.layout.positions.get(name)
        return default if position is None else self.cells[position]

    def pick(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the first values of two or more headers, "" for absent ones; faster than calling `get` for each."""
        return self.layout.picker(names)(self.cells)

    def values_of(self, name: str) -> list[str]:
        """Return all values of a header, in wire order."""
        return [value for key, value in self.pairs() if key == name]

    def pairs(self) -> list[tuple[str, str]]:
        """Return all headers in wire order, repeated ones included."""
        return [(name, self.cells[position]) for position, name in enumerate(self.layout.names, 1)]

    def __getitem__(self, name: str, /) -> str:
        return self.cells[self.layout.positions[name]]

    def __contains__(self, name: object, /) -> bool:
        return name in self.layout.positions

    def __iter__(self) -> Iterator[str]:
        return iter(self.layout.positions)

    def __len__(self) -> int:
        return len(self.layout.positions)
