"""Boards: the JSON is what the source says, and queries name what exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from grafana.board import Board
from grafana.boards import BOARDS
from grafana.build import main
from tests.support.dashboards import ALL, Json, every_panel, filled_in, panels
from tests.support.promql import faults_of, read
from tests.support.series import SERIES

PANELS = [pytest.param(panel, id=f"{board['uid']}: {panel['title']}") for board, panel in every_panel()]
EACH_BOARD = pytest.mark.parametrize("board", [pytest.param(board, id=board["uid"]) for board in ALL])
EACH_PANEL = pytest.mark.parametrize("panel", PANELS)


def test_committed_json_is_what_the_source_builds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_check_names_a_file_that_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("grafana.build.FOLDER", tmp_path)
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "asterisk-queues.json").write_text("{}", encoding="utf-8")
    (tmp_path / "asterisk-old.json").write_text("{}", encoding="utf-8")
    assert main(["--check"]) == 1
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == [
        "grafana/dashboards/asterisk-old.json",
        "grafana/dashboards/asterisk-queues.json",
    ]


def test_there_are_the_boards_with_fixed_uids() -> None:
    assert [board["uid"] for board in ALL] == [
        "asterisk-fleet",
        "asterisk-pbx",
        "asterisk-trunks",
        "asterisk-queues",
        "asterisk-agents",
        "asterisk-media",
        "asterisk-endpoints",
        "asterisk-security",
        "asterisk-tenants",
        "asterisk-exporter",
    ]


@EACH_PANEL
def test_queries_name_metrics_labels_and_words_that_exist(panel: Json) -> None:
    for target in panel["targets"]:
        labels, faults = read(filled_in(target["expr"]), SERIES)
        assert faults == [], target["expr"]
        missing = set(re.findall(r"{{(\w+)}}", target["legendFormat"])) - labels
        assert missing == set(), f"legend {target['legendFormat']} of {target['expr']}"


@EACH_PANEL
def test_table_keys_are_labels_of_one_of_its_queries_and_the_common_ones_of_all(panel: Json) -> None:
    if panel["type"] != "table":
        return
    found = [read(filled_in(target["expr"]), SERIES)[0] for target in panel["targets"]]
    order = panel["transformations"][-1]["options"]["indexByName"]
    keys = {name for name in order if not name.startswith("Value")}
    assert keys | set(panel["transformations"][-1]["options"]["excludeByName"]) >= frozenset[str]().union(*found)
    assert keys <= frozenset[str]().union(*found)


@EACH_BOARD
def test_board_has_the_variables_and_settings_that_import_and_provisioning_need(board: Json) -> None:
    names = [variable["name"] for variable in board["templating"]["list"]]
    assert names[:4] == ["datasource", "job", "site", "instance"]
    assert (board["id"], board["schemaVersion"]) == (None, 39)
    assert (board["refresh"], board["graphTooltip"]) in {("30s", 1), ("10s", 1)}
    assert {"asterisk", "ami_exporter"} <= set(board["tags"])


@EACH_BOARD
def test_variables_and_annotations_query_what_exists(board: Json) -> None:
    for variable in board["templating"]["list"][1:]:
        found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
        assert found, variable["query"]
        if "__name__" not in found[1]:
            labels, faults = read(found[1], SERIES)
            assert faults == []
            assert found[2] in labels
    for annotation in board["annotations"]["list"]:
        assert faults_of(annotation["expr"], SERIES) == []


@EACH_BOARD
def test_boards_are_joined_by_links(board: Json) -> None:
    assert board["links"][0]["tags"] == ["ami_exporter"]
    uids = {each["uid"] for each in ALL}
    assert set(re.findall(r"/d/([\w-]+)\?", json.dumps(board))) <= uids


@EACH_BOARD
def test_panels_lie_in_the_grid_without_overlap(board: Json) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        grid = panel["gridPos"]
        columns, lines = range(grid["x"], grid["x"] + grid["w"]), range(grid["y"], grid["y"] + grid["h"])
        cells = {(x, y) for x in columns for y in lines}
        assert grid["x"] + grid["w"] <= 24
        assert not taken & cells
        taken |= cells
    ids = [panel["id"] for panel in [*board["panels"], *panels(board)] if panel["type"] == "row"]
    ids += [panel["id"] for panel in panels(board)]
    assert len(ids) == len(set(ids))


@EACH_BOARD
def test_board_fits_on_two_screens(board: Json) -> None:
    assert max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"]) <= 2 * 28


def test_the_queue_board_opens_with_who_waits_how_long_who_is_free_and_the_service_level() -> None:
    queues = next(board for board in ALL if board["uid"] == "asterisk-queues")
    assert [panel["title"] for panel in panels(queues)][:4] == [
        "Waiting",
        "Longest wait",
        "Free members",
        "Service level",
    ]


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("sum(asterisk_que_callers)", "no such metric"),
        ('asterisk_queue_callers{trunk="x"}', "no label trunk"),
        ("sum by (trunk) (asterisk_queue_callers)", "labels ['trunk'] are not in"),
        ('increase(asterisk_queue_calls_total{outcome="lost"}[5m])', "never 'lost'"),
        ("asterisk_queue_calls_total > 5", "not in rate()"),
        ("rate(asterisk_queue_callers[5m])", "not a counter"),
        ("asterisk_queue_callers / asterisk_up", "can never match"),
        ("asterisk_queue_callers / on (trunk) asterisk_trunk_up", "not on both sides"),
        ("sum(asterisk_queue_callers", "does not parse"),
    ],
)
def test_the_reader_finds_each_kind_of_fault(expression: str, fault: str) -> None:
    assert any(fault in found for found in faults_of(expression, SERIES))


def test_boards_are_declared_once() -> None:
    assert len({board.uid for board in BOARDS}) == len(BOARDS)
    assert all(isinstance(board, Board) for board in BOARDS)
