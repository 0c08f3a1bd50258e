"""What FullyBooted says about a server's start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ami_exporter.ami.message import Message

#: Digits of an Uptime: three hundred years in seconds; more is no time.
UPTIME_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Boot:
    """A FullyBooted. at: when it came, monotonic; wall: the same by our wall clock (Unix seconds).

    uptime, reloaded: seconds since the server's start and since its last reload, where sent (14.0 on).
    """

    uptime: float | None
    at: float
    wall: float
    reloaded: float | None = None


def booted(event: Message, at: float, wall: float) -> Boot:
    """Read a FullyBooted that came at these times."""
    uptime, reloaded = (_seconds(event.get(name, "")) for name in ("uptime", "lastreload"))
    return Boot(uptime, at, wall, reloaded)


def _seconds(text: str) -> float | None:
    return float(text) if text.isdecimal() and len(text) <= UPTIME_DIGITS else None
