"""A whole dashboard: rows of panels, the variables every board has, links between boards, restarts as annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana.model import DATASOURCE, Json, Panel, expand, place

TAG = "ami_exporter"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A headed group of panels; folded rows are fetched only when opened."""

    title: str
    panels: Sequence[Panel]
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A choice on top of the board, filled from the label values of a selector."""

    name: str
    label: str
    selector: str

    def render(self) -> Json:
        """Grafana's template variable."""
        query = f"label_values({expand(self.selector)}, {self.name})"
        return {
            "name": self.name,
            "label": self.label,
            "type": "query",
            "datasource": DATASOURCE,
            "query": {"query": query, "refId": "Variable"},
            "definition": query,
            "multi": True,
            "includeAll": True,
            "allValue": ".+",
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
            "refresh": 2,
            "sort": 5,
            "regex": "",
            "hide": 0,
            "options": [],
        }


JOB = Variable(name="job", label="Job", selector="asterisk_up")
INSTANCE = Variable(name="instance", label="Instance", selector='asterisk_up{job=~"$job"}')
QUEUE = Variable(name="queue", label="Queue", selector="asterisk_queue_callers{@}")
TRUNK = Variable(name="trunk", label="Trunk", selector="asterisk_trunk_info{@}")

SOURCE: Json = {
    "name": "datasource",
    "label": "Data source",
    "type": "datasource",
    "query": "prometheus",
    "current": {},
    "hide": 0,
    "includeAll": False,
    "multi": False,
    "options": [],
    "refresh": 1,
    "regex": "",
}


def _annotation(name: str, expr: str, colour: str) -> Json:
    """Mark the moments that a metric of Unix seconds names."""
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "expr": expand(expr),
        "step": "60s",
        "titleFormat": name,
        "textFormat": "{{instance}}",
        "tagKeys": "instance",
        "useValueForTime": True,
    }


ANNOTATIONS = (
    _annotation("Restarted", "asterisk_start_time_seconds{@} * 1000", "red"),
    _annotation("Reloaded", "asterisk_last_reload_timestamp_seconds{@} * 1000", "blue"),
)


def dashboard_link(uid: str, variable: str) -> str:
    """URL of a board for the clicked cell's value, keeping data source, job and time range."""
    kept = "${datasource:queryparam}&${job:queryparam}&${__url_time_range}"
    return f"/d/{uid}?var-{variable}=${{__value.text}}&{kept}"


@dataclass(frozen=True, kw_only=True)
class Board:
    """A dashboard. uid is fixed: links and bookmarks depend on it."""

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    variables: Sequence[Variable] = (JOB, INSTANCE)
    span: str = "now-6h"
    refresh: str = "30s"

    def _panels(self) -> list[Json]:
        panels: list[Json] = []
        panel_id, y = 1, 0
        for row in self.rows:
            inner, bottom = place(row.panels, panel_id + 1, y + 1)
            header: Json = {
                "id": panel_id,
                "type": "row",
                "title": row.title,
                "collapsed": row.folded,
                "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
                "panels": inner if row.folded else [],
            }
            panels += [header] if row.folded else [header, *inner]
            panel_id, y = panel_id + 1 + len(inner), y + 1 if row.folded else bottom
        return panels

    def render(self) -> Json:
        """Grafana's classic dashboard JSON, schema 39 (Grafana 11); newer Grafana migrates it when it loads it."""
        return {
            "id": None,
            "uid": self.uid,
            "title": self.title,
            "description": " ".join(self.description.split()),
            "tags": ["asterisk", TAG],
            "schemaVersion": 39,
            "version": 1,
            "editable": False,
            "graphTooltip": 1,
            "refresh": self.refresh,
            "time": {"from": self.span, "to": "now"},
            "timezone": "browser",
            "links": [
                {
                    "type": "dashboards",
                    "title": "Asterisk",
                    "tags": [TAG],
                    "asDropdown": False,
                    "includeVars": True,
                    "keepTime": True,
                    "targetBlank": False,
                    "icon": "external link",
                    "tooltip": "",
                    "url": "",
                }
            ],
            "annotations": {"list": list(ANNOTATIONS)},
            "templating": {"list": [SOURCE, *(variable.render() for variable in self.variables)]},
            "panels": self._panels(),
        }
