"""The message that Asterisk wrote, out of a packet or pieces of one with a stranger's text in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import lru_cache

from ami_exporter.ami.genuine import Found, Reading, find, fits
from ami_exporter.ami.header_orders import OPEN_KINDS, ORDERS, VOCABULARY, Era
from ami_exporter.ami.message import Message

#: Sequences of headers whose reading is remembered, and the most headers of one: some 5 MB. A reading takes some 50 µs;
#: hostile variety only costs that time.
REMEMBERED = 512
MAX_REMEMBERED_HEADERS = 100
#: Characters kept of what follows the first line end in a value: it is shown to nobody but as a label, cut there too.
TEXT_KEPT = 200
#: How headers end that no figure of a list is made of: it stays right when nobody can tell which of two is genuine.
NOT_COUNTED = (
    *("calleridnum", "calleridname", "connectedlinenum", "connectedlinename", "uniqueid"),
    *("exten", "extension", "dnid", "data", "dialstring", "useragent", "language", "stateinterface"),
)


def read(era: Era, kind: str, names: tuple[str, ...]) -> Found:
    """Read the headers of an event or item by all orders that versions of Asterisk have for its kind."""
    return (_read if len(names) <= MAX_REMEMBERED_HEADERS else _read.__wrapped__)(era, kind, names)


@lru_cache(REMEMBERED)
def _read(era: Era, kind: str, names: tuple[str, ...]) -> Found:
    readings = [find(order, names, VOCABULARY) for order in ORDERS[era].get(kind, ())]
    whole = [found for found in readings if found.reading is Reading.WHOLE]
    if whole:
        # Where two versions' orders can be read, a text would have to forge all that the longer one has more.
        most = max(len(found.genuine) for found in whole)
        return _common(names, [found for found in whole if len(found.genuine) == most])
    return next((found for found in readings if found.reading is Reading.CUT), Found(Reading.NONE))


def _common(names: Sequence[str], readings: Sequence[Found]) -> Found:
    """Reduce the readings of several versions to what they agree in."""
    genuine = set(readings[0].genuine).intersection(*(found.genuine for found in readings))
    seen = set[int]().union(*(found.genuine for found in readings))
    unsure = frozenset(names[position] for position in seen - genuine)
    first, *others = readings
    texts = {here: end for here, end in first.texts.items() if all(here in found.texts for found in others)}
    return Found(Reading.WHOLE, tuple(sorted(genuine)), unsure.union(*(found.unsure for found in readings)), texts)


class Look(Enum):
    """What a single packet looks like."""

    PLAIN = "plain"  # it is what it seems to be, with no header more than Asterisk wrote
    OTHER = "other"  # another version's order, with headers that belong to other kinds
    TORN = "torn"  # a value has line ends in it


def look(era: Era, kind: str, names: tuple[str, ...]) -> Look:
    """Tell from the headers of a packet what it is."""
    return (_look if len(names) <= MAX_REMEMBERED_HEADERS else _look.__wrapped__)(era, kind, names)


@lru_cache(REMEMBERED)
def _look(era: Era, kind: str, names: tuple[str, ...]) -> Look:
    if names.count("actionid") > 1:
        return Look.TORN
    if any(fits(order, names, VOCABULARY) for order in ORDERS[era].get(kind, ())):
        return Look.PLAIN
    if kind in OPEN_KINDS and _fits_up_to_its_name(era, kind, names):
        return Look.PLAIN
    if read(era, kind, names).reading is Reading.WHOLE:
        return Look.TORN
    # Another version's order, or none is known: nothing can be said but that no header comes twice.
    known = [name for name in names if name in VOCABULARY]
    if len(known) != len(set(known)):
        return Look.TORN
    return Look.OTHER if _foreign(era, kind).intersection(known) else Look.PLAIN


def _fits_up_to_its_name(era: Era, kind: str, names: tuple[str, ...]) -> bool:
    """Whether the headers before those that the sender chose are in order, and none of them comes again."""
    if kind not in names:
        return False
    own, others = names[: names.index(kind) + 1], names[names.index(kind) + 1 :]
    return set(own).isdisjoint(others) and any(fits(order, own, VOCABULARY) for order in ORDERS[era][kind])


@lru_cache(REMEMBERED)
def _foreign(era: Era, kind: str) -> frozenset[str]:
    """Names that belong to other kinds only. What older servers write is foreign to newer ones, but not the reverse.

    For what says to be older may be a newer one: behind a proxy that greets for it, say.
    """
    eras = (Era.MODERN,) if era is Era.MODERN else tuple(Era)
    orders = [order for each in eras for order in ORDERS[each].get(kind, ())]
    return VOCABULARY.difference(place.name for order in orders for place in order) if orders else frozenset()


@lru_cache(REMEMBERED)
def may_be_torn(era: Era, kind: str) -> bool:
    """Whether some value of this kind can hold line ends, as far as is known."""
    return any(place.free for order in ORDERS[era].get(kind, ()) for place in order)


def judge(era: Era, message: Message) -> None:
    """Note in the layout of a message whether it is what it seems to be: all messages of its shape then are."""
    layout = message.layout
    if layout.plain is None:
        layout.plain = look(era, message.get("event", "").lower(), layout.names) is Look.PLAIN
        layout.open_ended = layout.names[-1:] != ("actionid",)


def item_of(era: Era, pieces: Sequence[Message], action_id: str) -> Message | None:
    """Return the list item that a packet or several pieces are; None: what is genuine in it is in doubt.

    The one header with our ActionID is genuine, for nobody can guess it.
    """
    pairs = [
        ("", value) if name == "actionid" and value != action_id else (name, value)
        for piece in pieces
        for name, value in piece.pairs()
    ]
    names = tuple(name for name, _ in pairs)
    kind = pieces[0].get("event", "").lower()
    if len(pieces) == 1 and look(era, kind, names) is not Look.TORN:
        return without_foreign(era, kind, pairs)
    found = read(era, kind, names)
    if found.reading is not Reading.WHOLE or any(not name.endswith(NOT_COUNTED) for name in found.unsure):
        return None
    return rebuilt(pairs, found)


def rebuilt(pairs: Sequence[tuple[str, str]], found: Found) -> Message:
    """Make a message of the genuine headers alone; a value with line ends in it has them again."""
    is_open = pairs[0][1].lower() in OPEN_KINDS
    # Headers that the sender chose follow the last genuine one: they are no text of its value.
    texts = {here: end for here, end in found.texts.items() if not is_open or here != found.genuine[-1]}
    kept = [(pairs[here][0], _value(pairs, here, texts)) for here in found.genuine]
    if is_open:
        sure = {name for name, _ in kept}
        kept += [pair for pair in pairs[found.genuine[-1] + 1 :] if pair[0] and pair[0] not in sure]
    return Message.of(kept)


def _value(pairs: Sequence[tuple[str, str]], here: int, texts: Mapping[int, int]) -> str:
    end = texts.get(here)
    if end is None:
        return pairs[here][1]
    rest = "\n".join(f"{name}: {value}" for name, value in pairs[here + 1 : end])
    return f"{pairs[here][1]}\n{rest[:TEXT_KEPT]}"


def without_foreign(era: Era, kind: str, pairs: Iterable[tuple[str, str]]) -> Message:
    """Make a message of the headers that its kind can have, as far as that is known."""
    foreign = _foreign(era, kind)
    return Message.of((name, value) for name, value in pairs if name and name not in foreign)


@lru_cache(REMEMBERED)
def _last_names(era: Era, kind: str) -> frozenset[str]:
    """Names that a message of this kind can end with."""
    found = set()
    for order in ORDERS[era][kind]:
        for place in reversed(order):
            found.add(place.name)
            if not place.optional:
                break
    return frozenset(found)


def ends_with(era: Era, kind: str, names: Sequence[str]) -> bool:
    """Whether one of these headers can be the last of a message of this kind."""
    return not _last_names(era, kind).isdisjoint(names)
