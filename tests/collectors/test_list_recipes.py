"""The recipes of docs/custom-metrics.md for switches: device states, and Asterisk's database."""

from __future__ import annotations

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.ami.errors import ForbiddenAction
from ami_exporter.collectors import custom
from ami_exporter.collectors.database import tree
from tests.support.collecting import messages, polled
from tests.support.recipes import recipes

DEVICES = Action("DeviceStateList")
NUMBER = "+4930123456"


def entry(key: str, value: str) -> str:
    return f"Event: DBGetTreeResponse\nKey: {key}\nVal: {value}"


def test_the_night_switch_by_its_lamp() -> None:
    collector = custom.collector(recipes("asterisk_custom_night"))
    items = messages(
        "\n\n".join(
            f"Event: DeviceStateChange\nDevice: {device}\nState: {state}"
            for device, state in (("Custom:DAYNIGHT0", "INUSE"), ("Custom:night", "NOT_INUSE"), ("PJSIP/1001", "INUSE"))
        )
    )
    assert polled(collector, {DEVICES: items}) == {
        ("asterisk_custom_night", "main"): 1,
        ("asterisk_custom_night", "reception"): 0,
    }


def test_the_database_counts_and_tells_what_a_map_names() -> None:
    collector = custom.collector(recipes("asterisk_custom_switched_on"))
    answers = {
        tree("DND"): messages(
            "\n\n".join([entry("/DND/1001", "YES"), entry("/DND/1002", "no"), entry("/dnd/1003", "YES")])
        ),
        tree("CF"): messages("\n\n".join([entry("/CF/1004", NUMBER), entry("/CFB/1005", NUMBER)])),
        tree("DAYNIGHT"): messages("\n\n".join([entry("/DAYNIGHT/C0", "NIGHT"), entry("/DAYNIGHT/C7", "DAY")])),
    }
    samples = polled(collector, answers)
    assert samples == {
        ("asterisk_custom_switched_on", "DND"): 1,
        ("asterisk_custom_switched_on", "CF"): 1,
        ("asterisk_custom_day_night", "main"): 1,
    }
    assert not any("100" in part or "30123" in part for key in samples for part in key)


def test_an_empty_family_is_zero_and_a_cut_list_is_nothing() -> None:
    collector = custom.collector(recipes("asterisk_custom_switched_on"))
    answers = {tree("DND"): [], tree("CF"): messages(entry("/CF/1004", NUMBER)), tree("DAYNIGHT"): []}
    assert polled(collector, answers) == {
        ("asterisk_custom_switched_on", "DND"): 0,
        ("asterisk_custom_switched_on", "CF"): 1,
    }
    assert polled(collector, answers, cut=[tree("DND")]) == {("asterisk_custom_switched_on", "CF"): 1}


@pytest.mark.parametrize("family", ["", "%", "DND/%", "_"])
def test_no_family_no_action(family: str) -> None:
    with pytest.raises(ForbiddenAction):
        tree(family)
