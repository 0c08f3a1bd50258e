"""The Agents board counts people, however many queues each is in: its own queries, over members made for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.dashboards import ALL, CHOSEN_ALL, filled_in, panels, replaced
from tests.support.prometheus_server import rule_faults

BOARD = next(board for board in ALL if board["uid"] == "asterisk-agents")
# (member, queue) → up, paused, available, in_call, wrapup. Ann and Ben are in three queues each.
MEMBERS = {
    **{("Ann", queue): (1, 1, 0, 0, 0) for queue in ("sales", "service", "night")},
    ("Ben", "sales"): (1, 0, 0, 1, 0),
    ("Ben", "service"): (1, 0, 0, 0, 0),
    ("Ben", "night"): (1, 0, 0, 0, 0),
    ("Cyd", "sales"): (1, 0, 1, 0, 0),
    ("Cyd", "night"): (1, 0, 0, 0, 1),
    ("Dan", "night"): (0, 0, 0, 0, 0),
}
STATES = ("up", "paused", "available", "in_call", "wrapup")
TARGET = 'job="asterisk", instance="pbx1"'
WANTED = {"Ready": 2, "Free": 1, "In a call": 1, "Wrapping up": 1, "Paused": 1}
NOW = {
    **{("Ann", queue): 3 for queue in ("sales", "service", "night")},
    ("Ben", "sales"): 4,
    ("Ben", "service"): 0,
    ("Ben", "night"): 0,
    ("Cyd", "sales"): 1,
    ("Cyd", "night"): 2,
    ("Dan", "night"): -1,
}


def series() -> dict[str, float]:
    found = {
        f'asterisk_queue_member_{state}{{{TARGET}, queue="{queue}", member="{member}"}}': value
        for (member, queue), values in MEMBERS.items()
        for state, value in zip(STATES, values, strict=True)
    }
    since = "asterisk_queue_member_pause_start_timestamp_seconds"
    paused = [key for key, values in MEMBERS.items() if values[1]]
    return found | {f'{since}{{{TARGET}, queue="{q}", member="{m}", reason="Lunch"}}': 5.0 for m, q in paused}


def query(title: str, place: int = 0) -> str:
    (panel,) = [panel for panel in panels(BOARD) if panel["title"] == title]
    return filled_in(replaced(panel["targets"][place]["expr"], CHOSEN_ALL))


def judge(promtool: Path, folder: Path, expression: str, samples: dict[str, float]) -> str:
    """What promtool says against this expression's having these samples: nothing, when it has."""
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"{value}x5"} for name, value in series().items()],
        "promql_expr_test": [
            {
                "expr": expression,
                "eval_time": "2m",
                "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
            }
        ],
    }
    (folder / "test.yml").write_text(json.dumps({"tests": [test]}), encoding="utf-8")
    return rule_faults(promtool, folder / "test.yml")


@pytest.mark.parametrize(("title", "people"), WANTED.items())
def test_a_person_in_three_queues_counts_once(title: str, people: int, promtool: Path, tmp_path: Path) -> None:
    assert judge(promtool, tmp_path, query(title), {"{}": people}) == ""
    assert judge(promtool, tmp_path, query(title), {"{}": people + 1}) != ""


def test_a_person_who_pauses_in_three_queues_paused_once(promtool: Path, tmp_path: Path) -> None:
    assert judge(promtool, tmp_path, query("Paused, by reason"), {'{reason="Lunch"}': 1}) == ""


def test_each_member_of_each_queue_does_one_thing(promtool: Path, tmp_path: Path) -> None:
    wanted = {f'{{queue="{queue}", member="{member}"}}': float(code) for (member, queue), code in NOW.items()}
    assert judge(promtool, tmp_path, query("Each member of each queue"), wanted) == ""
