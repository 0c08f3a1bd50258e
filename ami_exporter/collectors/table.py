"""Label sets of one poll, bounded by the number that will be served, however long the list is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container
from heapq import nsmallest
from operator import add
from typing import Final, Protocol

from ami_exporter.collectors.declarations import LabelSet, Metric, Reduce

SPARE: Final = 4
"""A table may hold so many times the served label sets before it is cut, so that sorting costs little per item."""

REDUCE: Final[dict[str, Callable[[float, float], float]]] = {
    "sum": add,
    "max": max,
    "min": min,
    "last": lambda _a, b: b,
}


class SeriesBounds(Protocol):
    """The writer's decision on which label sets are served."""

    @property
    def limit(self) -> int:
        """Label sets of one metric, as configured."""

    def served(self, metric: Metric) -> Collection[LabelSet]:
        """Return the label sets that were served before, which come first."""

    def keep(self, metric: Metric, values: dict[LabelSet, float]) -> dict[LabelSet, float]:
        """Return the label sets that would be served; the others count as dropped."""

    def refuse(self, metric: Metric, labels: LabelSet) -> None:
        """Count a label set that will not be served, unless a filter leaves it out anyway."""


class Table:
    """Values of one metric from one list, by label set.

    It drops label sets that cannot be served because enough smaller ones exist. A dropped label set that comes again
    counts as dropped again.
    """

    __slots__ = ("_bounds", "_cap", "_ceiling", "_metric", "_reduce", "_served", "values")

    def __init__(self, metric: Metric, reduce: Reduce, bounds: SeriesBounds | None = None) -> None:
        self.values: dict[LabelSet, float] = {}
        self._metric = metric
        self._reduce = REDUCE[reduce]
        self._bounds = bounds
        self._cap = metric.cap(bounds.limit) if bounds is not None else 0
        self._served: Container[LabelSet] = ()  # groups
        self._ceiling: LabelSet | None = None  # groups beyond it are not served, unless they were before

    def add(self, labels: LabelSet, value: float) -> None:
        """Add a value to its label set."""
        values = self.values
        if labels in values:
            values[labels] = self._reduce(values[labels], value)
        elif self._bounds is None:
            values[labels] = value
        elif self._ceiling is not None and self._is_beyond(self._metric.group(labels), self._ceiling):
            self._bounds.refuse(self._metric, labels)
        else:
            values[labels] = value
            if len(values) > SPARE * self._cap:
                self._cut(self._bounds)

    def _is_beyond(self, group: LabelSet, ceiling: LabelSet) -> bool:
        return group > ceiling and group not in self._served

    def _cut(self, bounds: SeriesBounds) -> None:
        kept = bounds.keep(self._metric, self.values)
        self.values = kept
        if len(kept) + self._metric.group_size > self._cap:
            self._ceiling = max(map(self._metric.group, kept))
            self._served = frozenset(map(self._metric.group, bounds.served(self._metric)))


def first(named: set[LabelSet], limit: int) -> set[LabelSet]:
    """Cut a set far beyond the limit to its first label values in sorted order."""
    return set(nsmallest(limit, named)) if len(named) > SPARE * limit else named
