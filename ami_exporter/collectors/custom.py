"""Custom metrics: turns the configuration's `custom:` entries into rules like those of built-in collectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from ami_exporter.ami.actions import ACTIONS, Action, cli
from ami_exporter.ami.message import Message
from ami_exporter.collectors.cli.output import lines
from ami_exporter.collectors.cli.readers import Reader
from ami_exporter.collectors.database import entries, tree
from ami_exporter.collectors.declarations import Collector, Metric, Origin, Read, Rule, Value, Where, one
from ami_exporter.collectors.fields import Label, labels, leading_number, public_text, text, to_number, word
from ami_exporter.collectors.rulefold import RESPONSE
from ami_exporter.config.custom_settings import (
    CommandSettings,
    CustomLabel,
    CustomMetric,
    CustomMetricsSettings,
    CustomValue,
)

NAME: Final = "custom"


def collector(settings: Sequence[CustomMetricsSettings], clock: Callable[[], float] = lambda: 0.0) -> Collector:
    """Compile the configuration's custom metrics. clock: seconds of processor time, for the limit of expressions.

    Entries with one name feed one metric. An unchanged metric is the same object again, so that its
    counters outlive a reload. Raises ValueError when entries of one name differ in type, help, labels or buckets.
    """
    rules: dict[str, list[_Rule]] = {}
    for entry in settings:
        for metric in entry.metrics:
            rules.setdefault(metric.name, []).append(_Rule(entry, metric))
    metrics = {name: _metric(tuple(same)) for name, same in rules.items()}
    readers = {entry.command: _read(Reader.of(entry.command, clock)) for entry in settings if entry.command is not None}
    rows = tuple(_row(rule, metrics[name], readers) for name, same in rules.items() for rule in same)
    actions = dict.fromkeys(row.source for row in rows if row.source is not None)
    return Collector(
        name=NAME,
        title="Metrics of the configuration",
        metrics=tuple(metrics.values()),
        polls=tuple((action,) for action in actions),
        rules=rows,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Rule:
    """One metric of one entry; equal if everything written is equal."""

    entry: CustomMetricsSettings
    metric: CustomMetric

    def _written(self) -> object:
        entry = self.entry
        return _frozen(
            (
                *(entry.action, entry.item, entry.event, entry.where, entry.command, entry.unsafe_labels),
                *(entry.family, self.metric),
            )
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Rule) and self._written() == other._written()

    def __hash__(self) -> int:
        return hash(self._written())


def _frozen(value: object) -> object:
    """Turn settings into hashable tuples, including the mappings in them."""
    if is_dataclass(value):
        return tuple(_frozen(getattr(value, name)) for name in value.__dataclass_fields__)
    if isinstance(value, Mapping):
        return tuple(sorted((key, _frozen(inner)) for key, inner in value.items()))
    if isinstance(value, tuple):
        return tuple(map(_frozen, value))
    return value


@cache
def _metric(rules: tuple[_Rule, ...]) -> Metric:
    first = rules[0].metric
    names = tuple(label.name for label in first.labels)
    for rule in rules[1:]:
        same = rule.metric
        if (same.type, same.help, same.buckets) != (first.type, first.help, first.buckets) or names != tuple(
            label.name for label in same.labels
        ):
            raise ValueError(f"custom metric {first.name} is written twice with another type, help, labels or buckets")
    columns = list(zip(*(rule.metric.labels for rule in rules), strict=True))
    return Metric(
        name=first.name,
        type=first.type,
        help=first.help,
        labels=names,
        origin=Origin.POLL if first.type == "gauge" else Origin.EVENTS,
        closed=MappingProxyType({column[0].name: values for column in columns if (values := _values(column))}),
        buckets=first.buckets,
        limits=MappingProxyType({label.name: label.limit for label in first.labels if label.limit is not None}),
    )


def _values(column: Sequence[CustomLabel]) -> tuple[str, ...]:
    """Return all values of a label if every rule maps it; empty if it is open."""
    found: dict[str, None] = {}
    for label in column:
        if label.values is None:
            return ()
        found |= dict.fromkeys(label.values.values())
        if label.other is not None:
            found[label.other] = None
    return tuple(found)


def _row(rule: _Rule, metric: Metric, readers: Mapping[CommandSettings, Read]) -> Rule:
    entry, custom = rule.entry, rule.metric
    source, items, read = _source(entry, readers)
    return Rule(
        metric,
        source,
        items,
        labels(*map(_label, custom.labels)),
        one if custom.value is None else _value(custom, custom.value, _NUMBER[entry.command is not None]),
        _where(entry.where) if entry.where else None,
        (custom.value and custom.value.reduce) or "sum",
        read,
    )


def _source(
    entry: CustomMetricsSettings, readers: Mapping[CommandSettings, Read]
) -> tuple[Action | None, tuple[str, ...], Read | None]:
    """Return the source of an entry: a list's items, an event, or what a reader makes of a response."""
    if entry.command is not None:
        return cli(entry.command.command), (RESPONSE,), readers[entry.command]
    if entry.action is None:
        return None, (entry.event or "",), None
    if entry.family is not None:
        source = tree(entry.family)
        return source, source.spec.items, entries(entry.family)
    source = Action(entry.action)
    return source, (entry.item,) if entry.item else ACTIONS[source.name].items, None


def _read(reader: Reader) -> Read:
    return lambda message: [Message.of(row) for row in reader.rows(lines(message))]


_NUMBER: Mapping[bool, Callable[[str | None], float | None]] = {False: to_number, True: leading_number}
"""How a field's text becomes a number: console output begins with it ("37 records")."""


def _label(label: CustomLabel) -> Label:
    if label.values is not None:
        return word(label.field, label.values, label.other)
    return public_text(label.field) if label.checked else text(label.field)


def _value(metric: CustomMetric, value: CustomValue, to_amount: Callable[[str | None], float | None]) -> Value:
    table, field, scale, other = value.values, value.field, value.scale, value.other
    least = 0.0 if metric.type == "counter" else -math.inf
    least = least if value.minimum is None else max(least, value.minimum)

    def amount_of(message: Message) -> float | None:
        found = message.get(field)
        if table is None:
            amount = to_amount(found)
        else:
            amount = None if found is None else table.get(found.strip().lower(), other)
        return None if amount is None or amount * scale < least else amount * scale

    return amount_of


def _where(conditions: Mapping[str, tuple[str, ...]]) -> Where:
    wanted = tuple((field, frozenset(texts)) for field, texts in conditions.items())
    return lambda message: all(message.get(field, "").strip().lower() in texts for field, texts in wanted)
