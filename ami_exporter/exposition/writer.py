"""Polled samples become families: arity and duplicates are checked here, caps and filters apply."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ami_exporter.collectors.declarations import LabelSet, Metric, Sample
from ami_exporter.exposition.caps import Caps, everything, kept


@dataclass(slots=True)
class HistogramValue:
    """Cumulative state of one histogram child: per-bucket counts (not cumulated), sum and count."""

    counts: list[int]
    sum: float = 0.0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its label sets, ready for exposition. Order of series is sorted by labels."""

    metric: Metric
    values: dict[LabelSet, float] = field(default_factory=dict)
    histograms: dict[LabelSet, HistogramValue] = field(default_factory=dict)


class SampleError(Exception):
    """A collector produced what no family may hold: wrong number of labels, or the same label set twice."""


class Writer:
    """Turns polled samples into families, remembering which label sets were served so that caps do not flap."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._served: dict[Metric, Collection[LabelSet]] = {}

    @property
    def limit(self) -> int:
        """Label sets of one metric that are served."""
        return self._caps.limit

    def served(self, metric: Metric) -> Collection[LabelSet]:
        """Label sets of the last poll's end: they come first in the next."""
        return self._served.get(metric, ())

    def refuse(self, metric: Metric, labels: LabelSet) -> None:
        """Count a label set beyond the cap, unless include and exclude leave it out anyway."""
        if self._caps.allowed(metric, labels):
            self._caps.dropped(metric, labels)

    def families(
        self, samples: Iterable[Sample], told: Iterable[tuple[Metric, Mapping[LabelSet, float]]] = ()
    ) -> list[Family]:
        """Families of one collector's samples, and of metrics told whole. Raises SampleError when it is wrong."""
        allowed = self._caps.allowed
        found: dict[Metric, dict[LabelSet, float]] = {}
        for metric, label_sets in told:
            if not {len(metric.labels)}.issuperset(map(len, label_sets)):
                raise _wrong_number(metric, next(one for one in label_sets if len(one) != len(metric.labels)))
            found[metric] = dict(label_sets)
            if allowed is not everything:
                found[metric] = {labels: value for labels, value in label_sets.items() if allowed(metric, labels)}
        last: Metric | None = None
        values: dict[LabelSet, float] = {}
        for metric, labels, value in samples:
            if metric is not last:  # a metric's samples mostly come one after the other
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
        """Pick the label sets that the filters and the cap let through: served ones come first."""
        return kept(metric, values, self.served(metric), self._caps)

    def _capped(self, metric: Metric, values: dict[LabelSet, float]) -> dict[LabelSet, float]:
        if len(values) > metric.cap(self._caps.limit) or metric.limits:
            values = self.keep(metric, values)
        self._served[metric] = values.keys()
        return values


def _wrong_number(metric: Metric, labels: LabelSet) -> SampleError:
    return SampleError(f"{metric.name}: {len(labels)} label values for the labels {metric.labels}")
