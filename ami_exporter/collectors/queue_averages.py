"""Asterisk's own averages of a queue. Opt-in, because they are not means over a window.

Hold and talk time are moving averages in whole seconds (a new call weighs a quarter), so their rates and sums mean
nothing. The service level covers all calls since the last reset. Use the histograms of the `queues` collector; these
values only serve to compare with `queue show`.
"""

from __future__ import annotations

from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Rule, gauge
from ami_exporter.collectors.fields import labels, number, text
from ami_exporter.collectors.lists import QUEUE_PARAMS, QUEUE_STATUS

HOLD = gauge(
    "asterisk_queue_hold_time_average_seconds",
    "Asterisk's moving average of the wait of answered calls (3/4 old, 1/4 newest); absent without traffic "
    "(AMI QueueStatus: Holdtime)",
    "queue",
)
TALK = gauge(
    "asterisk_queue_talk_time_average_seconds",
    "Asterisk's moving average of talk time (3/4 old, 1/4 newest); absent without traffic (AMI QueueStatus: TalkTime)",
    "queue",
)
SERVICE_LEVEL = gauge(
    "asterisk_queue_service_level_ratio",
    "Share of completed calls answered within the service level since the queue's last reset; absent without traffic "
    "(AMI QueueStatus: ServicelevelPerf)",
    "queue",
)

_by_queue: Final = labels(text("Queue"))
_completed: Final = number("Completed", minimum=1.0)


def _has_traffic(message: Message) -> bool:
    """Whether a call was completed: before that all three are 0, which is neither an average nor a ratio."""
    return _completed(message) is not None


COLLECTOR = Collector(
    name="queue_averages",
    title="Asterisk's own averages of queues",
    metrics=(HOLD, TALK, SERVICE_LEVEL),
    polls=((QUEUE_STATUS,),),
    rules=(
        Rule(HOLD, QUEUE_STATUS, QUEUE_PARAMS, _by_queue, number("Holdtime"), _has_traffic, "last"),
        Rule(TALK, QUEUE_STATUS, QUEUE_PARAMS, _by_queue, number("TalkTime"), _has_traffic, "last"),
        Rule(
            SERVICE_LEVEL,
            QUEUE_STATUS,
            QUEUE_PARAMS,
            _by_queue,
            number("ServicelevelPerf", scale=0.01, maximum=100.0),
            _has_traffic,
            "last",
        ),
    ),
    enabled=False,
    filter_label="queue",
)
