"""The metrics that exist: what the exporter declares, and the few that Prometheus and its client library add."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.promql import Declared

PROMETHEUS = {
    "up": Declared("gauge"),
    "scrape_samples_scraped": Declared("gauge"),
    "process_cpu_seconds_total": Declared("counter"),
    "process_resident_memory_bytes": Declared("gauge"),
}


def declared() -> dict[str, Declared]:
    """Every metric by name."""
    path = Path(__file__).parents[1] / "grafana" / "catalogue.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    ours = {
        name: Declared(entry["type"], frozenset(entry["labels"]), {k: tuple(v) for k, v in entry["closed"].items()})
        for name, entry in entries.items()
    }
    return ours | PROMETHEUS
