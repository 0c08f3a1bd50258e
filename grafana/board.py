"""A whole dashboard: rows of panels, the variables every board has, links between boards, and annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana.annotations import ANNOTATIONS
from grafana.model import DATASOURCE, Json, Panel, place
from grafana.selection import SITE, select

TAG = "ami_exporter"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A headed group of panels; folded rows are fetched only when opened."""

    title: str
    panels: Sequence[Panel]
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A choice on top of the board, filled from the values of a label of a selector's series.

    of: the label, where it is not called as the variable. all_value: what All means in a matcher; empty: those listed.
    """

    name: str
    label: str
    selector: str
    of: str = ""
    single: bool = False
    all_value: str = ".+"

    def render(self) -> Json:
        """Grafana's template variable."""
        query = f"label_values({self.selector}, {self.of or self.name})"
        everything: Json = {"selected": True, "text": ["All"], "value": ["$__all"]}
        return {
            "name": self.name,
            "label": self.label,
            "type": "query",
            "datasource": DATASOURCE,
            "query": {"query": query, "refId": "Variable"},
            "definition": query,
            "multi": not self.single,
            "includeAll": not self.single,
            **({} if self.single or not self.all_value else {"allValue": self.all_value}),
            "current": {} if self.single else everything,
            "refresh": 2,
            "sort": 5,
            "regex": "",
            "hide": 0,
            "options": [],
        }


JOB = Variable(name="job", label="Job", selector="asterisk_up")
INSTANCE = Variable(name="instance", label="Instance", selector="asterisk_up{%s}")
ONE_INSTANCE = Variable(name="instance", label="Instance", selector="asterisk_up{%s}", single=True)
QUEUE = Variable(name="queue", label="Queue", selector="asterisk_queue_callers{@}")
TENANT = Variable(name="tenant", label="Tenant", selector="asterisk_tenant_active_calls{@}")
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


def _chosen_by(labels: Sequence[str]) -> str:
    """Matchers of the choices above `instance` on the board: job, then the labels of /sd."""
    return ", ".join(f'{label}=~"${label}"' for label in ("job", *labels))


@dataclass(frozen=True, kw_only=True)
class Board:
    """A dashboard. uid is fixed: links and bookmarks depend on it.

    points: the most steps of a panel over time: over six hours one each five minutes, so that 200 PBXs stay below a
    million samples read.
    """

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    variables: Sequence[Variable] = (JOB, INSTANCE)
    span: str = "now-6h"
    refresh: str = "30s"
    points: int | None = 100

    def _panels(self) -> list[Json]:
        panels: list[Json] = []
        panel_id, y = 1, 0
        for row in self.rows:
            inner, bottom = place(row.panels, panel_id + 1, y + 1, self.points)
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

    def _variables(self, labels: Sequence[str]) -> list[Json]:
        """Data source, job, the labels of /sd, instance, and the board's own."""
        rendered = [variable.render() for variable in self.variables]
        rest = [variable for variable in rendered if variable["name"] != "job"]
        for index, variable in enumerate(rest):
            if "%s" in variable["definition"]:
                text = variable["definition"] % _chosen_by(labels)
                rest[index] = {**variable, "definition": text, "query": {**variable["query"], "query": text}}
        jobs = [variable for variable in rendered if variable["name"] == "job"]
        of_targets = [
            Variable(
                name=label,
                label=label.capitalize(),
                selector=f"asterisk_up{{{_chosen_by(labels[:place])}}}",
                all_value=".*",
            ).render()
            for place, label in enumerate(labels)
        ]
        return [SOURCE, *jobs, *of_targets, *rest]

    def render(self, labels: Sequence[str] = SITE) -> Json:
        """Grafana's classic dashboard JSON, schema 39 (Grafana 11); newer Grafana migrates it when it loads it."""
        rendered: Json = select(self._render(labels), labels)
        return rendered

    def _render(self, labels: Sequence[str]) -> Json:
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
            "templating": {"list": self._variables(labels)},
            "panels": self._panels(),
        }
