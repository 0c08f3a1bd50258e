"""Callers of queues, from events: how each left the queue, and how long that took.

Order on the wire (apps/app_queue.c): a caller who hangs up raises HangupRequest (class call), then QueueCallerAbandon,
QueueCallerLeave, SoftHangupRequest, Hangup. A timeout, leave-when-empty or withdrawal raises QueueCallerAbandon without
HangupRequest; queue_endings.py distinguishes these and other causes. An answered caller raises QueueCallerLeave first,
then AgentConnect. Leaving by key raises QueueCallerLeave alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import inf
from types import MappingProxyType
from typing import Final, TypeVar

from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Context, Metric, Sample, counter, histogram
from ami_exporter.collectors.fields import number, to_number
from ami_exporter.collectors.queue_endings import (
    Left,
    Place,
    Places,
    outcome_at_once,
    outcome_going_on,
    place,
    stayed,
    technology,
    went_on,
)
from ami_exporter.collectors.sent import before_12
from ami_exporter.collectors.vocabulary import TELLS_HANGUP

MAX_CALLERS: Final = 20_000
"""Most callers in one state: about 3 MB, more than a PBX has. Beyond that the oldest are forgotten."""
MAX_QUEUES: Final = 10_000
"""Most queues whose service level is remembered; more than the series cap allows."""
WAITING_SECONDS: Final = 86_400.0
"""Seconds. Nobody waits longer than a day, so the Leave was missed."""
LEFT_SECONDS: Final = 600.0
"""Seconds. Between Leave and AgentConnect only announcements and a Gosub run; later it is not an answer."""
HANGING_SECONDS: Final = 300.0
"""Seconds. Between HangupRequest and QueueCallerAbandon at most one announcement ends."""
ENDING_SECONDS: Final = 1.0
"""Seconds. A channel that ends so soon after the queue ended in it, or by the next step of the dialplan."""
JUST_JOINED_SECONDS: Final = 0.75
STIRRED_SECONDS: Final = 5.0
"""Seconds. A queue without members releases callers as they join, or at their next check."""

JOIN_EVENTS: Final = ("QueueCallerJoin", "Join")
"""Join and Leave before Asterisk 12."""
TRACKED_EVENTS: Final = (
    *JOIN_EVENTS,
    *("QueueCallerLeave", "Leave", "QueueCallerAbandon", "AgentConnect"),
    *("Newchannel", "HangupRequest", "SoftHangupRequest", "Hangup"),
    *("QueueMemberPause", "QueueMemberPaused", "QueueMemberRemoved", "QueueMemberStatus"),
)

OUTCOMES: Final = ("answered", "abandoned", "timeout", "other")
WAIT_OUTCOMES: Final = ("answered", "abandoned", "timeout")
WAIT_BUCKETS: Final = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0)

JOINS = counter("asterisk_queue_joins_total", "Callers who joined the queue (AMI QueueCallerJoin)", "queue")
CALLS = counter(
    "asterisk_queue_calls_total",
    "Callers who left the queue. abandoned: the caller hung up; timeout: the queue let go of the caller (timeout, no "
    "members); other: left by key, AMI Hangup, Redirect or an absolute timeout. Without read=call every timeout counts "
    "as abandoned (AMI AgentConnect, QueueCallerAbandon, QueueCallerLeave, HangupRequest, Hangup: "
    "Cause, Priority; Status: Data)",
    "queue",
    "outcome",
    closed=MappingProxyType({"outcome": OUTCOMES}),
)
IN_SERVICE_LEVEL = counter(
    "asterisk_queue_answered_in_service_level_total",
    "Callers answered within the queue's own service level, as last polled (AMI AgentConnect: HoldTime)",
    "queue",
)


def wait_histogram(buckets: tuple[float, ...]) -> Metric:
    """Make the histogram of waits with the buckets of the configuration."""
    return histogram(
        "asterisk_queue_wait_seconds",
        "Time from joining the queue to answer, hang-up or timeout (AMI AgentConnect, QueueCallerAbandon: HoldTime)",
        "queue",
        "outcome",
        buckets=buckets,
        closed=MappingProxyType({"outcome": WAIT_OUTCOMES}),
    )


_V = TypeVar("_V")
NONE_TELLS: Final[frozenset[str]] = frozenset()
NOTHING: Final[tuple[Sample, ...]] = ()
_hold_time = number("HoldTime")


class QueueCallers:
    """Follows each caller by Uniqueid from Join to outcome. A `Tracker`."""

    def __init__(self, wait: Metric) -> None:
        self._wait = wait
        self._service_levels: dict[str, float] = {}
        self._handlers = {
            "queuecallerjoin": self._join,
            "join": self._join,
            "queuecallerleave": self._leave,
            "leave": self._leave,
            "queuecallerabandon": self._abandon,
            "agentconnect": self._connect,
            "newchannel": self._newchannel,
            "hanguprequest": self._hangup_request,
            "softhanguprequest": self._dialplan_ends,
            "hangup": self._hangup,
            "queuememberpause": self._stir,
            "queuememberpaused": self._stir,
            "queuememberremoved": self._stir,
            "queuememberstatus": self._stir,
        }
        self._places = Places()
        self._presumed = TELLS_HANGUP
        self.reset()

    def reset(self) -> None:
        """Forget all callers, and whether this session receives the class call."""
        self._waiting: dict[str, float] = {}
        self._joined: dict[str, Place] = {}
        self._ended: dict[str, Left] = {}  # left unanswered, reason not known yet
        self._stirred: dict[str, float] = {}
        self._announcing: set[str] = set()  # technologies whose channels have sent HangupRequest
        self._abandoned: dict[str, float] = {}
        self._left: dict[str, tuple[float, str]] = {}
        self._hanging: dict[str, float] = {}
        self._sees_calls = False

    def learn(self, message: Message) -> None:
        """Learn service levels and timeouts of Queue() from a polled QueueParams, Status or CoreShowChannel."""
        if message.get("event") == "QueueParams":
            self._learn_service_level(message)
        elif self._waiting and message.get("application") == "Queue":
            self._places.learn(message)

    def _learn_service_level(self, message: Message) -> None:
        level = to_number(message.get("servicelevel"))
        queue = message.get("queue")
        if queue and level is not None and (queue in self._service_levels or len(self._service_levels) < MAX_QUEUES):
            self._service_levels[queue] = level

    def event(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        """Take one event; now is monotonic seconds."""
        self._presumed = NONE_TELLS if before_12(context) else TELLS_HANGUP
        return self._handlers[message["event"].lower()](message.get("uniqueid", ""), message, now)

    def expire(self, now: float) -> Iterable[Sample]:
        """Forget entries that are too old; a caller who left long ago without an answer counts as `other`."""
        while self._joined and next(iter(self._joined)) not in self._waiting:
            del self._joined[next(iter(self._joined))]
        for table, seconds in (
            (self._waiting, WAITING_SECONDS),
            (self._abandoned, LEFT_SECONDS),
            (self._hanging, HANGING_SECONDS),
        ):
            while table and now - table[oldest := next(iter(table))] > seconds:
                del table[oldest]
        samples: list[Sample] = []
        while self._ended and now - self._ended[oldest := next(iter(self._ended))].seen > ENDING_SECONDS:
            samples.extend(self._went_on(oldest))
        while self._left and now - self._left[oldest := next(iter(self._left))][0] > LEFT_SECONDS:
            samples.extend(self._left_otherwise(oldest))
        return samples

    def _join(self, caller: str, message: Message, now: float) -> Iterable[Sample]:
        self._abandoned.pop(caller, None)
        self._waiting.pop(caller, None)
        _put(self._waiting, caller, now)
        at = place(message.get("queue", ""), message)
        if at is not None:
            _put(self._joined, caller, at)
        return (*self._went_on(caller), *self._left_otherwise(caller))

    def _leave(self, caller: str, message: Message, now: float) -> Iterable[Sample]:
        self._waiting.pop(caller, None)
        if self._abandoned.pop(caller, None) is None:
            _put(self._left, caller, (now, message.get("queue", "")))
        return NOTHING

    def _abandon(self, caller: str, message: Message, now: float) -> Iterable[Sample]:
        if caller in self._abandoned:  # with incompatible channels app_queue.c abandons the same caller twice
            return NOTHING
        since = self._waiting.pop(caller, -inf)
        joined = self._joined.pop(caller, None)
        _put(self._abandoned, caller, now)
        queue = message.get("queue", "")
        if not self._sees_calls or caller in self._hanging:
            return self._gone(queue, "abandoned", _hold_time(message))
        at = place(queue, message)
        if joined is not None and at not in (joined, None):
            return self._gone(queue, "other", None)
        stirred = now - self._stirred.get(queue, -inf) < STIRRED_SECONDS
        unsettled = stirred or now - since < JUST_JOINED_SECONDS
        left = Left(now, queue, technology(message), _hold_time(message), self._places.limit(joined), unsettled, at)
        _put(self._ended, caller, left)
        return NOTHING

    def _connect(self, caller: str, message: Message, _now: float) -> Iterable[Sample]:
        self._left.pop(caller, None)
        self._joined.pop(caller, None)
        hold = _hold_time(message)
        queue = message.get("queue", "")
        samples = self._gone(queue, "answered", hold)
        level = self._service_levels.get(queue)
        if samples and hold is not None and level is not None and hold <= level:
            samples.append((IN_SERVICE_LEVEL, (queue,), 1.0))
        return samples

    def _gone(self, queue: str, outcome: str, hold: float | None) -> list[Sample]:
        if not queue:
            return []
        samples: list[Sample] = [(CALLS, (queue, outcome), 1.0)]
        if hold is not None and outcome in WAIT_OUTCOMES:
            samples.append((self._wait, (queue, outcome), hold))
        return samples

    def _went_on(self, caller: str) -> list[Sample]:
        """Note that the caller's channel continued after the queue."""
        left = self._ended.pop(caller, None)
        return [] if left is None else self._gone(left.queue, outcome_going_on(left), left.hold)

    def _stir(self, _caller: str, message: Message, now: float) -> Iterable[Sample]:
        queue = message.get("queue", "")
        if queue in self._stirred or len(self._stirred) < MAX_QUEUES:
            self._stirred[queue] = now
        return NOTHING

    def _newchannel(self, _channel: str, _message: Message, _now: float) -> Iterable[Sample]:
        self._sees_calls = True
        return NOTHING

    def _hangup_request(self, channel: str, message: Message, now: float) -> Iterable[Sample]:
        self._sees_calls = True
        if message.get("channel"):  # else it is concluded from other events
            self._announcing.add(technology(message))
        self._hanging.pop(channel, None)
        _put(self._hanging, channel, now)
        return self._ending(channel, message, now)

    def _ending(self, channel: str, _message: Message, now: float) -> Iterable[Sample]:
        """Note the end of the dialplan for this channel; extension h may delay its Hangup.

        If the caller still waits, SoftHangup() of another channel has ended the call.
        """
        if channel in self._waiting and channel not in self._hanging:
            _put(self._hanging, channel, now)
        left = self._ended.get(channel)
        if left is not None and now - left.seen <= ENDING_SECONDS:
            self._ended[channel] = replace(left, seen=inf)
        return NOTHING

    def _dialplan_ends(self, channel: str, message: Message, now: float) -> Iterable[Sample]:
        left = self._ended.get(channel)
        if left is not None and left.stayed is None and went_on(left, message):
            self._ended[channel] = replace(left, stayed=False)
        return self._ending(channel, message, now)

    def _hangup(self, channel: str, message: Message, now: float) -> Iterable[Sample]:
        self._sees_calls = True
        self._hanging.pop(channel, None)
        self._waiting.pop(channel, None)
        self._joined.pop(channel, None)
        self._abandoned.pop(channel, None)
        left = self._ended.pop(channel, None)
        if left is not None and now - left.seen <= ENDING_SECONDS:
            if left.stayed is None and left.seen == inf:  # an application that Originate runs has no dialplan to end
                left = replace(left, stayed=stayed(left, message))
            outcome = outcome_at_once(
                left, message.get("cause", ""), announces=self._announces_hangups(left.technology)
            )
            return self._gone(left.queue, outcome, left.hold)
        if left is not None:
            return self._gone(left.queue, outcome_going_on(left), left.hold)
        return self._left_otherwise(channel) if channel in self._left else NOTHING

    def _announces_hangups(self, technology: str) -> bool:
        """Whether the channels of a technology send HangupRequest; on Asterisk 1.8 none does."""
        return technology in self._announcing or technology in self._presumed

    def _left_otherwise(self, caller: str) -> Iterable[Sample]:
        left = self._left.pop(caller, None)
        return ((CALLS, (left[1], "other"), 1.0),) if left is not None and left[1] else NOTHING


def _put(table: dict[str, _V], caller: str, value: _V) -> None:
    if len(table) >= MAX_CALLERS:
        del table[next(iter(table))]
    if caller:
        table[caller] = value
