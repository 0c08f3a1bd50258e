"""What a person reads: titles that are not cut, names that stay names, one meaning a colour, grey for unknown."""

from __future__ import annotations

import math
import re

import promql_parser as promql
import pytest

from grafana.panels import ZERO
from tests.support.dashboards import ALL, Json, every_panel, filled_in, panels, pixels
from tests.support.promql import selectors
from tests.support.series import SERIES

PANELS = [pytest.param(panel, id=f"{board['uid']}: {panel['title']}") for board, panel in every_panel()]
EACH_PANEL = pytest.mark.parametrize("panel", PANELS)
GREY = "#8e8e8e"
# Measured in Chromium: Grafana's title font, its padding, and the mark of the description beside it.
TITLE_PIXELS_A_LETTER, TITLE_PADDING = 7.6, 58
HEADING_PIXELS_A_LETTER, HEADING_PADDING = 7.2, 16
SORT_MARK = 20
LEGEND_PIXELS_A_LETTER, LEGEND_PADDING = 6.2, 36
LETTERS = {"instance": 12, "collector": 10}
"""Of a name in a legend, where it is not six."""


@EACH_PANEL
def test_title_is_not_cut_at_1280(panel: Json) -> None:
    assert len(panel["title"]) * TITLE_PIXELS_A_LETTER + TITLE_PADDING <= pixels(panel["gridPos"]["w"])


@EACH_PANEL
def test_a_legend_of_ten_needs_no_scrolling_at_1280(panel: Json) -> None:
    if panel["type"] != "timeseries" or not re.search(r"(topk|bottomk)\(10,", panel["targets"][0]["expr"]):
        return
    grid, legend = panel["gridPos"], panel["options"]["legend"]
    written = panel["targets"][0]["legendFormat"]
    letters = sum(LETTERS.get(label, 6) for label in re.findall(r"{{(\w+)}}", written)) + 3 * written.count("·")
    on_a_line = pixels(grid["w"]) // (letters * LEGEND_PIXELS_A_LETTER + LEGEND_PADDING)
    # Grafana gives a legend below the lines a third of the panel.
    lines = 3 if grid["h"] <= 8 else 4
    assert legend["placement"] == "right" or math.ceil(10 / on_a_line) <= lines


@EACH_PANEL
def test_a_name_for_each_object_of_a_fleet_is_in_the_tooltip_and_not_in_the_legend(panel: Json) -> None:
    """There may be hundreds, but for those of the ten chosen, and the exporters themselves."""
    if panel["type"] != "timeseries":
        return
    for target in panel["targets"]:
        of_each = re.search(r"{{(instance|trunk|queue|registration|canary|device)}}", target["legendFormat"])
        few = re.search(r"(topk|bottomk)\(|\$exporter", target["expr"])
        assert not of_each or few or not panel["options"]["legend"]["showLegend"], target["legendFormat"]


@EACH_PANEL
def test_what_is_stacked_has_no_outline_in_the_colour_of_what_is_zero(panel: Json) -> None:
    """Grafana draws a series at zero on top of the others, as if all of them were its own."""
    custom = panel["fieldConfig"]["defaults"]["custom"]
    if panel["type"] == "timeseries" and custom["stacking"]["mode"] == "normal":
        assert custom["lineWidth"] == 0
        assert custom["fillOpacity"] > 0


@EACH_PANEL
def test_a_line_at_zero_stands_for_all_of_them_and_not_for_those_chosen(panel: Json) -> None:
    """That none was chosen at the end does not say that there was nothing before."""
    if panel["type"] == "timeseries" and panel["targets"][-1]["legendFormat"] == ZERO:
        assert not re.search(r"(topk|bottomk)\(", panel["targets"][0]["expr"])


@EACH_PANEL
def test_a_histogram_of_nothing_is_a_sentence_and_not_a_field_of_empty_cells(panel: Json) -> None:
    if panel["type"] == "heatmap":
        (target,) = panel["targets"]
        counted, _, at_all = target["expr"].partition(" and on () ")
        assert at_all == re.sub(r"(bucket[^{]*{[^}]*)}", r'\1, le="+Inf"}', counted) + " > 0"


@EACH_PANEL
def test_headings_of_columns_are_not_cut(panel: Json) -> None:
    sorted_by = {one["displayName"] for one in panel["options"].get("sortBy", [])}
    for rule in panel["fieldConfig"]["overrides"]:
        found = {item["id"]: item["value"] for item in rule["properties"]}
        if "custom.width" in found:
            mark = SORT_MARK if found["displayName"] in sorted_by else 0
            needed = len(found["displayName"]) * HEADING_PIXELS_A_LETTER + HEADING_PADDING + mark
            assert needed <= found["custom.width"] * 1.05, found["displayName"]


@EACH_PANEL
def test_columns_leave_names_room_at_1280(panel: Json) -> None:
    if panel["type"] != "table":
        return
    rules = {rule["matcher"]["options"]: rule for rule in panel["fieldConfig"]["overrides"]}
    shown = [name for name in panel["transformations"][-1]["options"]["indexByName"] if name in rules]
    shown = [name for name in shown if name not in panel["transformations"][-1]["options"]["excludeByName"]]
    widths = [
        next((item["value"] for item in rules[name]["properties"] if item["id"] == "custom.width"), None)
        for name in shown
    ]
    left = pixels(panel["gridPos"]["w"]) - 2 * 8 - sum(width for width in widths if width)
    assert left / max(1, widths.count(None)) >= 95, f"{left} px for {widths.count(None)} columns without a width"


@EACH_PANEL
def test_names_in_tables_are_text_also_when_made_of_digits(panel: Json) -> None:
    if panel["type"] != "table":
        return
    keys = [name for name in panel["transformations"][-1]["options"]["indexByName"] if not name.startswith("Value")]
    rules = {rule["matcher"]["options"]: rule for rule in panel["fieldConfig"]["overrides"]}
    for key in keys:
        assert {"id": "unit", "value": "string"} in rules[key]["properties"], key
        assert {"id": "noValue", "value": "–"} in rules[key]["properties"], key


@EACH_PANEL
def test_no_value_and_nan_are_grey(panel: Json) -> None:
    mappings = [panel["fieldConfig"]["defaults"]["mappings"]]
    for rule in panel["fieldConfig"]["overrides"]:
        mappings += [item["value"] for item in rule["properties"] if item["id"] == "mappings"]
    for one in mappings:
        assert one[-1]["options"]["match"] == "null+nan"
        assert one[-1]["options"]["result"]["color"] == GREY


@EACH_PANEL
def test_a_number_says_what_no_data_means(panel: Json) -> None:
    if panel["type"] == "stat":
        assert panel["fieldConfig"]["defaults"]["noValue"]


@EACH_PANEL
def test_no_data_states_no_cause(panel: Json) -> None:
    """Nothing may have happened, be configured, be allowed, or be scraped: a query that finds nothing cannot tell."""
    text = panel["fieldConfig"]["defaults"].get("noValue", "unknown")
    assert text in {"–", "unknown"} or re.search(r"\bknown\b", text)


@EACH_PANEL
def test_shares_are_guarded_against_division_by_nothing(panel: Json) -> None:
    for target in panel["targets"]:
        for expr in divisions(promql.parse(filled_in(target["expr"]))):
            text = str(expr.rhs)
            raw = [one for one in selectors(expr.rhs) if "limit" not in str(one.name)]
            assert not raw or "> 0" in text or ">= 20" in text or "> 1" in text, text


def divisions(expr: object) -> list[promql.BinaryExpr]:
    """Every division of an expression."""
    return [one for one in binaries(expr) if str(one.op) == "/"]


@EACH_PANEL
def test_quantiles_leave_nan_out(panel: Json) -> None:
    for target in panel["targets"]:
        for place in re.finditer(r"histogram_quantile\(|:p95_15m\{[^}]*\}", target["expr"]):
            assert ">= 0" in target["expr"][place.start() :], target["expr"]


@EACH_PANEL
def test_every_word_of_a_closed_label_has_a_colour_of_its_own(panel: Json) -> None:
    if panel["type"] != "timeseries":
        return
    coloured = {
        rule["matcher"]["options"]
        for rule in panel["fieldConfig"]["overrides"]
        if any(item["id"] == "color" for item in rule["properties"])
    }
    for target in panel["targets"]:
        found = re.fullmatch(r"{{(\w+)}}", target["legendFormat"])
        if not found:
            continue
        for selector in selectors(promql.parse(filled_in(target["expr"]))):
            words = SERIES[str(selector.name)].closed.get(found[1], ())
            chosen = [matcher for matcher in selector.matchers.matchers if matcher.name == found[1]]
            assert chosen or set(words) <= coloured, f"{set(words) - coloured} of {selector.name}"


def test_one_meaning_has_one_colour_on_all_boards() -> None:
    colours: dict[str, set[str]] = {}
    for board in ALL:
        for panel in panels(board):
            for rule in panel["fieldConfig"]["overrides"]:
                for item in rule["properties"]:
                    if item["id"] == "color" and rule["matcher"]["options"] in {"answered", "abandoned", "unavailable"}:
                        colours.setdefault(rule["matcher"]["options"], set()).add(item["value"]["fixedColor"])
    assert colours == {"answered": {"green"}, "abandoned": {"red"}, "unavailable": {"red"}}


def test_the_fleets_table_has_at_least_sixteen_rows() -> None:
    fleet = next(board for board in ALL if board["uid"] == "asterisk-fleet")
    rows = {panel["title"]: panel["gridPos"]["h"] for panel in panels(fleet) if panel["type"] == "table"}
    for title in ("PBXs with trouble", "All PBXs"):
        lines, row, header = rows[title] * 38 - 8, 36, 72
        assert (lines - header) / row >= 16, title


GREYED = re.compile(r'or on \(\) label_replace\(0 \* .*, "\w+", "([a-z ]+)", "", ""\)')


@EACH_PANEL
def test_that_there_is_nothing_is_grey(panel: Json) -> None:
    if panel["type"] != "timeseries":
        return
    grey = {
        rule["matcher"]["options"]
        for rule in panel["fieldConfig"]["overrides"]
        if {"id": "color", "value": {"mode": "fixed", "fixedColor": GREY}} in rule["properties"]
    }
    for target in panel["targets"]:
        assert set(GREYED.findall(target["expr"])) <= grey


@EACH_PANEL
def test_a_tile_of_a_word_has_one_for_what_is_not_known(panel: Json) -> None:
    if panel["type"] == "stat" and panel["options"]["textMode"] == "name" and len(panel["targets"]) == 1:
        expr = panel["targets"][0]["expr"]
        assert '"unknown"' in expr or "site" in str(panel.get("transformations")), expr


@EACH_PANEL
def test_what_was_bad_is_not_drawn_in_green(panel: Json) -> None:
    """Series named by what failed have no word for their colour: the palette would begin with green."""
    if panel["type"] == "timeseries" and re.search(r"down|not accepted|not answered|without|failed$", panel["title"]):
        fixed = any(one["id"] == "color" for rule in panel["fieldConfig"]["overrides"] for one in rule["properties"])
        mode = panel["fieldConfig"]["defaults"]["color"]["mode"]
        assert mode == "shades" or (fixed and mode != "shades"), panel["title"]


@EACH_PANEL
def test_the_only_bar_of_a_ranking_has_its_name(panel: Json) -> None:
    if panel["type"] == "bargauge":
        name = panel["fieldConfig"]["defaults"]["displayName"]
        assert name == re.sub(r"{{(\w+)}}", r"${__field.labels.\1}", panel["targets"][0]["legendFormat"])


@EACH_PANEL
def test_no_comparison_is_lost_behind_a_set_operator(panel: Json) -> None:
    """`a and b == 1 == 0` compares b twice, `a or b == bool 1` only b: a comparison binds tighter than a set."""
    for target in panel["targets"]:
        for expr in binaries(promql.parse(filled_in(target["expr"]))):
            assert not (is_comparison(expr) and is_comparison(expr.lhs)), target["expr"]
            if str(expr.op) == "or":
                assert is_bool(expr.rhs) <= (is_bool(expr.lhs) or str(getattr(expr.lhs, "op", "")) == "or"), target[
                    "expr"
                ]


COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}


def is_comparison(expr: object) -> bool:
    """Whether an expression compares, without parentheses around it."""
    return isinstance(expr, promql.BinaryExpr) and str(expr.op) in COMPARISONS


def is_bool(expr: object) -> bool:
    """Whether it answers 0 or 1 for each sample."""
    return is_comparison(expr) and bool(getattr(expr, "modifier", None)) and bool(expr.modifier.return_bool)  # type: ignore[attr-defined]  # a comparison is a BinaryExpr


def binaries(expr: object) -> list[promql.BinaryExpr]:
    """Every operation of two sides in an expression."""
    match expr:
        case promql.BinaryExpr():
            return [expr, *binaries(expr.lhs), *binaries(expr.rhs)]
        case promql.Call():
            return [found for argument in expr.args for found in binaries(argument)]
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr() | promql.AggregateExpr():
            return binaries(expr.expr)
    return []
