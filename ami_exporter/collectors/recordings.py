"""Running recordings and recorded calls, from the events of MixMonitor.

MixMonitorStop comes only if a recording is stopped before its channel ends (Asterisk 16.17 to 22).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Sample, Tracked, counter, event_gauge
from ami_exporter.collectors.legs import too_old
from ami_exporter.collectors.sent import since

MAX_CALLS: Final = 50_000
"""Most recorded calls to remember, for a day; the oldest are forgotten. About 20 MB when full."""
EVENTS: Final = ("MixMonitorStart", "MixMonitorStop", "Hangup")
_SENT: Final = since((16, 17), (18, 3))

RECORDED = counter(
    "asterisk_recorded_calls_total",
    "Calls of which something was recorded: distinct Linkedids, however many recordings and legs "
    "(AMI event MixMonitorStart, from Asterisk 16.17, 18.3; absent before)",
    sent=_SENT,
)
IN_PROGRESS = event_gauge(
    "asterisk_recordings_in_progress",
    "Running recordings that began while the event link was up; absent without the link "
    "(AMI events MixMonitorStart, MixMonitorStop, from Asterisk 16.17, 18.3; Hangup)",
    sent=_SENT,
)


@dataclass(slots=True)
class _Recording:
    seen: float
    running: int = 1


class RecordingTracker:
    """Follows recorded calls by Linkedid, and running recordings by channel."""

    def __init__(self) -> None:
        self._calls: dict[str, _Recording] = {}
        self._channels: dict[str, _Recording] = {}

    def event(self, message: Message, _context: Context, now: float) -> Iterable[Sample]:
        """Take one of EVENTS."""
        uniqueid, kind = message.get("uniqueid", ""), message.get("event")
        if kind == "MixMonitorStart":
            return self._started(uniqueid, message.get("linkedid", ""), now)
        channel = self._channels.get(uniqueid)
        if channel is None:
            return ()
        ended = channel.running if kind == "Hangup" else 1
        channel.running -= ended
        if not channel.running:
            del self._channels[uniqueid]
        return ((IN_PROGRESS, (), -float(ended)),)

    def _started(self, uniqueid: str, linkedid: str, now: float) -> Iterable[Sample]:
        samples: list[Sample] = []
        channel = self._channels.get(uniqueid)
        if channel is not None:
            channel.running += 1
            samples.append((IN_PROGRESS, (), 1.0))
        elif uniqueid and len(self._channels) < MAX_CALLS:
            self._channels[uniqueid] = _Recording(now)
            samples.append((IN_PROGRESS, (), 1.0))
        if linkedid and linkedid not in self._calls:
            if len(self._calls) >= MAX_CALLS:
                del self._calls[next(iter(self._calls))]
            self._calls[linkedid] = _Recording(now)
            samples.append((RECORDED, (), 1.0))
        return samples

    def reset(self) -> None:
        """Forget running recordings, whose ends may be missed. Counted calls stay counted."""
        self._channels.clear()

    def expire(self, now: float) -> Iterable[Sample]:
        """Drop entries that are too old, and calls that ended long ago."""
        for linkedid in too_old(self._calls, now):
            del self._calls[linkedid]
        return [
            (IN_PROGRESS, (), -float(self._channels.pop(uniqueid).running)) for uniqueid in too_old(self._channels, now)
        ]


COLLECTOR = Collector(
    name="recordings",
    title="Recordings",
    metrics=(RECORDED, IN_PROGRESS),
    tracked=(Tracked(EVENTS, RecordingTracker),),
)
