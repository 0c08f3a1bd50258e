"""What every panel is made of: queries, units, thresholds, and its place in the grid, as Grafana's classic JSON.

Expressions are written short: `{@` stands for the matchers every selector must have, as in
`asterisk_queue_callers{@, queue=~"$queue"}`, and `by (@)` for the labels that name one PBX. Which labels those are is
decided when a board is built: see grafana/selection.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, ClassVar

from grafana.colours import DIM, NEUTRAL, Steps

Json = dict[str, Any]

DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, kw_only=True)
class Query:
    """One PromQL expression; legend is Grafana's format of a series' name."""

    expr: str
    legend: str = ""
    instant: bool = False
    format: str = "time_series"

    def render(self, ref_id: str) -> Json:
        """Grafana's target."""
        return {
            "datasource": DATASOURCE,
            "refId": ref_id,
            "expr": " ".join(self.expr.split()),
            "legendFormat": self.legend,
            "instant": self.instant,
            "range": not self.instant,
            "format": self.format,
        }


def mapping(values: dict[str, tuple[str, str]] | None, nothing: str = "–") -> list[Json]:
    """Grafana's value mappings: value as text → (shown text, colour).

    What is not known, or has no value, is grey and says `nothing`: never the colour of the lowest threshold.
    """
    unknown = {"type": "special", "options": {"match": "null+nan", "result": {"text": nothing, "color": DIM}}}
    if not values:
        return [unknown]
    options = {
        value: {"text": text, "color": colour, "index": index}
        for index, (value, (text, colour)) in enumerate(values.items())
    }
    return [{"type": "value", "options": options}, unknown]


def override(name: str, **properties: object) -> Json:
    """Field properties for the series or column of that name; `__` in a property's name stands for a dot."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Base of all panels: what each must say (title, description, unit) and its size in the grid of 24 columns.

    points: at most this many steps, so that a query over a fleet and a day stays cheap. nothing: shown instead of "No
    data"; it must be true of a PBX that is down, too. link: URL that a click on a value opens.
    """

    kind: ClassVar[str]

    title: str
    description: str
    queries: tuple[Query, ...] = ()
    unit: str = "short"
    width: int = 12
    height: int = 8
    decimals: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    interval: str = ""
    points: int | None = None
    nothing: str = "Nothing is known"
    link: str = ""
    thresholds: Steps = NEUTRAL
    values: dict[str, tuple[str, str]] | None = None

    def targets(self) -> tuple[Query, ...]:
        """Answer the queries as sent."""
        return self.queries

    def unknown(self) -> str:
        """Text of a value that is no number."""
        return "–"

    def options(self) -> Json:
        """Grafana's panel options."""
        return {}

    def custom(self) -> Json:
        """Grafana's fieldConfig.defaults.custom."""
        return {}

    def overrides(self) -> list[Json]:
        """Grafana's fieldConfig.overrides."""
        return []

    def transformations(self) -> list[Json]:
        """Grafana's data transformations."""
        return []

    def defaults(self) -> Json:
        """Grafana's fieldConfig.defaults."""
        limits = {"decimals": self.decimals, "min": self.minimum, "max": self.maximum}
        return {
            "unit": self.unit,
            "thresholds": self.thresholds.render(),
            "mappings": mapping(self.values, self.unknown()),
            "custom": self.custom(),
            "noValue": self.nothing,
            **({"links": [{"title": "Open the board that tells more", "url": self.link}]} if self.link else {}),
            **{key: value for key, value in limits.items() if value is not None},
        }

    def render(self, panel_id: int, x: int, y: int) -> Json:
        """Grafana's panel at a place of the grid."""
        rendered: Json = {
            "id": panel_id,
            "type": self.kind,
            "title": self.title,
            "description": " ".join(self.description.split()),
            "datasource": DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": [query.render(letter) for query, letter in zip(self.targets(), ascii_uppercase, strict=False)],
            "fieldConfig": {"defaults": self.defaults(), "overrides": self.overrides()},
            "options": self.options(),
        }
        if self.interval:
            rendered["interval"] = self.interval
        if self.points:
            rendered["maxDataPoints"] = self.points
        if self.transformations():
            rendered["transformations"] = self.transformations()
        return rendered


OVER_TIME = {"timeseries", "state-timeline", "heatmap"}


def place(panels: Sequence[Panel], first_id: int, y: int, points: int | None) -> tuple[list[Json], int]:
    """Set panels from left to right into the grid, wrapping at 24 columns; answers them and the next free line."""
    rendered = []
    x = height = 0
    for index, panel in enumerate(panels):
        if x + panel.width > 24:  # noqa: PLR2004 - Grafana's grid
            x, y, height = 0, y + height, 0
        rendered.append(panel.render(first_id + index, x, y))
        if points and panel.kind in OVER_TIME:
            rendered[-1].setdefault("maxDataPoints", points)
        x, height = x + panel.width, max(height, panel.height)
    return rendered, y + height
