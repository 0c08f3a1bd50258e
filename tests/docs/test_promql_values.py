"""The recipes give the numbers one works out by hand: promtool evaluates them over series made for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.documents import REPO, blocks_of
from tests.support.prometheus_server import rule_faults

QUEUE = 'instance="pbx1", queue="support"'
TRUNK = 'instance="pbx1", trunk="telco"'
# A day and some, a sample a minute. Each minute: 8 callers answered (6 within the service level, 5 within 20 s), 2 give
# up (1 within 5 s); 10 calls on the trunk, 4 of them answered for 150 s each, 3 failed in the network.
SERIES = {
    f"asterisk_queue_calls_total{{{QUEUE}, outcome='answered'}}": "0+8x1500",
    f"asterisk_queue_calls_total{{{QUEUE}, outcome='abandoned'}}": "0+2x1500",
    f"asterisk_queue_calls_total{{{QUEUE}, outcome='timeout'}}": "0+3x1500",
    f"asterisk_queue_answered_in_service_level_total{{{QUEUE}}}": "0+6x1500",
    f"asterisk_queue_wait_seconds_bucket{{{QUEUE}, outcome='answered', le='20.0'}}": "0+5x1500",
    f"asterisk_queue_wait_seconds_bucket{{{QUEUE}, outcome='abandoned', le='5.0'}}": "0+1x1500",
    f"asterisk_queue_wait_seconds_sum{{{QUEUE}, outcome='answered'}}": "0+120x1500",
    f"asterisk_queue_wait_seconds_count{{{QUEUE}, outcome='answered'}}": "0+8x1500",
    f"asterisk_queue_callers{{{QUEUE}}}": "4x1500",
    f"asterisk_queue_members_ready{{{QUEUE}}}": "0x1500",
    # Ann is in two queues, and paused in one of them.
    f"asterisk_queue_member_up{{{QUEUE}, member='Ann'}}": "1x1500",
    f"asterisk_queue_member_paused{{{QUEUE}, member='Ann'}}": "1x1500",
    "asterisk_queue_member_up{instance='pbx1', queue='sales', member='Ann'}": "1x1500",
    "asterisk_queue_member_paused{instance='pbx1', queue='sales', member='Ann'}": "0x1500",
    "asterisk_queue_member_up{instance='pbx1', queue='sales', member='Ben'}": "1x1500",
    "asterisk_queue_member_paused{instance='pbx1', queue='sales', member='Ben'}": "0x1500",
    f"asterisk_queue_info{{{QUEUE}, name='Helpdesk', strategy='ringall'}}": "1x1500",
    f"asterisk_trunk_calls_total{{{TRUNK}, direction='outbound', outcome='answered'}}": "0+4x1500",
    f"asterisk_trunk_calls_total{{{TRUNK}, direction='outbound', outcome='no_answer'}}": "0+6x1500",
    f"asterisk_trunk_hangups_total{{{TRUNK}, direction='outbound', cause='normal_clearing'}}": "0+7x1500",
    f"asterisk_trunk_hangups_total{{{TRUNK}, direction='outbound', cause='network_out_of_order'}}": "0+3x1500",
    f"asterisk_trunk_talk_seconds_sum{{{TRUNK}, direction='outbound'}}": "0+600x1500",
    f"asterisk_trunk_talk_seconds_count{{{TRUNK}, direction='outbound'}}": "0+4x1500",
    f"asterisk_trunk_channels{{{TRUNK}, direction='outbound'}}": "20x1469 30x29",
    f"asterisk_trunk_channels{{{TRUNK}, direction='inbound'}}": "0x1500",
    f"asterisk_trunk_channels_limit{{{TRUNK}}}": "30x1500",
    "asterisk_calls_total{instance='pbx1', direction='inbound', outcome='answered'}": "0+10x1500",
    "asterisk_active_calls{instance='pbx1'}": "12x1500",
    "asterisk_calls_limit{instance='pbx1'}": "48x1500",
    "asterisk_up{instance='pbx1'}": "1x749 0x749",
}
# The sentence before a recipe, or the beginning of it → what it must give.
WANTED = {
    "**Service level at the queue's own threshold**": 0.6,
    "**Service level at any bucket**": 0.5,
    "Some centres do not count callers": 6 / 9,
    "**Abandon rate.**": 0.2,
    "**ASA**": 15.0,
    "Callers waiting although nobody": 4.0,
    "Agents who can take a call": 2.0,
    "The queue's human name": 4.0,
    "**ASR**": 0.4,
    "**NER**": 0.7,
    "**ACD**": 150.0,
    "Minutes carried by each trunk": 14400.0,
    "Calls in the busiest hour": 600.0,
    "Traffic of the busiest hour in erlang": 12.0,
    "Share of a trunk's channels in use": 1.0,
    "Most channels a trunk had": 30.0,
    "Minutes of the last day in which a trunk was full": 30.0,
    "Calls out of the PBX's own limit": 0.25,
    "Share of the last 30 days": 0.5,
}
AT = "24h59m"


def recipe_after(sentence: str) -> str:
    page = REPO / "docs/promql.md"
    text = page.read_text(encoding="utf-8")
    line = text.count("\n", 0, text.index(sentence)) + 1
    return next(block.text for block in blocks_of(page) if block.line > line)


@pytest.mark.parametrize(("sentence", "value"), WANTED.items(), ids=[sentence.strip("*") for sentence in WANTED])
def test_recipe_gives(sentence: str, value: float, promtool: Path, tmp_path: Path) -> None:
    series = [{"series": name.replace("'", '"'), "values": values} for name, values in SERIES.items()]
    expression = f"round(sum({recipe_after(sentence)}), 0.001)"
    sample = {"labels": "{}", "value": round(value, 3)}
    test = {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [{"expr": expression, "eval_time": AT, "exp_samples": [sample]}],
    }
    (tmp_path / "test.yml").write_text(json.dumps({"tests": [test]}), encoding="utf-8")
    assert rule_faults(promtool, tmp_path / "test.yml") == ""
