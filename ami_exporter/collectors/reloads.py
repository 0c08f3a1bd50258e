"""When Asterisk was last reloaded, in Unix time. Pure.

CoreStatus writes it in the PBX's local time without a zone. The zone's offset follows from the start, which is known by
both clocks, but daylight saving may have changed it since. So a reload is known exactly if a login said how many
seconds ago it was (FullyBooted: LastReload, Asterisk 14 and later). For a reload between two polls, the offset is the
one that places it between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ami_exporter.ami.message import Message

MOST_SHIFT: Final = 2 * 3600
STEP: Final = 1800
"""Seconds. Daylight saving moves clocks by an hour nearly everywhere, by half an hour on Lord Howe Island, by two in
Antarctica."""
SLACK: Final = 2.0
"""Both times are in whole seconds, and the start time is off by the delay of a login's answer."""


@dataclass(frozen=True, slots=True)
class Reload:
    """A reload: its text, its time in Unix seconds (None if unknown), and when the PBX last reported it."""

    written: str
    time: float | None
    seen: float


def written_reload(message: Message) -> str:
    """Return the reload as a CoreStatus response writes it; empty if there is none."""
    return _written(message, "corereload")


def written_start(message: Message) -> str:
    """Return the start of a CoreStatus response as a sortable text; empty if unreadable."""
    return _written(message, "corestartup") if _local_time(message, "corestartup") is not None else ""


def last_reload(message: Message, known: Reload | None, start_time: float, now: float) -> Reload | None:
    """Return the reload of a CoreStatus response; None if its times are missing or unreadable.

    known: the reload of the previous response. start_time, now: Unix seconds. The time is None if no offset fits, or
    more than one: a time that is wrong by an hour is worse than none.
    """
    written = written_reload(message)
    if known is not None and known.written == written:
        return replace(known, seen=now)
    started, reloaded = _local_time(message, "corestartup"), _local_time(message, "corereload")
    if started is None or reloaded is None:
        return None
    same_zone = start_time + (reloaded - started).total_seconds()
    earliest = start_time if known is None else known.seen
    possible = [
        same_zone + shift
        for shift in range(-MOST_SHIFT, MOST_SHIFT + 1, STEP)
        if earliest - SLACK <= same_zone + shift <= now + SLACK
    ]
    if reloaded == started:
        possible = [start_time]
    return Reload(written, possible[0] if len(possible) == 1 else None, now)


def _written(message: Message, prefix: str) -> str:
    return f"{message.get(prefix + 'date', '')} {message.get(prefix + 'time', '')}".strip()


def _local_time(message: Message, prefix: str) -> datetime | None:
    try:
        return datetime.strptime(_written(message, prefix), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - AMI gives no zone
    except ValueError:
        return None
