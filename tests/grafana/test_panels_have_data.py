"""Every query of every panel returns data from a real Prometheus that scrapes the exporter on a living simulated PBX.

The PBX lives ten times as fast as a real one. The scenario adds what a healthy PBX does not show: a target with a
wrong password (a PBX that is down, with refused logins), one whose user may see little (actions not offered), one of
two phones and no provider (queues left alone, a trunk down), one that nothing listens at (connections that fail), one
behind TLS, a cap that drops series, trunk limits, opt-in collectors.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ami_exporter.demo import DemoSettings, SimulatedPbx, User
from tests.support.asterisk_server import free_port
from tests.support.dashboards import CHOSEN_ALL, every_panel, replaced
from tests.support.exporter_process import exporter
from tests.support.prometheus_server import PrometheusServer, prometheus_server
from tests.support.rules import RECORDED, ROOT
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.tls_files import write_server_certificate

pytestmark = pytest.mark.timeout(300)
RULES = ROOT / "prometheus" / "rules"

SECONDS = 200.0
"""How long data may take to appear: long enough for the rarest event of the simulated PBX, and rules of one minute."""

VALUES = {
    "$__rate_interval": "20s",
    "$__range_s": "300",
    "$__range": "5m",
    **CHOSEN_ALL,
    # A week ago this Prometheus did not run.
    "offset 1w": "offset 5s",
}
SUBQUERY = re.compile(r"\[[^]:]+:[^]]+\]")
"""Looks back over hours in steps of minutes; this Prometheus runs for a minute or two (test_look_back.py)."""

EXPORTER = """
defaults: {{address: "127.0.0.1:{port}", username: demo, secret: demo}}
targets:
  pbx1:
    trunks:
      - {{name: telco-a, match: PJSIP/telco-a, registration: telco-a, channel_limit: 30}}
      - {{name: telco-b, match: PJSIP/telco-b, registration: telco-b, channel_limit: 30}}
    names: {{queue: {{sales: Sales Berlin}}}}
    collectors:
      voicemail: {{enabled: true, min_interval: 5s}}
      taskprocessors: {{enabled: true}}
      queue_members: {{enabled: true}}
    command_user: {{username: demo_cli, secret: demo}}
    destinations: {{emergency: ["112"], international: ["00"], premium: ["0900"]}}
    dids: {{"6003": Service}}
    tenants: {{from: AccountCode, map: {{acme: Acme, globex: Globex}}}}
  wrong-password: {{secret: not-this}}
  unreachable: {{address: "127.0.0.1:{closed}"}}
  few-rights: {{username: few, secret: few, limits: {{series_per_metric: 5}}}}
  two-phones: {{address: "127.0.0.1:{small}"}}
  encrypted: {{address: "127.0.0.1:{encrypted}", tls: {{verify: false}}}}
"""

PROMETHEUS = """
global: {{scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 2s}}
rule_files: [{rules}/*.yml, {rules}/optional/*.yml]
scrape_configs:
  - job_name: asterisk
    metrics_path: /probe
    http_sd_configs: [{{url: "http://127.0.0.1:{port}/sd", refresh_interval: 1s}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__address__], target_label: instance}}
      - {{target_label: __address__, replacement: "127.0.0.1:{port}"}}
  - job_name: ami-exporter
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
  # Canary calls each half minute, which no configuration may ask for.
  - job_name: demo
    static_configs: [{{targets: ["127.0.0.1:{demo}"]}}]
"""


NONE_HERE = ("asterisk_endpoint_maintenance", "instance:ami_exporter_protocol_errors:rate5m")
"""The simulated PBX has no endpoint in maintenance mode (the list holds only those that are), and makes no errors."""


def queries() -> list[tuple[str, str]]:
    """(board: panel, expression with all variables filled in) of every query."""
    found = []
    for board, panel in every_panel():
        for target in panel["targets"]:
            expression = replaced(str(target["expr"]), VALUES)
            if any(name in expression for name in NONE_HERE) and " or " not in expression:
                continue
            found.append((f"{board['uid']}: {panel['title']}", SUBQUERY.sub("[5m:1s]", expression)))
    return found


@pytest.fixture(scope="module")
def prometheus(prometheus_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    folder = tmp_path_factory.mktemp("panels")
    write_server_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    few = User("few", "few", frozenset({"system"}), frozenset({"reporting"}))
    with (
        SimulatedPbx(DemoSettings(endpoints=40, speed=10), users=[few]) as pbx,
        SimulatedPbx(DemoSettings(endpoints=4, speed=10)) as small,
        ScriptedPbx(tls=context) as encrypted,
    ):
        # Nothing in the simulation heals the first provider.
        small.simulation.world.registrations[0].status = "Rejected"
        small.simulation.world.trunks[0].contacts[0].status = "Unreachable"
        config = folder / "ami-exporter.yml"
        ports = {"port": pbx.port, "small": small.port, "encrypted": encrypted.port, "closed": free_port("127.0.0.1")}
        config.write_text(EXPORTER.format(**ports), encoding="utf-8")
        with (
            exporter("--config.file", str(config)) as process,
            exporter("demo") as demo,
            prometheus_server(
                prometheus_program, folder, PROMETHEUS.format(port=process.port, demo=demo.port, rules=RULES)
            ) as server,
        ):
            yield server


def is_filled(result: list[dict[str, Any]]) -> bool:
    """Some series with a number in it."""
    return any(series["value"][1] != "NaN" for series in result)


def empty_after_waiting(server: PrometheusServer, wanted: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Ask until all have data or the time is over; answers those that never had."""
    deadline = time.monotonic() + SECONDS
    while wanted and time.monotonic() < deadline:
        wanted = [(name, expression) for name, expression in wanted if not is_filled(server.query(expression))]
        time.sleep(0.5)
    return wanted


def test_every_query_of_every_panel_returns_data(prometheus: PrometheusServer) -> None:
    wanted = queries()
    assert len(wanted) > 100
    assert empty_after_waiting(prometheus, wanted) == []


@pytest.mark.parametrize("title", ["CPU", "Memory", "Version"])
def test_the_exporters_process_is_shown_when_only_pbxs_are_chosen(prometheus: PrometheusServer, title: str) -> None:
    """Prometheus scrapes it as a target of its own, of another job than the PBXs."""
    (panel,) = (one for board, one in every_panel() if (board["uid"], one["title"]) == ("asterisk-exporter", title))
    expression = replaced(panel["targets"][0]["expr"], VALUES | {"$job": "asterisk", "$instance": "pbx1"})
    assert empty_after_waiting(prometheus, [(title, expression)]) == []
    labels = [series["metric"] for series in prometheus.query(expression)]
    assert [one for one in labels if "unknown" in one.values()] == []


def test_every_recording_rule_records(prometheus: PrometheusServer) -> None:
    assert empty_after_waiting(prometheus, [(rule.file, rule.name) for rule in RECORDED]) == []


def test_prometheus_evaluates_every_rule_without_error(prometheus: PrometheusServer) -> None:
    rules = [rule for group in prometheus.rules() for rule in group["rules"]]
    assert len(rules) > len(RECORDED)
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] == "err"] == []


def test_the_reader_of_results_tells_numbers_from_nothing() -> None:
    assert is_filled([{"value": [0, "NaN"]}, {"value": [0, "0"]}])
    assert not is_filled([{"value": [0, "NaN"]}])
    assert not is_filled([])
