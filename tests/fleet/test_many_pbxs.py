"""Fifty simulated PBXs, two real ones, one that hangs and one that refuses, scraped by a real Prometheus."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.exporter_process import ExporterProcess
from tests.support.fleet import PASSWORD, SIMULATED, USER, Client, Fleet, make_fleet, watching
from tests.support.planted import AMI_SECRETS
from tests.support.prometheus_server import PrometheusServer, prometheus_server

pytestmark = pytest.mark.slow

TARGETS = SIMULATED + 4
DOWN = {"hanging", "refusing"}
# The target's timeout: how long the one that hangs may take, and none of the others.
TIMEOUT = 1.5
PROMETHEUS = """
global: {{scrape_interval: 3s, scrape_timeout: 3s}}
scrape_configs:
  - job_name: asterisk
    scheme: https
    metrics_path: /probe
    tls_config: &tls {{ca_file: {ca}, server_name: localhost}}
    basic_auth: &auth {{username: {user}, password_file: password}}
    http_sd_configs:
      - {{url: "https://localhost:{port}/sd", tls_config: *tls, basic_auth: *auth, refresh_interval: 1s}}
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__address__], target_label: instance}}
      - {{target_label: __address__, replacement: "localhost:{port}"}}
"""


@dataclass(frozen=True)
class Watched:
    """All of it, running."""

    fleet: Fleet
    exporter: ExporterProcess
    prometheus: PrometheusServer


@pytest.fixture(scope="module")
def real_pbxs(
    asterisk_roots: dict[int, AsteriskRoot], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[AsteriskServer]]:
    """An Asterisk 22 and an Asterisk 16."""
    servers = [AsteriskServer(asterisk_roots[major], tmp_path_factory.mktemp(f"pbx{major}")) for major in (22, 16)]
    try:
        for server in servers:
            server.start()
        for server in servers:
            server.wait_booted()
        yield servers
    finally:
        for server in servers:
            server.kill()


@pytest.fixture(scope="module")
def watched(
    real_pbxs: list[AsteriskServer], prometheus_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """The fleet, watched for some scrapes of each target."""
    folder = tmp_path_factory.mktemp("fleet")
    with make_fleet(folder / "exporter") as fleet:
        for server in real_pbxs:
            fleet.targets[f"real{server.major}"] = {
                "address": f"127.0.0.1:{server.ami_port}",
                "username": "events",
                "secret": AMI_SECRETS["events"],
                "labels": {"site": "real"},
            }
        fleet.write()
        with watching(fleet) as running:
            config = PROMETHEUS.format(ca=fleet.ca_file, port=running.port, user=USER)
            (folder / "prometheus").mkdir()
            (folder / "prometheus" / "password").write_text(PASSWORD)
            with prometheus_server(prometheus_program, folder / "prometheus", config) as prometheus:
                wait_until(
                    lambda: len(prometheus.query("count_over_time(up[1m]) >= 4")) == TARGETS,
                    60,
                    "four scrapes of each target",
                )
                yield Watched(fleet, running, prometheus)


def instances(watched: Watched, expression: str) -> set[str]:
    return {series["metric"]["instance"] for series in watched.prometheus.query(expression)}


def test_prometheus_finds_all_targets_and_loses_no_scrape_of_any(watched: Watched) -> None:
    assert {target["labels"]["instance"] for target in watched.prometheus.targets()} == set(watched.fleet.targets)
    assert instances(watched, "min_over_time(up[1m]) == 1") == set(watched.fleet.targets)


def test_all_but_the_two_are_up_with_every_collector(watched: Watched) -> None:
    assert instances(watched, "asterisk_up == 0") == DOWN
    assert instances(watched, "min_over_time(asterisk_up[1m]) == 1") == set(watched.fleet.targets) - DOWN
    assert instances(watched, "min_over_time(asterisk_scrape_collector_success[1m]) == 0") == DOWN


def test_the_pbx_that_hangs_delays_its_own_scrape_only(watched: Watched) -> None:
    # Some scrapes join a poll that the event link has begun before, and wait for the rest of its time.
    longest = watched.prometheus.value('max_over_time(scrape_duration_seconds{instance="hanging"}[1m])')
    assert longest >= 0.5 * TIMEOUT
    # On average: a busy machine holds up one scrape or another, and the one that hangs would hold up all of them.
    others = 'max(avg_over_time(scrape_duration_seconds{instance!="hanging"}[1m]))'
    assert watched.prometheus.value(others) < TIMEOUT


def test_each_pbx_has_its_own_figures_and_the_labels_of_the_configuration(watched: Watched) -> None:
    versions = {
        series["metric"]["instance"]: series["metric"]["version"].split(".")[0]
        for series in watched.prometheus.query('asterisk_info{instance=~"real.+"}')
    }
    assert versions == {"real22": "22", "real16": "16"}
    sites = {
        series["metric"]["site"]: float(series["value"][1])
        for series in watched.prometheus.query('count by (site) (asterisk_up{site!=""})')
    }
    assert sites == {"berlin": 17, "riga": 17, "porto": 16, "real": 2}


def test_the_exporters_own_metrics_are_not_in_the_probes(watched: Watched) -> None:
    assert watched.prometheus.query("process_cpu_seconds_total") == []
    own = Client(watched.fleet, watched.exporter.port).get("/metrics")
    assert own.value("ami_exporter_config_last_reload_successful") == 1
    assert own.value("asterisk_up") is None


def test_one_line_of_log_for_each_change_of_state_and_none_for_a_scrape(watched: Watched) -> None:
    wait_until(
        lambda: watched.prometheus.value('min(count_over_time(up{instance=~"hanging|refusing"}[1m]))') >= 6,
        30,
        "some more scrapes",
    )
    by_target = {
        name: [line for line in watched.exporter.lines if f"target={name} " in f"{line} "]
        for name in watched.fleet.targets
    }
    # Two links each, and each tells once that it connected. Where the first cannot, the second is not tried.
    expected = {name: 1 if name in DOWN else 2 for name in by_target}
    assert {name: len(lines) for name, lines in by_target.items()} == expected
    assert {word for line in itertools.chain(*by_target.values()) for word in line.split() if "level=" in word} == {
        "level=info",
        "level=warning",
    }
