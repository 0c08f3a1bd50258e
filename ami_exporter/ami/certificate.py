"""Reads when a certificate ends. Python reports it only for certificates that it verified."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from typing import Final

_SEQUENCE, _VERSION = 0x30, 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_VALIDITY: Final = 3
"""Position of the validity in a certificate, after serial number, signature algorithm and issuer (RFC 5280, 4.1)."""
_TIMES: Final = {
    _UTC_TIME: re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z"),
    _GENERALIZED_TIME: re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z"),
}
_FIRST_OF_LAST_CENTURY: Final = 50  # two-digit years from here on are 19..


def not_after(der: bytes | None) -> float | None:
    """Return the Unix seconds at which an X.509 certificate in DER ends; None for anything else."""
    if der is None:
        return None
    try:
        body = next(_values(next(_values(der))[1]))[1]
        fields = [field for field in _values(body) if field[0] != _VERSION]
        validity, end = fields[_VALIDITY]
        return _seconds(*list(_values(end))[1]) if validity == _SEQUENCE else None
    except (IndexError, StopIteration, ValueError):
        return None


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each value in DER. Raises ValueError, IndexError."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            more = length & 0x7F
            length = int.from_bytes(data[at : at + more], "big")
            at += more
        if at + length > len(data):
            raise ValueError("cut")
        yield tag, data[at : at + length]
        at += length


def _seconds(tag: int, written: bytes) -> float:
    found = _TIMES[tag].fullmatch(written) if tag in _TIMES else None
    if found is None:
        raise ValueError("no time")
    year, *rest = map(int, found.groups())
    if tag == _UTC_TIME:
        year += 1900 if year >= _FIRST_OF_LAST_CENTURY else 2000
    return float(calendar.timegm((year, *rest)))
