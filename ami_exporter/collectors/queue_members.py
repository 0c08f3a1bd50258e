"""One set of series per queue member. Opt-in: queues × members series, capped, and the label names people."""

from __future__ import annotations

from typing import Final

from ami_exporter.collectors.declarations import Collector, Rule, ZeroSeries, counter, gauge, polled_counter
from ami_exporter.collectors.fields import fixed, labels, mapped, number, text
from ami_exporter.collectors.lists import QUEUE_MEMBER, QUEUE_STATUS
from ami_exporter.collectors.queue_fields import (
    available,
    in_call,
    in_wrapup,
    member_name,
    pause_reason,
    paused,
    tells_in_call,
    tells_wrapup,
    when,
)
from ami_exporter.collectors.sent import from_12

UP = gauge(
    "asterisk_queue_member_up",
    "1: the member's device is neither unavailable nor invalid (AMI QueueStatus: Status)",
    "queue",
    "member",
)
PAUSED = gauge("asterisk_queue_member_paused", "1: the member is paused (AMI QueueStatus: Paused)", "queue", "member")
AVAILABLE = gauge(
    "asterisk_queue_member_available",
    "1: the queue would ring the member: not paused, not in use (an unknown state counts as not in use), "
    "not in wrap-up (AMI QueueStatus: Status, Paused, Wrapuptime, LastCall)",
    "queue",
    "member",
)
IN_CALL = gauge(
    "asterisk_queue_member_in_call",
    "1: the member is in a call of this queue (AMI QueueStatus: InCall)",
    "queue",
    "member",
)
WRAPUP = gauge(
    "asterisk_queue_member_wrapup",
    "1: the queue does not ring the member yet since its last call has just ended, though it is free: by the "
    "wrapuptime of the member; the queue's own is not sent. Absent before Asterisk 16.3 "
    "(AMI QueueStatus: Wrapuptime, LastCall, InCall, Status, Paused)",
    "queue",
    "member",
)
LAST_CALL = gauge(
    "asterisk_queue_member_last_call_timestamp_seconds",
    "When the member's last call of this queue ended; absent before the first (AMI QueueStatus: LastCall)",
    "queue",
    "member",
)
CALLS = polled_counter(
    "asterisk_queue_member_calls_total",
    "Calls the member took from this queue, as Asterisk counts; reset by `queue reset stats` "
    "(AMI QueueStatus: CallsTaken)",
    "queue",
    "member",
)
LOGIN = gauge(
    "asterisk_queue_member_login_timestamp_seconds",
    "When the member was added to this queue, or the queue that the configuration puts it in was loaded; Asterisk "
    "16.23, 18.9, 19.1, 20 on (AMI QueueStatus: LoginTime)",
    "queue",
    "member",
)
PAUSE_START = gauge(
    "asterisk_queue_member_pause_start_timestamp_seconds",
    "Since when the member is paused, by the reason given (none: no reason; other: it holds a number or an address); "
    "absent while it is not. A pause with a new reason begins anew; a member of several queues pauses in each of them "
    "(AMI QueueStatus: Paused, LastPause, PausedReason)",
    "queue",
    "member",
    "reason",
)
TALK = counter(
    "asterisk_queue_member_talk_seconds_total",
    "Time the member talked to callers of this queue, counted when the call ends (AMI event AgentComplete: TalkTime)",
    "queue",
    "member",
    sent=from_12,
)
RING_NO_ANSWER = counter(
    "asterisk_queue_member_ring_no_answer_total",
    "Times the member's phone rang for this queue and was not answered (AMI event AgentRingNoAnswer)",
    "queue",
    "member",
    sent=from_12,
)

STATES: Final = (UP, PAUSED, AVAILABLE, IN_CALL, WRAPUP)
YES_NO: Final = {"0": 0.0, "1": 1.0}
UP_STATES: Final = {str(status): 0.0 if status in {4, 5} else 1.0 for status in range(9)}
"""Status: 4 invalid, 5 unavailable (include/asterisk/devicestate.h)."""


_member = labels(text("Queue"), member_name)
_paused = labels(text("Queue"), member_name, pause_reason)

COLLECTOR = Collector(
    name="queue_members",
    title="Members of queues, one by one",
    metrics=(*STATES, LAST_CALL, CALLS, LOGIN, PAUSE_START, TALK, RING_NO_ANSWER),
    polls=((QUEUE_STATUS,),),
    rules=(  # interfaces with one name belong to one person, who is up or paused if one of them is
        Rule(UP, QUEUE_STATUS, QUEUE_MEMBER, _member, mapped("Status", UP_STATES), reduce="max"),
        Rule(PAUSED, QUEUE_STATUS, QUEUE_MEMBER, _member, mapped("Paused", YES_NO), reduce="max"),
        Rule(AVAILABLE, QUEUE_STATUS, QUEUE_MEMBER, _member, fixed(0.0), reduce="max"),
        Rule(AVAILABLE, QUEUE_STATUS, QUEUE_MEMBER, when(_member, available), fixed(1.0), reduce="max"),
        Rule(
            IN_CALL,
            QUEUE_STATUS,
            QUEUE_MEMBER,
            when(_member, tells_in_call),
            lambda message: float(in_call(message)),
            reduce="max",
        ),
        Rule(WRAPUP, QUEUE_STATUS, QUEUE_MEMBER, when(_member, tells_wrapup), fixed(0.0), reduce="max"),
        Rule(WRAPUP, QUEUE_STATUS, QUEUE_MEMBER, when(_member, in_wrapup), fixed(1.0), reduce="max"),
        Rule(LAST_CALL, QUEUE_STATUS, QUEUE_MEMBER, _member, number("LastCall", minimum=1.0), reduce="max"),
        Rule(CALLS, QUEUE_STATUS, QUEUE_MEMBER, _member, number("CallsTaken")),
        Rule(LOGIN, QUEUE_STATUS, QUEUE_MEMBER, _member, number("LoginTime", minimum=1.0), reduce="max"),
        Rule(
            PAUSE_START,
            QUEUE_STATUS,
            QUEUE_MEMBER,
            _paused,
            number("LastPause", minimum=1.0),
            reduce="max",
            where=paused,
        ),
        Rule(TALK, None, ("AgentComplete",), _member, number("TalkTime")),
        Rule(RING_NO_ANSWER, None, ("AgentRingNoAnswer",), _member),
    ),
    zero_series=(ZeroSeries((TALK, RING_NO_ANSWER), QUEUE_STATUS, QUEUE_MEMBER, _member),),
    enabled=False,
    filter_label="queue",
)
