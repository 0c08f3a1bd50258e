from __future__ import annotations

import math
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ami_exporter.collectors as package
from ami_exporter.ami.event_classes import EVENT_CLASSES
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Metric, Origin
from ami_exporter.collectors.rulefold import RuleFold
from tests.support.collecting import store_of


def declared() -> Iterator[Collector]:
    """Every collector of the package, opt-in ones too."""
    seen: list[Collector] = []
    for found in pkgutil.iter_modules(package.__path__):
        module = import_module(f"{package.__name__}.{found.name}")
        for collector in (*getattr(module, "COLLECTORS", ()), getattr(module, "COLLECTOR", None)):
            if isinstance(collector, Collector) and not any(collector is one for one in seen):
                seen.append(collector)
    yield from seen


COLLECTORS = tuple(declared())
METRICS = tuple(metric for collector in COLLECTORS for metric in collector.metrics)

every_collector = pytest.mark.parametrize("collector", COLLECTORS, ids=lambda collector: collector.name)
every_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


def test_names_of_collectors_and_metrics_are_unique() -> None:
    for names in ([collector.name for collector in COLLECTORS], [metric.name for metric in METRICS]):
        assert len(names) == len(set(names))


@every_metric
def test_help_ends_with_its_source(metric: Metric) -> None:
    assert metric.help.endswith(")")
    assert "(AMI " in metric.help or "(configuration" in metric.help


@every_metric
def test_names_and_buckets_keep_prometheus_rules(metric: Metric) -> None:
    assert metric.name.startswith("asterisk_")
    assert metric.name.endswith("_total") == (metric.type == "counter")
    assert (metric.type == "histogram") == bool(metric.buckets)
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert math.inf not in metric.buckets
    assert metric.closed.keys() <= set(metric.labels)
    assert len(set(metric.labels)) == len(metric.labels)


@every_collector
def test_rows_feed_declared_metrics_from_declared_places(collector: Collector) -> None:
    polled = {action for alternatives in collector.polls for action in alternatives}
    for row in collector.rules:
        assert row.metric in collector.metrics
        assert (row.source is None) == (row.metric.origin is Origin.EVENTS)
        assert row.source is None or row.source in polled
    for known in collector.zero_series:
        assert set(known.metrics) <= set(collector.metrics)
    if collector.filter_label:
        assert any(collector.filter_label in metric.labels for metric in collector.metrics)


@every_collector
def test_every_event_has_a_class_that_the_mask_can_ask_for(collector: Collector) -> None:
    assert store_of(collector).events <= EVENT_CLASSES.keys()


HOSTILE = [
    "",
    "-1",
    "0",
    "1",
    "9" * 400,
    "1e400",
    "nan",
    "-inf",
    "0x10",
    "٣",
    "Yes",
    'a"b\\c\nd',
    "\x00",
    "\ud800",
    "A/x",
]
HEADERS = """
    queue status paused pausedreason incall wait max calls completed abandoned servicelevel holdtime talktime ringtime
    name location lastcall callstaken parkinglot parkingduration startspace stopspace conference parties locked
    vmcontext voicemailbox newmessagecount oldmessagecount currentsessions transmitattempts service remoteaddress
    shutdown uniqueid linkedid channel nativeformats rtt mes report0fractionlost report0iajitter output cause techcause
    dialstatus destchannel destuniqueid state device endpointname roundtripusec
"""
FIELDS = st.dictionaries(st.sampled_from(HEADERS.split()), st.sampled_from(HOSTILE), max_size=12)


@every_collector
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_hostile_values_never_raise_and_never_make_a_broken_sample(collector: Collector, data: st.DataObject) -> None:
    actions = frozenset(action for alternatives in collector.polls for action in alternatives)
    wanted = [(row.source, name) for row in collector.rules for name in row.items]
    wanted += [(known.source, name) for known in collector.zero_series for name in known.items]
    wanted += [(None, name) for tracked in collector.tracked for name in tracked.events]
    wanted += [(action, "") for action in actions]
    rows = RuleFold(collector, actions, Context())
    folds = [rows, *([collector.fold(Context())] if collector.fold else [])]
    store = store_of(collector)
    for source, name in data.draw(st.lists(st.sampled_from(wanted or [(None, "Hangup")]), max_size=6)):
        message = Message.of(data.draw(FIELDS) | ({"event": name} if name else {}))
        if source is None:
            store.feed([message], 0.0)
            continue
        for fold in folds:
            fold.item(source, message)
        store.watch(source, message)
    for fold in folds:
        for metric, labels, value in fold.finish(actions):
            assert len(labels) == len(metric.labels)
            assert math.isfinite(value)
    for family in store.families():
        for key, counted in family.values.items():
            assert len(key) == len(family.metric.labels)
            assert math.isfinite(counted)
            assert counted >= 0
        for key, histogram in family.histograms.items():
            assert len(key) == len(family.metric.labels)
            assert math.isfinite(histogram.sum)
