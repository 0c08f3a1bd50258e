"""Events with a stranger's text in them: what is torn is one event, and nothing it forges is one."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.event_classes import EVENT_CLASSES
from ami_exporter.ami.event_sieve import BEGINNINGS_BEFORE_BELIEVED, REST_SECONDS, EventSieve
from ami_exporter.ami.header_orders import OPEN_KINDS, VOCABULARY, Era
from ami_exporter.ami.header_orders import ORDERS as ALL_ORDERS
from ami_exporter.ami.message import Message

ORDERS = ALL_ORDERS[Era.MODERN]

KINDS = sorted(set(ORDERS) & set(EVENT_CLASSES))
Header = tuple[str, str]


@dataclass
class Listening:
    """A sieve fed with bytes; the clock is set by hand."""

    now: float = 100.0
    events: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sieve = EventSieve(lambda: self.now)
        self.decoder = Decoder()

    def feed(self, *packets: str) -> None:
        for message in self.decoder.feed("".join(packets).encode("utf-8", "surrogateescape")):
            self.events.extend(self.sieve.take(message))
        self.events.extend(self.sieve.pause())

    @property
    def names(self) -> list[str]:
        return [event["event"] for event in self.events]


def event(kind: str, order: int = 0, **values: str) -> list[Header]:
    """An event as Asterisk writes it, with all headers of one of its orders."""
    names = [place.name for place in ORDERS[kind.lower()][order][8:] if place.name != "actionid"]
    own = [(name, values.get(name, f"{name}-1")) for name in names]
    return [("event", kind), ("privilege", "call,all"), *own]


def packet(headers: list[Header]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"


PLAIN = packet(event("Newchannel"))

SHUTDOWN = "Event: Shutdown\r\nPrivilege: system,all\r\nShutdown: Uncleanly\r\nRestart: False\r\n"
TEXTS = {
    "a blank line": "1\n\n2",
    "an unclean shutdown": f"1\r\n\r\n{SHUTDOWN}X:",
    "a whole event": f"1\r\n\r\n{SHUTDOWN}\r\n",
    "two events": "\r\n\r\nEvent: Reload\r\nPrivilege: system,all\r\nModule: x\r\nStatus: 0\r\n\r\n"
    "Event: QueueCallerJoin\r\nPrivilege: agent,all\r\nQueue: vip\r\nPosition: 1\r\nCount: 1\r\nA: b",
    "an event that is not of this session's classes": "1\r\n\r\nEvent: FullyBooted\r\nStatus: Fully Booted\r\n\r\n",
    "an answer": "1\r\n\r\nResponse: Goodbye\r\nMessage: x\r\n\r\n",
    "headers": "1\r\nUniqueid: 9.9\r\nCause: 99\r\nChannelState: 0",
    "headers and a blank line": "1\r\nCause: 99\r\n\r\nEvent: Hangup\r\nCause: 98",
    "the beginning of a list": "1\r\n\r\nEvent: Status\r\nActionID: x\r\n\r\n",
    "a command's output": "1\r\n\r\nResponse: Follows\r\nPrivilege: Command\r\n",
    "another letter case": "1\r\n\r\nEVENT: Shutdown\r\nPRIVILEGE: system,all\r\nSHUTDOWN: Uncleanly\r\n\r\n",
    "the end of a packet": "1\r\n\r\n",
    "4,000 characters": "\r\n\r\nX: y" * 500,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("place", ["calleridnum", "connectedlinename", "exten", "channel"])
def test_a_torn_event_ends_its_call_and_forges_nothing(place: str, text: str) -> None:
    listening = Listening()
    listening.feed(PLAIN)
    for kind in ("Newchannel", "Newstate", "QueueCallerJoin", "DialBegin", "BridgeEnter", "Hangup"):
        listening.feed(packet(event(kind, 0, **{place: text})), packet(event("QueueCallerLeave")))
    assert listening.names == [
        "Newchannel",
        *("Newchannel", "QueueCallerLeave", "Newstate", "QueueCallerLeave", "QueueCallerJoin", "QueueCallerLeave"),
        *("DialBegin", "QueueCallerLeave", "BridgeEnter", "QueueCallerLeave", "Hangup", "QueueCallerLeave"),
    ]
    for found in listening.events:
        assert found["uniqueid"] == "uniqueid-1"
        assert found.get("queue", "queue-1") == "queue-1"
        assert found.get("cause", "cause-1") == "cause-1"
        assert "shutdown" not in found
    assert listening.sieve.take_doubtful() == 6
    assert listening.sieve.take_doubtful() == 0


def test_a_text_at_the_end_of_an_event_is_known_from_where_it_stood_before() -> None:
    """DialString is the last header: nothing genuine follows what it forges."""
    text = "1\r\n\r\nEvent: Shutdown\r\nPrivilege: system,all\r\nShutdown: Uncleanly\r\nX: "
    listening = Listening()
    listening.feed(packet(event("Newchannel", exten=text)))
    listening.feed(packet(event("DialBegin", exten=text, dialstring=f"{text}@telco")), PLAIN)
    assert listening.names == ["Newchannel", "DialBegin", "Newchannel"]


def test_an_event_without_a_class_is_none() -> None:
    listening = Listening()
    listening.feed("Event: Shutdown\r\nShutdown: Uncleanly\r\nRestart: False\r\n\r\n", PLAIN)
    assert listening.names == ["Newchannel"]
    assert listening.sieve.take_doubtful() == 1


def test_what_is_in_doubt_is_not_handed_on() -> None:
    """The text repeats every header up to the genuine ones: nobody can tell which Cause is Asterisk's."""
    listening = Listening()
    whole = event("Newexten", appdata="a\r\nAppData: b")
    listening.feed(PLAIN, packet(event("Hangup", connectedlinename="x\r\n" + packet(event("Hangup")[8:])[:-4])))
    assert listening.names == ["Newchannel", "Hangup"]
    assert listening.events[1].get("cause") == "cause-1"
    listening.feed(packet(whole))
    assert "appdata" not in listening.events[2] or listening.events[2]["appdata"].startswith("a")


def test_a_server_that_writes_other_headers_is_read_as_it_comes() -> None:
    listening = Listening()
    short = "Event: QueueCallerJoin\r\nPrivilege: agent,all\r\nQueue: sales\r\nUniqueid: 1.1\r\n\r\n"
    listening.feed(short, short, "Event: Hangup\r\nPrivilege: call,all\r\nChannel: A/b\r\nUniqueid: 1.1\r\n\r\n")
    assert listening.names == ["QueueCallerJoin", "QueueCallerJoin", "Hangup"]
    assert listening.sieve.take_doubtful() == 0


def test_a_beginning_whose_rest_never_comes_holds_nothing_back_for_ever() -> None:
    listening = Listening()
    odd = event("Hangup")
    odd.remove(("language", "language-1"))
    listening.feed(PLAIN)
    for _ in range(BEGINNINGS_BEFORE_BELIEVED):
        listening.feed(packet(odd), packet(event("Newstate")))
        listening.now += REST_SECONDS + 0.1
    listening.events.extend(listening.sieve.overdue())
    listening.events.extend(listening.sieve.pause())
    listening.feed(packet(odd))
    assert listening.names.count("Newstate") == BEGINNINGS_BEFORE_BELIEVED
    assert listening.names[-2:] == ["Newstate", "Hangup"]


def test_a_user_event_keeps_the_headers_of_its_sender() -> None:
    listening = Listening()
    body = [("Info", "a"), ("Queue", "sales"), ("Queue", "b")]
    listening.feed(packet([*event("UserEvent"), *body]), packet([*event("UserEvent", 1), *body]))
    torn = [*event("UserEvent", calleridnum="1\r\n\r\nEvent: Shutdown\r\nPrivilege: system,all\r\nX:"), *body]
    listening.feed(packet(torn))
    assert listening.names == ["UserEvent"] * 3
    assert [found["queue"] for found in listening.events] == ["sales"] * 3


_lines = st.builds(
    lambda name, word: f"{name}: {word}",
    st.sampled_from(
        ["Event", "Privilege", "Channel", "Uniqueid", "Cause", "Queue", "Linkedid", "Exten", "X", "Context"]
    ),
    st.sampled_from(["Shutdown", "system,all", "call,all", "Hangup", "Newchannel", "QueueCallerJoin", "1", "vip", ""]),
)
_texts = st.lists(
    st.one_of(_lines, st.sampled_from(["\r\n", "\n", "\r\n\r\n", "\n\n"]), st.text(max_size=5)), max_size=12
).map("".join)


@given(st.sampled_from(KINDS), st.data())
@settings(max_examples=300, deadline=None)
def test_any_text_in_any_free_value_adds_no_event_and_changes_no_other(kind: str, data: st.DataObject) -> None:
    order = data.draw(st.integers(0, len(ORDERS[kind]) - 1))
    free = [place.name for place in ORDERS[kind][order][8:-2] if place.free]
    if not free:
        return
    place = data.draw(st.sampled_from(free))
    headers = event(kind, order)
    plain = dict(headers)
    hostile = [(name, value + data.draw(_texts) if name == place else value) for name, value in headers]
    listening = Listening()
    listening.feed(PLAIN, packet(hostile), packet(event("Hangup")))
    listening.now += REST_SECONDS + 1
    listening.events.extend(listening.sieve.overdue())
    listening.events.extend(listening.sieve.pause())
    others = [found for found in listening.events if found["event"].lower() != kind]
    assert all(found["event"] in ("Newchannel", "Hangup") for found in others)
    assert dict(listening.events[0]) == dict(event("Newchannel"))
    assert dict(listening.events[-1]) == dict(event("Hangup"))
    assert len(listening.events) <= 3
    for found in listening.events[1:-1]:
        told = {name: value for name, value in found.items() if name in VOCABULARY and name != place}
        assert kind in OPEN_KINDS or all(value.partition("\n")[0] == plain[name] for name, value in told.items())
