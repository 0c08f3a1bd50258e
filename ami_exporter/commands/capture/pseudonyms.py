"""Replaces names by pseudonyms, word by word: equal words get equal pseudonyms, separators stay. Pure.

"Local/1001@from-internal-0000001f;1" becomes "Local/9001@w1-w2-0000001f;1": the technology, the extension, its context
and the channel's number can still be recognised, and the same extension is 9001 wherever it occurs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

MAX_WORDS: Final = 200_000
"""Pseudonyms kept: ten words for each channel and endpoint of the largest PBX known; later words become `other`."""

_PUBLIC = """
    pjsip sip sips iax iax2 dahdi local agent queue custom park confbridge message cbann
    udp tcp tls ws wss transport avail pause unknown unregistered none null anonymous dpma endpoint default n s
"""
PUBLIC: Final = frozenset(_PUBLIC.split())
"""Asterisk's own words, which the structure depends on; compared in lower case."""

_ADDRESS: Final = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|[0-9A-Fa-f]*(?::[0-9A-Fa-f]*){2,}[0-9A-Fa-f.]*"
)
_WORD: Final = re.compile(r"[^\W_]+")
_FIRST_NUMBER: Final = 9000
_HALF: Final = 1 << 16
_OCTET: Final = 1 << 8


class Pseudonyms:
    """The pseudonyms of one capture, numbered in order of appearance: a pseudonym contains no part of its word."""

    def __init__(self, limit: int = MAX_WORDS) -> None:
        self._limit = limit
        self._words: dict[str, str] = {}
        self._counts: dict[Callable[[int], str], int] = {}

    def text(self, written: str) -> str:
        """Replace every word, number and IP address; keep separators and the words in PUBLIC."""
        parts: list[str] = []
        end = 0
        for found in _ADDRESS.finditer(written):
            parts.append(_WORD.sub(self._word, written[end : found.start()]))
            parts.append(self._one(found[0], _ipv6 if ":" in found[0] else _ipv4))
            end = found.end()
        parts.append(_WORD.sub(self._word, written[end:]))
        return "".join(parts)

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        if word.lower() in PUBLIC:
            return word
        return self._one(word, _number if word.isdigit() else _name)

    def _one(self, word: str, form: Callable[[int], str]) -> str:
        known = self._words.get(word)
        if known is not None:
            return known
        if len(self._words) >= self._limit:
            return "other"
        count = self._counts[form] = self._counts.get(form, 0) + 1
        self._words[word] = made = form(count)
        return made


def _name(count: int) -> str:
    return f"w{count}"


def _number(count: int) -> str:
    return str(_FIRST_NUMBER + count)


def _ipv4(count: int) -> str:
    """An address in 198.18.0.0/15, which is reserved for tests (RFC 2544)."""
    return f"198.{18 + count // _HALF % 2}.{count // _OCTET % _OCTET}.{count % _OCTET}"


def _ipv6(count: int) -> str:
    return f"2001:db8::{count:x}"
