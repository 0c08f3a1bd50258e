"""Turns polled samples into families: checks label counts and duplicates, applies caps and filters."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from ami_exporter.collectors.declarations import LabelSet, Metric, Sample
from ami_exporter.exposition.caps import Caps, everything, kept


@dataclass(slots=True)
class HistogramValue:
    """Accumulated values of one histogram child: a count per bucket (not cumulative), sum and count."""

    counts: list[int]
    sum: float = 0.0
    count: int = 0


@dataclass(slots=True)  # frozen, each of a hundred families a scrape takes twice as long to make
class Family:
    """A metric with its label sets, ready for exposition, which sorts the series by labels."""

    metric: Metric
    values: dict[LabelSet, float] = field(default_factory=dict)
    histograms: dict[LabelSet, HistogramValue] = field(default_factory=dict)


class SampleError(Exception):
    """A collector produced an invalid sample: a wrong number of labels, or the same label set twice."""


class Writer:
    """Turns polled samples into families. Remembers the label sets it served, so that series do not flap at the cap."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._served: dict[Metric, Collection[LabelSet]] = {}

    @property
    def limit(self) -> int:
        """Maximum label sets per metric."""
        return self._caps.limit

    def served(self, metric: Metric) -> Collection[LabelSet]:
        """Label sets that the last poll served; they come first in the next one."""
        return self._served.get(metric, ())

    def refuse(self, metric: Metric, labels: LabelSet) -> None:
        """Count a label set as dropped, unless include or exclude filters it out anyway."""
        if self._caps.allowed(metric, labels):
            self._caps.dropped(metric, labels)

    def families(
        self, samples: Iterable[Sample], whole: Iterable[tuple[Metric, dict[LabelSet, float]]] = ()
    ) -> list[Family]:
        """Return families from one collector's samples, and from `whole`, metrics with all label sets.

        They take over the values of `whole`. Raises SampleError.
        """
        allowed = self._caps.allowed
        found: dict[Metric, dict[LabelSet, float]] = {}
        for metric, label_sets in whole:
            if not {len(metric.labels)}.issuperset(map(len, label_sets)):
                raise _wrong_number(metric, next(one for one in label_sets if len(one) != len(metric.labels)))
            found[metric] = label_sets
            if allowed is not everything:
                found[metric] = {labels: value for labels, value in label_sets.items() if allowed(metric, labels)}
        last: Metric | None = None
        values: dict[LabelSet, float] = {}
        for metric, labels, value in samples:
            if metric is not last:  # samples of a metric usually follow each other
                last, values = metric, found.setdefault(metric, {})
            if len(labels) != len(metric.labels):
                raise _wrong_number(metric, labels)
            if allowed is not everything and not allowed(metric, labels):
                continue
            if labels in values:
                raise SampleError(f"{metric.name}: the label set {labels} came twice")
            values[labels] = value
        return [Family(metric, self._capped(metric, values)) for metric, values in found.items() if values]

    def keep(self, metric: Metric, values: dict[LabelSet, float]) -> dict[LabelSet, float]:
        """Keep the label sets that the filters and the cap allow; already served ones come first."""
        return kept(metric, values, self.served(metric), self._caps)

    def _capped(self, metric: Metric, values: dict[LabelSet, float]) -> dict[LabelSet, float]:
        if len(values) > metric.cap(self._caps.limit) or metric.limits:
            values = self.keep(metric, values)
        self._served[metric] = values.keys()
        return values


def _wrong_number(metric: Metric, labels: LabelSet) -> SampleError:
    return SampleError(f"{metric.name}: {len(labels)} label values for the labels {metric.labels}")
