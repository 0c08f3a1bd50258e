"""The metrics about a scrape: whether the PBX answered, and the result of each collector."""

from __future__ import annotations

from ami_exporter.collectors.declarations import LabelSet
from ami_exporter.exposition.own_metrics import (
    COLLECTOR_DURATION,
    COLLECTOR_SUCCESS,
    DATA_AGE,
    SCRAPE_DURATION,
    UNAVAILABLE,
    UP,
)
from ami_exporter.exposition.writer import Family
from ami_exporter.pbx.poll_run import PollFault
from ami_exporter.pbx.poller import Polled


def families(polled: Polled, now: float, seconds: float) -> list[Family]:
    """Return the families of one poll. now: monotonic seconds; seconds: duration of the scrape."""
    results = polled.results
    fresh = [result for result in results.values() if result.fault not in (PollFault.DOWN, PollFault.DEADLINE)]
    unavailable: dict[LabelSet, float] = {}
    for result in results.values():
        for action in result.unavailable:
            unavailable[result.name, action.label, "not_offered"] = 1.0
        for action, reason in result.refused:
            unavailable[result.name, action.label, reason] = 1.0
    families = [
        Family(UP, {(): float(polled.up)}),
        Family(SCRAPE_DURATION, {(): seconds}),
        Family(COLLECTOR_SUCCESS, {(result.name,): float(result.success and polled.up) for result in results.values()}),
        Family(COLLECTOR_DURATION, {(result.name,): result.seconds for result in fresh}),
        Family(DATA_AGE, {(result.name,): max(0.0, now - result.taken) for result in fresh}),
        Family(UNAVAILABLE, unavailable),
    ]
    return [family for family in families if family.values]
