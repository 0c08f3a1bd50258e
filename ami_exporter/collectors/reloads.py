"""When Asterisk was last reloaded, in Unix time. Pure.

CoreStatus tells it in the PBX's local time without a zone. The zone's offset follows from the start, which is known in
both clocks, but only as long as it has not changed since: daylight saving moves it by an hour. So a reload is known
exactly where a login said how many seconds ago it was (FullyBooted: LastReload, Asterisk 14 and later), and one that
comes between two polls by the offset that lets it lie between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ami_exporter.ami.message import Message

MOST_SHIFT: Final = 2 * 3600
STEP: Final = 1800
"""Seconds: what daylight saving moves clocks by is an hour nearly everywhere, half an hour on Lord Howe Island, two in
Antarctica."""
SLACK: Final = 2.0
"""Both times are in whole seconds, and the start time is off by the way of a login's answer."""


@dataclass(frozen=True, slots=True)
class Reload:
    """A reload: as the PBX writes it, in Unix seconds (None: not known), and when the PBX last said so."""

    written: str
    time: float | None
    seen: float


def written_reload(message: Message) -> str:
    """The reload of a CoreStatus response as it stands there; empty where there is none."""
    return _written(message, "corereload")


def written_start(message: Message) -> str:
    """The start of a CoreStatus response as it stands there: sorts by time; empty where it cannot be read."""
    return _written(message, "corestartup") if _local_time(message, "corestartup") is not None else ""


def last_reload(message: Message, known: Reload | None, start_time: float, now: float) -> Reload | None:
    """Return the reload that a CoreStatus response tells of; None where its times are missing or unreadable.

    known: what the response before told. start_time, now: Unix seconds. Its time is None where more than one offset
    fits, or none: wrong by an hour is worse than unknown.
    """
    written = written_reload(message)
    if known is not None and known.written == written:
        return replace(known, seen=now)
    started, reloaded = _local_time(message, "corestartup"), _local_time(message, "corereload")
    if started is None or reloaded is None:
        return None
    told = start_time + (reloaded - started).total_seconds()
    earliest = start_time if known is None else known.seen
    possible = [
        told + shift
        for shift in range(-MOST_SHIFT, MOST_SHIFT + 1, STEP)
        if earliest - SLACK <= told + shift <= now + SLACK
    ]
    if reloaded == started:
        possible = [start_time]
    return Reload(written, possible[0] if len(possible) == 1 else None, now)


def _written(message: Message, prefix: str) -> str:
    return f"{message.get(prefix + 'date', '')} {message.get(prefix + 'time', '')}".strip()


def _local_time(message: Message, prefix: str) -> datetime | None:
    try:
        return datetime.strptime(_written(message, prefix), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - AMI tells no zone
    except ValueError:
        return None
