"""The status page: what is well, what is not, and what to do about it, worst first."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from http import HTTPStatus

from ami_exporter.web.http import HTML, Response
from ami_exporter.web.status.html import Html, fill, join, read
from ami_exporter.web.status.humanize import counted, duration, instant
from ami_exporter.web.status.target import Level, full, level_of, overview_row, query_of
from ami_exporter.web.views import StatusView, TargetView

# Up to this many targets each is shown whole; more become a table, whose rows lead to the whole.
FEW = 5
# A table of up to this many rows is not folded away.
SHORT = 10
# Targets with faults shown whole; further ones are rows of a table.
MAX_WHOLE = 20

NOTHING = Html("")

LEVELS: dict[Level, tuple[str, str]] = {  # class and words of the count; order: worst first
    Level.DOWN: ("bad", "down"),
    Level.FAULTS: ("bad", "up, with faults"),
    Level.WAITING: ("wait", "not scraped yet"),
    Level.WELL: ("ok", "up and well"),
}


def status_page(view: StatusView, telemetry: str, chosen: str | None = None) -> Response:
    """Draw the page: all targets, or the `chosen` one whole. `telemetry` is the metrics path without its slash."""
    targets = [target for target in view.targets if chosen in (None, target.name)]
    page = fill(
        "page.html",
        title=_title(targets, chosen),
        style=Html(read("style.css")),
        version=view.exporter_version,
        telemetry=telemetry,
        now=instant(view.now),
        running=duration(view.now - view.started),
        loaded=instant(view.loaded),
        reload_error=fill("reload_error.html", error=view.reload_error) if view.reload_error else NOTHING,
        counts=_counts(targets) if len(targets) > 1 else NOTHING,
        body=_body(targets, view.now, telemetry, single=len(view.targets) == 1),
    )
    return Response(HTTPStatus.OK, page.encode(errors="replace"), HTML, _policy())


def _title(targets: Sequence[TargetView], chosen: str | None) -> str:
    if not targets:
        return "No targets yet"
    if chosen is not None:
        return f"Target {chosen}"
    wrong = sum(level_of(target) in {Level.DOWN, Level.FAULTS} for target in targets)
    if wrong and len(targets) == 1:
        return f"Target {targets[0].name}: {LEVELS[level_of(targets[0])][1]}"
    if wrong:
        return f"{wrong} of {counted(len(targets), 'target')} need{'s' if wrong == 1 else ''} attention"
    if all(level_of(target) is Level.WAITING for target in targets):
        return "Ready for the first scrape"
    return "All is well" if len(targets) == 1 else f"All {counted(len(targets), 'target')} are well"


def _counts(targets: Sequence[TargetView]) -> Html:
    by_level = {level: sum(level_of(target) is level for target in targets) for level in LEVELS}
    items = (
        fill("count.html", kind=LEVELS[level][0], text=f"{count} {LEVELS[level][1]}")
        for level, count in by_level.items()
        if count
    )
    return fill("counts.html", items=join(items))


def _body(targets: Sequence[TargetView], now: float, telemetry: str, *, single: bool) -> Html:
    if not targets:
        return fill("no_targets.html")
    by_level: dict[Level, list[TargetView]] = {level: [] for level in LEVELS}
    for target in targets:
        by_level[level_of(target)].append(target)
    wrong = by_level[Level.DOWN] + by_level[Level.FAULTS]
    pieces = []
    if len(by_level[Level.WAITING]) == len(targets):
        pieces.append(_first_start(targets, telemetry, single=single))
    metrics = telemetry if single else None
    if wrong:
        whole = join(full(target, now, metrics, opened=True) for target in wrong[:MAX_WHOLE])
        rest = _table(wrong[MAX_WHOLE:], "more with faults", now) if wrong[MAX_WHOLE:] else NOTHING
        pieces.append(_section("attention", "Needs attention", whole + rest))
    for level, heading in ((Level.WAITING, "Not scraped yet"), (Level.WELL, "Up and well")):
        if group := by_level[level]:
            pieces.append(_section(level.name.lower(), heading, _group(group, now, metrics, all_of=len(targets))))
    return join(pieces)


def _group(group: Sequence[TargetView], now: float, metrics: str | None, *, all_of: int) -> str:
    if all_of > FEW:
        return _table(group, LEVELS[level_of(group[0])][1], now)
    return join(full(target, now, metrics, opened=all_of == 1) for target in group)


def _section(name: str, heading: str, body: str) -> Html:
    return fill("section.html", id=name, heading=heading, body=Html(body))


def _table(targets: Iterable[TargetView], what: str, now: float) -> Html:
    listed = sorted(targets, key=lambda target: target.name)
    rows = join(overview_row(target, now) for target in listed)
    summary = f"{counted(len(listed), 'target')} {what}"
    return fill(
        "overview.html",
        open=Html(" open") if len(listed) <= SHORT else NOTHING,
        summary=summary,
        caption=f"Targets {what}",
        rows=rows,
    )


def _first_start(targets: Sequence[TargetView], telemetry: str, *, single: bool) -> Html:
    first = telemetry if single else f"probe?{query_of(targets[0].name)}"
    template = "one_target.txt" if single else "fleet.txt"
    snippet = read(template).replace("$telemetry", telemetry).rstrip()
    return fill("first_start.html", first=first, snippet=snippet)


def _policy() -> tuple[tuple[str, str], ...]:
    """Allow our one style sheet, by its hash, and nothing else: no script, no form, no frame."""
    digest = base64.b64encode(hashlib.sha256(read("style.css").encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return (("Content-Security-Policy", policy), ("Referrer-Policy", "no-referrer"))
