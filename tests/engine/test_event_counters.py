"""The event counters: counting, zeros, caps, reload."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import (
    Collector,
    Context,
    Metric,
    Rule,
    Sample,
    Tracked,
    Trunk,
    ZeroSeries,
    counter,
    histogram,
)
from ami_exporter.collectors.fields import labels, number, text, word
from ami_exporter.exposition.caps import Caps
from ami_exporter.pbx.event_counters import EventCounters

HANGUPS = counter(
    "asterisk_hangups_total", "Hang-ups", "technology", "cause", closed={"cause": ("none", "busy", "other")}
)
CALLS = counter("asterisk_trunk_calls_total", "Calls", "trunk")
JOINS = counter("asterisk_queue_joins_total", "Joins", "queue")
WAIT = histogram("asterisk_queue_wait_seconds", "Wait", "queue", buckets=(5.0, 10.0))
HOLDS = counter("asterisk_holds_total", "Holds")

COLLECTOR = Collector(
    "things",
    "Things",
    (HANGUPS, CALLS, JOINS, WAIT, HOLDS),
    rules=(
        Rule(HANGUPS, None, ("Hangup",), labels(text("Tech"), word("Cause", {"0": "none", "17": "busy"}))),
        Rule(JOINS, None, ("QueueCallerJoin", "Join"), labels(text("Queue"))),
        Rule(WAIT, None, ("AgentConnect",), labels(text("Queue")), number("HoldTime")),
        Rule(HOLDS, None, ("Hold",)),
    ),
    zero_series=(ZeroSeries((JOINS, WAIT), None, ("QueueCallerJoin",), labels(text("Queue"))),),
)


@dataclass
class Log:
    """What the caps were told."""

    dropped: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def caps(self, limit: int = 1000) -> Caps:
        return Caps(limit, lambda metric, labels: self.dropped.append((metric.name, labels)), lambda _m, _l: True)


def counters_of(
    limit: int = 1000, context: Context | None = None, collectors: Iterable[Collector] = (COLLECTOR,)
) -> EventCounters:
    return EventCounters(list(collectors), context or Context(), Log().caps(limit))


def event(name: str, **headers: str) -> Message:
    return Message.of({"event": name} | {key.lower(): value for key, value in headers.items()})


def values(of: EventCounters, metric: Metric) -> dict[tuple[str, ...], float]:
    return next((family.values for family in of.families() if family.metric is metric), {})


def test_counters_without_open_labels_are_zero_from_the_start() -> None:
    assert values(counters_of(), HOLDS) == {(): 0.0}


def test_counters_by_technology_are_zero_for_each_technology_the_pbx_has() -> None:
    of = counters_of(context=Context(technologies=("Local",)))
    assert values(of, HANGUPS) == {("Local", "none"): 0.0, ("Local", "busy"): 0.0, ("Local", "other"): 0.0}


def test_a_trunk_found_later_starts_at_zero_and_keeps_what_was_counted() -> None:
    of = counters_of()
    of.use(Context(trunks={"telco": Trunk("telco")}))
    assert values(of, CALLS) == {("telco",): 0.0}


def test_events_are_counted_under_modern_and_old_names() -> None:
    of = counters_of()
    of.feed([event("QueueCallerJoin", Queue="a"), event("Join", Queue="a"), event("Unheard", Queue="a")], 0.0)
    assert values(of, JOINS) == {("a",): 2.0}


def test_a_histogram_counts_its_upper_bounds_inclusively() -> None:
    of = counters_of()
    of.feed([event("AgentConnect", Queue="a", HoldTime=seconds) for seconds in ("5", "5.1", "11")], 0.0)
    (family,) = [f for f in of.families() if f.metric is WAIT]
    child = family.histograms[("a",)]
    assert (child.counts, child.sum, child.count) == ([1, 1, 1], 21.1, 3)


def test_an_unreadable_number_is_no_observation() -> None:
    of = counters_of()
    of.feed([event("AgentConnect", Queue="a", HoldTime=bad) for bad in ("", "nan", "1e999", "-1", "soon")], 0.0)
    assert not [f for f in of.families() if f.metric is WAIT]


def test_the_first_label_sets_are_kept_and_the_rest_is_counted_as_dropped() -> None:
    log = Log()
    of = EventCounters([COLLECTOR], Context(), log.caps(2))
    of.feed([event("Join", Queue=name) for name in "abcab"], 0.0)
    assert values(of, JOINS) == {("a",): 2.0, ("b",): 2.0}
    assert log.dropped == [("asterisk_queue_joins_total", ("c",))]


def test_no_cap_cuts_a_total_of_events() -> None:
    of = counters_of(limit=1, context=Context(technologies=("Local", "PJSIP")))
    of.feed([event("Hangup", Tech=tech, Cause=cause) for tech in ("PJSIP", "SIP") for cause in ("0", "17", "99")], 0.0)
    assert sum(values(of, HANGUPS).values()) == 6


OUTCOMES = counter("asterisk_queue_calls_total", "Calls", "queue", "outcome", closed={"outcome": ("up", "down")})
CALLERS = Collector(
    "callers",
    "Callers",
    (OUTCOMES,),
    rules=(Rule(OUTCOMES, None, ("Left",), labels(text("Queue"), text("Outcome"))),),
    zero_series=(ZeroSeries((OUTCOMES,), None, ("QueueCallerJoin",), labels(text("Queue"))),),
)


@pytest.mark.parametrize(("limit", "kept"), [(1, "a"), (2, "a"), (3, "a"), (4, "ab"), (5, "ab"), (6, "abc")])
def test_a_queue_is_counted_with_all_its_outcomes_or_not_at_all(limit: int, kept: str) -> None:
    of = EventCounters([CALLERS], Context(), Log().caps(limit))
    left = [event("Left", Queue=name, Outcome="up") for name in "abc"]
    of.feed([*left, *(event("QueueCallerJoin", Queue=name) for name in "abc")], 0.0)
    of.install([CALLERS], Log().caps(limit))
    of.feed([event("Left", Queue=name, Outcome="down") for name in "cba"], 0.0)
    assert values(of, OUTCOMES) == {(queue, outcome): 1.0 for queue in kept for outcome in ("up", "down")}


def test_a_rare_outcome_of_a_queue_that_is_served_is_counted_beyond_the_cap() -> None:
    of = EventCounters([CALLERS], Context(), Log().caps(2))
    of.feed([event("Left", Queue="a", Outcome=outcome) for outcome in ("up", "down", "sideways")], 0.0)
    assert sum(values(of, OUTCOMES).values()) == 3


def test_a_reload_keeps_the_counts_of_metrics_that_stay() -> None:
    of = counters_of()
    of.feed([event("Hold"), event("Join", Queue="a")], 0.0)
    smaller = Collector("things", "Things", (HOLDS,), rules=(Rule(HOLDS, None, ("Hold",)),))
    of.install([smaller], Log().caps())
    of.feed([event("Hold")], 0.0)
    assert [(f.metric.name, f.values) for f in of.families()] == [("asterisk_holds_total", {(): 2.0})]


class Remembers:
    """A tracker that counts an End only after its Begin."""

    def __init__(self) -> None:
        self.begun: set[str] = set()

    def event(self, message: Message, _context: Context, _now: float) -> Iterable[Sample]:
        if message["event"] == "Begin":
            self.begun.add(message["id"])
        elif message["id"] in self.begun:
            self.begun.discard(message["id"])
            yield HOLDS, (), 1.0

    def reset(self) -> None:
        self.begun.clear()

    def expire(self, _now: float) -> Iterable[Sample]:
        return ()


def test_trackers_feed_counters_and_forget_when_the_link_is_lost() -> None:
    tracking = Collector("t", "T", (HOLDS,), tracked=(Tracked(("Begin", "End"), Remembers),))
    of = counters_of(collectors=[tracking])
    of.feed([event("Begin", ID="1"), event("End", ID="1"), event("Begin", ID="2")], 0.0)
    of.reset_trackers()
    of.feed([event("End", ID="2")], 0.0)
    assert values(of, HOLDS) == {(): 1.0}
