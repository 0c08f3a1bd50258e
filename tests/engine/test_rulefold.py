"""The generic fold: rows over list items, zeros, and what an incomplete list takes away."""

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Rule, ZeroSeries, counter, gauge
from ami_exporter.collectors.fields import constant, labels, number, text, word
from ami_exporter.collectors.rulefold import RuleFold

QUEUES = Action("QueueStatus")
SIP = Action("SIPpeers")
IAX = Action("IAXpeerlist")
STATES = ("idle", "busy")

CALLERS = gauge("asterisk_queue_callers", "Callers", "queue")
MEMBERS = gauge("asterisk_queue_members", "Members", "queue", "state", closed={"state": STATES})
LONGEST = gauge("asterisk_queue_longest_wait_seconds", "Longest wait", "queue")
ENTRIES = gauge("asterisk_entries", "Entries")
JOINS = counter("asterisk_queue_joins_total", "Joins", "queue")
PEERS = gauge("asterisk_endpoints", "Peers", "technology", "state", closed={"state": ("up", "down")})

QUEUE = labels(text("Queue"))
COLLECTOR = Collector(
    "queues",
    "Queues",
    (CALLERS, MEMBERS, LONGEST, ENTRIES, JOINS),
    polls=((QUEUES,),),
    rules=(
        Rule(CALLERS, QUEUES, ("QueueParams",), QUEUE, number("Calls"), reduce="last"),
        Rule(MEMBERS, QUEUES, ("QueueMember",), labels(text("Queue"), word("Status", {"1": "idle"}, "busy"))),
        Rule(LONGEST, QUEUES, ("QueueEntry",), QUEUE, number("Wait"), reduce="max"),
        Rule(ENTRIES, QUEUES, ("QueueEntry",)),
    ),
    zero_series=(ZeroSeries((MEMBERS, JOINS), QUEUES, ("QueueParams",), QUEUE),),
)
PEER_COLLECTOR = Collector(
    "peers",
    "Peers",
    (PEERS,),
    rules=tuple(
        Rule(PEERS, action, ("PeerEntry",), labels(constant(tech), word("Status", {"ok": "up"}, "down")))
        for action, tech in ((SIP, "SIP"), (IAX, "IAX2"))
    ),
)


def item(event: str, **headers: str) -> Message:
    return Message.of({"event": event} | {key.lower(): value for key, value in headers.items()})


def folded(
    items: list[tuple[Action, Message]], complete: set[Action], of: Collector = COLLECTOR
) -> dict[str, dict[tuple[str, ...], float]]:
    sent = frozenset(action for action, _ in items) | complete
    fold = RuleFold(of, sent, Context(technologies=("Local", "PJSIP")))
    for action, message in items:
        fold.item(action, message)
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for metric, values, value in fold.finish(frozenset(complete)):
        found.setdefault(metric.name, {})[values] = value
    return found


QUEUE_LIST = [
    (QUEUES, item("QueueParams", Queue="a", Calls="2")),
    (QUEUES, item("QueueMember", Queue="a", Status="1")),
    (QUEUES, item("QueueMember", Queue="a", Status="1")),
    (QUEUES, item("QueueEntry", Queue="a", Wait="7")),
    (QUEUES, item("QueueEntry", Queue="a", Wait="31")),
    (QUEUES, item("QueueParams", Queue="b", Calls="0")),
]


def test_counts_maxima_and_plain_values_are_folded_with_zeros_for_known_queues() -> None:
    assert folded(QUEUE_LIST, {QUEUES}) == {
        "asterisk_queue_callers": {("a",): 2.0, ("b",): 0.0},
        "asterisk_queue_members": {("a", "idle"): 2.0, ("a", "busy"): 0.0, ("b", "idle"): 0.0, ("b", "busy"): 0.0},
        "asterisk_queue_longest_wait_seconds": {("a",): 31.0},
        "asterisk_entries": {(): 2.0},
    }


def test_a_list_that_was_cut_publishes_nothing() -> None:
    assert folded(QUEUE_LIST, set()) == {}


def test_an_empty_complete_list_is_zero_where_a_count_has_no_open_label() -> None:
    assert folded([], {QUEUES}) == {"asterisk_entries": {(): 0.0}}


def test_one_list_cut_takes_only_its_own_label_sets_away() -> None:
    items = [(SIP, item("PeerEntry", Status="ok")), (IAX, item("PeerEntry", Status="ok"))]
    assert folded(items, {IAX}, PEER_COLLECTOR) == {"asterisk_endpoints": {("IAX2", "up"): 1.0, ("IAX2", "down"): 0.0}}


def test_complete_lists_name_label_values_for_event_counters() -> None:
    fold = RuleFold(COLLECTOR, frozenset({QUEUES}), Context())
    for action, message in QUEUE_LIST:
        fold.item(action, message)
    assert set(fold.named(frozenset({QUEUES}))) == {(JOINS, ("a",)), (JOINS, ("b",))}
    assert set(fold.named(frozenset())) == set()
