"""The kinds of panels over time and rankings. Numbers (stat.py) and tables (table.py) have their own files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from grafana.colours import BAD, DIM, NOTHING, Words
from grafana.model import Json, Panel, Query, override

SOFT_MAXIMUM = {"short": 1, "cps": 1, "percentunit": 0.01, "s": 0.01, "dthms": 60}
"""How high the axis is at least: Grafana draws nothing but zeros below 100, which is 10000 % of a share."""

ZERO = "zero"
AT_ZERO: Json = {
    "color": {"mode": "fixed", "fixedColor": DIM},
    "custom__drawStyle": "line",
    "custom__lineWidth": 1,
    "custom__fillOpacity": 0,
    "custom__stacking": {"mode": "none", "group": ZERO},
    "custom__hideFrom": {"legend": True, "tooltip": True, "viz": False},
}


@dataclass(frozen=True, kw_only=True)
class Series(Panel):
    """Lines over time; stacked fills them on top of each other, bars draws columns of counts.

    What is stacked has no outline: that of a series at zero would lie on top of the others in its own colour.

    words gives series that are named by a word of the vocabulary their fixed colour and human name.
    dashed names series drawn as a dashed line: limits, and the same time last week. right gives series an axis of
    counts on the right, as columns behind the lines. faults: each series is something bad, so none is green. legend:
    "bottom", "right" for ten long names in a narrow panel, or "" where a table beside it has the names. known: series
    that are there as long as the figures are known: a grey line at zero, else what is stacked and zero is not seen.
    """

    kind: ClassVar[str] = "timeseries"
    stacked: bool = False
    bars: bool = False
    words: Words | None = None
    dashed: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    faults: bool = False
    known: str = ""
    legend: str = "bottom"
    minimum: float | None = 0

    def targets(self) -> tuple[Query, ...]:
        """The queries, and the line at zero."""
        zero = (Query(expr=f"0 * count({self.known})", legend=ZERO),) if self.known else ()
        return (*self.queries, *zero)

    def custom(self) -> Json:
        """Grafana's drawing of the lines."""
        opacity = 80 if self.bars else 60 if self.stacked else 0
        drawing: Json = {
            "drawStyle": "bars" if self.bars else "line",
            "lineWidth": 0 if opacity else 1,
            "fillOpacity": opacity,
            "showPoints": "auto" if not self.stacked else "never",
            "pointSize": 4,
            "spanNulls": False,
            "stacking": {"mode": "normal" if self.stacked or self.bars else "none", "group": "A"},
        }
        if self.maximum is None and self.unit in SOFT_MAXIMUM:
            drawing["axisSoftMax"] = SOFT_MAXIMUM[self.unit]
        return drawing

    def defaults(self) -> Json:
        """Colours by the classic palette unless a word has its own."""
        shades = {"mode": "shades", "fixedColor": BAD}
        return {**super().defaults(), "color": shades if self.faults else {"mode": "palette-classic"}}

    def overrides(self) -> list[Json]:
        """Colours and names of known words; dashes."""
        dash = {"fill": "dash", "dash": [8, 6]}
        return [
            *(override(word, **properties) for word, properties in (self.words or Words({})).properties().items()),
            *(override(word, custom__lineWidth=1) for word in NOTHING if word in (self.words or Words({})).colours),
            *(
                override(
                    name,
                    custom__lineStyle=dash,
                    custom__lineWidth=1,
                    custom__fillOpacity=0,
                    custom__stacking={"mode": "none", "group": "B"},
                    color={"mode": "fixed", "fixedColor": "text"},
                )
                for name in self.dashed
            ),
            *([override(ZERO, **AT_ZERO)] if self.known else []),
            *(
                override(
                    name,
                    unit="short",
                    max=None,
                    decimals=0,
                    custom__axisPlacement="right",
                    custom__drawStyle="bars",
                    custom__fillOpacity=15,
                    custom__lineWidth=0,
                    custom__axisSoftMax=1,
                    color={"mode": "fixed", "fixedColor": "text"},
                )
                for name in self.right
            ),
        ]

    def options(self) -> Json:
        """Grafana's options of lines: a legend, all series in the tooltip."""
        placement = self.legend or "bottom"
        legend = {"showLegend": bool(self.legend), "displayMode": "list", "placement": placement, "calcs": []}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}


@dataclass(frozen=True, kw_only=True)
class Timeline(Panel):
    """A band for each series, coloured by its state."""

    kind: ClassVar[str] = "state-timeline"

    def defaults(self) -> Json:
        """Colours come from the value mappings."""
        return {**super().defaults(), "color": {"mode": "thresholds"}}

    def custom(self) -> Json:
        """Solid bands."""
        return {"lineWidth": 0, "fillOpacity": 80}

    def options(self) -> Json:
        """Neighbouring equal states are one band."""
        return {
            "mergeValues": True,
            "showValue": "never",
            "rowHeight": 0.85,
            "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "single", "sort": "none"},
        }


def counted_at_all(buckets: str) -> str:
    """Buckets of a histogram, but only of moments at which something was counted; %s is for a further matcher.

    A field of empty cells says neither that there was nothing nor that nothing is known.
    """
    all_of_them = buckets.replace("%s", ', le="+Inf"')
    return f"{buckets.replace('%s', '')} and on () {all_of_them} > 0"


@dataclass(frozen=True, kw_only=True)
class Heat(Panel):
    """A histogram over time; the query sums `…_bucket` by `le`."""

    kind: ClassVar[str] = "heatmap"
    scheme: str = "Oranges"

    def targets(self) -> tuple[Query, ...]:
        """Buckets, as the data source's heat map format wants them."""
        return tuple(Query(expr=query.expr, legend="{{le}}", format="heatmap") for query in self.queries)

    def custom(self) -> Json:
        """Linear cells."""
        return {"scaleDistribution": {"type": "linear"}, "hideFrom": {"legend": False, "tooltip": False, "viz": False}}

    def options(self) -> Json:
        """Cells without anything in them stay empty."""
        return {
            "calculate": False,
            "cellGap": 1,
            "color": {"mode": "scheme", "scheme": self.scheme, "steps": 64, "exponent": 0.5, "reverse": False},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "tooltip": {"mode": "single", "yHistogram": False},
            "yAxis": {"axisPlacement": "left", "unit": self.unit, "reverse": False},
        }


@dataclass(frozen=True, kw_only=True)
class Ranking(Panel):
    """Horizontal bars, the largest first by the query's own order."""

    kind: ClassVar[str] = "bargauge"
    minimum: float | None = 0

    def targets(self) -> tuple[Query, ...]:
        """Instant queries."""
        return tuple(Query(expr=query.expr, legend=query.legend, instant=True) for query in self.queries)

    def defaults(self) -> Json:
        """Colours by thresholds. Grafana leaves out the name of a bar that is alone, unless it is written here."""
        (query,) = self.queries
        name = re.sub(r"{{(\w+)}}", r"${__field.labels.\1}", query.legend)
        return {**super().defaults(), "color": {"mode": "thresholds"}, "displayName": name}

    def unknown(self) -> str:
        """An empty ranking says why."""
        return self.nothing

    def options(self) -> Json:
        """Bars from left to right with their figures."""
        return {
            "displayMode": "basic",
            "orientation": "horizontal",
            "valueMode": "text",
            "showUnfilled": True,
            "namePlacement": "left",
            "minVizHeight": 16,
            "maxVizHeight": 28,
            "sizing": "manual",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        }
