"""Rules and alerts: they name what exists, carry what a person on call needs, and each has a promtool test."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from ami_exporter.collectors.registry import builtin
from ami_exporter.collectors.vocabulary import CAUSES
from grafana.boards import BOARDS
from prometheus.parameters import declared
from tests.support import scenarios
from tests.support.promql import read, selectors
from tests.support.rules import ALERTS, FILES, RECORDED, ROOT, Rule
from tests.support.series import SERIES

TESTS = sorted((ROOT / "prometheus" / "tests").glob("*.yml"))
NOT_OF_A_GOOD_DAY = {"ALERTS", "asterisk_endpoint_maintenance"}
"""What Prometheus writes itself, and a list of what is out of service: on a good day nothing is."""
RENAMING = "res_prometheus_names.yml"
"""Passes values on under other names: counters stay counters there."""
RUNBOOKS = ROOT / "docs" / "runbooks"
COLLECTORS = {metric.name: collector.name for collector in builtin() for metric in collector.metrics}
EXPECTED = {
    name: [expected for scenario in scenarios.read(name) for expected in scenario.expected]
    for name in ("outages.yml", "quiet.yml", "storms.yml")
}
EACH_ALERT = pytest.mark.parametrize("alert", [pytest.param(alert, id=alert.name) for alert in ALERTS])


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run([*map(str, arguments)], capture_output=True, text=True, check=False, timeout=100)


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.name) for rule in [*RECORDED, *ALERTS]])
def test_expressions_name_metrics_labels_and_words_that_exist(rule: Rule) -> None:
    faults = read(rule.expr, SERIES)[1]
    if rule.file == RENAMING:
        faults = [fault for fault in faults if "a counter, but not in rate()" not in fault]
    assert faults == []


@EACH_ALERT
def test_alert_carries_what_a_person_on_call_needs(alert: Rule) -> None:
    assert re.fullmatch(r"Asterisk[A-Z][A-Za-z]+", alert.name)
    assert alert.fields["labels"]["severity"] in {"critical", "warning", "info"}
    annotations = alert.fields["annotations"]
    assert re.fullmatch(r"[^{}]+\.", annotations["summary"])
    assert "$value" in annotations["description"]
    assert annotations["description"].endswith(".")
    assert annotations["runbook_url"] == f"docs/runbooks/{alert.name}.md"
    assert annotations["dashboard"] in {board.uid for board in BOARDS}


@EACH_ALERT
def test_description_names_only_labels_the_alert_has(alert: Rule) -> None:
    labels = read(alert.expr, SERIES)[0] | set(alert.fields["labels"])
    assert set(re.findall(r"\$labels\.(\w+)", alert.fields["annotations"]["description"])) <= labels


@EACH_ALERT
def test_label_collector_names_the_collector_of_the_alerts_gauges(alert: Rule) -> None:
    named = alert.fields["labels"].get("collector")
    recorded = " ".join(rule.expr for rule in RECORDED if rule.name in alert.expr)
    found = {COLLECTORS.get(name) for name in re.findall(r"\basterisk_\w+", f"{alert.expr} {recorded}")}
    # None: a metric whose collector is not there yet.
    assert named is None or found & {named, None}


@EACH_ALERT
def test_ratios_are_guarded_by_traffic_or_by_a_limit(alert: Rule) -> None:
    guards = (" > 10", " > 20", " > 50", "> 0)", " > 5", ">= 5")
    if " / " in alert.expr or ":ratio" in alert.expr:
        assert any(guard in alert.expr for guard in guards)


def test_alert_names_are_unique_and_each_has_a_runbook_and_each_runbook_an_alert() -> None:
    names = [alert.name for alert in ALERTS]
    assert len(names) == len(set(names))
    assert {path.stem for path in RUNBOOKS.glob("Asterisk*.md")} == set(names)


@EACH_ALERT
def test_runbook_says_what_it_means_how_to_confirm_and_what_to_do(alert: Rule) -> None:
    text = (RUNBOOKS / f"{alert.name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {alert.name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["What it means", "Confirm", "Do"]
    for name in re.findall(r"`((?:asterisk|ami_exporter)_[a-z_]+)", text):
        assert name in SERIES or f"{name}_bucket" in SERIES, name
    for expression in re.findall(r"```promql\n(.*?)```", text, re.DOTALL):
        assert read(expression, SERIES)[1] == []


@cache
def alert_cases() -> list[dict[str, Any]]:
    """What promtool's tests expect of alerts; half a second to read."""
    return [
        case
        for path in TESTS
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
        for case in test["alert_rule_test"]
    ]


@EACH_ALERT
def test_alert_has_a_test_that_it_fires_and_one_that_it_does_not(alert: Rule) -> None:
    cases = [case for case in alert_cases() if case["alertname"] == alert.name]
    rings = {one.alert for expected in EXPECTED.values() for one in expected}
    assert alert.name in rings or any(case["exp_alerts"] for case in cases)
    # Each scenario names all alerts that may ring in it: the others stay quiet there.
    assert alert.name in rings or any(not case["exp_alerts"] for case in cases)
    for case in cases:
        for expected in case["exp_alerts"]:
            assert expected["exp_annotations"]["summary"] == alert.fields["annotations"]["summary"]


def test_promtool_accepts_all_rules(promtool: Path) -> None:
    result = run(promtool, "check", "rules", *FILES)
    assert result.returncode == 0, result.stderr
    assert sum(map(int, re.findall(r"SUCCESS: (\d+) rules found", result.stdout))) == len(ALERTS) + len(RECORDED)


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in TESTS])
def test_promtool_rule_tests_pass(promtool: Path, path: Path) -> None:
    result = run(promtool, "test", "rules", path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", ["prometheus.yml", "prometheus-fleet.yml"])
def test_promtool_accepts_the_scrape_configurations(promtool: Path, name: str) -> None:
    result = run(promtool, "check", "config", "--syntax-only", ROOT / "prometheus" / name)
    assert result.returncode == 0, result.stdout + result.stderr


def test_boards_and_rules_agree_on_the_causes_that_are_failures() -> None:
    causes = declared()["failure_causes"].value
    boards = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "grafana" / "dashboards").glob("*.json"))
    found = set(re.findall(r'cause=~\\"(unallocated_number[^"\\]*)', boards))
    assert found <= {causes}


@pytest.mark.parametrize("name", ["failure_causes", "refusal_causes"])
def test_every_failure_cause_is_one_that_exists(name: str) -> None:
    failures = declared()["failure_causes"].value.split("|")
    for cause in declared()[name].value.split("|"):
        assert cause in failures
        assert any(re.fullmatch(cause, known) for known in CAUSES.values()), cause


def test_inhibitions_name_alerts_and_labels_that_exist() -> None:
    config = yaml.safe_load((ROOT / "prometheus" / "alertmanager.yml").read_text(encoding="utf-8"))
    names = {alert.name for alert in ALERTS}
    for rule in config["inhibit_rules"]:
        for matcher in [*rule["source_matchers"], *rule["target_matchers"]]:
            found = re.fullmatch(r'alertname(?:=|=~|!=|!~)"([^"]+)"', matcher)
            assert not found or any(re.fullmatch(found[1], name) for name in names), matcher
    assert {receiver["name"] for receiver in config["receivers"]} >= {config["route"]["receiver"]}


def test_a_dead_pbx_mutes_every_other_alert_of_that_pbx() -> None:
    config = yaml.safe_load((ROOT / "prometheus" / "alertmanager.yml").read_text(encoding="utf-8"))
    rule = config["inhibit_rules"][0]
    assert rule["source_matchers"] == ['alertname=~"AsteriskExporterDown|AsteriskDown"']
    assert rule["equal"] == ["job", "instance"]
    muted = re.fullmatch(r'alertname=~"(.*)"', rule["target_matchers"][0])
    spared = re.fullmatch(r'alertname!~"(.*)"', rule["target_matchers"][1])
    assert muted
    assert spared
    quiet = {a.name for a in ALERTS if re.fullmatch(muted[1], a.name) and not re.fullmatch(spared[1], a.name)}
    assert {alert.name for alert in ALERTS} - quiet == {"AsteriskExporterDown", "AsteriskDown", "AsteriskFlapping"}


def test_the_reader_sees_all_selectors_of_a_rule() -> None:
    rule = next(alert for alert in ALERTS if alert.name == "AsteriskQueueUnstaffed")
    names = [selector.name for selector in selectors(promql_parser.parse(rule.expr))]
    assert names == [
        "asterisk_queue_members_ready",
        "asterisk_queue_callers",
        "asterisk_queue_joins_total",
        "asterisk_queue_members_ready",
        "asterisk_queue_joins_total",
    ]


@EACH_ALERT
def test_a_healthy_pbx_has_all_that_an_alert_reads(alert: Rule) -> None:
    """Else no scenario says that the alert is silent on a good day."""
    healthy = {scenarios.Key.read(written).name for written in scenarios.keys_of("healthy.yml")}
    recorded = {rule.name: rule.expr for rule in RECORDED}
    read_by = {str(one.name) for one in selectors(promql_parser.parse(alert.expr))}
    for name in read_by & recorded.keys():
        read_by |= {str(one.name) for one in selectors(promql_parser.parse(recorded[name]))}
    assert read_by - recorded.keys() - healthy <= NOT_OF_A_GOOD_DAY


@pytest.mark.parametrize("name", ["healthy.yml", "outages.yml", "quiet.yml", "storms.yml"])
def test_series_of_scenarios_are_those_the_exporter_emits(name: str) -> None:
    for written in scenarios.keys_of(name):
        key = scenarios.Key.read(written)
        if "*" in key.name:
            continue
        metric, labels = SERIES[key.name], dict(key.labels)
        # A scenario may name fewer labels: then it means all such series of a healthy PBX.
        assert labels.keys() <= metric.labels | {"job", "instance"}, written
        assert name != "healthy.yml" or labels.keys() == metric.labels, written
        for label, words in metric.closed.items():
            assert labels.get(label, words[0]) in words, written
