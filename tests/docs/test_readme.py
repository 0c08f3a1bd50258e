"""The README's five minutes, done by the letter against the simulated PBX."""

from __future__ import annotations

import re

import pytest
import yaml

from ami_exporter.demo import DemoSettings, SimulatedPbx
from tests.support.documents import REPO, blocks_of
from tests.support.exporter_process import exporter, run
from tests.support.readme import README, readme_command, readme_user


@pytest.mark.slow
def test_user_and_command_of_the_readme_give_metrics() -> None:
    user = readme_user()
    environ, arguments = readme_command()
    assert environ["AMI_EXPORTER_AMI_SECRET"] == user.secret, "pasted as they stand, both are the same"
    with SimulatedPbx(DemoSettings(queues=2), users=[user]) as pbx:
        arguments[arguments.index("--ami.address") + 1] = f"127.0.0.1:{pbx.port}"
        with exporter(*arguments, environ=environ) as process:
            scrape = process.get()
            page = process.get("/")
    assert scrape.value("asterisk_up") == 1
    assert scrape.value("asterisk_active_calls") is not None
    assert scrape.value("asterisk_queue_callers", queue="support") is not None or scrape.by(
        "asterisk_queue_info", "queue"
    )
    assert page.status == 200


@pytest.mark.slow
def test_scrape_with_the_same_flags_prints_the_metrics() -> None:
    user = readme_user()
    _, arguments = readme_command()
    with SimulatedPbx(DemoSettings(), users=[user]) as pbx:
        arguments[arguments.index("--ami.address") + 1] = f"127.0.0.1:{pbx.port}"
        done = run("scrape", *arguments, environ={"AMI_EXPORTER_AMI_SECRET": user.secret})
    assert done.returncode == 0, done.stderr
    assert "\nasterisk_up 1\n" in done.stdout


def test_what_is_added_to_a_prometheus_goes_into_lists_that_it_has_already() -> None:
    (block,) = [block for block in blocks_of(README) if block.language == "yaml"]
    added = yaml.safe_load(block.text)
    ours = yaml.safe_load((REPO / "prometheus" / "prometheus.yml").read_text())
    assert added.keys() <= ours.keys()
    assert all(isinstance(value, list) for value in added.values())
    assert added["rule_files"] == ours["rule_files"]


def test_every_file_that_the_readme_copies_or_imports_is_in_the_checkout() -> None:
    named = re.findall(r"(?<![\w./-])(?:grafana|prometheus)/[\w./-]+", README.read_text(encoding="utf-8"))
    assert {"grafana/dashboards/asterisk-pbx.json", "prometheus/prometheus.yml", "prometheus/rules"} <= set(named)
    assert [path for path in named if not (REPO / path.rstrip(".")).exists()] == []


def test_scrape_config_names_the_default_port() -> None:
    (block,) = [block for block in blocks_of(README) if block.language == "yaml"]
    (job,) = yaml.safe_load(block.text)["scrape_configs"]
    assert job["static_configs"][0]["targets"][0].endswith(":15038")
