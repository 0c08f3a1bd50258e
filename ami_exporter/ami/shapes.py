"""Learned packet shapes: the codec's fast path.

Nearly all packets of a list, and most events of a name, have the same headers in the same order. After a few packets
with the same sequence, one compiled expression checks it and extracts all values, several times faster than decoding
by line. A packet with any difference does not match and takes the exact path of the codec, so both paths give the same
messages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ami_exporter.ami.message import Layout, Message
from ami_exporter.ami.redact import is_sensitive

if TYPE_CHECKING:
    from collections.abc import Callable

#: Packets of one sequence before it gets an expression. Compiling costs as much as decoding some hundred packets, but
#: `re` caches: two hundred servers compile equal ones once.
SEEN_BEFORE_LEARNING = 4
#: Most expressions for one event name: a server has few forms of an event, and hostile variety must not cost time.
SHAPES_PER_EVENT = 4
#: Most expressions in all: the frequent event names of one server.
SHAPES_IN_ALL = 96
#: Sequences counted at a time; when full, counting starts again.
CANDIDATES = 256
#: Most headers of a packet to learn; longer packets are rare.
LEARNABLE_HEADERS = 64


class Shape(NamedTuple):
    """One learned sequence of headers.

    match: the expression's method; its groups are the values at the layout's positions, and an empty one.
    """

    match: Callable[[str, int], re.Match[str] | None]
    layout: Layout

    def recoded(self, match: re.Match[str]) -> Message:
        """Make the message of a matched packet, whose UTF-8 was decoded as Latin-1."""
        values = (value if value.isascii() else _from_latin_1(value) for value in match.groups())
        return Message(self.layout, ("", *values))


def _from_latin_1(value: str) -> str:
    return value.encode("latin-1").decode("utf-8", "backslashreplace")


class Shapes:
    """The shapes learned from one server, by first line, most recently matched first."""

    def __init__(self) -> None:
        self._by_first_line: dict[str, list[Shape]] = {}
        self._seen: dict[tuple[str, ...], int] = {}
        self._learned = 0

    def find(self, text: str, position: int) -> tuple[Shape, re.Match[str]] | None:
        """Match the packet at a position of the text; None means the exact path."""
        shapes = self._by_first_line.get(text[position : text.find("\r\n", position)])
        if shapes is None:
            return None
        for index, shape in enumerate(shapes):
            match = shape.match(text, position)
            if match is not None:
                if index:
                    shapes.insert(0, shapes.pop(index))
                return shape, match
        return None

    def learn(self, packet: str) -> None:
        """Count the shape of a packet that took the exact path, and compile it if it is frequent.

        Only packets of `Event: NAME` and then `Name: value` lines, all ended by CRLF, are learned.
        """
        if self._learned >= SHAPES_IN_ALL or not packet.startswith("Event: ") or not packet.endswith("\r\n\r\n"):
            return
        first, *lines = packet[:-4].split("\r\n")
        if (
            not first.isascii()
            or len(self._by_first_line.get(first, ())) >= SHAPES_PER_EVENT
            or is_sensitive(first[7:])
        ):
            return
        if len(lines) > LEARNABLE_HEADERS or not all(map(_REGULAR.match, (first, *lines))):
            return
        names = tuple(line[: line.index(":")] for line in lines)
        key = (first, *names)
        count = self._seen[key] = self._seen.get(key, 0) + 1
        if count == SEEN_BEFORE_LEARNING:
            self._compile(first, names)
        elif len(self._seen) > CANDIDATES:
            self._seen.clear()

    def _compile(self, first: str, names: tuple[str, ...]) -> None:
        lines = (f"{re.escape(name)}: (.*)\r\n" for name in names)
        event, value = first.split(" ", 1)
        pattern = re.compile(f"{event} ({re.escape(value)})\r\n{''.join(lines)}()\r\n")
        layout = Layout(("event", *(name.lower() for name in names)))
        self._by_first_line.setdefault(first, []).insert(0, Shape(pattern.match, layout))
        self._learned += 1


#: A name in ASCII without blanks or colon, a colon, one space, a value without line ends.
_REGULAR = re.compile(r"[!-9;-~]+: [^\n]*\Z")
