"""One set of series per queue member. Opt-in: queues × members series, capped, and the label names people."""

from __future__ import annotations

from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Rule, gauge, polled_counter
from ami_exporter.collectors.fields import labels, mapped, number, text
from ami_exporter.collectors.lists import QUEUE_MEMBER, QUEUE_STATUS

UP = gauge(
    "asterisk_queue_member_up",
    "1: the member's device is neither unavailable nor invalid (AMI QueueStatus: Status)",
    "queue",
    "member",
)
PAUSED = gauge("asterisk_queue_member_paused", "1: the member is paused (AMI QueueStatus: Paused)", "queue", "member")
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

UP_STATES: Final = {str(status): 0.0 if status in {4, 5} else 1.0 for status in range(9)}
"""Status: 4 invalid, 5 unavailable (include/asterisk/devicestate.h)."""


def _member_name(message: Message, _context: Context) -> str | None:
    """The member's name; without one Asterisk says the interface."""
    return message.get("name") or message.get("location") or None


_member = labels(text("Queue"), _member_name)

COLLECTOR = Collector(
    name="queue_members",
    title="Members of queues, one by one",
    metrics=(UP, PAUSED, LAST_CALL, CALLS),
    polls=((QUEUE_STATUS,),),
    rules=(  # two interfaces of one name are one person: up when one is, paused when one is
        Rule(UP, QUEUE_STATUS, QUEUE_MEMBER, _member, mapped("Status", UP_STATES), reduce="max"),
        Rule(PAUSED, QUEUE_STATUS, QUEUE_MEMBER, _member, mapped("Paused", {"0": 0.0, "1": 1.0}), reduce="max"),
        Rule(LAST_CALL, QUEUE_STATUS, QUEUE_MEMBER, _member, number("LastCall", minimum=1.0), reduce="max"),
        Rule(CALLS, QUEUE_STATUS, QUEUE_MEMBER, _member, number("CallsTaken")),
    ),
    enabled=False,
    filter_label="queue",
)
