"""Which label sets of a metric are served where it may have more than the configuration allows.

Caps count label sets per metric and target, never totals: label sets that differ only in closed labels (the states of a
queue's members) are served together or not at all, and metrics without open labels whatever the cap. Polls keep what is
already served, then the first in sorted order; events keep the first seen. What is refused is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from ami_exporter.collectors.declarations import LabelSet, Metric

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Caps:
    """What bounds a target's series. limit: label sets of one metric.

    dropped is told of each label set that the limit refuses; allowed says what include and exclude let through.
    """

    limit: int
    dropped: Callable[[Metric, LabelSet], None]
    allowed: Callable[[Metric, LabelSet], bool]


def everything(_metric: Metric, _labels: LabelSet) -> bool:
    """Caps.allowed where no filter is configured: thousands of label sets a scrape need not be looked at."""
    return True


class LabelLimits:
    """The values that one metric's limited labels have so far."""

    def __init__(self, metric: Metric, held: Iterable[LabelSet] = ()) -> None:
        places = [(metric.labels.index(label), limit) for label, limit in metric.limits.items()]
        held = list(held) if places else []
        self._values = [(at, limit, {labels[at] for labels in held}) for at, limit in places]

    def admit(self, labels: LabelSet) -> bool:
        """Whether no label gets a value too many; what is admitted counts from now on."""
        if any(labels[at] not in values and len(values) >= limit for at, limit, values in self._values):
            return False
        for at, _, values in self._values:
            values.add(labels[at])
        return True


def kept(metric: Metric, values: Mapping[LabelSet, V], served: Collection[LabelSet], caps: Caps) -> dict[LabelSet, V]:
    """Pick a poll's label sets: groups that were served before, then others in sorted order.

    The first group is let through however large it is.
    """
    before = frozenset(map(metric.group, served))
    groups: dict[LabelSet, list[LabelSet]] = {}
    for labels in sorted(values):
        if caps.allowed(metric, labels):
            groups.setdefault(metric.group(labels), []).append(labels)
    limits, cap, full = LabelLimits(metric), metric.cap(caps.limit), False
    picked: dict[LabelSet, V] = {}
    for group in sorted(groups, key=lambda group: (group not in before, group)):
        full = full or (len(picked) > 0 and len(picked) + len(groups[group]) > cap)
        for labels in groups[group]:
            if not full and limits.admit(labels):
                picked[labels] = values[labels]
            else:
                caps.dropped(metric, labels)
    return picked


class Admission:
    """Which label sets of one metric of events are let in: the first seen."""

    def __init__(self, metric: Metric, held: Collection[LabelSet], caps: Caps) -> None:
        self._metric = metric
        self._caps = caps
        self._count = len(held)
        self._limits = LabelLimits(metric, held)
        self._size = metric.group_size
        self._groups = {metric.group(labels) for labels in held} if self._size > 1 else set()

    def admit(self, labels: LabelSet) -> bool:
        """Whether a new label set may exist; one that may counts from now on."""
        if not self._caps.allowed(self._metric, labels):
            return False
        group = self._metric.group(labels)
        if self._fits(group) and self._limits.admit(labels):
            if self._size > 1:
                self._groups.add(group)
            self._count += 1
            return True
        self._caps.dropped(self._metric, labels)
        return False

    def _fits(self, group: LabelSet) -> bool:
        if self._size == 1:
            return self._count < self._metric.cap(self._caps.limit)
        if not self._groups or group in self._groups:
            return True  # a rare cause: of closed labels there are only so many values
        return max(self._count, len(self._groups) * self._size) + self._size <= self._caps.limit
