"""Extracts the message that Asterisk wrote from a packet, or pieces of one, that contain text from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import lru_cache

from ami_exporter.ami.genuine import Found, Reading, find, fits
from ami_exporter.ami.header_orders import OPEN_KINDS, ORDERS, VOCABULARY, Era
from ami_exporter.ami.message import Message

#: Sequences of headers whose reading is cached, and the most headers of one: about 5 MB. A reading takes about 50 µs,
#: which is all that hostile variety costs.
REMEMBERED = 512
MAX_REMEMBERED_HEADERS = 100
#: Characters kept after the first line end in a value, which is only used as a label.
TEXT_KEPT = 200
#: Endings of headers that no metric of a list uses, so that doubt about them does no harm.
NOT_COUNTED = (
    *("calleridnum", "calleridname", "connectedlinenum", "connectedlinename", "uniqueid"),
    *("exten", "extension", "dnid", "data", "dialstring", "useragent", "language", "stateinterface"),
)


def read(era: Era, kind: str, names: tuple[str, ...]) -> Found:
    """Match the headers of an event or item with the orders of all versions of Asterisk."""
    return (_read if len(names) <= MAX_REMEMBERED_HEADERS else _read.__wrapped__)(era, kind, names)


@lru_cache(REMEMBERED)
def _read(era: Era, kind: str, names: tuple[str, ...]) -> Found:
    readings = [find(order, names, VOCABULARY) for order in ORDERS[era].get(kind, ())]
    whole = [found for found in readings if found.reading is Reading.WHOLE]
    if whole:
        # If two versions' orders match, a text would have to forge all additional headers of the longer one.
        most = max(len(found.genuine) for found in whole)
        return _common(names, [found for found in whole if len(found.genuine) == most])
    return next((found for found in readings if found.reading is Reading.CUT), Found(Reading.NONE))


def _common(names: Sequence[str], readings: Sequence[Found]) -> Found:
    """Reduce the readings of several versions to what they agree on."""
    genuine = set(readings[0].genuine).intersection(*(found.genuine for found in readings))
    seen = set[int]().union(*(found.genuine for found in readings))
    unsure = frozenset(names[position] for position in seen - genuine)
    first, *others = readings
    texts = {here: end for here, end in first.texts.items() if all(here in found.texts for found in others)}
    return Found(Reading.WHOLE, tuple(sorted(genuine)), unsure.union(*(found.unsure for found in readings)), texts)


class Look(Enum):
    """What a single packet looks like."""

    PLAIN = "plain"  # genuine, without further headers
    OTHER = "other"  # another version's order, with headers of other kinds
    TORN = "torn"  # a value contains line ends


def look(era: Era, kind: str, names: tuple[str, ...]) -> Look:
    """Classify a packet by its headers."""
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
    # Another version's order or an unknown one: all we know is that no header is repeated.
    known = [name for name in names if name in VOCABULARY]
    if len(known) != len(set(known)):
        return Look.TORN
    return Look.OTHER if _foreign(era, kind).intersection(known) else Look.PLAIN


def _fits_up_to_its_name(era: Era, kind: str, names: tuple[str, ...]) -> bool:
    """Whether the headers before those that the sender chose are in order and not repeated."""
    if kind not in names:
        return False
    own, others = names[: names.index(kind) + 1], names[names.index(kind) + 1 :]
    return set(own).isdisjoint(others) and any(fits(order, own, VOCABULARY) for order in ORDERS[era][kind])


@lru_cache(REMEMBERED)
def _foreign(era: Era, kind: str) -> frozenset[str]:
    """Return names that only other kinds have. Names of older servers are foreign to newer ones, not the reverse.

    A server that claims to be old may be a newer one, for example behind a proxy that greets for it.
    """
    eras = (Era.MODERN,) if era is Era.MODERN else tuple(Era)
    orders = [order for each in eras for order in ORDERS[each].get(kind, ())]
    return VOCABULARY.difference(place.name for order in orders for place in order) if orders else frozenset()


@lru_cache(REMEMBERED)
def may_be_torn(era: Era, kind: str) -> bool:
    """Whether a value of this kind may contain line ends, as far as known."""
    return any(place.free for order in ORDERS[era].get(kind, ()) for place in order)


def judge(era: Era, message: Message) -> None:
    """Note in the layout of a message whether it is genuine; this holds for all messages of its shape."""
    layout = message.layout
    if layout.plain is None:
        layout.plain = look(era, message.get("event", "").lower(), layout.names) is Look.PLAIN
        layout.open_ended = layout.names[-1:] != ("actionid",)


def item_of(era: Era, pieces: Sequence[Message], action_id: str) -> Message | None:
    """Return the list item that a packet or several pieces make; None if it is in doubt.

    The header with our ActionID is genuine, because nobody can guess it.
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
    """Make a message of the genuine headers; a value that contains line ends gets them back."""
    is_open = pairs[0][1].lower() in OPEN_KINDS
    # Headers that the sender chose follow the last genuine one; they are not part of its value.
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
    """Make a message of the headers that its kind may have, as far as known."""
    foreign = _foreign(era, kind)
    return Message.of((name, value) for name, value in pairs if name and name not in foreign)


@lru_cache(REMEMBERED)
def _last_names(era: Era, kind: str) -> frozenset[str]:
    """Return the names that a message of this kind may end with."""
    found = set()
    for order in ORDERS[era][kind]:
        for place in reversed(order):
            found.add(place.name)
            if not place.optional:
                break
    return frozenset(found)


def ends_with(era: Era, kind: str, names: Sequence[str]) -> bool:
    """Whether one of these headers may be the last one of this kind."""
    return not _last_names(era, kind).isdisjoint(names)
