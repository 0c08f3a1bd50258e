"""Turns targets into the status page's plain data: states in words, and advice for each fault."""

from __future__ import annotations

from collections.abc import Iterable

from ami_exporter import __version__
from ami_exporter.pbx.lacking import NOT_EVERYWHERE, lacking
from ami_exporter.pbx.poll_run import PollFault, Result
from ami_exporter.pbx.stats import LINKS, LinkName
from ami_exporter.pbx.target import Target
from ami_exporter.web.views import (
    CanaryView,
    CollectorState,
    CollectorView,
    LinkState,
    LinkView,
    StatusView,
    TargetView,
)

_ADVICE = {
    PollFault.DOWN: "",
    PollFault.DEADLINE: "The answer did not come in time: raise scrape_timeout and the target's timeout, or give the "
    "collector a min_interval.",
    PollFault.CUT: "The connection ended within the answer: look at the PBX's log; the next scrape tries again.",
    PollFault.REFUSED: "The AMI user has lost a right it had: run ami-exporter doctor.",
    PollFault.FAILED: "Asterisk refused the action: run ami-exporter doctor, and look at the PBX's log.",
    PollFault.NOT_OFFERED: "The configuration requires it (enabled: true), but this server does not offer it to this "
    "AMI user: run ami-exporter doctor.",
    PollFault.INTERNAL: "A fault of the exporter: please report it with its log and `ami-exporter capture`.",
}


def view(
    targets: Iterable[Target], *, now: float, monotonic: float, started: float, loaded: float, reload_error: str
) -> StatusView:
    """All data of the page. now, started and loaded are Unix seconds."""
    return StatusView(
        __version__, now, started, [target_view(target, now, monotonic) for target in targets], loaded, reload_error
    )


def target_view(target: Target, now: float, monotonic: float) -> TargetView:
    """One target, as of its last poll."""
    last = target.last
    unavailable = [a for result in last.values() for a in result.unavailable if a.name not in NOT_EVERYWHERE]
    lack = lacking(unavailable, target.facts.commands, target.facts.version)
    scraped, took = target.last_scrape
    return TargetView(
        name=target.name,
        up=target.last_up,
        since=target.changed_at,
        version=target.facts.version,
        advice="" if target.last_up is not False else target.connector.detail("poll"),
        links=[
            _link(target, link, now, monotonic) for link in LINKS if link in target.event_links or link != "user_events"
        ],
        collectors=[_collector(collector.name, last.get(collector.name), monotonic) for collector in target.collectors],
        missing_rights=", ".join(lack.needed),
        further_rights=", ".join(lack.further),
        missing_classes=sorted(target.missed_classes),
        events_per_second=target.events_per_second(),
        series=sum(len(f.values) + len(f.histograms) for r in last.values() for f in r.families)
        + target.counters.series(),
        series_dropped=target.stats.series_dropped,
        dropping=target.stats.dropping,
        address=target.settings.endpoint,
        labels=target.settings.labels,
        scraped=scraped,
        took=took,
        canaries=[
            CanaryView(one.name, one.result, one.why, one.ended, now + (one.due - monotonic))
            for one in target.canaries.states()
        ],
    )


def _link(target: Target, link: LinkName, now: float, monotonic: float) -> LinkView:
    if link == "events" and link not in target.event_links:
        return LinkView(link, LinkState.OFF)
    since = target.stats.up_since(link)
    if since is None:
        why = target.connector.detail(link)
        return LinkView(link, LinkState.DOWN if why else LinkState.OPENING, None, why)
    return LinkView(link, LinkState.UP, now - (monotonic - since))


def _collector(name: str, result: Result | None, monotonic: float) -> CollectorView:
    if result is None:
        return CollectorView(name, CollectorState.WAITING)
    if not result.success:
        return CollectorView(
            name, CollectorState.FAULT, result.seconds, None, f"{result.fault}: {result.detail}", _ADVICE[result.fault]
        )
    if not result.sent and result.unavailable:
        actions = ", ".join(action.name for action in result.unavailable)
        return CollectorView(name, CollectorState.UNAVAILABLE, reason=actions)
    return CollectorView(name, CollectorState.OK, result.seconds, max(0.0, monotonic - result.taken))
