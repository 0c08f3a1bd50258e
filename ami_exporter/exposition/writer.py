"""The one place where samples become families: arity, duplicates, caps and filters are decided here.

Caps count label sets per metric and target, never totals: label sets that differ only in closed labels (the states of a
queue's members) are served together or not at all, and metrics without open labels whatever the cap. Polls keep what is
already served, then the first in sorted order; what is refused is counted, never silently lost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ami_exporter.collectors.declarations import Metric, Sample

Key = tuple[str, ...]


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
    values: dict[Key, float] = field(default_factory=dict)
    histograms: dict[Key, HistogramValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caps:
    """What bounds a target's series. limit: label sets of one metric.

    dropped is told of each label set that the limit refuses; allowed says what include and exclude let through.
    """

    limit: int
    dropped: Callable[[Metric, Key], None]
    allowed: Callable[[Metric, Key], bool]


def everything(_metric: Metric, _labels: Key) -> bool:
    """Caps.allowed where no filter is configured: thousands of label sets a scrape need not be looked at."""
    return True


class LabelLimits:
    """The values that one metric's limited labels have so far."""

    def __init__(self, metric: Metric, held: Iterable[Key] = ()) -> None:
        places = [(metric.labels.index(label), limit) for label, limit in metric.limits.items()]
        held = list(held) if places else []
        self._values = [(at, limit, {labels[at] for labels in held}) for at, limit in places]

    def admit(self, labels: Key) -> bool:
        """Whether no label gets a value too many; what is admitted counts from now on."""
        if any(labels[at] not in values and len(values) >= limit for at, limit, values in self._values):
            return False
        for at, _, values in self._values:
            values.add(labels[at])
        return True


class SampleError(Exception):
    """A collector produced what no family may hold: wrong number of labels, or the same label set twice."""


class Writer:
    """Turns polled samples into families, remembering which label sets were served so that caps do not flap."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._served: dict[Metric, Collection[Key]] = {}

    @property
    def limit(self) -> int:
        """Label sets of one metric that are served."""
        return self._caps.limit

    def served(self, metric: Metric) -> Collection[Key]:
        """Label sets of the last poll's end: they come first in the next."""
        return self._served.get(metric, ())

    def refuse(self, metric: Metric, labels: Key) -> None:
        """Count a label set beyond the cap, unless include and exclude leave it out anyway."""
        if self._caps.allowed(metric, labels):
            self._caps.dropped(metric, labels)

    def families(
        self, samples: Iterable[Sample], told: Iterable[tuple[Metric, Mapping[Key, float]]] = ()
    ) -> list[Family]:
        """Families of one collector's samples, and of metrics told whole. Raises SampleError when it is wrong."""
        allowed = self._caps.allowed
        found: dict[Metric, dict[Key, float]] = {}
        for metric, label_sets in told:
            if not {len(metric.labels)}.issuperset(map(len, label_sets)):
                raise _wrong_number(metric, next(one for one in label_sets if len(one) != len(metric.labels)))
            found[metric] = dict(label_sets)
            if allowed is not everything:
                found[metric] = {labels: value for labels, value in label_sets.items() if allowed(metric, labels)}
        last: Metric | None = None
        values: dict[Key, float] = {}
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

    def keep(self, metric: Metric, values: dict[Key, float]) -> dict[Key, float]:
        """Those label sets that the filters and the cap let through: served ones first, then in sorted order.

        Whole groups; the first is let through however large it is.
        """
        served = frozenset(map(metric.group, self.served(metric)))
        groups: dict[Key, list[Key]] = {}
        for labels in sorted(values):
            if self._caps.allowed(metric, labels):
                groups.setdefault(metric.group(labels), []).append(labels)
        limits, cap, full = LabelLimits(metric), metric.cap(self._caps.limit), False
        kept: dict[Key, float] = {}
        for group in sorted(groups, key=lambda group: (group not in served, group)):
            full = full or (len(kept) > 0 and len(kept) + len(groups[group]) > cap)
            for labels in groups[group]:
                if not full and limits.admit(labels):
                    kept[labels] = values[labels]
                else:
                    self._caps.dropped(metric, labels)
        return kept

    def _capped(self, metric: Metric, values: dict[Key, float]) -> dict[Key, float]:
        if len(values) > metric.cap(self._caps.limit) or metric.limits:
            values = self.keep(metric, values)
        self._served[metric] = values.keys()
        return values


def _wrong_number(metric: Metric, labels: Key) -> SampleError:
    return SampleError(f"{metric.name}: {len(labels)} label values for the labels {metric.labels}")
