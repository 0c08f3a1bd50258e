"""The counters and histograms of one target's events, and the trackers that feed them.

The event link's thread writes, scrapes read. One lock is held for a batch of messages or for one snapshot.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from threading import Lock
from typing import TypeVar

from ami_exporter.ami.actions import Action
from ami_exporter.ami.concluded import OWN_EVENTS
from ami_exporter.ami.message import Message
from ami_exporter.ami.own_calls import canary_id
from ami_exporter.collectors.declarations import (
    Collector,
    Context,
    LabelSet,
    Metric,
    Origin,
    Rule,
    Sample,
    Tracked,
    Tracker,
    ZeroSeries,
)
from ami_exporter.collectors.rulefold import expand
from ami_exporter.exposition.caps import Admission, Caps
from ami_exporter.exposition.writer import Family, HistogramValue

V = TypeVar("V")

#: Metrics, each with one value of its open labels, whose label sets are remembered: those of fifty metrics of events
#: and forty technologies or trunks.
LABEL_SETS_REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class _Live:
    tracked: Tracked
    tracker: Tracker


@dataclass(frozen=True, slots=True)
class _EventRules:
    """The rules, zero series and trackers for one event name."""

    rules: tuple[Rule, ...] = ()
    known: tuple[tuple[ZeroSeries, set[LabelSet]], ...] = ()
    """With the values that were already named, as far as the cap on label sets goes."""
    trackers: tuple[Tracker, ...] = ()


class EventCounters:
    """Counts one target's events. canary: takes the events of canary calls, by the call's identifier.

    A capped metric keeps the label sets seen first (a histogram's child is one) and counts the others as dropped.
    Groups are kept whole, so that sums over closed labels stay right.
    """

    def __init__(
        self,
        collectors: Sequence[Collector],
        context: Context,
        caps: Caps,
        canary: Callable[[str, Message, float], None] = lambda _call_id, _message, _now: None,
    ) -> None:
        self._lock = Lock()
        self._canary = canary
        self._caps = caps
        self._context = context
        self._values: dict[Metric, dict[LabelSet, float]] = {}
        self._histograms: dict[Metric, dict[LabelSet, HistogramValue | None]] = {}  # None: nothing observed yet
        self._wants: dict[str, _EventRules] = {}
        self._live: list[_Live] = []
        self._watching: dict[Action, list[Callable[[Message], None]]] = {}
        self._collectors: tuple[Collector, ...] = ()
        self._linked = False
        self._identity: Callable[[str], str] = _itself
        self.install(collectors, caps)

    def install(self, collectors: Sequence[Collector], caps: Caps) -> None:
        """Use these collectors' rules. Metrics that stay keep their values, except label sets that are now excluded."""
        with self._lock:
            self._collectors = tuple(collectors)
            self._caps = caps
            metrics = {m for c in collectors for m in c.metrics if m.origin is Origin.EVENTS}
            old_values, old_histograms = self._values, self._histograms
            self._values = {m: _allowed(m, old_values.get(m, {}), caps) for m in metrics if m.type != "histogram"}
            self._histograms = {
                m: _allowed(m, old_histograms.get(m, {}), caps) for m in metrics if m.type == "histogram"
            }
            held: dict[Metric, Collection[LabelSet]] = {**self._values, **self._histograms}
            self._admissions = {metric: Admission(metric, sets, caps) for metric, sets in held.items()}
            kept = {id(live.tracked): live for live in self._live}
            self._live = [kept.get(id(t)) or _Live(t, t.make()) for c in collectors for t in c.tracked]
            self._wants = self._index()
            self._events = self._wanted_events()
            self._watching = self._watchers()
            self._directions = [
                partial(live.tracked.direction, live.tracker)
                for live in self._live
                if live.tracked.direction is not None
            ]
            self._zero_context()

    def _index(self) -> dict[str, _EventRules]:
        wants: dict[str, _EventRules] = {}
        none = _EventRules()
        for collector in self._collectors:
            for row in (row for row in collector.rules if row.source is None):
                for name in map(str.lower, row.items):
                    before = wants.get(name, none)
                    wants[name] = replace(before, rules=(*before.rules, row))
            for known in (known for known in collector.zero_series if known.source is None):
                named: set[LabelSet] = set()
                for name in map(str.lower, known.items):
                    before = wants.get(name, none)
                    wants[name] = replace(before, known=(*before.known, (known, named)))
        for live in self._live:
            for name in map(str.lower, live.tracked.events):
                before = wants.get(name, none)
                wants[name] = replace(before, trackers=(*before.trackers, live.tracker))
        return wants

    def _watchers(self) -> dict[Action, list[Callable[[Message], None]]]:
        watching: dict[Action, list[Callable[[Message], None]]] = {}
        for live in self._live:
            if live.tracked.watch is not None:
                for action in live.tracked.watched:
                    watching.setdefault(action, []).append(partial(live.tracked.watch, live.tracker))
        return watching

    @property
    def events(self) -> frozenset[str]:
        """Names (lower case) of all events that the mask must bring: those of passive collectors included."""
        return self._events

    def _wanted_events(self) -> frozenset[str]:
        names: set[str] = set()
        for collector in self._collectors:
            if not collector.passive:
                names.update(name for row in collector.rules if row.source is None for name in row.items)
                names.update(name for tracked in collector.tracked for name in tracked.events)
        return frozenset(name.lower() for name in names - OWN_EVENTS)

    def use(self, context: Context) -> None:
        """Use a new context; counters of new trunks and technologies appear at 0."""
        with self._lock:
            self._context = context
            self._zero_context()

    def feed(self, messages: Iterable[Message], now: float) -> None:
        """Apply every rule to every event, in order. now: monotonic seconds.

        Events of canary calls are handed on and not counted.
        """
        with self._lock:
            context = self._context
            for message in messages:
                call_id = canary_id(message)
                if call_id is not None:
                    self._canary(call_id, message, now)
                    continue
                wanted = self._wants.get(message.cells[message.layout.event].lower())
                if wanted is None:
                    continue
                if wanted.known:
                    self._name(wanted, message, context)
                for row in wanted.rules:
                    self._count(row, message, context)
                for tracker in wanted.trackers:
                    if samples := tracker.event(message, context, now):
                        self._add_all(samples)

    def _name(self, wanted: _EventRules, message: Message, context: Context) -> None:
        """Create at 0 the label sets that an event names."""
        for known, seen in wanted.known:
            named = known.values(message, context)
            if named is not None and named not in seen:
                if len(seen) < self._caps.limit:
                    seen.add(named)
                for metric in known.metrics:
                    self._zero(metric, named)

    def linked(self) -> None:
        """Note that events arrive from now on, so that gauges made of them are valid."""
        with self._lock:
            self._linked = True

    def reset_trackers(self) -> None:
        """Forget unfinished calls, because the link was lost."""
        with self._lock:
            self._linked = False
            for live in self._live:
                live.tracker.reset()
            for metric, values in self._values.items():
                if metric.type == "gauge":
                    self._values[metric] = dict.fromkeys(values, 0.0)

    def expire(self, now: float) -> None:
        """Let trackers drop entries that are too old."""
        with self._lock:
            for live in self._live:
                self._add_all(live.tracker.expire(now))

    @property
    def watched(self) -> tuple[Action, ...]:
        """Actions whose items trackers want to see."""
        return tuple(self._watching)

    def watch(self, action: Action, message: Message) -> None:
        """Show a polled item to the trackers that learn from polls."""
        with self._lock:
            for watch in self._watching.get(action, ()):
                watch(message)

    def identify(self, identity: Callable[[str], str]) -> None:
        """Take the function from the Uniqueid of a list's channel to the one that trackers know."""
        self._identity = identity

    def seen_direction(self, uniqueid: str) -> str | None:
        """Direction in which a trunk's channel was seen to begin. Without the lock: one look-up for each channel."""
        known = self._identity(uniqueid)
        return next(filter(None, (ask(known) for ask in self._directions)), None)

    def know(self, named: Iterable[tuple[Metric, LabelSet]]) -> None:
        """Create label sets at 0 that a complete poll named."""
        with self._lock:
            for metric, values in named:
                self._zero(metric, values)

    def add(self, samples: Iterable[Sample]) -> None:
        """Count what the target itself noticed (boots)."""
        with self._lock:
            self._add_all(samples)

    def families(self, metrics: frozenset[Metric] | None = None) -> list[Family]:
        """Return a consistent copy of everything counted, in the order of declaration."""
        with self._lock:
            families = []
            for collector in self._collectors:
                for metric in collector.metrics:
                    if metrics is not None and metric not in metrics:
                        continue
                    if metric.type == "gauge" and not self._linked:
                        continue
                    if values := self._values.get(metric):
                        families.append(Family(metric, dict(values)))
                    if histograms := self._histograms.get(metric):
                        copies = {labels: _copy(metric, child) for labels, child in histograms.items()}
                        families.append(Family(metric, {}, copies))
            return families

    def series(self) -> int:
        with self._lock:
            return sum(map(len, self._values.values())) + sum(map(len, self._histograms.values()))

    def _count(self, row: Rule, message: Message, context: Context) -> None:
        if row.where is None or row.where(message):
            labels = row.labels(message, context)
            if labels is not None and (value := row.value(message)) is not None:
                self._add(row.metric, labels, value)

    def _add_all(self, samples: Iterable[Sample]) -> None:
        for metric, labels, value in samples:
            self._add(metric, labels, value)

    def _add(self, metric: Metric, labels: LabelSet, value: float) -> None:
        values = self._values.get(metric)
        if values is not None:
            if labels in values:
                values[labels] += value
            elif self._admissions[metric].admit(labels):
                values[labels] = value
            return
        histograms = self._histograms.get(metric)
        if histograms is None:
            return
        child = histograms.get(labels)
        if child is None:
            if labels not in histograms and not self._admissions[metric].admit(labels):
                return
            child = histograms[labels] = _copy(metric, None)
        child.counts[bisect_left(metric.buckets, value)] += 1
        child.sum += value
        child.count += 1

    def _zero(self, metric: Metric, open_values: LabelSet) -> None:
        if metric.sent is not None and not metric.sent(self._context, open_values):
            return
        values = self._values.get(metric)
        histograms = self._histograms.get(metric)
        for labels in _label_sets(metric, open_values):
            if values is not None and labels not in values:
                if self._admissions[metric].admit(labels):
                    values[labels] = 0.0
            elif histograms is not None and labels not in histograms and self._admissions[metric].admit(labels):
                histograms[labels] = None

    def _zero_context(self) -> None:
        """Create the label sets known beforehand: those without open labels, and of known technologies and trunks."""
        named = {"technology": self._context.technologies, "trunk": self._context.trunks}
        known: dict[LabelSet, list[LabelSet]] = {
            (label,): [(value,) for value in values] for label, values in named.items()
        }
        known[()] = [()]
        for metric in (*self._values, *self._histograms):
            beforehand = [(value,) for value in metric.beforehand]
            for open_values in (*known.get(metric.open_labels, ()), *beforehand):
                self._zero(metric, open_values)


@lru_cache(LABEL_SETS_REMEMBERED)
def _label_sets(metric: Metric, open_values: LabelSet) -> tuple[LabelSet, ...]:
    """What exists beforehand, as the same objects for all targets: most have the same technologies."""
    return tuple(expand(metric, open_values))


def _copy(metric: Metric, child: HistogramValue | None) -> HistogramValue:
    if child is None:
        return HistogramValue([0] * (len(metric.buckets) + 1))
    return HistogramValue(list(child.counts), child.sum, child.count)


def _itself(uniqueid: str) -> str:
    return uniqueid


def _allowed(metric: Metric, held: Mapping[LabelSet, V], caps: Caps) -> dict[LabelSet, V]:
    """Keep what include and exclude let through; the rest must not use up the cap."""
    return {labels: value for labels, value in held.items() if caps.allowed(metric, labels)}
