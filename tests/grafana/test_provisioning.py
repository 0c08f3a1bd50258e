"""Provisioning files: Grafana finds the data source the boards choose by default, and the folder of the boards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "grafana" / "provisioning"


def load(name: str) -> dict[str, Any]:
    """One provisioning file."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


def test_the_data_source_is_a_default_prometheus_whose_address_comes_from_the_environment() -> None:
    config = load("datasources/prometheus.yml")
    assert config["apiVersion"] == 1
    (source,) = config["datasources"]
    assert (source["type"], source["isDefault"], source["url"]) == ("prometheus", True, "${PROMETHEUS_URL}")
    assert source["jsonData"]["timeInterval"] == "15s"


def test_the_data_source_knows_the_scrape_interval_of_the_example_configurations() -> None:
    (source,) = load("datasources/prometheus.yml")["datasources"]
    for name in ("prometheus.yml", "prometheus-fleet.yml"):
        text = (FOLDER.parents[1] / "prometheus" / name).read_text(encoding="utf-8")
        assert yaml.safe_load(text)["global"]["scrape_interval"] == source["jsonData"]["timeInterval"]


def test_boards_come_from_a_folder_and_cannot_be_changed_in_the_browser() -> None:
    config = load("dashboards/asterisk.yml")
    assert config["apiVersion"] == 1
    (provider,) = config["providers"]
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)
