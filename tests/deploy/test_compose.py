"""compose.yml without Docker: every file it mounts is there, and each program takes what it is given."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ami_exporter.commands.loading import catalogue
from ami_exporter.commands.options import parse
from ami_exporter.config.load import load_file


@pytest.fixture
def services(repository: Path) -> dict[str, dict[str, Any]]:
    """The services by name."""
    document = yaml.safe_load((repository / "deploy/compose.yml").read_text())
    assert set(document) == {"services", "volumes"}
    found: dict[str, dict[str, Any]] = document["services"]
    return found


def mounts(repository: Path, service: dict[str, Any]) -> dict[str, Path]:
    """Path in the container → path in the checkout; named volumes left out."""
    found = {}
    for volume in service["volumes"]:
        source, target, *_ = volume.split(":")
        if "/" in source:
            found[target] = Path(os.path.normpath(repository / "deploy" / source))
    return found


def test_everything_mounted_is_in_the_checkout(repository: Path, services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == {"exporter", "prometheus", "grafana"}
    missing = [path for one in services.values() for path in mounts(repository, one).values() if not path.exists()]
    assert missing == []
    assert (repository / "deploy" / services["exporter"]["build"]["context"] / "Dockerfile").exists()


def test_the_exporter_shows_its_simulated_pbx_or_what_is_configured(
    repository: Path, services: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    assert services["exporter"]["command"] == "${ARGS:-demo}"
    assert parse(["demo"], {}).command == "demo"
    assert parse(["--config.file=/etc/ami-exporter/config.yml"], {}).command == "serve"
    shutil.copytree(mounts(repository, services["exporter"])["/etc/ami-exporter"], tmp_path / "pbx")
    (tmp_path / "pbx" / "secret").write_text("a-secret")
    assert list(load_file(str(tmp_path / "pbx" / "config.yml"), catalogue({})).targets) == ["pbx"]


def test_prometheus_takes_its_configuration_and_rules_as_mounted(
    repository: Path, services: dict[str, dict[str, Any]], promtool: Path, tmp_path: Path
) -> None:
    etc = tmp_path / "prometheus"
    etc.mkdir()
    for target, source in mounts(repository, services["prometheus"]).items():
        copy = etc / Path(target).relative_to("/etc/prometheus")
        if source.is_dir():
            shutil.copytree(source, copy)
        else:
            shutil.copy(source, copy)
    done = subprocess.run(
        [promtool, "check", "config", etc / "prometheus.yml"], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "rules found" in done.stdout
    (job,) = yaml.safe_load((etc / "prometheus.yml").read_text())["scrape_configs"]
    assert job["static_configs"][0]["targets"] == ["exporter:15038"]


def test_grafana_finds_its_source_and_its_boards(repository: Path, services: dict[str, dict[str, Any]]) -> None:
    grafana = mounts(repository, services["grafana"])
    provisioning = grafana["/etc/grafana/provisioning"]
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    assert source["url"] == "${PROMETHEUS_URL}"
    assert services["grafana"]["environment"]["PROMETHEUS_URL"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((provisioning / "dashboards/asterisk.yml").read_text())["providers"]
    assert provider["options"]["path"] in grafana
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (grafana["/etc/grafana/dashboards"] / Path(home).name).exists()
