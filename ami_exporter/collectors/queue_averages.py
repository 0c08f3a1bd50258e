"""Asterisk's own averages of a queue. Opt-in: they are no means over any window.

Hold and talk time are moving averages in whole seconds (a new call weighs a quarter), so rates and sums of them mean
nothing, and the service level is that of all calls since the last reset. The histograms of the `queues` collector are
better in every way; these are for comparing with what `queue show` says.
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
    """Before the first completed call all three are 0, which is no average and no ratio."""
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
