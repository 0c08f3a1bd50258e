"""`eventfilter` lines for manager.conf, in the form a server understands. Pure.

Asterisk 18.26, 20.11, 21.6, 22.1 and 23.0 introduced a form that compares names only and costs the PBX next to nothing.
Older servers take the new form for an unknown option, filter nothing and say so only in the debug log. They know the
old form since 1.8: a regular expression over the whole text of each event.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_BY_NAME_SINCE: Final = {18: 26, 20: 11, 21: 6, 22: 1}
_BY_NAME_ALWAYS: Final = 23
_LINE: Final = 96
"""Characters per line: people copy the lines from a terminal."""
_VERSION: Final = re.compile(r"(?:certified[-/])?(\d+)\.(\d+)")

ALWAYS: Final = ("FullyBooted", "Load", "Reload", "Shutdown", "Unload")
"""Events that the event link itself needs."""


def filters_by_name(version: str) -> bool:
    """Whether this AsteriskVersion can filter by name; an unknown version counts as old."""
    found = _VERSION.match(version)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return major >= _BY_NAME_ALWAYS or minor >= _BY_NAME_SINCE.get(major, minor + 1)


def lines(events: Iterable[str], version: str) -> list[str]:
    """Lines that let only these events through; names are spelled as in Asterisk."""
    names = sorted({*events, *ALWAYS})
    if filters_by_name(version):
        return [f"eventfilter(name({name})) =" for name in names]
    found: list[str] = []
    group: list[str] = []
    for name in names:
        if group and len(_old([*group, name])) > _LINE:
            found.append(_old(group))
            group = []
        group.append(name)
    return [*found, _old(group)]


def _old(names: Iterable[str]) -> str:
    return f"eventfilter = ^Event: ({'|'.join(names)})"
