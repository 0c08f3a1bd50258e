"""Users of the simulated PBX, their rights, and the event mask of a session.

Facts: Asterisk 22 ``main/manager.c`` (perms, strings_to_mask, authority_to_str). An action needs one of its
classes in ``write``, an event all of its classes in ``read``.
"""

from __future__ import annotations

from dataclasses import dataclass

CLASSES = (
    *("system", "call", "log", "verbose", "command", "agent", "user", "config", "dtmf", "reporting", "cdr"),
    *("dialplan", "originate", "agi", "cc", "aoc", "test", "security", "message"),
)
# The bit of each class is its position above, except for these two (include/asterisk/manager.h).
_BITS = {name: 1 << place for place, name in enumerate(CLASSES)} | {
    "cc": 1 << 15,
    "aoc": 1 << 16,
    "test": 1 << 17,
    "security": 1 << 18,
    "message": 1 << 30,
}
ALL = frozenset(CLASSES)
NONE: frozenset[str] = frozenset()
_OFF = frozenset({"off", "no", "false", "n", "f"})
_ON = frozenset({"on", "yes", "true", "y", "t", "all"})


def classes(text: str) -> frozenset[str]:
    """The classes in a comma-separated list as in ``read=``; "all" means every class, unknown names are ignored."""
    names = frozenset(text.lower().split(","))
    return ALL if "all" in names else names & ALL


def event_mask(text: str) -> frozenset[str] | None:
    """The classes that an ``Events:`` or ``EventMask:`` value requests; None for an empty value, which is an error."""
    value = text.strip().lower()
    if not value:
        return None
    if value.isdigit():
        return frozenset(name for name, bit in _BITS.items() if int(value) & bit)
    if value in _OFF:
        return NONE
    return ALL if value in _ON else classes(value)


@dataclass(frozen=True, slots=True)
class User:
    """One section of manager.conf."""

    name: str
    secret: str
    read: frozenset[str] = ALL
    write: frozenset[str] = ALL

    def may(self, needed: frozenset[str]) -> bool:
        """Whether this user may run an action that needs one of these classes."""
        return not needed or bool(needed & self.write)
