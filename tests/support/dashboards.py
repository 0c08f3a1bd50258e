"""The boards as Grafana gets them, and what of Grafana's behaviour the tests have to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grafana.boards import BOARDS

Json = dict[str, Any]

ALL: list[Json] = [board.render() for board in BOARDS]
GRAFANA_VALUES = {"$__rate_interval": "1m", "$__range_s": "21600", "$__range": "6h", "$__interval": "1m"}
CHOSEN_ALL = {"$job": ".+", "$site": ".*"} | dict.fromkeys(
    ("$instance", "$exporter", "$queue", "$trunk", "$tenant"), ".+"
)
"""What a variable stands for in a matcher when all of its values are chosen."""

# Grafana's grid at a window of this width: 24 columns, 16 px around, 8 px between.
GAP, PADDING = 8, 16


def panels(board: Json) -> list[Json]:
    """All panels but the row headings, those in folded rows too."""
    found = [inner for panel in board["panels"] for inner in (panel, *panel.get("panels", []))]
    return [panel for panel in found if panel["type"] != "row"]


def unfolded(board: Json) -> list[Json]:
    """The panels that are there without a click, in their order."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def filled_in(expression: str) -> str:
    """The expression as Prometheus gets it, but for the variables in matchers."""
    return replaced(expression, GRAFANA_VALUES)


def replaced(expression: str, values: Mapping[str, str]) -> str:
    """The expression with each of these texts replaced, in their order."""
    for name, value in values.items():
        expression = expression.replace(name, value)
    return expression


def every_panel() -> Iterator[tuple[Json, Json]]:
    """(board, panel) of all."""
    for board in ALL:
        for panel in panels(board):
            yield board, panel


def is_of_one_pbx(board: Json) -> bool:
    """Whether only one PBX can be chosen."""
    return any(one["name"] == "instance" and not one["multi"] for one in board["templating"]["list"])


def pixels(columns: int, window: int = 1280) -> float:
    """Width of a panel of so many columns of the grid."""
    column = (window - 2 * PADDING - 23 * GAP) / 24
    return columns * column + (columns - 1) * GAP


# Grafana's rounding of the time between two points: (below, becomes) seconds.
_ROUNDED = ((15, 10), (35, 20), (75, 60), (90, 60), (210, 120), (450, 300), (750, 600), (1050, 900), (1500, 1200))
SCRAPE_SECONDS = 15


def step_of(panel: Json, seconds: int, window: int = 1920) -> int:
    """Seconds between two points of a panel that shows so much time in a window so wide."""
    points = panel.get("maxDataPoints") or pixels(panel["gridPos"]["w"], window)
    rounded = next((becomes for below, becomes in _ROUNDED if seconds / points < below), 1800)
    least = {"": SCRAPE_SECONDS, "1m": 60, "2m": 120, "5m": 300}[panel.get("interval", "")]
    return max(rounded, least)
