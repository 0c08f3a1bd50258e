"""The recipes of docs/promql.md are PromQL over metrics that exist."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.support.documents import REPO, Block, blocks
from tests.support.promql import faults_of
from tests.support.series import SERIES

RECIPES = [pytest.param(block, id=block.where) for block in blocks("promql")]


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipe_reads_metrics_that_exist(recipe: Block) -> None:
    assert faults_of(recipe.text, SERIES) == []


def test_recorded_names_are_those_of_the_rules() -> None:
    rules = yaml.safe_load((REPO / "prometheus/rules/recording.yml").read_text(encoding="utf-8"))
    recorded = {rule["record"] for group in rules["groups"] for rule in group["rules"]}
    page = (REPO / "docs/promql.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+:asterisk_\w+:\w+)`", page)) - recorded == set()


def test_every_subject_of_the_readme_has_a_recipe() -> None:
    page = (REPO / "docs/promql.md").read_text(encoding="utf-8").lower()
    for subject in ("service level", "asr", "ner", "acd", "abandon rate", "busiest hour", "capacity"):
        assert subject in page
