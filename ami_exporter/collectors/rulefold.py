"""The generic fold: a collector's rows applied to the items of list answers, one message at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Metric, Reduce, Rule, Sample, ZeroSeries, one
from ami_exporter.collectors.table import SeriesBounds, Table, first

RESPONSE = ""
"""Row.items entry for the single response of an action without list (CoreSettings), which has no Event header."""

Key = tuple[str, ...]


class _Named:
    """The open label values that one Known has found."""

    __slots__ = ("known", "values")

    def __init__(self, known: ZeroSeries) -> None:
        self.known = known
        self.values: set[Key] = set()


class RuleFold:
    """Folds the rows and known labels of one collector for one poll.

    Rows of several actions may feed one metric when their label sets differ (SIP peers, IAX2 peers): each complete list
    is published, an incomplete one takes only its own label sets away. bounds: how many label sets a metric may have;
    None: any number.
    """

    def __init__(
        self, collector: Collector, sent: frozenset[Action], context: Context, bounds: SeriesBounds | None = None
    ) -> None:
        self._collector = collector
        self._context = context
        self._bounds = bounds
        self._rows: dict[tuple[Action, str], list[tuple[Rule, Table]]] = {}
        self._known: dict[tuple[Action, str], list[_Named]] = {}
        self._values: dict[Metric, dict[Action, Table]] = {}
        self._reduce: dict[Metric, Reduce] = {}
        self._counted: set[Metric] = set()
        self._named: dict[Metric, list[_Named]] = {}
        for row in collector.rules:
            if row.source is not None and row.source in sent:
                by_source = self._values.setdefault(row.metric, {})
                table = by_source.setdefault(row.source, Table(row.metric, row.reduce, bounds))
                self._reduce[row.metric] = row.reduce
                if row.reduce == "sum" or row.value is one:
                    self._counted.add(row.metric)
                for name in row.items:
                    self._rows.setdefault((row.source, name.lower()), []).append((row, table))
        for known in collector.zero_series:
            if known.source is not None and known.source in sent:
                named = _Named(known)
                for name in known.items:
                    self._known.setdefault((known.source, name.lower()), []).append(named)
                for metric in known.metrics:
                    self._named.setdefault(metric, []).append(named)

    def again(
        self, sent: frozenset[Action], context: Context, bounds: SeriesBounds | None, resting: frozenset[Action]
    ) -> RuleFold:
        """Return the next poll's fold: it knows what the resting lists told and waits for the items of the others."""
        fold = RuleFold(self._collector, sent, context, bounds)
        for metric, by_source in fold._values.items():
            told = self._values.get(metric, {})
            by_source.update({source: told[source] for source in by_source if source in resting and source in told})
        for kind, found in fold._known.items():
            if kind[0] in resting:
                for new, old in zip(found, self._known.get(kind, ()), strict=False):
                    new.values = old.values
        return fold

    @property
    def sources(self) -> frozenset[Action]:
        """Actions whose items are wanted."""
        return frozenset(action for action, _ in (*self._rows, *self._known))

    def item(self, action: Action, message: Message) -> None:
        """Apply every row that wants this item."""
        kind = (action, message.get("event", RESPONSE).lower())
        for row, table in self._rows.get(kind, ()):
            if row.where is not None and not row.where(message):
                continue
            labels = row.labels(message, self._context)
            if labels is None:
                continue
            value = row.value(message)
            if value is None:
                continue
            table.add(labels, value)
        for named in self._known.get(kind, ()):
            values = named.known.values(message, self._context)
            if values is not None:
                named.values.add(values)
                if self._bounds is not None:
                    named.values = first(named.values, self._bounds.limit)

    def finish(self, complete: frozenset[Action]) -> Iterable[Sample]:
        """Yield the metrics whose lists are complete, zeros of known label sets included."""
        for metric, by_source in self._values.items():
            doubtful = {labels for source, t in by_source.items() if source not in complete for labels in t.values}
            whole = Table(metric, self._reduce[metric])
            for source, table in by_source.items():
                if source in complete:
                    for labels, value in table.values.items():
                        whole.add(labels, value)
            merged = whole.values
            if metric in self._counted and complete & by_source.keys():
                for labels in self._zeros(metric, merged, alone=len(by_source) == 1):
                    merged.setdefault(labels, 0.0)
            for labels, value in merged.items():
                if labels not in doubtful:
                    yield metric, labels, value

    def named(self, complete: frozenset[Action]) -> Iterator[tuple[Metric, Key]]:
        """Open label values that complete lists named for event metrics."""
        for metric, found in self._named.items():
            if metric not in self._values:
                for named in found:
                    if named.known.source in complete:
                        yield from ((metric, values) for values in named.values)

    def _zeros(self, metric: Metric, values: dict[Key, float], *, alone: bool) -> Iterable[Key]:
        open_at = [i for i, label in enumerate(metric.labels) if label not in metric.closed]
        combinations = {tuple(labels[i] for i in open_at) for labels in values}
        combinations.update(*(named.values for named in self._named.get(metric, ())))
        if alone and metric.open_labels == ("technology",):
            combinations |= {(technology,) for technology in self._context.technologies}
        if not open_at:
            combinations.add(())
        return (labels for known in combinations for labels in expand(metric, known))


def expand(metric: Metric, open_values: Key) -> Iterator[Key]:
    """All label sets of a metric for given values of its open labels: the product over its closed labels."""
    remaining = iter(open_values)
    choices = [metric.closed[label] if label in metric.closed else (next(remaining),) for label in metric.labels]
    return product(*choices)
