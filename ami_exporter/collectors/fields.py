"""Building blocks of declarations: read label values, numbers and conditions from one message.

Header names are written as Asterisk spells them and compared in lower case, since their spelling is not stable.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Context, Labels, Value, Where
from ami_exporter.collectors.vocabulary import INTERNAL, NULL

Label = Callable[[Message, Context], "str | None"]

OTHER = "other"
_TECHNOLOGY_LENGTH = 32
WHOLE_DIGITS = 18
#: Telephone numbers have at least so many digits; names of extensions, queues and rooms have fewer.
PHONE_DIGITS = 7
_DIALLED = re.compile(r"[0-9][0-9 ()./-]*")
_ADDRESS = re.compile(
    r"@|://|\b(?:sips?|tel|iax2?|mailto):"  # URIs
    r"|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b"  # IPv4
    r"|(?:[0-9a-f]{0,4}:){2}[0-9a-f]{0,4}"  # IPv6, MAC
    r"|(?:[0-9a-f]{2}-){5}[0-9a-f]{2}"  # MAC
    r"|-[0-9a-f]{8}(?:;[12])?$",  # a channel
    re.IGNORECASE,
)


def text(header: str, *, missing: str | None = None) -> Label:
    """Return a header's value; `missing` if it is absent, empty or (null), where None skips the item."""
    key = header.lower()

    def label(message: Message, _context: Context) -> str | None:
        found = message.get(key)
        return found if found and found != NULL else missing

    return label


def public_text(header: str, *, digits: int = PHONE_DIGITS) -> Label:
    """Like `text`, for a field that anybody may fill: text like a number or an address becomes `other`.

    digits: so many make a number, ignoring punctuation between them.
    """
    plain = text(header)

    def label(message: Message, context: Context) -> str | None:
        value = plain(message, context)
        return OTHER if value is not None and is_number_or_address(value, digits) else value

    return label


def is_number_or_address(value: str, digits: int = PHONE_DIGITS) -> bool:
    """Whether a text contains a telephone number, a URI, an IP or MAC address, or is a channel's name."""
    return _ADDRESS.search(value) is not None or holds_number(value, digits)


def holds_number(value: str, digits: int = PHONE_DIGITS) -> bool:
    """Tell whether a text holds a telephone number: so many digits, signs between them aside."""
    return any(sum(char.isdigit() for char in run) >= digits for run in _DIALLED.findall(value))


def word(header: str, table: Mapping[str, str], other: str | None = OTHER) -> Label:
    """Translate a header's value by a closed table with lower-case keys; anything else is `other`."""
    key = header.lower()

    def label(message: Message, _context: Context) -> str | None:
        value = message.get(key)
        return None if value is None else table.get(value.strip().lower(), other)

    return label


def constant(value: str) -> Label:
    """Always the same label value."""
    return lambda _message, _context: value


def technology(header: str = "Channel") -> Label:
    """The channel technology: what stands before the slash of a channel's or device's name."""
    key = header.lower()
    return lambda message, _context: technology_of(message.get(key, ""))


def technology_of(name: str) -> str | None:
    """Return the technology of a channel or device name; `other` if it is not a plain word.

    None without a name, and for Asterisk's internal channels, which are not counted.
    """
    if not name:
        return None
    tech = name.partition("/")[0]
    if tech in INTERNAL:
        return None
    # String methods, not a pattern: this runs for every call event.
    return tech if len(tech) <= _TECHNOLOGY_LENGTH and tech.isidentifier() and tech.isascii() else OTHER


def split_channel(name: str) -> tuple[str, str]:
    """Technology and endpoint of a channel name: ("PJSIP", "telco-a") for PJSIP/telco-a-0000001f."""
    tech, _, rest = name.partition("/")
    return tech, rest.rpartition("-")[0] or rest


def labels(*parts: Label) -> Labels:
    """Return label values in order; None if one of them is None."""
    if len(parts) == 1:
        only = parts[0]

        def single(message: Message, context: Context) -> tuple[str, ...] | None:
            value = only(message, context)
            return None if value is None else (value,)

        return single

    def several(message: Message, context: Context) -> tuple[str, ...] | None:
        values = [part(message, context) for part in parts]
        return None if None in values else tuple(values)  # type: ignore[arg-type]  # it cannot tell that None is out

    return several


def number(header: str, *, scale: float = 1.0, minimum: float = 0.0, maximum: float = math.inf) -> Value:
    """Return a header's number times scale; None if absent, not finite or negative."""
    key = header.lower()

    def value(message: Message) -> float | None:
        found = to_number(message.get(key))
        return None if found is None or not minimum <= found <= maximum else found * scale

    return value


def either(one: Value, other: Value) -> Value:
    """Return a number that versions of Asterisk have under two names."""

    def value(message: Message) -> float | None:
        found = one(message)
        return other(message) if found is None else found

    return value


def to_number(written: str | None) -> float | None:
    """A finite decimal number, or None."""
    if written is None:
        return None
    try:
        found = float(written)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


_LEADING = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?![.,:/-]?[0-9]|[xX][0-9a-fA-F])")


def leading_number(written: str | None) -> float | None:
    """Return the number at the beginning of a text: 37 of "37 records", 4 of "4 (out of 5)", -71 of "-71 dBm".

    None if the text continues like something else: an address, a time, a date, 1,234, 5/8, 0x1f.
    """
    found = None if written is None else _LEADING.match(written.strip())
    return None if found is None or len(found[0]) > WHOLE_DIGITS else float(found[0])


def to_whole(written: str | None) -> int | None:
    """A whole number of at most 18 digits, or None."""
    if written is None or len(written) > WHOLE_DIGITS or not written.isdecimal():
        return None
    return int(written)


def mapped(header: str, table: Mapping[str, float]) -> Value:
    """A number by a closed table (keys in lower case); anything else is None."""
    key = header.lower()
    return lambda message: table.get(message.get(key, "").strip().lower())


def fixed(amount: float) -> Value:
    """Always the same number, as for info metrics."""
    return lambda _message: amount


def having(header: str, *values: str) -> Where:
    """True when the header has one of the values (compared in lower case)."""
    key = header.lower()
    wanted = frozenset(value.lower() for value in values)

    def where(message: Message) -> bool:
        found = message.get(key, "")
        return found in wanted or found.strip().lower() in wanted

    return where


def present(header: str) -> Where:
    """True when the header is there and not empty."""
    key = header.lower()
    return lambda message: bool(message.get(key))


def both(*conditions: Where) -> Where:
    """True when all conditions hold."""
    first, *others = conditions
    if not others:
        return first
    rest = both(*others)
    return lambda message: first(message) and rest(message)


def trunk_of(context: Context, channel: str) -> str | None:
    """Name of the trunk a channel belongs to, by the technology and endpoint in the channel's name."""
    return context.trunk(*split_channel(channel))
