"""The rules of Grafana's dashboard-linter, by their names; grafana/dashboards/.lint names the exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import promql_parser as promql
import pytest
import yaml

from grafana.build import FOLDER
from tests.support.dashboards import ALL, Json, every_panel, filled_in
from tests.support.promql import selectors

EACH_BOARD = pytest.mark.parametrize("board", [pytest.param(board, id=board["uid"]) for board in ALL])
PANELS = [pytest.param(panel, id=f"{board['uid']}: {panel['title']}") for board, panel in every_panel()]
EACH_PANEL = pytest.mark.parametrize("panel", PANELS)
EACH_PANEL_OF_ITS_BOARD = pytest.mark.parametrize(
    ("board", "panel"),
    [pytest.param(board, panel, id=f"{board['uid']}: {panel['title']}") for board, panel in every_panel()],
)
# Of the linter's list, those we use.
UNITS = {"short", "none", "string", "percentunit", "s", "cps", "bytes", "dthms", "dtdurations", "dBm"}
EXCEPTIONS = yaml.safe_load((FOLDER / ".lint").read_text(encoding="utf-8"))["exclusions"]


def variables(board: Json) -> dict[str, Json]:
    return {variable["name"]: variable for variable in board["templating"]["list"]}


def expressions(panel: Json) -> Iterator[promql.Expr]:
    for target in panel["targets"]:
        yield promql.parse(filled_in(target["expr"]))


def calls(expr: object, inside: str = "") -> Iterator[tuple[str, object]]:
    """(function around it, selector) of every selector; range selectors as they are."""
    match expr:
        case promql.VectorSelector() | promql.MatrixSelector():
            yield inside, expr
        case promql.Call():
            for argument in expr.args:
                yield from calls(argument, expr.func.name)
        case promql.BinaryExpr():
            yield from calls(expr.lhs)
            yield from calls(expr.rhs)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr() | promql.AggregateExpr():
            yield from calls(expr.expr)


def excepted(rule: str, board: Json, panel: str | None = None) -> bool:
    entries = EXCEPTIONS.get(rule, {}).get("entries", [])
    return any((entry["dashboard"], entry.get("panel")) == (board["title"], panel) for entry in entries)


@EACH_BOARD
def test_template_datasource_rule(board: Json) -> None:
    sources = [variable for variable in variables(board).values() if variable["type"] == "datasource"]
    assert [(one["name"], one["label"], one["query"]) for one in sources] == [
        ("datasource", "Data source", "prometheus")
    ]


@pytest.mark.parametrize("name", ["job", "instance"])
@EACH_BOARD
def test_template_job_and_instance_rule(board: Json, name: str) -> None:
    variable = variables(board)[name]
    assert variable["datasource"]["uid"] == "${datasource}"
    assert (variable["type"], variable["label"]) == ("query", name.capitalize())
    if not excepted(f"template-{name}-rule", board):
        assert (variable["multi"], variable["allValue"]) == (True, ".+")


@EACH_BOARD
def test_template_label_promql_and_on_time_change_reload_rules(board: Json) -> None:
    for variable in list(variables(board).values())[1:]:
        found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
        assert found, variable["query"]
        promql.parse(found[1])
        assert variable["refresh"] == 2
        assert variable["query"]["query"] == variable["definition"]


@EACH_PANEL
def test_panel_datasource_title_description_and_targets_rules(panel: Json) -> None:
    assert panel["datasource"]["uid"] == "${datasource}"
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["targets"]
    assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


@EACH_PANEL
def test_panel_units_rule(panel: Json) -> None:
    units = [panel["fieldConfig"]["defaults"]["unit"]]
    for rule in panel["fieldConfig"]["overrides"]:
        units += [item["value"] for item in rule["properties"] if item["id"] == "unit"]
    assert set(units) <= UNITS


@pytest.mark.parametrize("label", ["job", "instance", "site"])
@EACH_PANEL_OF_ITS_BOARD
def test_target_promql_job_and_instance_rules(board: Json, panel: Json, label: str) -> None:
    """The linter knows no site: what is not chosen by the PBX's job is not by its site."""
    rule = "target-job-rule" if label == "site" else f"target-{label}-rule"
    missing = [
        selector
        for expr in expressions(panel)
        for selector in selectors(expr)
        if (label, f"${label}") not in {(str(one.name), str(one.value)) for one in selector.matchers.matchers}
    ]
    assert bool(missing) == excepted(rule, board, panel["title"]), missing


@EACH_PANEL
def test_target_rate_interval_and_counter_agg_rules(panel: Json) -> None:
    raw = [target["expr"] for target in panel["targets"]]
    for expr in raw:
        assert re.findall(r"\bi?rate\([^\[]*\[(?!\$__rate_interval\])[^]]*\]", expr) == []
    for expr in expressions(panel):
        for function, selector in calls(expr):
            ranged = isinstance(selector, promql.MatrixSelector)
            name = next(str(one.name) for one in selectors(selector))
            if name.endswith("_total"):
                assert ranged, name
                assert function in {"rate", "irate", "increase"}, name


@EACH_BOARD
def test_uneditable_rule(board: Json) -> None:
    assert board["editable"] is False


def test_every_exception_has_a_reason_and_names_a_board() -> None:
    titles = {(board["title"], title) for board, panel in every_panel() for title in (None, panel["title"])}
    for rule in EXCEPTIONS.values():
        assert rule["reason"]
        assert {(entry["dashboard"], entry.get("panel")) for entry in rule["entries"]} <= titles
