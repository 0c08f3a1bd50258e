"""Trunk calls from events: the tracker of the `trunks` collector and what it counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ami_exporter.ami.message import Message
from ami_exporter.collectors.callevents import LEG_EVENTS, POST_DIAL_DELAY_BUCKETS, TALK_BUCKETS, dial_outcome
from ami_exporter.collectors.calls import RING, UP, trunk_direction
from ami_exporter.collectors.declarations import Context, Sample, Tracked, Tracker, counter, histogram
from ami_exporter.collectors.fields import OTHER, technology_of, trunk_of
from ami_exporter.collectors.legs import MAX_LEGS, Legs, too_old
from ami_exporter.collectors.sent import both, by_trunk, dial_state, since
from ami_exporter.collectors.vocabulary import CAUSES, COMMON_CAUSES, DIRECTIONS, OUTCOMES, TELLS_HANGUP

CALLS = counter(
    "asterisk_trunk_calls_total",
    "Calls over the trunk. Outbound: dialled legs ended, by dial status; inbound: channels ended, answered when they "
    "were Up, cancelled when the far end hung up first, else by their cause. A Dial that fails before there is a "
    "channel (no contact, no free line) sends no event and is not counted (AMI events DialEnd: DialStatus; "
    "HangupRequest, Hangup: Cause)",
    "trunk",
    "direction",
    "outcome",
    closed={"direction": DIRECTIONS, "outcome": OUTCOMES},
)
HANGUPS = counter(
    "asterisk_trunk_hangups_total",
    "Trunk channels ended, by Q.850 cause: the truth about failures, which dial status calls no_answer "
    "(AMI event Hangup: Cause)",
    "trunk",
    "direction",
    "cause",
    closed={"direction": DIRECTIONS, "cause": COMMON_CAUSES},
)

# RFC 3261 and its extensions: final answers other than success. Asterisk answers 401 and 407 itself.
SIP_CODES = (
    *(300, 301, 302, 305, 380),
    *(400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 415, 416, 417, 420, 421, 422, 423, 424),
    *(425, 428, 429, 430, 433, 436, 437, 438, 439, 440, 469, 470, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489),
    *(491, 493, 494, 500, 501, 502, 503, 504, 505, 513, 555, 580, 600, 603, 604, 606, 607, 608),
)
_SIP_FAILURE = re.compile(r"[3-9][0-9]{2}")
_CODES = {str(code): str(code) for code in SIP_CODES}
_COMMON_CODES = ("403", "404", "408", "480", "486", "487", "488", "500", "502", "503", "504", "603", OTHER)

SIP_FAILURES = counter(
    "asterisk_trunk_sip_failures_total",
    "Trunk channels ended by a SIP answer from 300 on, both directions (487: given up by the caller) "
    "(AMI event Hangup: TechCause, of chan_pjsip from Asterisk 20.17, 22.7, 23.1; absent elsewhere)",
    "trunk",
    "code",
    closed={"code": _COMMON_CODES},
    sent=both(since((20, 17), (22, 7), (23, 1)), by_trunk("PJSIP")),
)
POST_DIAL_DELAY = histogram(
    "asterisk_trunk_post_dial_delay_seconds",
    "Outbound calls: time from dialling to the first sign of the far end: ringing, progress or proceeding "
    "(AMI events DialBegin; DialState, from Asterisk 14)",
    "trunk",
    buckets=POST_DIAL_DELAY_BUCKETS,
    sent=dial_state,
)
TALK = histogram(
    "asterisk_trunk_talk_seconds",
    "Time from the answer to the hangup of the trunk channel (AMI events DialEnd, Newstate, Hangup)",
    "trunk",
    "direction",
    buckets=TALK_BUCKETS,
    closed={"direction": DIRECTIONS},
)
METRICS = (CALLS, HANGUPS, SIP_FAILURES, POST_DIAL_DELAY, TALK)

MAX_CHANNELS = MAX_LEGS
"""Most trunk channels to follow at a time; inbound talk time of others is not measured."""

# Why an inbound call ended unanswered. 127 is SIP 487 and 16 a clean end: the caller gave up.
_UNANSWERED = {
    "normal_clearing": "cancelled",
    "interworking": "cancelled",
    "answered_elsewhere": "cancelled",
    "user_busy": "busy",
    "no_user_response": "no_answer",
    "no_answer": "no_answer",
    "normal_circuit_congestion": "congestion",
    "normal_temporary_failure": "congestion",
    "switch_congestion": "congestion",
    "requested_chan_unavail": "congestion",
    "network_out_of_order": "congestion",
    "unallocated_number": "unavailable",
    "no_route_destination": "unavailable",
    "subscriber_absent": "unavailable",
    "destination_out_of_order": "unavailable",
}


_NO_REASON = frozenset({"none", "normal_clearing"})


@dataclass(slots=True)
class _Channel:
    seen: float
    trunk: str
    direction: str
    up: float | None = None
    ended_by: str = ""  # who asked for the end first: "far end" or "PBX"


class TrunkTracker:
    """Follows the channels and the dialled legs of trunks."""

    def __init__(self) -> None:
        self._legs = Legs()
        self._channels: dict[str, _Channel] = {}
        self._kinds = {
            "Newchannel": self._created,
            "Newstate": self._state,
            "DialBegin": self._dial,
            "DialState": self._progress,
            "DialEnd": self._dial,
            "HangupRequest": self._asked,
            "SoftHangupRequest": self._asked,
            "Hangup": self._hangup,
        }

    def event(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        """Take one of the channel and dial events."""
        take = self._kinds.get(message.get("event", ""))
        return () if take is None else take(message, context, now)

    def _created(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        trunk = trunk_of(context, message.get("channel", ""))
        if trunk is not None and len(self._channels) < MAX_CHANNELS:
            direction = trunk_direction(message.get("channelstate"))
            self._channels[message.get("uniqueid", "")] = _Channel(now, trunk, direction)
        return ()

    def _state(self, message: Message, _context: Context, now: float) -> Iterable[Sample]:
        channel = self._channels.get(message.get("uniqueid", ""))
        if channel is not None:
            state = message.get("channelstate")
            if state == UP and channel.up is None:
                channel.up = now
            elif state == RING:
                channel.direction = "inbound"
        return ()

    def _asked(self, message: Message, _context: Context, _now: float) -> Iterable[Sample]:
        channel = self._channels.get(message.get("uniqueid", ""))
        if channel is not None and not channel.ended_by:
            channel.ended_by = "far end" if message["event"] == "HangupRequest" else "PBX"
        return ()

    def direction(self, uniqueid: str) -> str | None:
        """Return the direction of a trunk channel, if its beginning was seen; any thread may ask."""
        channel = self._channels.get(uniqueid)
        return None if channel is None else channel.direction

    def _progress(self, message: Message, _context: Context, now: float) -> Iterable[Sample]:
        delayed = self._legs.progress(message.get("destuniqueid", ""), now)
        return () if delayed is None else ((POST_DIAL_DELAY, (delayed[0],), delayed[1]),)

    def _dial(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        leg_id, trunk = message.get("destuniqueid"), trunk_of(context, message.get("destchannel", ""))
        if trunk is None or not leg_id:
            return ()
        if message["event"] == "DialBegin":
            self._legs.begin(leg_id, trunk, now)
            return ()
        outcome = dial_outcome(message)
        ended = self._legs.end(leg_id, trunk, answered=outcome == "answered", now=now)
        return () if ended is None else ((CALLS, (ended.owner, "outbound", outcome), 1.0),)

    def _hangup(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        uniqueid = message.get("uniqueid", "")
        talked = self._legs.hangup(uniqueid, now)
        channel = self._channels.pop(uniqueid, None) or _begun_before(message, context, now)
        return () if channel is None else _ended(channel, message, talked and talked[1], now)

    def reset(self) -> None:
        self._legs.reset()
        self._channels.clear()

    def expire(self, now: float) -> Iterable[Sample]:
        self._legs.expire(now)
        for uniqueid in too_old(self._channels, now):
            del self._channels[uniqueid]
        return ()


def _begun_before(message: Message, context: Context, now: float) -> _Channel | None:
    """A trunk channel whose Newchannel was not seen: the first of its call came in, all others went out.

    Without a Linkedid (before Asterisk 12) nobody can tell.
    """
    trunk, linkedid = trunk_of(context, message.get("channel", "")), message.get("linkedid")
    if trunk is None or not linkedid:
        return None
    first = message.get("uniqueid") == linkedid
    return _Channel(now, trunk, "inbound" if first else "outbound")


def _ended(channel: _Channel, message: Message, talked: float | None, now: float) -> Iterator[Sample]:
    trunk, direction = channel.trunk, channel.direction
    cause = CAUSES.get(message.get("cause", ""), OTHER)
    yield HANGUPS, (trunk, direction, cause), 1.0
    code = message.get("techcause", "")
    if _SIP_FAILURE.fullmatch(code):
        yield SIP_FAILURES, (trunk, _CODES.get(code, OTHER)), 1.0
    if direction == "inbound":
        answered = channel.up is not None or message.get("channelstate") == UP
        yield CALLS, (trunk, direction, "answered" if answered else _unanswered(channel, message, cause)), 1.0
        talked = None if channel.up is None else now - channel.up
    if talked is not None:
        yield TALK, (trunk, direction), talked


def _unanswered(channel: _Channel, message: Message, cause: str) -> str:
    """Outcome of an inbound call that was not answered.

    A caller who gives up causes a HangupRequest first, whatever the cause. If the PBX ends the call without a reason,
    nobody answered. For drivers without HangupRequest only the cause tells.
    """
    if channel.ended_by == "far end":
        return "cancelled"
    if channel.ended_by == "PBX" and cause in _NO_REASON and technology_of(message.get("channel", "")) in TELLS_HANGUP:
        return "no_answer"
    return _UNANSWERED.get(cause, OTHER)


def _direction(tracker: Tracker, uniqueid: str) -> str | None:
    return tracker.direction(uniqueid) if isinstance(tracker, TrunkTracker) else None


TRACKED = Tracked(
    ("Newchannel", "Newstate", "HangupRequest", "SoftHangupRequest", *LEG_EVENTS), TrunkTracker, direction=_direction
)
