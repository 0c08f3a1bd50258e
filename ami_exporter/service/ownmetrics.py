"""What `/metrics` says of the exporter itself: build, configuration, process, Python."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from functools import lru_cache

from prometheus_client import GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CollectorRegistry
from prometheus_client.core import Metric as LibraryMetric

from ami_exporter import __version__
from ami_exporter.collectors.declarations import Metric, Origin
from ami_exporter.exposition.own_metrics import BUILD_INFO, RELOAD_SUCCESSFUL, RELOAD_TIMESTAMP
from ami_exporter.exposition.writer import Family

LIBRARY_METRICS = 100
"""prometheus_client's collectors have about fifteen."""


class OwnMetrics:
    """The exporter's own families; process and Python ones come from prometheus_client's collectors."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._library = (
            ProcessCollector(registry=registry),
            PlatformCollector(registry=registry),
            GCCollector(registry=registry),
        )

    def families(self, *, reload_ok: bool, loaded: float) -> list[Family]:
        """All of it; loaded is the Unix time of the last good load."""
        return [
            Family(BUILD_INFO, {(__version__, platform.python_version()): 1.0}),
            Family(RELOAD_SUCCESSFUL, {(): float(reload_ok)}),
            Family(RELOAD_TIMESTAMP, {(): loaded}),
            *(family for collector in self._library for family in from_library(collector.collect())),
        ]


def from_library(found: Iterable[LibraryMetric]) -> Iterator[Family]:
    """Turn prometheus_client's gauges and counters into families."""
    for theirs in found:
        if theirs.samples:
            kind: tuple[str, ...] = tuple(theirs.samples[0].labels)
            metric = _metric(theirs.name, theirs.documentation, kind, counts=theirs.type == "counter")
            yield Family(metric, {tuple(s.labels[label] for label in kind): float(s.value) for s in theirs.samples})


@lru_cache(LIBRARY_METRICS)
def _metric(name: str, text: str, labels: tuple[str, ...], *, counts: bool) -> Metric:
    """Return the same object for the same metric: what is remembered of a metric is remembered by the object."""
    return Metric(f"{name}_total" if counts else name, "counter" if counts else "gauge", text, labels, Origin.EXPORTER)
