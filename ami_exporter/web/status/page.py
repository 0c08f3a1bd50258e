"""The status page: what works, what does not, and how to fix it, worst first."""

import base64
import hashlib
from collections.abc import Sequence
from http import HTTPStatus

from ami_exporter.web.http import HTML, Response
from ami_exporter.web.status.html import Html, fill, join, read
from ami_exporter.web.status.humanize import counted, duration, instant
from ami_exporter.web.status.target import Level, full, grid_item, level_of, query_of, trouble_row
from ami_exporter.web.views import StatusView, TargetView

# Up to this many targets are shown in detail. With more, each one in trouble gets a row that links to its details.
FEW = 5
# Rows or names per section; use the filter to find the others.
MOST = 300

NOTHING = Html("")

LEVELS: dict[Level, tuple[str, str]] = {  # CSS class and label; worst first
    Level.DOWN: ("bad", "down"),
    Level.FAULTS: ("bad", "up, with faults"),
    Level.WAITING: ("wait", "not scraped yet"),
    Level.WELL: ("ok", "up and well"),
}
STATES: dict[Level, str] = {level: f"state:{level.name.lower()}" for level in Level}  # as typed into the filter


def status_page(view: StatusView, telemetry: str, chosen: str | None = None, wanted: str = "") -> Response:
    """Render the page: all targets, the `chosen` one, or those that match the filter `wanted`.

    `telemetry` is the metrics path without its leading slash.
    """
    of_all = [target for target in view.targets if chosen in (None, target.name)]
    targets = [target for target in of_all if matches(target, wanted)]
    many = len(of_all) > FEW
    page = fill(
        "page.html",
        title=_title(of_all, chosen, reloaded=not view.reload_error),
        style=Html(read("style.css")),
        version=view.exporter_version,
        telemetry=telemetry,
        now=instant(view.now),
        running=duration(view.now - view.started),
        loaded=instant(view.loaded),
        reload_error=fill("reload_error.html", error=view.reload_error) if view.reload_error else NOTHING,
        counts=_counts(of_all) if len(of_all) > 1 else NOTHING,
        filter=_filter(wanted, len(targets), len(of_all)) if many or wanted else NOTHING,
        body=_body(targets, view.now, telemetry, single=len(view.targets) == 1, many=many)
        if targets or not of_all
        else fill("nothing.html"),
    )
    return Response(HTTPStatus.OK, page.encode(errors="replace"), HTML, _policy())


def matches(target: TargetView, wanted: str) -> bool:
    """Whether every word occurs in the name, the address, a label or the state; case does not matter."""
    labels = [f"{name}={value}" for name, value in target.labels.items()]
    known = [text.casefold() for text in (target.name, target.address, *labels, STATES[level_of(target)])]
    return all(any(word in text for text in known) for word in wanted.casefold().split())


def _title(targets: Sequence[TargetView], chosen: str | None, *, reloaded: bool) -> str:
    if not targets:
        return "No targets yet"
    if chosen is not None:
        return f"Target {chosen}"
    wrong = [target for target in targets if level_of(target) in {Level.DOWN, Level.FAULTS}]
    if wrong:
        return _attention(wrong, len(targets))
    return _all_well(targets) if reloaded else "The configuration needs attention"


def _attention(wrong: Sequence[TargetView], total: int) -> str:
    if total == 1:
        return f"Target {wrong[0].name}: {LEVELS[level_of(wrong[0])][1]}"
    return f"{len(wrong)} of {counted(total, 'target')} need{'s' if len(wrong) == 1 else ''} attention"


def _all_well(targets: Sequence[TargetView]) -> str:
    total, waiting = len(targets), sum(level_of(target) is Level.WAITING for target in targets)
    if waiting == total:
        return "Ready for the first scrape"
    if waiting:
        return f"{total - waiting} of {counted(total, 'target')} are well, {waiting} not scraped yet"
    return "All is well" if total == 1 else f"All {counted(total, 'target')} are well"


def _counts(targets: Sequence[TargetView]) -> Html:
    by_level = {level: sum(level_of(target) is level for target in targets) for level in LEVELS}
    items = (
        fill("count.html", kind=LEVELS[level][0], text=f"{count} {LEVELS[level][1]}", filter=STATES[level])
        for level, count in by_level.items()
        if count
    )
    return fill("counts.html", items=join(items))


def _filter(wanted: str, shown: int, total: int) -> Html:
    everything = fill("filter_all.html", shown=shown, total=total) if wanted else NOTHING
    return fill("filter.html", value=wanted, all=everything)


def _body(targets: Sequence[TargetView], now: float, telemetry: str, *, single: bool, many: bool) -> Html:
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
        whole = join(full(target, now, metrics, opened=True) for target in wrong)
        pieces.append(_section("attention", "Needs attention", _trouble(wrong, now) if many else whole))
    for level, heading in ((Level.WAITING, "Not scraped yet"), (Level.WELL, "Up and well")):
        if group := by_level[level]:
            whole = join(full(target, now, metrics, opened=len(targets) == 1) for target in group)
            pieces.append(_section(level.name.lower(), heading, _grid(group, level) if many else whole))
    return join(pieces)


def _trouble(targets: Sequence[TargetView], now: float) -> Html:
    rows = join(trouble_row(target, now) for target in targets[:MOST])
    return fill("trouble.html", caption="Targets in trouble", rows=rows, more=_more(targets, level_of(targets[-1])))


def _grid(targets: Sequence[TargetView], level: Level) -> Html:
    listed = sorted(targets, key=lambda target: target.name)
    return fill("grid.html", items=join(map(grid_item, listed[:MOST])), more=_more(targets, level))


def _more(targets: Sequence[TargetView], level: Level) -> Html:
    left = len(targets) - MOST
    return fill("more.html", count=left, filter=STATES[level]) if left > 0 else NOTHING


def _section(name: str, heading: str, body: str) -> Html:
    return fill("section.html", id=name, heading=heading, body=Html(body))


def _first_start(targets: Sequence[TargetView], telemetry: str, *, single: bool) -> Html:
    first = telemetry if single else f"probe?{query_of(targets[0].name)}"
    template = "one_target.txt" if single else "fleet.txt"
    snippet = read(template).replace("$telemetry", telemetry).rstrip()
    return fill("first_start.html", first=first, snippet=snippet)


def _policy() -> tuple[tuple[str, str], ...]:
    """Allow only our own style sheet, by its hash, and the filter form: no scripts, no frames."""
    digest = base64.b64encode(hashlib.sha256(read("style.css").encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return (("Content-Security-Policy", policy), ("Referrer-Policy", "no-referrer"))
