"""Items and events that hold nothing, or rubbish, break no collector and yield only samples that a family may hold."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Layout, Message
from ami_exporter.collectors.declarations import Collector, Context, Sample, Trunk
from ami_exporter.collectors.registry import builtin
from ami_exporter.collectors.rulefold import RuleFold
from tests.support.collecting import counted, store_of

CONTEXT = Context(
    trunks={"t": Trunk("t", "PJSIP", "t", ("t",))},
    trunk_names={("PJSIP", "t"): "t"},
    technologies=("Local", "PJSIP"),
    start_time=1.0,
    fully_booted=True,
)
RUBBISH = (
    *("", "-1", "1e400", "nan", "²", "9" * 5000, "/", 'a\\"b', "\u202e"),
    *("PJSIP/t-00000001", "OK (1 ms)", "Reachable"),
)
COLLECTORS = [pytest.param(collector, id=collector.name) for collector in builtin()]


class Anything(Message):
    """A message whose every header has the same value, but for the event's name."""

    def __init__(self, event: str, value: str) -> None:
        super().__init__(Layout(("event",)), ("", event, ""))
        self._value = value

    def __getitem__(self, name: str, /) -> str:
        return super().__getitem__(name) if name == "event" else self._value

    def get(self, name: str, /, default: object = None) -> str:
        del default
        return self[name]

    def pick(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(self.__getitem__, names))


def items(action: Action) -> Iterator[Message]:
    for name in action.spec.items or ("",):
        yield Message.of([("event", name)] if name else [])
        yield from (Anything(name, value) for value in RUBBISH)


def check(sample: Sample) -> None:
    metric, labels, value = sample
    assert len(labels) == len(metric.labels)
    assert all(isinstance(label, str) for label in labels)
    assert math.isfinite(value)
    assert value >= 0


@pytest.mark.parametrize("collector", COLLECTORS)
def test_rubbish_in_lists(collector: Collector) -> None:
    actions = [action for alternatives in collector.polls for action in alternatives]
    rows = RuleFold(collector, frozenset(actions), CONTEXT)
    fold = collector.fold(CONTEXT) if collector.fold else None
    for action in actions:
        for item in items(action):
            rows.item(action, item)
            if fold is not None:
                fold.item(action, item)
    complete = frozenset(actions)
    samples = [*rows.finish(complete), *(fold.finish(complete) if fold is not None else ())]
    for sample in samples:
        check(sample)
    keys = [(metric, labels) for metric, labels, _ in samples]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("collector", COLLECTORS)
def test_rubbish_in_events(collector: Collector) -> None:
    store = store_of(collector, context=CONTEXT)
    names = {name for row in collector.rules if row.source is None for name in row.items}
    names |= {name for tracked in collector.tracked for name in tracked.events}
    for now in (0.0, 1.0):
        store.feed([Message.of([("event", name)]) for name in names], now)
        store.feed([Anything(name, value) for name in names for value in RUBBISH], now)
    assert all(math.isfinite(value) and value >= 0 for value in counted(store).values())
