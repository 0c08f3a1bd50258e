"""Learned packet shapes: the codec's fast path.

Nearly all packets of a list, and most events of a name, have the same headers in the same order. After a few packets
with the same sequence, one compiled expression checks it and extracts all values, several times faster than decoding
by line. A packet with any difference does not match and takes the exact path of the codec, so both paths give the same
messages.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from ami_exporter.ami.message import Layout, Message
from ami_exporter.ami.redact import is_sensitive

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

#: Packets of one sequence before it gets an expression. Compiling costs as much as decoding some hundred packets, but
#: `re` caches: two hundred servers compile equal ones once.
SEEN_BEFORE_LEARNING = 4
#: Expressions for one first line: a server has few forms of an event, and hostile variety must not cost time.
SHAPES_PER_EVENT = 4
#: Most expressions in all: the frequent event names of one server.
SHAPES_IN_ALL = 96
#: Sequences counted at a time; when full, counting starts again.
CANDIDATES = 256
#: Spellings of header names remembered, and characters of one; names come from the PBX and can be anything.
MAX_NAMES, NAME_LENGTH = 4096, 64
#: Most headers of a packet to learn; longer packets are rare.
LEARNABLE_HEADERS = 64


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Shape:
    """One learned sequence of headers.

    match: the expression's method; its groups are the values at the layout's positions, and an empty one. first: the
    first line of its packets.
    """

    match: Callable[[str, int], re.Match[str] | None]
    layout: Layout
    first: str

    def recoded(self, match: re.Match[str]) -> Message:
        """Make the message of a matched packet, whose UTF-8 was decoded as Latin-1."""
        values = (value if value.isascii() else _from_latin_1(value) for value in match.groups())
        return Message(self.layout, ("", *values))


def _from_latin_1(value: str) -> str:
    return value.encode("latin-1").decode("utf-8", "backslashreplace")


class KnownShapes:
    """The shapes in use on links whose servers write alike: what many links learn is kept once. Safe for threads.

    A shape is made of nothing but first line and names, which it matches exactly: no server can make it wrong for
    another. It is forgotten with the last link that has it, and each link has so many at most. Spellings of header
    names are remembered until there are MAX_NAMES; of more, each is made anew when it comes.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._shapes: WeakValueDictionary[tuple[str, ...], Shape] = WeakValueDictionary()
        self._lock = Lock()

    def name(self, raw: str) -> str:
        """Return a header's name in lower case, as the same object for all links."""
        name = self._names.get(raw)
        if name is None:
            name = sys.intern(raw.strip().lower())
            if len(raw) <= NAME_LENGTH and len(self._names) < MAX_NAMES:
                self._names[raw] = name
        return name

    def get(self, first: str, names: tuple[str, ...]) -> Shape | None:
        """Return the shape that some link has learned."""
        with self._lock:
            return self._shapes.get((first, *names))

    def make(self, first: str, names: tuple[str, ...]) -> Shape:
        """Return the shape, compiled unless another link was quicker."""
        lines = (f"{re.escape(name)}: (.*)\r\n" for name in names)
        kind, value = first.split(": ", 1)
        pattern = re.compile(f"{kind}: ({re.escape(value)})\r\n{''.join(lines)}()\r\n")
        made = Shape(pattern.match, Layout((kind.lower(), *(name.lower() for name in names))), first)
        with self._lock:
            return self._shapes.setdefault((first, *names), made)


class ShapeLibrary:
    """Known shapes by what decides how links judge their layouts: the server's era, polls or events."""

    def __init__(self) -> None:
        self._kinds: dict[Hashable, KnownShapes] = {}

    def of(self, *kind: Hashable) -> KnownShapes:
        """Return the known shapes of one kind; there must be few of those."""
        return self._kinds.setdefault(kind, KnownShapes())


class Shapes:
    """The shapes learned from one server, by first line, most recently matched first."""

    def __init__(self, known: KnownShapes) -> None:
        self._known = known
        self._by_first_line: dict[str, list[Shape]] = {}
        # By hash: the names take much memory, and a shape learned too early does no harm.
        self._seen: dict[int, int] = {}
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

        Only packets of `Event: NAME` or `Response: Success` first and then `Name: value` lines, all ended by CRLF, are
        learned.
        """
        if self._learned >= SHAPES_IN_ALL or not packet.startswith(_FIRST) or not packet.endswith("\r\n\r\n"):
            return
        first, *lines = packet[:-4].split("\r\n")
        if (
            not first.isascii()
            or len(self._by_first_line.get(first, ())) >= SHAPES_PER_EVENT
            or is_sensitive(first.partition(" ")[2])
        ):
            return
        if len(lines) > LEARNABLE_HEADERS or not all(map(_REGULAR.match, (first, *lines))):
            return
        names = tuple(line[: line.index(":")] for line in lines)
        if first == _RESPONSE and any(name.lower() == "event" for name in names):
            return  # an event of any kind, credentials too
        shape = self._known.get(first, names)
        if shape is None and self._is_frequent(hash((first, *names))):
            shape = self._known.make(first, names)
        if shape is not None:
            self._by_first_line.setdefault(shape.first, []).insert(0, shape)
            self._learned += 1

    def _is_frequent(self, key: int) -> bool:
        count = self._seen.pop(key, 0) + 1
        if count >= SEEN_BEFORE_LEARNING:
            return True
        if len(self._seen) >= CANDIDATES:
            self._seen.clear()
        self._seen[key] = count
        return False


#: Output of a command in the old form begins otherwise: only the codec can tell it.
_RESPONSE = "Response: Success"
_FIRST = ("Event: ", f"{_RESPONSE}\r\n")
#: A name in ASCII without spaces or colon, a colon, one space, a value without line ends.
_REGULAR = re.compile(r"[!-9;-~]+: [^\n]*\Z")
