"""One target on the status page: whole, or as a row of the overview."""

import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from urllib.parse import urlencode

from ami_exporter.web.status.html import Html, fill, join, prose
from ami_exporter.web.status.humanize import duration, instant, number
from ami_exporter.web.status.trouble import troubles
from ami_exporter.web.views import CanaryView, CollectorState, CollectorView, LinkState, LinkView, TargetView

NOTHING = Html("")
_PACKAGED = re.compile(r"[~+]")


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
LINK_WORDS: dict[LinkState, str] = {
    LinkState.UP: "✓ up",
    LinkState.DOWN: "✗ down",
    LinkState.OPENING: "… not open yet",
    LinkState.OFF: "off",
}


def level_of(target: TargetView) -> Level:
    """Say how a target is; a collector that is not offered is a note, no fault."""
    if target.up is None:
        return Level.WAITING
    if not target.up:
        return Level.DOWN
    return Level.FAULTS if troubles(target) else Level.WELL


def full(target: TargetView, now: float, telemetry: str | None, *, opened: bool) -> Html:
    """Draw a target whole; `telemetry` is the metrics path where it is the only target."""
    kind, state = BADGES[level_of(target)]
    todo = join(fill("item.html", what=what, text=prose(text)) for what, text in _todo(target))
    return fill(
        "target.html",
        anchor=f"target-{target.name}",
        open=Html(" open") if opened else NOTHING,
        name=target.name,
        kind=kind,
        state=state,
        brief=_brief(target, now),
        todo=fill("todo.html", items=todo) if todo else NOTHING,
        facts=join(fill("fact.html", name=name, value=value) for name, value in _facts(target, now)),
        link=telemetry if telemetry is not None else f"probe?{query_of(target.name)}",
        further=fill("further.html", actions=target.further_rights) if target.further_rights else NOTHING,
        canaries=_canaries(target),
        # Of a PBX that is down every collector says the same, and the reason stands above.
        collectors=NOTHING if target.up is False else _collectors(target.name, target.collectors),
    )


def query_of(name: str) -> str:
    """Return the query that names a target, for /probe and for this page."""
    return urlencode({"target": name}, errors="replace")


def trouble_row(target: TargetView, now: float) -> Html:
    """Draw a target in trouble as a row that leads to the whole; its reason once, in short."""
    kind, state = BADGES[level_of(target)]
    return fill(
        "trouble_row.html",
        query=query_of(target.name),
        name=target.name,
        address=target.address,
        labels=shortened(_labels(target), 60),
        kind=kind,
        state=state,
        since=_since(target, now),
        reason=shortened(target.advice if target.up is False else _notes(target)),
        scraped=_scraped(target, now),
    )


def grid_item(target: TargetView) -> Html:
    """Draw a target of which nothing is to be said as its name."""
    return fill(
        "grid_item.html",
        query=query_of(target.name),
        name=target.name,
        address=target.address,
        version=short_version(target.version),
    )


def short_version(version: str) -> str:
    """Cut what a distribution appends: "22.10.1" of "22.10.1~dfsg+~cs6.17.60671434-1"."""
    return shortened(_PACKAGED.split(version, maxsplit=1)[0], 24)


def shortened(text: str, most: int = 120) -> str:
    """Cut a text behind a word, or within one that is too long by itself."""
    return text if len(text) <= most else (text[: most + 1].rpartition(" ")[0] or text[:most]) + " …"


def _labels(target: TargetView) -> str:
    return ", ".join(f"{name}={value}" for name, value in target.labels.items())


def _scraped(target: TargetView, now: float) -> str:
    if target.scraped is None:
        return "none yet"
    return f"{duration(now - target.scraped)} ago, took {duration(target.took)}"


def _brief(target: TargetView, now: float) -> str:
    version = f"Asterisk {short_version(target.version)}" if target.version else ""
    return " · ".join(part for part in (_since(target, now), version, _notes(target)) if part)


def _since(target: TargetView, now: float) -> str:
    return f"for {duration(now - target.since)}" if target.since is not None else ""


def _notes(target: TargetView) -> str:
    """Say in a few words what is wrong."""
    return ", ".join(trouble.note for trouble in troubles(target))


def _todo(target: TargetView) -> Iterator[tuple[str, str]]:
    if target.advice:
        yield target.name, target.advice
    for trouble in troubles(target):
        yield from trouble.todo


def _facts(target: TargetView, now: float) -> Iterator[tuple[str, str]]:
    words = {True: "Up since", False: "Down since", None: "State"}[target.up]
    yield words, f"{instant(target.since)} ({duration(now - target.since)})" if target.since else "not scraped yet"
    if target.address:
        yield "Address", target.address
    if target.labels:
        yield "Labels", _labels(target)
    yield "Last scrape", _scraped(target, now)
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


def _canaries(target: TargetView) -> Html:
    if not target.canaries:
        return NOTHING
    return fill("canaries.html", name=target.name, rows=join(map(_canary, target.canaries)))


def _canary(one: CanaryView) -> Html:
    kind, state = ("ok", "✓ success") if one.result == "success" else ("bad", f"✗ {one.result.replace('_', ' ')}")
    if not one.result:
        kind, state = "wait", "… no call yet"
    return fill(
        "canary.html",
        name=one.name,
        kind=kind,
        state=state,
        why=one.why if kind == "bad" else "",
        last=instant(one.last),
        next=instant(one.next),
    )


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
