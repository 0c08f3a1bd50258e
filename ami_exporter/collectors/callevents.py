"""Calls and dials from events: the trackers of the `channels` collector and what they count."""

from __future__ import annotations

from collections.abc import Iterable

from ami_exporter.ami.concluded import CHANNEL_LINKED
from ami_exporter.ami.message import Message
from ami_exporter.collectors.calls import RING, UP, Calls, trunk_direction
from ami_exporter.collectors.declarations import Context, Sample, Tracked, counter, histogram
from ami_exporter.collectors.fields import OTHER, technology_of, trunk_of
from ami_exporter.collectors.legs import Legs
from ami_exporter.collectors.sent import dial_state
from ami_exporter.collectors.vocabulary import DIAL_STATUS, DIRECTIONS, OUTCOMES

POST_DIAL_DELAY_BUCKETS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
ANSWER_BUCKETS = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0)
TALK_BUCKETS = (5.0, 15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)

CALLS = counter(
    "asterisk_calls_total",
    "Calls ended, one per Linkedid (joined calls count separately). Inbound or outbound by the first trunk channel, "
    "else internal; answered when the first channel was Up: the caller's, also when an IVR or a queue answered it, or "
    "of an originated call the one rung first. Calls begun before the exporter listened are not counted "
    "(AMI events Newchannel, Newstate, Hangup: Linkedid, ChannelState)",
    "direction",
    "outcome",
    closed={"direction": (*DIRECTIONS, "internal"), "outcome": ("answered", "unanswered")},
)
DIALS = counter(
    "asterisk_dials_total",
    "Dialled legs ended, each once. no_answer also stands for most failures: for quality see the hangup causes. A Dial "
    "that fails before there is a channel (no contact, no free line) sends no event and is not counted "
    "(AMI event DialEnd: DialStatus)",
    "technology",
    "status",
    closed={"status": OUTCOMES},
)
POST_DIAL_DELAY = histogram(
    "asterisk_dial_post_dial_delay_seconds",
    "Time from dialling to the first sign of the far end: ringing, progress or proceeding "
    "(AMI events DialBegin; DialState, from Asterisk 14)",
    "technology",
    buckets=POST_DIAL_DELAY_BUCKETS,
    sent=dial_state,
)
TIME_TO_ANSWER = histogram(
    "asterisk_dial_time_to_answer_seconds",
    "Time from dialling to the answer (AMI events DialBegin, DialEnd)",
    "technology",
    buckets=ANSWER_BUCKETS,
)
TALK = histogram(
    "asterisk_dial_talk_seconds",
    "Time from the answer to the hangup of the dialled leg (AMI events DialEnd, Hangup)",
    "technology",
    buckets=TALK_BUCKETS,
)
METRICS = (CALLS, DIALS, POST_DIAL_DELAY, TIME_TO_ANSWER, TALK)

LEG_EVENTS = ("DialBegin", "DialState", "DialEnd", "Hangup")


class CallTracker:
    """Counts each call at its last hangup."""

    def __init__(self) -> None:
        self._calls = Calls()

    def event(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        """Take Newchannel, ChannelLinked, Newstate or Hangup."""
        uniqueid, state = message.get("uniqueid", ""), message.get("channelstate")
        if message.get("event") == "Newstate":
            if state == RING:
                self._calls.rings(uniqueid)
            return ()
        if message.get("event") == "Hangup":
            ended = self._calls.hangup(uniqueid, up=state == UP)
            return () if ended is None else ((CALLS, ended, 1.0),)
        trunk = trunk_of(context, message.get("channel", ""))
        direction = None if trunk is None else trunk_direction(state)
        self._calls.created(uniqueid, message.get("linkedid", ""), direction, now)
        return ()

    def reset(self) -> None:
        self._calls.reset()

    def expire(self, now: float) -> Iterable[Sample]:
        """Drop entries that are too old."""
        self._calls.expire(now)
        return ()


class DialTracker:
    """Counts dialled legs and measures their times, by technology."""

    def __init__(self) -> None:
        self._legs = Legs()

    def event(self, message: Message, _context: Context, now: float) -> Iterable[Sample]:
        """Take DialBegin, DialState, DialEnd or Hangup."""
        kind = message.get("event")
        if kind == "Hangup":
            talked = self._legs.hangup(message.get("uniqueid", ""), now)
            return () if talked is None else ((TALK, (talked[0],), talked[1]),)
        leg_id = message.get("destuniqueid", "")
        if kind == "DialState":
            delayed = self._legs.progress(leg_id, now)
            return () if delayed is None else ((POST_DIAL_DELAY, (delayed[0],), delayed[1]),)
        technology = technology_of(message.get("destchannel", ""))
        if technology is None or not leg_id:
            return ()
        if kind == "DialBegin":
            self._legs.begin(leg_id, technology, now)
            return ()
        return self._ended(leg_id, technology, dial_outcome(message), now)

    def _ended(self, leg_id: str, technology: str, outcome: str, now: float) -> Iterable[Sample]:
        ended = self._legs.end(leg_id, technology, answered=outcome == "answered", now=now)
        if ended is None:
            return ()
        counted: Sample = (DIALS, (ended.owner, outcome), 1.0)
        if ended.seconds is None:
            return (counted,)
        return counted, (TIME_TO_ANSWER, (ended.owner,), ended.seconds)

    def reset(self) -> None:
        self._legs.reset()

    def expire(self, now: float) -> Iterable[Sample]:
        """Drop entries that are too old."""
        self._legs.expire(now)
        return ()


def dial_outcome(message: Message) -> str:
    return DIAL_STATUS.get(message.get("dialstatus", "").lower(), OTHER)


CALLS_TRACKED = Tracked(("Newchannel", CHANNEL_LINKED, "Newstate", "Hangup"), CallTracker)
DIALS_TRACKED = Tracked(LEG_EVENTS, DialTracker)
