"""Literal messages in, literal samples out: runs one collector as a target does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import dedent

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context
from ami_exporter.collectors.rulefold import RuleFold
from ami_exporter.exposition.caps import Caps
from ami_exporter.pbx.event_counters import EventCounters

Samples = dict[tuple[str, ...], float]
"""(metric name, label values …) → value; of a histogram, two: name_count and name_sum."""


def message(text: str) -> Message:
    """One message from its lines, as on the wire."""
    lines = [line.strip() for line in dedent(text).strip().splitlines()]
    return Message.of([(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)])


def messages(text: str) -> list[Message]:
    """Messages parted by blank lines."""
    return [message(block) for block in dedent(text).strip().split("\n\n")]


def polled(
    collector: Collector,
    answers: Mapping[Action, Iterable[Message]],
    context: Context | None = None,
    cut: Iterable[Action] = (),
) -> Samples:
    """Samples of one poll; the lists named in `cut` did not end."""
    context = context or Context()
    sent = frozenset(answers)
    rows = RuleFold(collector, sent, context)
    fold = collector.fold(context) if collector.fold else None
    for action, items in answers.items():
        for item in items:
            rows.item(action, item)
            if fold is not None:
                fold.item(action, item)
    complete = sent - frozenset(cut)
    samples = [*rows.finish(complete), *(fold.finish(complete) if fold is not None else ())]
    assert len({(metric, labels) for metric, labels, _ in samples}) == len(samples)
    return {(metric.name, *labels): value for metric, labels, value in samples}


def store_of(*collectors: Collector, context: Context | None = None, limit: int = 1000) -> EventCounters:
    """An event counters with these collectors, nothing filtered."""
    caps = Caps(limit, lambda _metric, _key: None, lambda _metric, _key: True)
    return EventCounters(collectors, context or Context(), caps)


def show(counters: EventCounters, action: Action, items: Iterable[Message]) -> None:
    """Show a complete polled list to an event counters: label values it names, facts that trackers learn."""
    items = list(items)
    for collector in counters._collectors:
        rows = RuleFold(collector, frozenset({action}), counters._context)
        for item in items:
            rows.item(action, item)
        counters.know(rows.named(frozenset({action})))
    for item in items:
        counters.watch(action, item)


def counted(counters: EventCounters) -> Samples:
    """Everything the counters holds, zeros included."""
    samples: Samples = {}
    for family in counters.families():
        name = family.metric.name
        samples |= {(name, *labels): value for labels, value in family.values.items()}
        for labels, histogram in family.histograms.items():
            samples[f"{name}_count", *labels] = histogram.count
            samples[f"{name}_sum", *labels] = histogram.sum
    return samples


def nonzero(samples: Samples) -> Samples:
    """Only what is not 0."""
    return {key: value for key, value in samples.items() if value}
