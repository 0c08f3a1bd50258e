"""Pages for people: metrics, alerts and recorded names in them exist, and every PromQL recipe is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.promql import read
from tests.support.rules import ALERTS, RECORDED, ROOT
from tests.support.series import SERIES

PAGES = sorted((ROOT / "docs").glob("*.md"))
EACH_PAGE = pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
RECIPES = [
    pytest.param(recipe, id=f"{page.name}: {recipe.split(chr(10))[0][:60]}")
    for page in PAGES
    for recipe in re.findall(r"```promql\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]


@pytest.mark.parametrize("page", ["migration.md", "alerts.md", "promql.md", "troubleshooting.md"])
def test_metrics_named_in_code_exist(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    code = " ".join(re.findall(r"`[^`]*`", text))
    names = set(re.findall(r"(?<![\w:])(?:asterisk|ami_exporter)_[a-z_]+[a-z](?![\w*:])", code))
    assert {name for name in names if name not in SERIES and f"{name}_bucket" not in SERIES} == set()


@EACH_PAGE
def test_recorded_names_exist(page: Path) -> None:
    named = set(re.findall(r"`((?:trunk|queue):[\w:]+)`", page.read_text(encoding="utf-8")))
    assert named <= {rule.name for rule in RECORDED}


@EACH_PAGE
def test_alerts_named_in_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8").split("| mixin alert |")[0]
    named = set(re.findall(r"(?<![\w`])Asterisk(?:[A-Z][a-z]+|[A-Z]{3,}){2,}\b", text))
    own = set(re.findall(r"- alert: (\w+)", text))  # an example for the reader's own rules
    assert named - own <= {alert.name for alert in ALERTS}


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipe_names_metrics_labels_and_words_that_exist(recipe: str) -> None:
    assert read(recipe, SERIES)[1] == []
