"""One target on the status page: whole, or as a row of the overview."""

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from urllib.parse import urlencode

from ami_exporter.web.status.html import Html, fill, join, prose
from ami_exporter.web.status.humanize import counted, duration, instant, number
from ami_exporter.web.views import CollectorState, CollectorView, LinkState, LinkView, TargetView

NOTHING = Html("")


class Level(Enum):
    """How a target is, worst first."""

    DOWN = auto()
    FAULTS = auto()
    WAITING = auto()
    WELL = auto()


# Class and words for each; a sign and a word, so that nothing depends on colour.
BADGES: dict[Level, tuple[str, str]] = {
    Level.DOWN: ("bad", "✗ down"),
    Level.FAULTS: ("bad", "! up, with faults"),
    Level.WAITING: ("wait", "… not scraped yet"),
    Level.WELL: ("ok", "✓ up"),
}
COLLECTOR_BADGES: dict[CollectorState, tuple[str, str]] = {
    CollectorState.FAULT: ("bad", "✗ fault"),
    CollectorState.WAITING: ("wait", "… waiting"),
    CollectorState.UNAVAILABLE: ("note", "– not offered"),
    CollectorState.OK: ("ok", "✓ ok"),
}
LINK_WORDS: dict[LinkState, str] = {LinkState.UP: "✓ up", LinkState.DOWN: "✗ down", LinkState.OFF: "off"}


def level_of(target: TargetView) -> Level:
    """Say how a target is; a collector that is not offered is a note, no fault."""
    if target.up is None:
        return Level.WAITING
    if not target.up:
        return Level.DOWN
    faulty = any(collector.state is CollectorState.FAULT for collector in target.collectors)
    broken = any(link.state is LinkState.DOWN for link in target.links)
    return Level.FAULTS if faulty or broken else Level.WELL


def full(target: TargetView, now: float, telemetry: str | None, *, opened: bool) -> Html:
    """Draw a target whole; `telemetry` is the metrics path where it is the only target."""
    kind, state = BADGES[level_of(target)]
    todo = join(fill("item.html", what=what, text=prose(text)) for what, text in _todo(target))
    rights = join(fill("item.html", what=right, text=brings) for right, brings in target.missing_permissions)
    return fill(
        "target.html",
        anchor=f"target-{target.name}",
        open=Html(" open") if opened else NOTHING,
        name=target.name,
        kind=kind,
        state=state,
        brief=_brief(target, now),
        todo=fill("todo.html", items=todo) if todo else NOTHING,
        permissions=fill("permissions.html", items=rights) if rights else NOTHING,
        facts=join(fill("fact.html", name=name, value=value) for name, value in _facts(target, now)),
        link=telemetry if telemetry is not None else f"probe?{query_of(target.name)}",
        collectors=_collectors(target.name, target.collectors),
    )


def query_of(name: str) -> str:
    """Return the query that names a target, for /probe and for this page."""
    return urlencode({"target": name}, errors="replace")


def overview_row(target: TargetView, now: float) -> Html:
    """Draw a target as a row that leads to the whole."""
    kind, state = BADGES[level_of(target)]
    return fill(
        "overview_row.html",
        query=query_of(target.name),
        name=target.name,
        kind=kind,
        state=state,
        brief=_notes(target) or _since(target, now),
        version=target.version or "–",
        events=number(target.events_per_second, 1),
        series=number(target.series),
    )


def _brief(target: TargetView, now: float) -> str:
    version = f"Asterisk {target.version}" if target.version else ""
    return " · ".join(part for part in (_since(target, now), version, _notes(target)) if part)


def _since(target: TargetView, now: float) -> str:
    return f"for {duration(now - target.since)}" if target.since is not None else ""


def _notes(target: TargetView) -> str:
    """Say in a few words what is not perfect; of a target that is down, nothing follows from the rest."""
    if target.up is False:
        return ""
    faults = sum(collector.state is CollectorState.FAULT for collector in target.collectors)
    lost = [link.name for link in target.links if link.state is LinkState.DOWN]
    return ", ".join(
        note
        for note in (
            f"{counted(faults, 'collector')} with a fault" if faults else "",
            f"{' and '.join(lost)} link down" if lost else "",
            "rights may be missing" if target.missing_permissions else "",
            f"{number(target.series_dropped)} series dropped" if target.series_dropped else "",
        )
        if note
    )


def _todo(target: TargetView) -> Iterator[tuple[str, str]]:
    if target.advice:
        yield target.name, target.advice
    if target.up is False and target.advice:
        return
    for link in target.links:
        if link.state is LinkState.DOWN and link.detail:
            yield f"{link.name} link", link.detail
    for collector in target.collectors:
        if collector.state is CollectorState.FAULT:
            text = "; ".join(part for part in (collector.reason, collector.advice) if part)
            yield collector.name, text or "no reason is known, see the exporter's log"


def _facts(target: TargetView, now: float) -> Iterator[tuple[str, str]]:
    words = {True: "Up since", False: "Down since", None: "State"}[target.up]
    yield words, f"{instant(target.since)} ({duration(now - target.since)})" if target.since else "not scraped yet"
    yield "Asterisk version", target.version or "not known yet"
    for link in target.links:
        yield f"{link.name.capitalize()} link", _link(link, now)
    if target.events_per_second is not None:
        yield "Events", f"{number(target.events_per_second, 1)} per second"
    dropped = f", {number(target.series_dropped)} dropped by limits.series_per_metric" if target.series_dropped else ""
    yield "Series", number(target.series) + dropped


def _link(link: LinkView, now: float) -> str:
    since = f"since {instant(link.since)} ({duration(now - link.since)})" if link.since is not None else ""
    return " ".join(part for part in (LINK_WORDS[link.state], since) if part)


def _collectors(name: str, collectors: Sequence[CollectorView]) -> Html:
    if not collectors:
        return NOTHING
    order = list(COLLECTOR_BADGES)
    listed = sorted(collectors, key=lambda collector: (order.index(collector.state), collector.name))
    return fill("collectors.html", name=name, rows=join(_collector(collector) for collector in listed))


def _collector(collector: CollectorView) -> Html:
    kind, state = COLLECTOR_BADGES[collector.state]
    words = collector.reason
    if collector.state is CollectorState.UNAVAILABLE and collector.advice:
        words = "; ".join(part for part in (collector.reason, collector.advice) if part)
    return fill(
        "collector.html",
        name=collector.name,
        kind=kind,
        state=state,
        reason=words,
        duration=duration(collector.duration),
        age=duration(collector.age),
    )
