"""The metrics that exist: what the exporter declares, and the few that Prometheus and its client library add."""

from __future__ import annotations

from ami_exporter.collectors.registry import builtin
from ami_exporter.commands.loading import all_metrics
from tests.support.promql import Declared

PROMETHEUS = {
    "up": Declared("gauge"),
    "scrape_samples_scraped": Declared("gauge"),
    "ALERTS_FOR_STATE": Declared("gauge", frozenset({"alertname", "severity"})),
    "process_cpu_seconds_total": Declared("counter"),
    "process_resident_memory_bytes": Declared("gauge"),
}

HINTS = {"cause"}
"""Labels whose closed values are only the common ones; others appear when they are seen."""


def declared() -> dict[str, Declared]:
    """Every metric by name."""
    ours = {
        metric.name: Declared(
            metric.type,
            frozenset(metric.labels),
            {label: words for label, words in metric.closed.items() if label not in HINTS},
            metric.buckets,
        )
        for metric in all_metrics(builtin())
    }
    return ours | PROMETHEUS
