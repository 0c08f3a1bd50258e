"""The metrics of a scrape itself: whether the PBX was there, and how each collector fared."""

from __future__ import annotations

from ami_exporter.collectors.declarations import LabelSet, Metric, Origin
from ami_exporter.exposition.writer import Family
from ami_exporter.pbx.poll_run import PollFault
from ami_exporter.pbx.poller import Polled


def _meta(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, "gauge", text, labels, Origin.EXPORTER)


UP = _meta("asterisk_up", "1: logged in and answering, whatever the rights (AMI Ping).")
SCRAPE_DURATION = _meta("asterisk_scrape_duration_seconds", "Time this scrape of the PBX took.")
SUCCESS = _meta(
    "asterisk_scrape_collector_success",
    "1: every action that was sent for this collector answered in full; 0: a fault of this scrape, or the PBX is down.",
    "collector",
)
DURATION = _meta(
    "asterisk_scrape_collector_duration_seconds",
    "From the end of the answer before to the end of this collector's answers, summed over its actions.",
    "collector",
)
AGE = _meta(
    "asterisk_scrape_collector_data_age_seconds",
    "Age of the oldest answer behind this collector's metrics; above 0 when one is served again (min_interval; load "
    "guard: an answer that took t ≥ 0.5 s is served again for 20 × t; a minute for lists from a realtime database).",
    "collector",
)
UNAVAILABLE = _meta(
    "asterisk_scrape_collector_unavailable",
    "1: an action of this collector that the server does not offer to this AMI user; ami-exporter doctor tells why.",
    "collector",
    "action",
    "reason",
)
METRICS = (UP, SCRAPE_DURATION, SUCCESS, DURATION, AGE, UNAVAILABLE)


def families(polled: Polled, now: float, seconds: float) -> list[Family]:
    """Families of one poll. now: monotonic seconds; seconds: how long the scrape took."""
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
        Family(SUCCESS, {(result.name,): float(result.success and polled.up) for result in results.values()}),
        Family(DURATION, {(result.name,): result.seconds for result in fresh}),
        Family(AGE, {(result.name,): max(0.0, now - result.taken) for result in fresh}),
        Family(UNAVAILABLE, unavailable),
    ]
    return [family for family in families if family.values]
