"""Lets genuine events through, out of a stream in which values may contain line ends.

An event contains no secret, so text from outside can look like an event. But Asterisk writes an event at once: if a
blank line in a value tears it, there is a beginning without the last headers, then whatever the text forges, then those
headers. Everything from the beginning to these headers is one event. If it is in doubt, only its certain part is used.

The table tells which headers an event has in the known versions. Until an event has come that matches the table, the
server may be another version: an event that lacks headers is then accepted, unless pieces follow it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ami_exporter.ami.genuine import Found, Reading
from ami_exporter.ami.header_orders import CHANNEL, ORDERS, Era
from ami_exporter.ami.message import Message
from ami_exporter.ami.sift import Look, ends_with, look, may_be_torn, read, rebuilt, without_foreign

#: Most headers of a torn event: ten values of 4,000 characters that are all line ends and colons.
MAX_TORN_HEADERS = 8_000
#: Seconds to wait for the rest of a torn event, which the server writes at once.
REST_SECONDS = 2.0
#: After so many beginnings without a rest, they are accepted as what this version of Asterisk writes.
BEGINNINGS_BEFORE_BELIEVED = 3
#: Sequences of headers that are counted for that.
OTHER_FORMS = 256
#: Pieces of torn events to remember, and for how many seconds: the same text may appear in other values of the call.
PIECES_REMEMBERED = 256
REMEMBERED_SECONDS = 60.0

Pairs = list[tuple[str, str]]
_LOOKED_AT = frozenset({"fullybooted", "userevent"})  # by Link


@dataclass(frozen=True, slots=True)
class _Seen:
    """A piece of a torn event: text from outside."""

    at: float
    pairs: Pairs


class EventSieve:
    """The events of one session. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: Set after the server's greeting.
        self.era = Era.MODERN
        self._held: Message | None = None  # a plain event that may turn out to be torn
        self._pieces: list[Message] = []
        self._found: Found | None = None  # the reading of the pieces, once they are a whole event
        self._headers = 0
        self._since = 0.0
        self._seen: deque[_Seen] = deque(maxlen=PIECES_REMEMBERED)
        self._is_known = False  # whether the server's events match the table
        self._no_rest: dict[tuple[str, ...], int] = {}
        self._doubtful = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits or is still to be reported, so that successive routine events are genuine."""
        return not (self._held or self._pieces or self._seen or self._doubtful)

    def take_doubtful(self) -> int:
        """Return how many events were torn or in doubt since the last call."""
        doubtful, self._doubtful = self._doubtful, 0
        return doubtful

    def take(self, message: Message) -> Iterator[Message]:
        """Yield the events that are certainly genuine; a probable one waits for what follows it."""
        yield from self.overdue()
        well_begun = begins_well(message)
        if self._pieces and not (self._found and well_begun):
            yield from self._add(message)
            return
        layout = message.layout
        if layout.plain is None:
            self._judge(message)
        if well_begun:
            yield from self._end()
        if layout.plain and not self._is_repeated(message):
            self._held = message
        elif self._held is not None and not well_begun:
            self._begin(self._held)
            self._held = None
            yield from self._add(message)
        else:
            yield from self._take_doubtful(message)

    @property
    def waits(self) -> bool:
        """Whether the pieces of a torn event are being collected."""
        return bool(self._pieces)

    def pause(self) -> Iterator[Message]:
        """Yield events that were waiting for more, because nothing more has arrived."""
        if not self._pieces or self._found:
            yield from self._end()
        elif not self._is_known and all(map(begins_well, self._pieces)):
            pieces, self._pieces = self._pieces, []
            for message in pieces:
                yield without_foreign(self.era, message["event"].lower(), message.pairs())

    def _end(self) -> Iterator[Message]:
        """Yield the event before, now that what follows does not belong to it."""
        if self._held is not None:
            held, self._held = self._held, None
            yield held
        if self._pieces and self._found is not None:
            pieces, found = self._pieces, self._found
            self._pieces, self._found = [], None
            now = self._clock()
            self._seen.extend(_Seen(now, piece.pairs()) for piece in pieces[1:])
            self._doubtful += 1
            yield rebuilt([pair for piece in pieces for pair in piece.pairs()], found)

    def overdue(self) -> Iterator[Message]:
        """Stop waiting for a rest that is overdue."""
        if self._pieces and self._clock() - self._since > REST_SECONDS:
            yield from self._give_up()

    def _give_up(self) -> Iterator[Message]:
        """Accept what has arrived since the beginning as separate packets."""
        beginning, *others = self._pieces
        self._pieces, self._found = [], None
        names = (beginning["event"].lower(), *beginning.layout.names)
        if len(self._no_rest) >= OTHER_FORMS:
            self._no_rest.clear()
        times = self._no_rest[names] = self._no_rest.get(names, 0) + 1
        self._doubtful += 1
        if times >= BEGINNINGS_BEFORE_BELIEVED:
            yield without_foreign(self.era, names[0], beginning.pairs())
        for message in others:
            yield from self.take(message)

    def _judge(self, message: Message) -> None:
        """Note in a layout what holds for all its messages, `plain` last: other links may share it.

        Each link judges the first packet of a shape, which no shape matches yet.
        """
        layout, kind = message.layout, message.get("event", "").lower()
        plain = begins_well(message)
        if plain and kind in ORDERS[self.era]:
            plain = look(self.era, kind, layout.names) is Look.PLAIN
            reading = read(self.era, kind, layout.names).reading if plain else Reading.NONE
            plain = plain and reading is not Reading.CUT
            self._is_known = self._is_known or (reading is Reading.WHOLE and may_be_torn(self.era, kind))
        layout.routine = plain and "actionid" not in message and kind not in _LOOKED_AT
        layout.plain = plain

    def _is_repeated(self, message: Message) -> bool:
        """Whether this text was a piece of a torn event a moment ago; its last value may be longer."""
        if not self._seen:
            return False
        now = self._clock()
        while self._seen and now - self._seen[0].at > REMEMBERED_SECONDS:
            self._seen.popleft()
        pairs = message.pairs()
        return any(_continues(pairs, seen.pairs) for seen in self._seen)

    def _take_doubtful(self, message: Message) -> Iterator[Message]:
        """Take a packet that does not look like an event of Asterisk."""
        names = message.layout.names
        kind = message.get("event", "").lower()
        if not begins_well(message) or message.layout.plain:
            self._doubtful += 1
            return
        found = read(self.era, kind, names)
        if found.reading is Reading.WHOLE:
            self._doubtful += 1
            yield rebuilt(message.pairs(), found)
        elif found.reading is Reading.CUT and self._no_rest.get((kind, *names), 0) < BEGINNINGS_BEFORE_BELIEVED:
            self._begin(message)
        elif found.reading is Reading.CUT or not self._has_a_channel_of_another(kind, names):
            yield without_foreign(self.era, kind, message.pairs())
        else:
            self._doubtful += 1

    def _has_a_channel_of_another(self, kind: str, names: Sequence[str]) -> bool:
        """Whether it has channel headers that no version of this event has, or one of its own twice."""
        own = {place.name for order in ORDERS[self.era][kind] for place in order}
        known = [name for name in names if name in own]
        return len(known) != len(set(known)) or any(name in CHANNEL and name not in own for name in names)

    def _begin(self, beginning: Message) -> None:
        self._pieces = [beginning]
        self._found = None
        self._headers = len(beginning.layout.names)
        self._since = self._clock()

    def _add(self, message: Message) -> Iterator[Message]:
        """Take a packet behind the beginning of a torn event, or a non-event behind an event that seemed whole."""
        self._pieces.append(message)
        self._headers += len(message.layout.names)
        if self._headers > MAX_TORN_HEADERS:
            yield from self._give_up()
            return
        beginning = self._pieces[0]
        kind = beginning["event"].lower()
        found_before, self._found = self._found, None
        if kind not in ORDERS[self.era]:
            self._pieces = []
            self._doubtful += 1
            yield beginning
        elif found_before or beginning.layout.plain or ends_with(self.era, kind, message.layout.names):
            names = tuple(name for piece in self._pieces for name in piece.layout.names)
            found = read(self.era, kind, names)
            if found.reading is Reading.WHOLE:
                self._found = found
            elif found.reading is Reading.NONE:
                self._pieces = []
                self._doubtful += 1


def begins_well(message: Message) -> bool:
    """Whether a packet begins like an event of Asterisk."""
    return message.layout.names[:2] == ("event", "privilege")


def _continues(pairs: Pairs, seen: Pairs) -> bool:
    size = len(pairs)
    return (
        size <= len(seen)
        and pairs[:-1] == seen[: size - 1]
        and pairs[-1][0] == seen[size - 1][0]
        and pairs[-1][1].startswith(seen[size - 1][1])
    )
