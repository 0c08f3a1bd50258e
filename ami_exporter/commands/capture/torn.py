"""List items torn apart by line ends in a value, written so that they can be read back as they came. Pure.

`torn: N` announces such an item; the N packets after it are its pieces. The names of Asterisk's headers, their order
and the ends of the packets stay, because they distinguish a caller's text from what Asterisk wrote. A value stays if it
is certainly one of Asterisk's own words or figures. All other values, and the names of all other headers, may be a
caller's text and are replaced word by word. The ActionID reads `ours` if it is the session's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ami_exporter.ami.genuine import Reading
from ami_exporter.ami.header_orders import ORDERS, VOCABULARY, Era
from ami_exporter.ami.message import Message
from ami_exporter.ami.sift import read
from ami_exporter.commands.capture.anonymise import KEPT
from ami_exporter.commands.capture.pseudonyms import Pseudonyms

OURS: Final = "ours"
_EVENTS: Final = frozenset(kind for orders in ORDERS.values() for kind in orders)
_PROTOCOL: Final = frozenset({"event", "response", "actionid", "eventlist", "listitems", "message"})
"""Headers that decide what a packet is; a caller's text may forge them."""

Packet = list[tuple[str, str]]


def torn(era: Era, pieces: Sequence[Message], action_id: str, names: Pseudonyms) -> Iterator[Packet]:
    """The packets for one torn item. action_id: the session's own, of this list."""
    yield [("torn", str(len(pieces)))]
    sure = _closed(era, pieces)
    position = 0
    for piece in pieces:
        packet: Packet = []
        for header, value in piece.pairs():
            shown = value if position in sure else _text(header, value, action_id, names)
            packet.append((_header(header, names), shown))
            position += 1
        yield packet


def _closed(era: Era, pieces: Sequence[Message]) -> frozenset[int]:
    """Positions of the headers whose values cannot hold a caller's text, in every reading of the pieces."""
    headers = tuple(header for piece in pieces for header in piece.layout.names)
    kind = pieces[0].get("event", "").lower()
    found = read(era, kind, headers)
    if found.reading is not Reading.WHOLE:
        return frozenset()
    free = {place.name for order in ORDERS[era][kind] for place in order if place.free}
    return frozenset(at for at in found.genuine if headers[at] in KEPT and headers[at] not in free)


def _header(header: str, names: Pseudonyms) -> str:
    return header if header in VOCABULARY or header in _PROTOCOL else names.text(header)


def _text(header: str, value: str, action_id: str, names: Pseudonyms) -> str:
    if header == "actionid":
        return OURS if value == action_id else names.text(value)
    if header == "event" and value.lower() in _EVENTS:
        return value
    return names.text(value)
