"""The boards' JSON is of the types that Grafana 11, 12 and 13 have for dashboards and panels.

types/types.json is made of the npm package @grafana/schema 11.0.0, 12.4.10 and 13.2.3 by types/extract.mjs: property
names, words and kinds of values. What a version does not know it would drop or migrate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.dashboards import ALL, Json, every_panel

TYPES: dict[str, Json] = json.loads((Path(__file__).parent / "types" / "types.json").read_text(encoding="utf-8"))
VERSIONS = sorted(TYPES)
EACH_VERSION = pytest.mark.parametrize("version", VERSIONS)
EACH_BOARD = pytest.mark.parametrize("board", [pytest.param(board, id=board["uid"]) for board in ALL])
EACH_PANEL = pytest.mark.parametrize(
    "panel", [pytest.param(panel, id=f"{board['uid']}: {panel['title']}") for board, panel in every_panel()]
)
KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


OF_PROMETHEUS = {"expr", "step", "titleFormat", "textFormat", "tagKeys", "useValueForTime"}
"""What the Prometheus data source reads of an annotation. Of a variable, `definition` is what Grafana's list shows."""


def without(value: Json, names: set[str]) -> Json:
    """The object without these properties, which are not Grafana's own."""
    return {key: inner for key, inner in value.items() if key not in names}


def faults(value: Any, known: Json, where: str) -> Iterator[str]:
    """What of a value a type does not know."""
    if "any" in known:
        found = [list(faults(value, one, where)) for one in known["any"]]
        yield from min(found, key=len)
    elif "enum" in known:
        if value not in known["enum"]:
            yield f"{where}: {value!r} is none of {known['enum']}"
    elif "type" in known:
        right = isinstance(value, KINDS[known["type"]]) and not (known["type"] == "number" and isinstance(value, bool))
        if not right:
            yield f"{where}: {value!r} is no {known['type']}"
    elif "items" in known:
        if not isinstance(value, list):
            yield f"{where}: no list"
            return
        for index, item in enumerate(value):
            yield from faults(item, known["items"], f"{where}[{index}]")
    elif "values" in known or "properties" in known:
        yield from _of_object(value, known, where)


def _of_object(value: Any, known: Json, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: no object"
        return
    for key, inner in value.items():
        of_key = known.get("properties", {}).get(key, known.get("values"))
        if of_key is not None:
            yield from faults(inner, of_key, f"{where}.{key}")
        elif not known.get("more"):
            yield f"{where}.{key}: not known"


@EACH_VERSION
@EACH_BOARD
def test_the_board_is_of_the_types_of_grafana(board: Json, version: str) -> None:
    types = TYPES[version]
    whole = {key: value for key, value in board.items() if key != "panels"}
    whole["annotations"] = {"list": [without(one, OF_PROMETHEUS) for one in board["annotations"]["list"]]}
    whole["templating"] = {"list": [without(one, {"definition"}) for one in board["templating"]["list"]]}
    assert list(faults(whole, types["dashboard"], "board")) == []
    for panel in board["panels"]:
        if panel["type"] == "row":
            row = {key: value for key, value in panel.items() if key != "panels"}
            assert list(faults(row, types["row"], panel["title"])) == []


@EACH_VERSION
@EACH_PANEL
def test_the_panel_is_of_the_types_of_grafana(panel: Json, version: str) -> None:
    types = TYPES[version]
    of_kind = types["panels"][panel["type"]]
    assert list(faults(panel, types["panel"], "panel")) == []
    assert list(faults(panel["options"], of_kind["options"], "options")) == []
    custom = panel["fieldConfig"]["defaults"]["custom"]
    assert list(faults(custom, of_kind.get("custom", {"properties": {}}), "custom")) == []


@EACH_VERSION
@EACH_PANEL
def test_overrides_name_properties_that_grafana_knows(panel: Json, version: str) -> None:
    types = TYPES[version]
    common = types["panel"]["properties"]["fieldConfig"]["properties"]["defaults"]["properties"]
    own = types["panels"][panel["type"]].get("custom", {"properties": {}})["properties"]
    for rule in panel["fieldConfig"]["overrides"]:
        for item in rule["properties"]:
            group, _, name = item["id"].rpartition(".")
            known = own if group == "custom" else common
            assert name in known, item["id"]
            if item["value"] is not None:  # null takes a default away
                assert list(faults(item["value"], known[name], item["id"])) == []


def test_the_reader_of_types_finds_each_kind_of_fault() -> None:
    known = {
        "properties": {"mode": {"enum": ["a", "b"]}, "width": {"type": "number"}, "list": {"items": {"type": "string"}}}
    }
    assert list(faults({"mode": "a", "width": 1, "list": ["x"]}, known, "it")) == []
    assert list(faults({"mode": "c"}, known, "it")) == ["it.mode: 'c' is none of ['a', 'b']"]
    assert list(faults({"width": True, "height": 1}, known, "it")) == [
        "it.width: True is no number",
        "it.height: not known",
    ]
    assert list(faults({"list": [1]}, known, "it")) == ["it.list[0]: 1 is no string"]
    assert list(faults([], known, "it")) == ["it: no object"]
    assert list(faults("x", {"any": [{"type": "number"}, {"type": "string"}]}, "it")) == []


@EACH_BOARD
def test_the_board_is_of_the_schema_of_grafana_11_which_newer_ones_migrate(board: Json) -> None:
    assert board["schemaVersion"] == 39


@EACH_PANEL
def test_no_panel_is_one_that_grafana_has_given_up(panel: Json) -> None:
    """Angular panels (graph, singlestat, table-old) are gone since 11; all ours are in the types of each version."""
    assert all(panel["type"] in TYPES[version]["panels"] for version in VERSIONS)
