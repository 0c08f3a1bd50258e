"""`eventfilter` lines for manager.conf, in the form a server understands. Pure.

Asterisk 18.26, 20.11, 21.6, 22.1 and 23.0 brought a form that compares names only; it costs the PBX next to nothing.
Older servers take the new form for an unknown option and say so in the debug log alone: they filter nothing. They
know the old one, a regular expression over the whole text of each event, since 1.8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_BY_NAME_SINCE: Final = {18: 26, 20: 11, 21: 6, 22: 1}
_BY_NAME_ALWAYS: Final = 23
_LINE: Final = 96
"""Characters: the lines are to be copied from a terminal."""
_VERSION: Final = re.compile(r"(?:certified[-/])?(\d+)\.(\d+)")

ALWAYS: Final = ("FullyBooted", "Load", "Reload", "Shutdown", "Unload")
"""Events the event link itself listens to."""


def filters_by_name(version: str) -> bool:
    """Whether this AsteriskVersion knows the form by name; unknown versions are taken for old ones."""
    found = _VERSION.match(version)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return major >= _BY_NAME_ALWAYS or minor >= _BY_NAME_SINCE.get(major, minor + 1)


def lines(events: Iterable[str], version: str) -> list[str]:
    """Lines that let only these events (names as Asterisk writes them) through."""
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
