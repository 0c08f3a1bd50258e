"""docs/permissions.md says what the program says."""

from __future__ import annotations

import re

import pytest

from ami_exporter.ami.actions import ACTIONS
from ami_exporter.ami.rights import RISKS, least_dangerous
from ami_exporter.collectors.registry import builtin
from ami_exporter.commands.doctor.advice import event_need
from ami_exporter.commands.doctor.userblock import user_block
from tests.support.documents import REPO

PAGE = (REPO / "docs/permissions.md").read_text(encoding="utf-8")
_LINES = PAGE.partition("## Classes of read=")[0].splitlines()
RULES = {cells[0]: cells[1:] for cells in (re.split(r" *\| *", line)[1:-1] for line in _LINES if line[:1] == "|")}
USED = {action.name for collector in builtin() for choice in collector.polls for action in choice}


@pytest.mark.parametrize("right", RISKS)
def test_the_risk_of_each_class_is_the_one_doctor_tells(right: str) -> None:
    assert RULES[right][0] == RISKS[right]


@pytest.mark.parametrize("right", ["none", "reporting", "system", "call", "agent", "command", "config"])
def test_each_list_stands_at_the_least_class_that_permits_it(right: str) -> None:
    names = {name for name in USED if (least_dangerous(ACTIONS[name].rights) or "none") == right}
    assert set(filter(None, RULES[right][1].split(", "))) == names


def test_the_block_is_the_one_doctor_prints() -> None:
    block = user_block("ami_exporter", "127.0.0.1", read="system,call,agent,reporting,security", write="reporting")
    assert "\n".join(block) in PAGE


@pytest.mark.parametrize("read", ["call", "agent", "security"])
def test_each_class_of_read_names_its_collectors(read: str) -> None:
    names = [collector.name for collector in builtin() if read in event_need(collector).split(",")]
    row = re.search(rf"^\| {read} \| ([a-z_, ]+?) \|$", PAGE.partition("## Classes of read=")[2], re.MULTILINE)
    assert row is not None
    assert row[1].split(", ") == names
