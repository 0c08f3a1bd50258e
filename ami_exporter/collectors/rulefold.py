"""The generic fold: a collector's rules applied to the items of list answers, one message at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import NamedTuple

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import (
    Collector,
    Context,
    Metric,
    Read,
    Reduce,
    Rule,
    Sample,
    ZeroSeries,
    one,
)
from ami_exporter.collectors.table import SeriesBounds, Table, first

RESPONSE = ""
"""Row.items entry for the single response of an action without list (CoreSettings), which has no Event header."""

Key = tuple[str, ...]


class _Named:
    """The open label values that one ZeroSeries has found."""

    __slots__ = ("known", "values")

    def __init__(self, known: ZeroSeries) -> None:
        self.known = known
        self.values: set[Key] = set()


class _Wants(NamedTuple):
    """Everything that wants one kind of item. read: rules for the items that a reader makes of it."""

    rules: list[tuple[Rule, Table]]
    named: list[_Named]
    read: dict[Read, list[tuple[Rule, Table]]]


class RuleFold:
    """Folds the rules and zero series of one collector for one poll.

    Rules of several actions may feed one metric when their label sets differ (SIP and IAX2 peers): each complete list
    is published, an incomplete one takes only its own label sets away. bounds: how many label sets a metric may have;
    None: any number.
    """

    def __init__(
        self, collector: Collector, sent: frozenset[Action], context: Context, bounds: SeriesBounds | None = None
    ) -> None:
        self._collector = collector
        self._context = context
        self._bounds = bounds
        self._wants: dict[Action, dict[str, _Wants]] = {}
        self._current: tuple[Action | None, Mapping[str, _Wants]] = (None, {})
        self._values: dict[Metric, dict[Action, Table]] = {}
        self._reduce: dict[Metric, Reduce] = {}
        self._counted: set[Metric] = set()
        self._named: dict[Metric, list[_Named]] = {}
        for rule in collector.rules:
            if rule.source is not None and rule.source in sent:
                by_source = self._values.setdefault(rule.metric, {})
                table = by_source.setdefault(rule.source, Table(rule.metric, rule.reduce, bounds))
                self._reduce[rule.metric] = rule.reduce
                if rule.reduce == "sum" or rule.value is one:
                    self._counted.add(rule.metric)
                for wants in self._wanting(rule.source, rule.items):
                    rules = wants.rules if rule.read is None else wants.read.setdefault(rule.read, [])
                    rules.append((rule, table))
        for known in collector.zero_series:
            if known.source is not None and known.source in sent:
                named = _Named(known)
                for wants in self._wanting(known.source, known.items):
                    wants.named.append(named)
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
        for source in resting & fold._wants.keys() & self._wants.keys():
            for name, wants in fold._wants[source].items():
                for new, old in zip(wants.named, self._wants[source][name].named, strict=True):
                    new.values = old.values
        return fold

    def _wanting(self, source: Action, names: Iterable[str]) -> Iterator[_Wants]:
        """Yield what wants these items, found by the name as declared, which needs no lower(), and in lower case."""
        by_name = self._wants.setdefault(source, {})
        for name in names:
            wants = by_name[name] = by_name.setdefault(name.lower(), _Wants([], [], {}))
            yield wants

    @property
    def sources(self) -> frozenset[Action]:
        """Actions whose items are wanted."""
        return frozenset(self._wants)

    def item(self, action: Action, message: Message) -> None:
        """Apply every rule that wants this item. Raises Unreadable when a reader cannot make items of it."""
        if self._current[0] is not action:  # a list's items come one after the other
            self._current = (action, self._wants.get(action, {}))
        name, by_name = message.get("event", RESPONSE), self._current[1]
        wants = by_name.get(name) or by_name.get(name.lower())
        if wants is None:
            return
        self._apply(wants.rules, message)
        for read, rules in wants.read.items():
            for made in read(message):
                self._apply(rules, made)
        for named in wants.named:
            values = named.known.values(message, self._context)
            if values is not None:
                named.values.add(values)
                if self._bounds is not None:
                    named.values = first(named.values, self._bounds.limit)

    def _apply(self, rules: Iterable[tuple[Rule, Table]], message: Message) -> None:
        for rule, table in rules:
            if rule.where is not None and not rule.where(message):
                continue
            labels = rule.labels(message, self._context)
            if labels is None:
                continue
            value = rule.value(message)
            if value is None:
                continue
            table.add(labels, value)

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
                whole_answer = by_source.keys() <= complete
                for labels in self._zeros(metric, merged, alone=len(by_source) == 1, whole=whole_answer):
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

    def _zeros(self, metric: Metric, values: dict[Key, float], *, alone: bool, whole: bool) -> Iterable[Key]:
        open_at = [i for i, label in enumerate(metric.labels) if label not in metric.closed]
        if not open_at and not whole:  # what the list says that was cut, nobody knows
            return ()
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
