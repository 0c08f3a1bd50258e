"""The rules that are in the repository are those the sources make, and other thresholds are a matter of one command."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from prometheus import pages
from prometheus.build import RULES, build, main
from prometheus.parameters import ParameterError, declared, read_values

# Another value for each kind, so that every parameter is changed once.
OTHERS = {
    "duration": "7m",
    "share": "45%",
    "number": "17",
    "hour": "3",
    "severity": "info",
    "regex": "pbx-.+|other",
    "address": "https://wiki.example.net/asterisk/",
}


def alerts(files: dict[str, str]) -> dict[str, dict[str, object]]:
    """Alert → its fields."""
    groups = [group for text in files.values() for group in yaml.safe_load(text)["groups"]]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def test_committed_rules_are_what_the_sources_make() -> None:
    committed = {path.relative_to(RULES).as_posix(): path.read_text(encoding="utf-8") for path in RULES.rglob("*.yml")}
    assert committed == build(declared()), "run: prometheus/build"


def test_page_of_alerts_is_what_the_rules_say() -> None:
    text = pages.PAGE.read_text(encoding="utf-8")
    assert pages.page(text) == text, "run: make docs"


def test_every_parameter_is_used() -> None:
    assert pages.unused() == set()


def test_a_threshold_set_on_the_command_line_is_in_expression_and_text(tmp_path: Path) -> None:
    command = [str(RULES.parent / "build"), "--set", "queue_wait_critical=600", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "queues.yml").read_text(encoding="utf-8")
    rule = alerts({"queues.yml": text})["AsteriskQueueLongestWaitCritical"]
    assert rule["expr"] == "asterisk_queue_longest_wait_seconds > 600"
    assert rule["annotations"] == {
        "summary": "A caller has waited over 10 minutes.",
        "description": "Somebody has been waiting in queue {{ $labels.queue }} of {{ $labels.instance }} for "
        "{{ $value | humanizeDuration }}.",
        "runbook_url": "docs/runbooks/AsteriskQueueLongestWaitCritical.md",
        "dashboard": "asterisk-queues",
    }
    assert "\n# queue_wait_critical = 10m\n" in text


def test_a_parameter_file_is_read_and_the_command_line_wins(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yml"
    mine.write_text("jobs: voip\nstuck_channel: 12h\nqueue_abandoned: 5%\n", encoding="utf-8")
    values = read_values(declared(), mine, ["stuck_channel=1h"])
    assert [values[name].value for name in ("jobs", "stuck_channel", "queue_abandoned")] == ["voip", "1h", "0.05"]
    assert alerts(build(values))["AsteriskExporterDown"]["expr"] == 'up{job=~"voip"} == 0'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("jobs: voip\nqueue_wiat: 3m\n", "mine.yml:2: no parameter queue_wiat, did you mean queue_wait?"),
        ("queue_wait: soon\n", "mine.yml:1: queue_wait is 'soon', expected a duration such as 300"),
        ("queue_wait: 0\n", "mine.yml:1: queue_wait is '0', expected a duration"),
        ("trunk_effective: 80\n", "mine.yml:1: trunk_effective is '80', expected a share between 0 and 1"),
        ("silent_calls: .nan\n", "mine.yml:1: silent_calls is '.nan', expected a number over 0"),
        ("night_from: 24\n", "mine.yml:1: night_from is '24', expected an hour of the day"),
        ("blind_severity: page\n", "mine.yml:1: blind_severity is 'page', expected critical, warning or info"),
        ("jobs: '(pbx'\n", "mine.yml:1: jobs is '(pbx', expected a regular expression"),
        ('jobs: "a\\"} or vector(1)"\n', "mine.yml:1: jobs is "),
        ("runbook_base: 'a b'\n", "mine.yml:1: runbook_base is 'a b', expected a path or an address"),
        ("jobs: a\njobs: b\n", "mine.yml:2: jobs stands here a second time"),
        ("jobs: [a, b]\n", "mine.yml:1: expected NAME: VALUE, one value for a name"),
        ("- jobs\n", "mine.yml: expected lines NAME: VALUE"),
        ("jobs: [\n", "mine.yml: not YAML:"),
    ],
)
def test_a_wrong_parameter_file_is_refused_with_its_place_and_writes_nothing(
    text: str, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.yml"
    mine.write_text(text, encoding="utf-8")
    assert main(["--parameters", str(mine), "--out", str(tmp_path / "out")]) == 1
    assert fault in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("flag", ["queue_wait", "=5m", "queue_wait=", "no_such=1"])
def test_a_wrong_flag_is_refused(flag: str) -> None:
    with pytest.raises(ParameterError, match=f"--set {flag}"):
        read_values(declared(), None, [flag])


def test_a_missing_parameter_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"none\.yml: No such file"):
        read_values(declared(), tmp_path / "none.yml", [])


def test_prometheus_takes_the_rules_with_every_parameter_changed(promtool: Path, tmp_path: Path) -> None:
    changed = [f"{parameter.name}={OTHERS[parameter.kind]}" for parameter in declared().values()]
    values = read_values(declared(), None, changed)
    assert all(parameter.changed for parameter in values.values())
    assert main([*(part for flag in changed for part in ("--set", flag)), "--out", str(tmp_path)]) == 0
    for path in tmp_path.rglob("*.yml"):
        done = subprocess.run([str(promtool), "check", "rules", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("style", ["mimir", "kubernetes"])
def test_other_formats_hold_the_same_rules(style: str, tmp_path: Path) -> None:
    assert main(["--format", style, "--out", str(tmp_path)]) == 0
    names = set()
    for name, text in build(declared()).items():
        plain, made = yaml.safe_load(text), yaml.safe_load((tmp_path / name).read_text(encoding="utf-8"))
        if style == "kubernetes":
            assert (made["apiVersion"], made["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
            names.add(made["metadata"]["name"])
            assert made["spec"] == plain
        else:
            names.add(made.pop("namespace"))
            assert made == plain
    assert len(names) == len(build(declared()))


def test_check_names_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    assert main(["--out", str(tmp_path), "--check"]) == 0
    (tmp_path / "calls.yml").write_text("groups: []\n", encoding="utf-8")
    (tmp_path / "own.yml").write_text("groups: []\n", encoding="utf-8")
    assert main(["--out", str(tmp_path), "--check"]) == 1
    said = capsys.readouterr().err
    assert "calls.yml: differs" in said
    assert "own.yml: differs" in said
    assert said.count("\n") == 2


def test_list_prints_every_parameter_with_its_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--set", "night_from=21"]) == 0
    said = capsys.readouterr().out
    assert "night_from = 21\n    Begin of the night\n" in said
    assert all(f"{name} = " in said for name in declared())
