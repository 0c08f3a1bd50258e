"""What a person sees first: on each board's first screen, in one line of tiles, with a way on."""

from __future__ import annotations

import re

import pytest

from grafana import versions
from grafana.problems import KINDS, PHONES_LOST
from grafana.selection import SITE, select
from tests.support.dashboards import ALL, Json, every_panel, panels, unfolded

SCREEN = 26
"""Lines of the grid on a screen of 1280 by 1024."""
BOARDS = {board["uid"]: board for board in ALL}
FIRST = {
    "asterisk-fleet": ["PBXs up", "With trouble", "Without a trunk", "Queues left alone", "Half seen", "Calls now"],
    "asterisk-pbx": ["Telephony", "AMI", "Trunks up", "Registrations", "Phones", "Queues", "Figures complete"],
}
EACH_PANEL = pytest.mark.parametrize(
    ("board", "panel"),
    [pytest.param(board, panel, id=f"{board['uid']}: {panel['title']}") for board, panel in every_panel()],
)


def titles_of_the_first_screen(uid: str) -> list[str]:
    """Titles of the panels that begin on the first screen."""
    return [one["title"] for one in unfolded(BOARDS[uid]) if one["gridPos"]["y"] + one["gridPos"]["h"] <= SCREEN]


@pytest.mark.parametrize("uid", FIRST)
def test_the_tiles_say_in_one_line_what_is_wrong_and_each_leads_on(uid: str) -> None:
    tiles = unfolded(BOARDS[uid])[: len(FIRST[uid])]
    assert [tile["title"] for tile in tiles] == FIRST[uid]
    assert {tile["gridPos"]["y"] for tile in tiles} == {1}
    for tile in tiles:
        assert tile["options"]["colorMode"] == "background", tile["title"]
        (link,) = tile["fieldConfig"]["defaults"]["links"]
        assert link["url"].startswith("/d/asterisk-"), tile["title"]


def test_the_first_screen_of_a_pbx_has_calls_failures_alerts_and_what_was_down() -> None:
    shown = titles_of_the_first_screen("asterisk-pbx")
    assert shown[7:] == [
        "Calls in progress",
        "Outbound calls that failed, and attempts",
        "Alerts that fire",
        "What was down",
    ]


def test_bridges_and_codecs_of_a_pbx_are_folded_away() -> None:
    shown = {one["title"] for one in unfolded(BOARDS["asterisk-pbx"])}
    folded = {one["title"] for one in panels(BOARDS["asterisk-pbx"])} - shown
    assert folded >= {"Bridges by type", "Channels by codec, and transcoded ones"}


def test_the_first_screen_of_a_fleet_has_the_troubled_ones_and_a_tile_for_each_by_site() -> None:
    assert titles_of_the_first_screen("asterisk-fleet")[6:] == ["PBXs with trouble", "PBXs by site"]


def test_every_kind_of_problem_has_a_column() -> None:
    """Problems is the sum of them: else a PBX is listed and nothing says why."""
    (table,) = (one for one in panels(BOARDS["asterisk-fleet"]) if one["title"] == "PBXs with trouble")
    shown = [target["expr"] for target in table["targets"]]
    for name, kind in KINDS.items():
        expression = PHONES_LOST if name == "phones" else kind
        assert " ".join(select(expression, SITE).split()) in shown, name


@pytest.mark.parametrize(
    ("uid", "title", "by", "falling"),
    [
        ("asterisk-fleet", "PBXs with trouble", "Problems", True),
        ("asterisk-fleet", "All PBXs", "Problems", True),
        ("asterisk-trunks", "Each trunk", "State", False),
        ("asterisk-exporter", "Links of each PBX", "AMI", False),
        ("asterisk-exporter", "Each collector", "Complete", False),
    ],
)
def test_what_is_bad_comes_first(uid: str, title: str, by: str, falling: bool) -> None:
    (panel,) = (one for one in panels(BOARDS[uid]) if one["title"] == title)
    assert panel["options"]["sortBy"] == [{"displayName": by, "desc": falling}]


def test_boards_of_one_pbx_let_one_be_chosen() -> None:
    multi = {
        uid: variable["multi"]
        for uid, board in BOARDS.items()
        for variable in board["templating"]["list"]
        if variable["name"] == "instance"
    }
    assert {uid for uid, many in multi.items() if not many} == {"asterisk-pbx", "asterisk-agents"}


@EACH_PANEL
def test_ten_are_chosen_once_for_the_whole_time_shown(board: Json, panel: Json) -> None:
    """A plain topk chooses anew at each step, and shows dozens of series as ten."""
    if panel["type"] == "timeseries" and re.search(r"\b(ten|most tried)\b", panel["title"]):
        assert re.search(r"(topk|bottomk)\(10,.*@ end\(\)", panel["targets"][0]["expr"]), board["uid"]


@EACH_PANEL
def test_what_has_the_same_name_on_two_pbxs_is_not_summed(board: Json, panel: Json) -> None:
    """Trunks, queues, endpoints and the like: tenants may be on several PBXs, and phones have few models."""
    if board["uid"] in {"asterisk-pbx", "asterisk-agents"}:
        return
    for target in panel["targets"]:
        for found in re.findall(r"\bby \(([^)]*)\)", target["expr"]):
            labels = {label.strip() for label in found.split(",")}
            if labels & {"trunk", "queue", "endpoint", "registration", "canary", "device", "aor"}:
                assert "instance" in labels, target["expr"]


@pytest.mark.parametrize(
    ("version", "short"),
    [
        ("22.10.1", "22.10.1"),
        ("22.9.0~dfsg+~cs6.16.60671435-1", "22.9.0"),
        ("20.5+deb12", "20.5"),
        ("certified/18.9-cert5", "certified/18.9-cert5"),
    ],
)
def test_versions_are_cut_where_a_distribution_begins(version: str, short: str) -> None:
    cut = re.search(r'"version", "\$1", "version", "([^"]+)"', versions.ASTERISK)
    assert cut
    found = re.fullmatch(cut[1], version)
    assert found
    assert found[1] == short


@EACH_PANEL
def test_no_version_is_shown_with_what_a_distribution_adds(board: Json, panel: Json) -> None:
    for target in panel["targets"]:
        if re.search(r"\bversion\b.*asterisk_info", target["expr"]):
            assert select(versions.ASTERISK, SITE) in target["expr"], board["uid"]


def test_annotations_mark_alerts_restarts_reloads_and_gaps_of_the_events() -> None:
    for board in ALL:
        names = [one["name"] for one in board["annotations"]["list"]]
        assert names == ["Alerts", "Restarted", "Reloaded", "No events seen"]
