"""Calls by what was heard on them: follows channels with RTCP reports from answer to hangup.

No event shows: an end that sends no reports (the other direction is still judged); a time in which the PBX sends
nothing itself (direct media, T.38, a voicemail recording, an end that hears nothing because the other one is silent); a
call without any packets, which has no reports; audio and video of one call. Silence suppression looks like audio that
stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.calls import UP
from ami_exporter.collectors.declarations import Context, Sample, counter
from ami_exporter.collectors.fields import technology_of, trunk_of
from ami_exporter.collectors.heard import LEAST_SECONDS, RESULTS, Block, Heard, Sequences
from ami_exporter.collectors.legs import too_old
from ami_exporter.collectors.sent import RTP, both, by_technology, by_trunk, rtcp_of_channels
from ami_exporter.collectors.vocabulary import DIRECTIONS

MAX_CHANNELS: Final = 20_000
"""Channels followed at a time, twice those of the largest PBX we know of: 56 MB when full; more are not judged."""
MAX_BLOCKS: Final = 31
"""Report blocks of one RTCP packet: a count of five bits."""
EVENTS: Final = ("Newchannel", "Newstate", "Hold", "Unhold", "Hangup")

_CLOSED: Final = MappingProxyType({"media": DIRECTIONS, "result": RESULTS})
_TEXT: Final = (
    "of 10 s and more, by what was heard of them; inbound: what the PBX received, outbound: what the far end says it "
    "received. silent: nothing since the answer, stopped: nothing in the last third, unknown: no reports, or nothing "
    "in a time when the PBX sent nothing either (media past the PBX, fax, a message being recorded); hold is left out "
    "(AMI events RTCPSent, RTCPReceived: ReportCount, Report0HighestSequence; Newstate, Hold, Unhold, Hangup)"
)
CALLS = counter(
    "asterisk_media_calls_total",
    f"Answered channels {_TEXT}",
    "technology",
    "media",
    "result",
    closed=_CLOSED,
    sent=both(rtcp_of_channels, by_technology(*RTP)),
)
TRUNK_CALLS = counter(
    "asterisk_trunk_media_calls_total",
    f"Answered channels of the trunk {_TEXT}",
    "trunk",
    "media",
    "result",
    closed=_CLOSED,
    sent=both(rtcp_of_channels, by_trunk(*RTP)),
)
METRICS = (CALLS, TRUNK_CALLS)


@dataclass(slots=True)
class _Channel:
    seen: float
    up: float | None = None
    linkedid: str = ""
    sending: bool = False
    heard: dict[str, Heard] = field(default_factory=dict)
    sequences: dict[str, Sequences] = field(default_factory=dict)


@dataclass(slots=True)
class _Hold:
    """The channels that hold a call, and the time of the last change."""

    seen: float
    holders: set[str] = field(default_factory=set)
    changed: float = 0.0


_BLOCKS: Final = tuple(
    (f"report{n}fractionlost", (f"report{n}sourcessrc", f"report{n}sequencenumbercycles", f"report{n}highestsequence"))
    for n in range(MAX_BLOCKS)
)
"""The header that every report block has, and those of a Block."""


class MediaCalls:
    """The channels of calls with RTCP, and the calls on hold."""

    def __init__(self) -> None:
        self._channels: dict[str, _Channel] = {}
        self._holds: dict[str, _Hold] = {}  # by Linkedid
        self._kinds: Mapping[str, Callable[[str, Message, float], None]] = {
            "Newchannel": self._created,
            "Newstate": self._state,
            "Hold": self._hold,
            "Unhold": self._unhold,
        }

    def __len__(self) -> int:
        return len(self._channels)

    def event(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        """Take one of EVENTS."""
        kind, uniqueid = message.get("event", ""), message.get("uniqueid", "")
        if kind == "Hangup":
            return self._hangup(uniqueid, message, context, now)
        if not rtcp_of_channels(context, ()):
            return ()
        if kind == "Newstate" and uniqueid not in self._channels:
            return ()
        take = self._kinds.get(kind)
        if take is not None:
            take(uniqueid, message, now)
        return ()

    def sequences(self, uniqueid: str, media: str) -> Sequences | None:
        """Return the sequence numbers of a channel's streams, if the channel was seen from its beginning."""
        channel = self._channels.get(uniqueid)
        return None if channel is None else channel.sequences.setdefault(media, Sequences())

    def report(self, message: Message, media: str, *, moved: bool, now: float) -> None:
        """Take a report on a channel. moved: whether packets have arrived since the previous one."""
        channel = self._channels.get(message.get("uniqueid", ""))
        if channel is None or channel.up is None:
            return
        channel.linkedid = message.get("linkedid", "") or channel.linkedid
        if media == "inbound":  # our own report: 200(SR) if we have sent packets since the last one, otherwise 201(RR)
            channel.sending = message.get("pt", "").startswith("200")
        heard = channel.heard.get(media)
        if heard is None:
            heard = channel.heard[media] = Heard(channel.up)
        hold = self._holds.get(channel.linkedid)
        if hold is not None and (hold.holders or hold.changed >= heard.since):
            heard.on_hold(now)
            return
        # If we sent nothing, missing packets in either direction mean nothing.
        heard.report(now, moved=moved, expected=channel.sending)

    def _created(self, uniqueid: str, message: Message, now: float) -> None:
        if technology_of(message.get("channel", "")) in RTP and len(self._channels) < MAX_CHANNELS and uniqueid:
            up = now if message.get("channelstate") == UP else None
            self._channels[uniqueid] = _Channel(now, up, message.get("linkedid", ""))

    def _state(self, uniqueid: str, message: Message, now: float) -> None:
        channel = self._channels.get(uniqueid)
        if channel is not None and channel.up is None and message.get("channelstate") == UP:
            channel.up = now

    def _hold(self, uniqueid: str, message: Message, now: float) -> None:
        linkedid = message.get("linkedid", "")
        if not linkedid or (linkedid not in self._holds and len(self._holds) >= MAX_CHANNELS):
            return
        hold = self._holds.setdefault(linkedid, _Hold(now))
        hold.changed = now
        hold.holders.add(uniqueid)

    def _unhold(self, uniqueid: str, message: Message, now: float) -> None:
        hold = self._holds.get(message.get("linkedid", ""))
        if hold is not None:
            hold.changed = now
            hold.holders.discard(uniqueid)

    def _hangup(self, uniqueid: str, message: Message, context: Context, now: float) -> Iterable[Sample]:
        channel = self._channels.pop(uniqueid, None)
        linkedid = message.get("linkedid", "")
        hold = self._holds.get(linkedid)
        on_hold = hold is not None and bool(hold.holders)
        if hold is not None:
            hold.holders.discard(uniqueid)
            hold.changed = now
            if not hold.holders:
                del self._holds[linkedid]
        if channel is None or channel.up is None or now - channel.up < LEAST_SECONDS:
            return ()
        name = message.get("channel", "")
        return _counted(channel, technology_of(name), trunk_of(context, name), now, on_hold=on_hold)

    def reset(self) -> None:
        self._channels.clear()
        self._holds.clear()

    def expire(self, now: float) -> None:
        for uniqueid in too_old(self._channels, now):
            del self._channels[uniqueid]
        for linkedid in too_old(self._holds, now):
            del self._holds[linkedid]


def _counted(
    channel: _Channel, technology: str | None, trunk: str | None, now: float, *, on_hold: bool
) -> Iterator[Sample]:
    for media in DIRECTIONS:
        heard, sequences = channel.heard.get(media), channel.sequences.get(media)
        if heard is None or (sequences is not None and sequences.several):
            result = "unknown"
        else:
            result = heard.result(now, on_hold=on_hold)
        if technology is not None:
            yield CALLS, (technology, media, result), 1.0
        if trunk is not None:
            yield TRUNK_CALLS, (trunk, media, result), 1.0


def blocks_of(message: Message) -> list[Block]:
    """The report blocks of an RTCP event."""
    found = []
    for there, names in _BLOCKS:
        if there not in message:
            break
        found.append(Block(*message.pick(names)))
    return found
