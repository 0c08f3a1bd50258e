"""Queues: waiting callers, members who can answer, and how callers left.

QueueStatus is polled; events count callers (queue_callers.py), rings and talks.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import (
    Collector,
    Context,
    Rule,
    Tracked,
    Tracker,
    ZeroSeries,
    counter,
    gauge,
    histogram,
    polled_counter,
)
from ami_exporter.collectors.fields import both, fixed, having, labels, number, text, word
from ami_exporter.collectors.lists import (
    CORE_SHOW_CHANNELS,
    QUEUE_ENTRY,
    QUEUE_MEMBER,
    QUEUE_PARAMS,
    QUEUE_STATUS,
    STATUS,
)
from ami_exporter.collectors.queue_callers import (
    CALLS,
    IN_SERVICE_LEVEL,
    JOIN_EVENTS,
    JOINS,
    TRACKED_EVENTS,
    WAIT_BUCKETS,
    QueueCallers,
    wait_histogram,
)
from ami_exporter.collectors.queue_fields import (
    available,
    by_queue,
    in_call,
    in_wrapup,
    not_paused,
    pause_reason,
    paused,
    tells_in_call,
    tells_wrapup,
    when,
)
from ami_exporter.collectors.sent import from_12
from ami_exporter.collectors.vocabulary import DEVICE_STATE, DEVICE_STATES

RING_BUCKETS: Final = (2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0)
"""Seconds that a member's phone rings before the answer; Asterisk's default gives up after 15."""
TALK_BUCKETS: Final = (15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)

INFO = gauge(
    "asterisk_queue_info",
    "A queue, its human name and its ring strategy (AMI QueueStatus: Strategy)",
    "queue",
    "name",
    "strategy",
)
CALLERS = gauge("asterisk_queue_callers", "Callers waiting now (AMI QueueStatus: Calls)", "queue")
LONGEST_WAIT = gauge(
    "asterisk_queue_longest_wait_seconds",
    "How long the longest waiting caller waits; 0 when nobody does (AMI QueueStatus: Wait)",
    "queue",
)
CALLERS_LIMIT = gauge(
    "asterisk_queue_callers_limit",
    "Maximum number of callers who may wait; absent when unlimited (AMI QueueStatus: Max)",
    "queue",
)
MEMBERS = gauge(
    "asterisk_queue_members",
    "Members of the queue by the state of their device (AMI QueueStatus: Status)",
    "queue",
    "state",
    closed=MappingProxyType({"state": DEVICE_STATES}),
)
AVAILABLE = gauge(
    "asterisk_queue_members_available",
    "Members whom the queue would ring: not paused, not in use (an unknown state counts as not in use), "
    "not in wrap-up (AMI QueueStatus: Status, Paused, Wrapuptime, LastCall)",
    "queue",
)
WRAPUP = gauge(
    "asterisk_queue_members_wrapup",
    "Members whom the queue does not ring yet since their last call has just ended, though they are free: by the "
    "wrapuptime of the member; the queue's own is not sent. Absent before Asterisk 16.3 "
    "(AMI QueueStatus: Wrapuptime, LastCall, InCall, Status, Paused)",
    "queue",
)
READY = gauge(
    "asterisk_queue_members_ready",
    "Members who can take a call now or later: not paused, device neither unavailable nor invalid "
    "(AMI QueueStatus: Status, Paused)",
    "queue",
)
PAUSED = gauge("asterisk_queue_members_paused", "Members paused (AMI QueueStatus: Paused)", "queue")
IN_CALL = gauge("asterisk_queue_members_in_call", "Members in a call of a queue (AMI QueueStatus: InCall)", "queue")
PAUSE_REASON = gauge(
    "asterisk_queue_pause_reason_members",
    "Members paused, by the reason given; none: no reason was given; other: it holds a number or an address "
    "(AMI QueueStatus: PausedReason)",
    "queue",
    "reason",
)
PBX_COMPLETED = polled_counter(
    "asterisk_queue_pbx_completed_total",
    "Calls completed, as Asterisk counts: at the end of the call; reset by `queue reset stats` "
    "(AMI QueueStatus: Completed)",
    "queue",
)
PBX_ABANDONED = polled_counter(
    "asterisk_queue_pbx_abandoned_total",
    "Calls abandoned, as Asterisk counts: timeouts and leave-when-empty included; reset by `queue reset stats` "
    "(AMI QueueStatus: Abandoned)",
    "queue",
)
THRESHOLD = gauge(
    "asterisk_queue_service_level_threshold_seconds",
    "Time within which callers should be answered (AMI QueueStatus: ServiceLevel)",
    "queue",
)
# Before Asterisk 12 only queues with eventwhencalled=yes send events about members: nothing is 0 beforehand there.
RING = histogram(
    "asterisk_queue_ring_seconds",
    "Time the answering member's phone rang (AMI AgentConnect: RingTime)",
    "queue",
    buckets=RING_BUCKETS,
    sent=from_12,
)
TALK = histogram(
    "asterisk_queue_talk_seconds",
    "Time callers and members talked (AMI AgentComplete: TalkTime)",
    "queue",
    buckets=TALK_BUCKETS,
    sent=from_12,
)
RING_NO_ANSWER = counter(
    "asterisk_queue_ring_no_answer_total",
    "Times a member's phone rang and was not answered (AMI AgentRingNoAnswer)",
    "queue",
    sent=from_12,
)

POLLED: Final = (
    *(INFO, CALLERS, LONGEST_WAIT, CALLERS_LIMIT, MEMBERS, AVAILABLE, WRAPUP, READY, PAUSED, IN_CALL, PAUSE_REASON),
    *(PBX_COMPLETED, PBX_ABANDONED, THRESHOLD),
)


def _name(message: Message, context: Context) -> str | None:
    queue = message.get("queue")
    return None if queue is None else context.names.get("queue", {}).get(queue, queue)


RULES: Final = (
    Rule(
        INFO,
        QUEUE_STATUS,
        QUEUE_PARAMS,
        labels(text("Queue"), _name, text("Strategy", missing="unknown")),
        fixed(1.0),
        reduce="last",
    ),
    Rule(CALLERS, QUEUE_STATUS, QUEUE_PARAMS, by_queue, number("Calls"), reduce="last"),
    Rule(LONGEST_WAIT, QUEUE_STATUS, QUEUE_PARAMS, by_queue, fixed(0.0), reduce="max"),
    Rule(LONGEST_WAIT, QUEUE_STATUS, QUEUE_ENTRY, by_queue, number("Wait"), reduce="max"),
    Rule(CALLERS_LIMIT, QUEUE_STATUS, QUEUE_PARAMS, by_queue, number("Max", minimum=1.0), reduce="last"),
    Rule(MEMBERS, QUEUE_STATUS, QUEUE_MEMBER, labels(text("Queue"), word("Status", DEVICE_STATE, "unknown"))),
    Rule(AVAILABLE, QUEUE_STATUS, QUEUE_MEMBER, when(by_queue, available)),
    Rule(WRAPUP, QUEUE_STATUS, QUEUE_MEMBER, when(by_queue, in_wrapup)),
    Rule(READY, QUEUE_STATUS, QUEUE_MEMBER, by_queue, where=both(not_paused, having("Status", *"0123678"))),
    Rule(PAUSED, QUEUE_STATUS, QUEUE_MEMBER, by_queue, where=paused),
    Rule(IN_CALL, QUEUE_STATUS, QUEUE_MEMBER, by_queue, where=in_call),
    Rule(PAUSE_REASON, QUEUE_STATUS, QUEUE_MEMBER, labels(text("Queue"), pause_reason), where=paused),
    Rule(PBX_COMPLETED, QUEUE_STATUS, QUEUE_PARAMS, by_queue, number("Completed"), reduce="last"),
    Rule(PBX_ABANDONED, QUEUE_STATUS, QUEUE_PARAMS, by_queue, number("Abandoned"), reduce="last"),
    Rule(THRESHOLD, QUEUE_STATUS, QUEUE_PARAMS, by_queue, number("ServiceLevel"), reduce="last"),
    Rule(JOINS, None, JOIN_EVENTS, by_queue),
    Rule(RING, None, ("AgentConnect",), by_queue, number("RingTime")),
    Rule(TALK, None, ("AgentComplete",), by_queue, number("TalkTime")),
    Rule(RING_NO_ANSWER, None, ("AgentRingNoAnswer",), by_queue),
)


_WATCHED: Final = (QUEUE_STATUS, STATUS, CORE_SHOW_CHANNELS)


def _watch(tracker: Tracker, message: Message) -> None:
    if isinstance(tracker, QueueCallers):
        tracker.learn(message)


@cache  # counters survive a reload if their Metric is the same object
def collector(wait_buckets: tuple[float, ...] = WAIT_BUCKETS) -> Collector:
    """Build the collector with the buckets of `queue_wait_buckets`."""
    wait = wait_histogram(wait_buckets)
    counted = (JOINS, CALLS, wait, IN_SERVICE_LEVEL, RING, TALK, RING_NO_ANSWER)
    return Collector(
        name="queues",
        title="Queues: callers, members, service level",
        metrics=(*POLLED, *counted),
        polls=((QUEUE_STATUS,),),
        rules=RULES,
        zero_series=(
            ZeroSeries((MEMBERS, AVAILABLE, READY, PAUSED, *counted), QUEUE_STATUS, QUEUE_PARAMS, by_queue),
            ZeroSeries((IN_CALL,), QUEUE_STATUS, QUEUE_MEMBER, when(by_queue, tells_in_call)),
            ZeroSeries((WRAPUP,), QUEUE_STATUS, QUEUE_MEMBER, when(by_queue, tells_wrapup)),
            ZeroSeries(counted, None, JOIN_EVENTS, by_queue),
        ),
        tracked=(
            Tracked(TRACKED_EVENTS, lambda: QueueCallers(wait), _watch, (QUEUE_STATUS, STATUS, CORE_SHOW_CHANNELS)),
        ),
        filter_label="queue",
    )


COLLECTOR: Final = collector()
