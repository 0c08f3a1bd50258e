"""How long calls are on hold, from events: a tracker of the `channels` collector and what it counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Context, Sample, Tracked, histogram
from ami_exporter.collectors.legs import MAX_LEGS, too_old
from ami_exporter.collectors.sent import from_12

BUCKETS: Final = (2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)

SECONDS = histogram(
    "asterisk_hold_seconds",
    "Time that a channel held its call, to the end of the hold or of the channel (AMI events Hold, Unhold, Hangup)",
    buckets=BUCKETS,
    sent=from_12,
)


@dataclass(slots=True)
class _Hold:
    seen: float


class HoldTracker:
    """Follows channels that hold their calls."""

    def __init__(self) -> None:
        self._holds: dict[str, _Hold] = {}

    def event(self, message: Message, _context: Context, now: float) -> Iterable[Sample]:
        """Take Hold, Unhold or Hangup. Before Asterisk 12, Hold carries Status: On or Off."""
        uniqueid = message.get("uniqueid", "")
        if message.get("event") == "Hold" and message.get("status", "").lower() != "off":
            if uniqueid and len(self._holds) < MAX_LEGS:
                self._holds.setdefault(uniqueid, _Hold(now))
            return ()
        hold = self._holds.pop(uniqueid, None)
        return () if hold is None else ((SECONDS, (), now - hold.seen),)

    def reset(self) -> None:
        self._holds.clear()

    def expire(self, now: float) -> Iterable[Sample]:
        for uniqueid in too_old(self._holds, now):
            del self._holds[uniqueid]
        return ()


TRACKED = Tracked(("Hold", "Unhold", "Hangup"), HoldTracker)
