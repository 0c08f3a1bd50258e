"""The generic fold: applies a collector's rules to list items, one message at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import product
from typing import NamedTuple

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import (
    Collector,
    Context,
    Labels,
    LabelSet,
    Metric,
    Read,
    Reduce,
    Rule,
    Sample,
    Value,
    Where,
    one,
)
from ami_exporter.collectors.table import SeriesBounds, Table, first

RESPONSE = ""
"""Rule.items entry for the single response of an action without list (CoreSettings), which has no Event header."""

#: Pairs of a collector and its actions whose sorted rules are cached: the targets of a fleet mostly share them.
SORTED = 1_000

Take = Callable[[Message], None]


class _ItemRules(NamedTuple):
    """The rules for one kind of item, with positions of their tables, and positions of zero series.

    read: rules for the items that a reader makes of it.
    """

    rules: list[tuple[Rule, int]]
    read: dict[Read, list[tuple[Rule, int]]]
    named: list[int]


class _Sources(NamedTuple):
    """The sources of one metric: for each action the position of its table, and its zero series."""

    tables: dict[Action, int]
    reduce: Reduce
    counted: bool
    named: list[int]


_Bound = tuple["Where | None", Labels, "Value | None", Table]
"""A rule with its table; without a value it counts."""


class SortedRules:
    """A collector's rules by item, for the actions sent; all polls share them."""

    def __init__(self, collector: Collector, sent: frozenset[Action]) -> None:
        self.tables: list[tuple[Metric, Reduce]] = []
        self.zero_series = [known for known in collector.zero_series if known.source in sent]
        self.metrics: dict[Metric, _Sources] = {}
        self.named: dict[Metric, list[int]] = {}
        self._wants: dict[Action | None, dict[str, _ItemRules]] = {}
        for place, known in enumerate(self.zero_series):
            for wants in self._wanting(known.source, known.items):
                wants.named.append(place)
            for metric in known.metrics:
                self.named.setdefault(metric, []).append(place)
        for rule in collector.rules:
            if rule.source is not None and rule.source in sent:
                self._sort(rule, rule.source)

    def _sort(self, rule: Rule, source: Action) -> None:
        known = self.metrics.get(rule.metric) or _Sources({}, rule.reduce, False, self.named.get(rule.metric, []))
        place = known.tables.setdefault(source, len(self.tables))
        if place == len(self.tables):
            self.tables.append((rule.metric, rule.reduce))
        counted = known.counted or rule.reduce == "sum" or rule.value is one
        self.metrics[rule.metric] = known._replace(reduce=rule.reduce, counted=counted)
        for wants in self._wanting(source, rule.items):
            rules = wants.rules if rule.read is None else wants.read.setdefault(rule.read, [])
            rules.append((rule, place))

    def _wanting(self, source: Action | None, names: Iterable[str]) -> Iterator[_ItemRules]:
        """Yield the rules for these items; they are found by the declared name without lower(), and in lower case."""
        by_name = self._wants.setdefault(source, {})
        for name in names:
            wants = by_name[name] = by_name.setdefault(name.lower(), _ItemRules([], {}, []))
            yield wants

    def wanting(self, action: Action, event: str) -> _ItemRules | None:
        """Return the rules for an action's items of this name, if there are any."""
        by_name = self._wants.get(action, {})
        return by_name.get(event) or by_name.get(event.lower())


@lru_cache(SORTED)
def sorted_rules(collector: Collector, sent: frozenset[Action]) -> SortedRules:
    """Return a collector's rules for the actions sent, sorted once."""
    return SortedRules(collector, sent)


class RuleFold:
    """Folds the rules and zero series of one collector for one poll.

    Rules of several actions may feed one metric if their label sets differ (SIP and IAX2 peers): every complete list is
    published, an incomplete one removes only its own label sets. bounds: limits the label sets of a metric; None: no
    limit.
    """

    def __init__(
        self, collector: Collector, sent: frozenset[Action], context: Context, bounds: SeriesBounds | None = None
    ) -> None:
        self._collector = collector
        self._rules = sorted_rules(collector, sent)
        self._context = context
        self._bounds = bounds
        self._tables = [Table(metric, reduce, bounds) for metric, reduce in self._rules.tables]
        self._named: list[set[LabelSet]] = [set() for _ in self._rules.zero_series]

    def again(
        self, sent: frozenset[Action], context: Context, bounds: SeriesBounds | None, resting: frozenset[Action]
    ) -> RuleFold:
        """Return the next poll's fold, which keeps the resting lists' items and waits for those of the others."""
        fold = RuleFold(self._collector, sent, context, bounds)
        for metric, sources in fold._rules.metrics.items():
            kept = self._rules.metrics[metric].tables if metric in self._rules.metrics else {}
            for source in sources.tables.keys() & kept.keys() & resting:
                fold._tables[sources.tables[source]] = self._tables[kept[source]]
        for place, known in enumerate(fold._rules.zero_series):
            if known.source in resting and known in self._rules.zero_series:
                fold._named[place] = self._named[self._rules.zero_series.index(known)]
        return fold

    def taking(self, action: Action, event: str) -> Take | None:
        """Return the function that takes an action's items of this name; None without a rule."""
        wants = self._rules.wanting(action, event)
        if wants is None:
            return None
        rules = self._with_tables(wants.rules)
        if not wants.read and not wants.named:
            return partial(_apply, rules, self._context)
        read = [(read, self._with_tables(rules)) for read, rules in wants.read.items()]
        return partial(self._take, rules, read, wants.named)

    def _with_tables(self, rules: Iterable[tuple[Rule, int]]) -> list[_Bound]:
        return [
            (rule.where, rule.labels, None if rule.value is one else rule.value, self._tables[place])
            for rule, place in rules
        ]

    def item(self, action: Action, message: Message) -> None:
        """Apply every rule that wants this item. Raises Unreadable when a reader cannot make items of it."""
        take = self.taking(action, message.get("event", RESPONSE))
        if take is not None:
            take(message)

    def _take(
        self,
        rules: Sequence[_Bound],
        read: Sequence[tuple[Read, Sequence[_Bound]]],
        named: Sequence[int],
        message: Message,
    ) -> None:
        _apply(rules, self._context, message)
        for reader, reads in read:
            for made in reader(message):
                _apply(reads, self._context, made)
        for place in named:
            values = self._rules.zero_series[place].values(message, self._context)
            if values is not None:
                self._named[place].add(values)
                if self._bounds is not None:
                    self._named[place] = first(self._named[place], self._bounds.limit)

    def values(self, complete: frozenset[Action]) -> Iterator[tuple[Metric, dict[LabelSet, float]]]:
        """Yield metrics of complete lists with their label sets, zeros of known ones included."""
        for metric, sources in self._rules.metrics.items():
            found = [self._tables[place].values for source, place in sources.tables.items() if source in complete]
            if not found:
                continue
            merged = dict(found[0])
            if len(sources.tables) > 1:
                merged = _merged(metric, sources.reduce, found)
            whole = len(found) == len(sources.tables)
            if sources.counted:
                self._add_zeros(metric, sources, merged, whole=whole)
            for source, place in () if whole else sources.tables.items():
                if source not in complete:
                    for labels in self._tables[place].values:
                        merged.pop(labels, None)
            yield metric, merged

    def finish(self, complete: frozenset[Action]) -> Iterator[Sample]:
        """Yield the same as single samples."""
        return ((metric, labels, v) for metric, values in self.values(complete) for labels, v in values.items())

    def named(self, complete: frozenset[Action]) -> Iterator[tuple[Metric, LabelSet]]:
        """Yield the open label values that complete lists name for event metrics."""
        for metric, places in self._rules.named.items():
            if metric not in self._rules.metrics:
                for place in places:
                    if self._rules.zero_series[place].source in complete:
                        yield from ((metric, values) for values in self._named[place])

    def _add_zeros(self, metric: Metric, sources: _Sources, values: dict[LabelSet, float], *, whole: bool) -> None:
        """Add known label sets without an item at 0. whole: all lists of the metric are complete."""
        open_at = [at for at, label in enumerate(metric.labels) if label not in metric.closed]
        if not open_at and not whole:  # the rest of the incomplete list is unknown
            return
        known = {tuple([labels[at] for at in open_at]) for labels in values} if metric.closed else set()
        known.update(*(self._named[place] for place in sources.named))
        if len(sources.tables) == 1 and metric.open_labels == ("technology",):
            known |= {(technology,) for technology in self._context.technologies}
        if not open_at:
            known.add(())
        for open_values in known:
            for labels in expand(metric, open_values):
                values.setdefault(labels, 0.0)


def _apply(rules: Iterable[_Bound], context: Context, message: Message) -> None:
    """Apply rules to an item. Consecutive rules mostly have the same labels."""
    last: Labels | None = None
    found: LabelSet | None = None
    for where, labels, value, table in rules:
        if where is not None and not where(message):
            continue
        if labels is not last:
            last, found = labels, labels(message, context)
        if found is not None:
            number = 1.0 if value is None else value(message)
            if number is not None:
                table.add(found, number)


def _merged(metric: Metric, reduce: Reduce, tables: Iterable[dict[LabelSet, float]]) -> dict[LabelSet, float]:
    whole = Table(metric, reduce)
    for values in tables:
        for labels, value in values.items():
            whole.add(labels, value)
    return whole.values


def expand(metric: Metric, open_values: LabelSet) -> Iterator[LabelSet]:
    """Yield all label sets of a metric for these values of its open labels: the product over its closed labels."""
    remaining = iter(open_values)
    choices = [metric.closed[label] if label in metric.closed else (next(remaining),) for label in metric.labels]
    return product(*choices)
