"""One poll: the plan, folds that fail alone, and what is unavailable."""

from collections.abc import Iterable

from ami_exporter.ami.actions import Action
from ami_exporter.ami.link import Answer, Outcome
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Rule, Sample, gauge
from ami_exporter.collectors.fields import labels, text
from ami_exporter.exposition.caps import Caps
from ami_exporter.exposition.writer import Writer
from ami_exporter.pbx.plan import PING, EnabledCollector, make_plan
from ami_exporter.pbx.poll_run import PollFault, PollRun, Result

STATUS, CORE, QUEUES, BRIDGES = (
    Action("Status"),
    Action("CoreShowChannels"),
    Action("QueueStatus"),
    Action("BridgeList"),
)
COUNT = gauge("asterisk_bridges", "Bridges")
QUEUE = gauge("asterisk_queue_callers", "Callers", "queue")


class Breaks:
    """A fold that fails on its first item."""

    def item(self, _action: Action, _message: Message) -> None:
        raise ZeroDivisionError

    def finish(self, _complete: frozenset[Action]) -> Iterable[Sample]:
        return ()


CHANNELS = Collector("channels", "C", (), polls=((STATUS, CORE),), fold=lambda _context: Breaks())
BRIDGE = Collector("bridges", "B", (COUNT,), polls=((BRIDGES,),), rules=(Rule(COUNT, BRIDGES, ("BridgeListItem",)),))
QUEUE_COLLECTOR = Collector(
    "queues",
    "Q",
    (QUEUE,),
    polls=((QUEUES,),),
    rules=(Rule(QUEUE, QUEUES, ("QueueParams",), labels(text("Queue"))),),
)
CAPS = Caps(1000, lambda _metric, _labels: None, lambda _metric, _labels: True)


def answer(outcome: Outcome = Outcome.COMPLETE, message: str = "") -> Answer:
    return Answer(outcome, message, 0.25, 1)


def results(
    chosen: list[EnabledCollector], answers: dict[Action, Answer], items: Iterable[tuple[Action, str]], offered: str
) -> dict[str, Result]:
    plan = make_plan(chosen, frozenset(offered.lower().split()))
    poll = PollRun(plan, chosen, Context())
    for action, event in items:
        poll.item(action, Message.of({"event": event, "queue": "a"}))
    return {result.name: result for result in poll.results(answers, Writer(CAPS), 50.0)}


def test_the_first_permitted_alternative_is_sent_cheap_actions_first() -> None:
    chosen = [EnabledCollector(CHANNELS), EnabledCollector(BRIDGE)]
    assert make_plan(chosen, frozenset({"status", "coreshowchannels", "bridgelist"})).actions == (PING, BRIDGES, STATUS)
    fallback = make_plan(chosen, frozenset({"coreshowchannels"}))
    assert fallback.actions == (PING, CORE)
    assert fallback.unavailable == {"channels": (STATUS,), "bridges": (BRIDGES,)}


def test_a_source_of_the_configuration_is_preferred() -> None:
    plan = make_plan([EnabledCollector(CHANNELS)], frozenset({"status", "coreshowchannels"}), "CoreShowChannels")
    assert plan.actions == (PING, CORE)
    assert plan.unavailable == {"channels": ()}


def test_an_action_that_several_collectors_want_is_sent_once() -> None:
    again = Collector("again", "A", (), polls=((QUEUES,),))
    plan = make_plan([EnabledCollector(QUEUE_COLLECTOR), EnabledCollector(again)], frozenset({"queuestatus"}))
    assert plan.actions == (PING, QUEUES)
    assert plan.by_collector == {"queues": (QUEUES,), "again": (QUEUES,)}


def test_a_fold_that_fails_takes_no_other_collector_with_it() -> None:
    found = results(
        [EnabledCollector(CHANNELS), EnabledCollector(BRIDGE)],
        {STATUS: answer(), BRIDGES: answer()},
        [(STATUS, "Status"), (BRIDGES, "BridgeListItem"), (STATUS, "Status")],
        "status bridgelist",
    )
    assert found["channels"].fault is PollFault.INTERNAL
    assert found["bridges"].success
    assert [family.values for family in found["bridges"].families] == [{(): 1.0}]


def test_faults_name_their_reason_and_a_cut_list_publishes_nothing() -> None:
    for outcome, fault in (
        (Outcome.CUT, PollFault.CUT),
        (Outcome.DEADLINE, PollFault.DEADLINE),
        (Outcome.REFUSED, PollFault.REFUSED),
        (Outcome.FAILED, PollFault.FAILED),
    ):
        found = results(
            [EnabledCollector(BRIDGE)], {BRIDGES: answer(outcome)}, [(BRIDGES, "BridgeListItem")], "bridgelist"
        )
        assert (found["bridges"].fault, list(found["bridges"].families)) == (fault, [])


def test_a_refused_action_tells_no_right_from_no_module() -> None:
    refused = results([EnabledCollector(BRIDGE)], {BRIDGES: answer(Outcome.REFUSED)}, [], "bridgelist")
    assert refused["bridges"].refused == ((BRIDGES, "permission_denied"),)
    unknown = answer(Outcome.FAILED, "Invalid/unknown command: BridgeList. Use Action: ListCommands")
    missing = results([EnabledCollector(BRIDGE)], {BRIDGES: unknown}, [], "bridgelist")
    assert missing["bridges"].refused == ((BRIDGES, "not_supported"),)


def test_what_is_not_offered_is_a_fault_only_where_it_is_required() -> None:
    assert results([EnabledCollector(BRIDGE)], {}, [], "ping")["bridges"].success
    required = results([EnabledCollector(BRIDGE, required=True)], {}, [], "ping")["bridges"]
    assert (required.fault, required.detail) == (PollFault.NOT_OFFERED, "BridgeList")


def test_a_collectors_time_is_the_sum_of_its_answers() -> None:
    both = Collector("both", "B", (), polls=((QUEUES,), (BRIDGES,)))
    found = results([EnabledCollector(both)], {QUEUES: answer(), BRIDGES: answer()}, [], "queuestatus bridgelist")
    assert (found["both"].seconds, found["both"].taken) == (0.5, 50.0)
