#!/usr/bin/env python3
"""Make all Kubernetes manifests from this folder, prometheus/rules and grafana/dashboards: build.py OUT.

Rules and boards live once in the repository; here they become a PrometheusRule and a ConfigMap a board (together they
would pass the limit of 1 MiB), which Grafana's sidecar finds by the label grafana_dashboard.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
LABELS = {"app.kubernetes.io/name": "ami-exporter"}


def rule() -> dict[str, object]:
    """All alerts and recording rules, without the optional ones."""
    groups = [
        group
        for file in sorted((TOP / "prometheus/rules").glob("*.yml"))
        for group in yaml.safe_load(file.read_text())["groups"]
    ]
    return _object("monitoring.coreos.com/v1", "PrometheusRule", "ami-exporter", LABELS) | {"spec": {"groups": groups}}


def dashboards() -> list[dict[str, object]]:
    """A ConfigMap for each board."""
    return [
        _object("v1", "ConfigMap", f"ami-exporter-{file.stem}", LABELS | {"grafana_dashboard": "1"})
        | {"data": {file.name: file.read_text()}}
        for file in sorted((TOP / "grafana/dashboards").glob("*.json"))
    ]


def build(out: Path) -> None:
    """Write everything into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    for file in sorted(HERE.glob("*.yml")):
        shutil.copy(file, out / file.name)
    _write(out / "rules.yml", [rule()])
    _write(out / "dashboards.yml", dashboards())


def _object(version: str, kind: str, name: str, labels: dict[str, str]) -> dict[str, object]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": dict(labels)}}


def _write(path: Path, documents: Iterable[object]) -> None:
    path.write_text(yaml.safe_dump_all(documents, sort_keys=False, width=120, allow_unicode=True))


if __name__ == "__main__":
    build(Path(sys.argv[1]))
