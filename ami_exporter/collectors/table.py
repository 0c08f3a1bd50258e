"""Label sets that one poll builds up: never many more than will be served, however long the list is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container
from heapq import nsmallest
from operator import add
from typing import Final, Protocol

from ami_exporter.collectors.declarations import Metric, Reduce

Key = tuple[str, ...]

SPARE: Final = 4
"""A table may hold so many times what will be served before it is cut back: sorting then costs little per item."""

REDUCE: Final[dict[str, Callable[[float, float], float]]] = {
    "sum": add,
    "max": max,
    "min": min,
    "last": lambda _a, b: b,
}


class SeriesBounds(Protocol):
    """What will be served in the end, as the writer decides it."""

    @property
    def limit(self) -> int:
        """Label sets of one metric, as configured."""

    def served(self, metric: Metric) -> Collection[Key]:
        """Label sets that were served before and so come first."""

    def keep(self, metric: Metric, values: dict[Key, float]) -> dict[Key, float]:
        """Those label sets of the values that would be served; the others count as dropped."""

    def refuse(self, metric: Metric, labels: Key) -> None:
        """Count a label set that will not be served, unless a filter would have left it out anyway."""


class Table:
    """Values of one metric from one list, by label set.

    What it gives up would not be served: so many smaller label sets are there already, and only more can come. A label
    set that comes back after it was given up counts as dropped again.
    """

    __slots__ = ("_bounds", "_cap", "_ceiling", "_metric", "_reduce", "_served", "values")

    def __init__(self, metric: Metric, reduce: Reduce, bounds: SeriesBounds | None = None) -> None:
        self.values: dict[Key, float] = {}
        self._metric = metric
        self._reduce = REDUCE[reduce]
        self._bounds = bounds
        self._cap = metric.cap(bounds.limit) if bounds is not None else 0
        self._served: Container[Key] = ()  # groups
        self._ceiling: Key | None = None  # no group beyond it will be served, unless it was before

    def add(self, labels: Key, value: float) -> None:
        """Reduce a value into its label set."""
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

    def _is_beyond(self, group: Key, ceiling: Key) -> bool:
        return group > ceiling and group not in self._served

    def _cut(self, bounds: SeriesBounds) -> None:
        kept = bounds.keep(self._metric, self.values)
        self.values = kept
        if len(kept) + self._metric.group_size > self._cap:
            self._ceiling = max(map(self._metric.group, kept))
            self._served = frozenset(map(self._metric.group, bounds.served(self._metric)))


def first(named: set[Key], limit: int) -> set[Key]:
    """Cut a set of label values back to the first in sorted order once it has grown far beyond the limit."""
    return set(nsmallest(limit, named)) if len(named) > SPARE * limit else named
