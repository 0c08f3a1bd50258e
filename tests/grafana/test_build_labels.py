"""Boards for other labels than site: a variable for each, a matcher in every selector, handed on by every link."""

from __future__ import annotations

import json
from pathlib import Path

import promql_parser as promql
import pytest

from grafana.boards import BOARDS
from grafana.build import main
from tests.support.dashboards import filled_in, panels
from tests.support.promql import selectors


def test_every_label_is_a_variable_a_matcher_and_part_of_every_link(tmp_path: Path) -> None:
    assert main(["--labels", "customer,site", "--output", str(tmp_path)]) == 0
    for board in BOARDS:
        rendered = json.loads((tmp_path / f"{board.uid}.json").read_text(encoding="utf-8"))
        variables = {one["name"]: one for one in rendered["templating"]["list"]}
        assert list(variables)[:5] == ["datasource", "job", "customer", "site", "instance"]
        assert variables["site"]["definition"] == 'label_values(asterisk_up{job=~"$job", customer=~"$customer"}, site)'
        for panel in panels(rendered):
            for target in panel["targets"]:
                for selector in selectors(promql.parse(filled_in(target["expr"]))):
                    names = {str(matcher.name) for matcher in selector.matchers.matchers}
                    # An exporter's process is a target of its own, with its own choice.
                    of_a_pbx = all(matcher.value != "$exporter" for matcher in selector.matchers.matchers)
                    assert not of_a_pbx or {"job", "customer", "site", "instance"} <= names, target["expr"]
        text = json.dumps(rendered)
        assert text.count("/d/asterisk-") == text.count("${customer:queryparam}&${site:queryparam}")
        assert "selection:queryparam" not in text


def test_without_labels_there_is_no_variable_for_one(tmp_path: Path) -> None:
    assert main(["--labels", "", "--output", str(tmp_path)]) == 0
    rendered = json.loads((tmp_path / "asterisk-fleet.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in rendered["templating"]["list"]] == ["datasource", "job", "instance"]


@pytest.mark.parametrize(("labels", "fault"), [("9site", "is no label name"), ("site,job", "on the boards already")])
def test_a_name_that_is_no_label_or_taken_is_refused(
    labels: str, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--labels", labels])
    assert fault in capsys.readouterr().err
