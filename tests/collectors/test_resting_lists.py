"""Lists that rest: what they told an earlier poll joins with what the others tell now, for every collector."""

from __future__ import annotations

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.collectors.declarations import Collector, Context
from ami_exporter.collectors.registry import builtin
from ami_exporter.exposition.caps import Caps
from ami_exporter.exposition.writer import Writer
from ami_exporter.pbx.plan import EnabledCollector, make_plan
from ami_exporter.pbx.poll_run import CollectorRun
from tests.support.captures import NAMES, Answers, context_of, read_file
from tests.support.collecting import Samples

NOTHING_DROPPED = Caps(1000, lambda _metric, _labels: None, lambda _metric, _labels: True)
SEVERAL_LISTS = [collector for collector in builtin() if len(collector.polls) > 1]


def samples(feed: CollectorRun, complete: frozenset[Action]) -> Samples:
    families = feed.families(complete, Writer(NOTHING_DROPPED))
    return {(family.metric.name, *labels): value for family in families for labels, value in family.values.items()}


def take(feed: CollectorRun, answers: Answers, actions: frozenset[Action]) -> None:
    for action in actions:
        for item in answers[action].items:
            for sink in feed.taking(action, item.get("event", "")):
                sink(item)


def lists_of(collector: Collector, answers: Answers) -> tuple[Action, ...]:
    return make_plan([EnabledCollector(collector)], frozenset(action.name.lower() for action in answers)).by_collector[
        collector.name
    ]


def fed(collector: Collector, answers: Answers, context: Context) -> CollectorRun:
    sent = lists_of(collector, answers)
    feed = CollectorRun.new(EnabledCollector(collector), sent, context, Writer(NOTHING_DROPPED))
    take(feed, answers, frozenset(sent))
    return feed


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("collector", SEVERAL_LISTS, ids=lambda collector: collector.name)
def test_one_list_that_rests_or_is_the_only_one_asked_again_changes_no_figure(collector: Collector, name: str) -> None:
    answers = read_file(name)
    context = context_of(answers)
    feed = fed(collector, answers, context)
    assert feed.resumable
    sent = frozenset(feed.sent)
    whole = samples(feed, sent)
    for one in sent:
        for resting in (frozenset({one}), sent - {one}):
            again = feed.again(feed.sent, context, Writer(NOTHING_DROPPED), resting)
            take(again, answers, sent - resting)
            assert samples(again, sent) == whole, resting


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("collector", SEVERAL_LISTS, ids=lambda collector: collector.name)
def test_what_does_not_rest_is_forgotten(collector: Collector, name: str) -> None:
    answers = read_file(name)
    context = context_of(answers)
    feed = fed(collector, answers, context)
    sent = frozenset(feed.sent)
    for one in sent:
        again = feed.again(feed.sent, context, Writer(NOTHING_DROPPED), sent - {one})
        anew = CollectorRun.new(feed.enabled, feed.sent, context, Writer(NOTHING_DROPPED))
        take(anew, answers, sent - {one})
        assert samples(again, sent) == samples(anew, sent), one
