"""The number that a DialString dials, and its class. Pure; nothing is kept, because it may contain a password.

Asterisk writes the argument of Dial without its technology, that of queues and FollowMe with it:
`0049…@telco`, `telco/sip:0049…@host`, `telco/0049…`, `user:pass@host/0049…`, `g1/0049…`, `PJSIP/0049…@telco`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

EMERGENCY: Final = "emergency"
"""The class whose numbers are complete, after at most one digit for an outside line."""

_SIP_URI: Final = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_NOT_DIALLED: Final = re.compile(r"[\s().\-wWpP]")
_NUMBER: Final = re.compile(r"[*#+0-9]+")
MAX_DIALLED: Final = 4096
"""Characters of a DialString to look at; no number is longer."""


def number_of(dial_string: str, technology: str) -> str:
    """Return the dialled number as digits, `+`, `*` and `#`; empty for phones, names and addresses of record."""
    rest = dial_string[:MAX_DIALLED].removeprefix(f"{technology}/")
    end, slash, behind = rest.partition("/")
    if "@" in end and technology != "IAX2":
        user = end.rpartition("@")[0]  # SIP: user:password:md5:auth@host
    elif slash:
        user = _user_of(behind) if _SIP_URI.match(behind) else re.split("[/@!]", behind, maxsplit=1)[0]
    else:
        return ""
    written = _NOT_DIALLED.sub("", user.partition(":")[0].partition(";")[0])
    return written if _NUMBER.fullmatch(written) else ""


def _user_of(uri: str) -> str:
    return re.split("[@;?]", uri.partition(":")[2], maxsplit=1)[0]


class Classes:
    """Classes of destinations: class → prefixes, or complete numbers for `emergency`. The longest prefix wins."""

    def __init__(self, classes: Mapping[str, Iterable[str]]) -> None:
        self.names = tuple(classes)
        self._emergency = frozenset(classes.get(EMERGENCY, ()))
        self._prefixes = {
            prefix: name for name, prefixes in classes.items() if name != EMERGENCY for prefix in prefixes
        }
        self._longest = max(map(len, self._prefixes), default=0)

    def of(self, number: str) -> str | None:
        if number in self._emergency or (number[:1].isdigit() and number[1:] in self._emergency):
            return EMERGENCY
        for length in range(min(self._longest, len(number)), 0, -1):
            found = self._prefixes.get(number[:length])
            if found is not None:
                return found
        return None
