"""Values with line ends in them, as a stranger's call puts them into lists: each list as a server would write it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.ami.answer import Outcome
from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.errors import Kind
from ami_exporter.ami.exchange import Exchange
from ami_exporter.ami.message import Message

ACTIONS = {"id-1": Action("QueueStatus"), "id-2": Action("Status"), "id-3": Action("CoreShowChannels")}


@dataclass
class Poll:
    """Three lists under way, fed with bytes."""

    items: list[Message] = field(default_factory=list)
    strays: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.decoder = Decoder()
        self.exchange = Exchange(
            ACTIONS, lambda _, item: self.items.append(item), self.strays.append, lambda: 0.0, lists_announced=True
        )

    def feed(self, *packets: str) -> None:
        for packet in packets:
            self.exchange.take(self.decoder.feed(f"{packet}\r\n\r\n".encode()))

    def outcome(self, action_id: str) -> Outcome:
        return self.exchange.answers[ACTIONS[action_id]].outcome


def start(action_id: str) -> str:
    return f"Response: Success\r\nActionID: {action_id}\r\nEventList: start\r\nMessage: will follow"


def complete(action_id: str, name: str, items: int) -> str:
    return f"Event: {name}Complete\r\nActionID: {action_id}\r\nEventList: Complete\r\nListItems: {items}"


def queue(name: str, calls: int = 1) -> str:
    return (
        f"Event: QueueParams\r\nQueue: {name}\r\nMax: 0\r\nStrategy: ringall\r\nCalls: {calls}\r\nHoldtime: 0\r\n"
        "TalkTime: 0\r\nCompleted: 0\r\nAbandoned: 0\r\nServiceLevel: 20\r\nServicelevelPerf: 0.0\r\n"
        "ServicelevelPerf2: 0.0\r\nWeight: 0\r\nActionID: id-1"
    )


def entry(number: str = "1", name: str = "n", position: int = 1) -> str:
    return (
        f"Event: QueueEntry\r\nQueue: a\r\nPosition: {position}\r\nChannel: PJSIP/t-00000001\r\nUniqueid: 1.1\r\n"
        f"CallerIDNum: {number}\r\nCallerIDName: {name}\r\nConnectedLineNum: unknown\r\n"
        "ConnectedLineName: unknown\r\nWait: 7\r\nPriority: 0\r\nActionID: id-1"
    )


def channel(number: str = "1", data: str = "d") -> str:
    return (
        "Event: Status\r\nPrivilege: Call\r\nChannel: PJSIP/t-00000001\r\nChannelState: 6\r\nChannelStateDesc: Up\r\n"
        f"CallerIDNum: {number}\r\nCallerIDName: n\r\nConnectedLineNum: c\r\nConnectedLineName: c\r\nLanguage: en\r\n"
        "AccountCode: \r\nContext: in\r\nExten: s\r\nPriority: 1\r\nUniqueid: 1.1\r\nLinkedid: 1.1\r\nType: PJSIP\r\n"
        "DNID: \r\nEffectiveConnectedLineNum: c\r\nEffectiveConnectedLineName: c\r\nTimeToHangup: 0\r\nBridgeID: \r\n"
        f"Application: Wait\r\nData: {data}\r\nNativeformats: (ulaw)\r\nReadformat: ulaw\r\nReadtrans: \r\n"
        "Writeformat: ulaw\r\nWritetrans: \r\nCallgroup: 0\r\nPickupgroup: 0\r\nSeconds: 9\r\nActionID: id-2"
    )


def listed(number: str = "1", data: str = "d") -> str:
    return (
        "Event: CoreShowChannel\r\nActionID: id-3\r\nChannel: PJSIP/t-00000001\r\nChannelState: 6\r\n"
        f"ChannelStateDesc: Up\r\nCallerIDNum: {number}\r\nCallerIDName: n\r\nConnectedLineNum: c\r\n"
        "ConnectedLineName: c\r\nLanguage: en\r\nAccountCode: \r\nContext: in\r\nExten: s\r\nPriority: 1\r\n"
        f"Uniqueid: 1.1\r\nLinkedid: 1.1\r\nApplication: Wait\r\nApplicationData: {data}\r\nDuration: 00:00:09\r\n"
        "BridgeId: "
    )


TEXTS = {
    "a blank line": "a\n\nb",
    "CRLF and a blank line": "1\r\n\r\n2",
    "an item of the list": "1\r\n\r\nEvent: QueueParams\r\nQueue: vip\r\nCalls: 99\r\nX:",
    "the end of the list": "1\r\n\r\nEvent: StatusComplete\r\nEventList: Complete\r\nListItems: 1\r\nX: ",
    "the end of a list, whole": "1\r\n\r\nEvent: QueueStatusComplete\r\nEventList: Complete\r\nListItems: 1\r\n\r\n",
    "a refusal": "1\r\n\r\nResponse: Error\r\nMessage: Permission denied\r\n\r\n",
    "an event": "1\r\n\r\nEvent: FullyBooted\r\nPrivilege: system,all\r\nUptime: 1\r\nStatus: Fully Booted\r\n\r\n",
    "a header": "1\r\nChannelState: 0\r\nUniqueid: 9.9\r\nLinkedid: 9.9\r\nWait: 999",
    "another ActionID": "1\r\nActionID: id-9",
    "another ActionID and a blank line": "1\r\nActionID: id-9\r\n\r\nEvent: Status\r\nActionID: x\r\n",
    "headers in other letters": "1\r\nEVENT: QueueParams\r\nqueue : vip\r\nCHANNELSTATE:0",
    "the end of a packet": "1\r\n\r\n",
    "many blank lines": "1" + "\r\n" * 40,
    "a command's output": "1\r\n\r\nResponse: Follows\r\nPrivilege: Command\r\n",
    "credentials": "1\r\n\r\nEvent: AuthDetail\r\nObjectName: x\r\n",
    "half an item": "1\r\n\r\nEvent: QueueEntry\r\nQueue: a\r\nPosition: 2\r\nUniqueid: 2.2\r\nCallerIDNum: 3",
    "8-bit bytes": "é\xff\r\n\r\nÿ",
    "4,000 characters": "\r\n\r\nX: y" * 500,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_torn_item_counts_like_any_other(text: str) -> None:
    poll = Poll()
    poll.feed(start("id-1"), queue("a"), entry(text), entry(position=2), queue("b"), complete("id-1", "QueueStatus", 4))
    poll.feed(start("id-2"), channel(text), channel(), channel(data=text), complete("id-2", "Status", 3))
    poll.feed(start("id-3"), listed(text), listed(data=text), listed(), complete("id-3", "CoreShowChannels", 3))
    assert [poll.outcome(action_id) for action_id in ACTIONS] == [Outcome.COMPLETE] * 3
    assert [item["event"] for item in poll.items] == [
        *("QueueParams", "QueueEntry", "QueueEntry", "QueueParams"),
        *("Status",) * 3,
        *("CoreShowChannel",) * 3,
    ]
    assert [item["queue"] for item in poll.items[:4]] == ["a", "a", "a", "b"]
    assert [item["wait"] for item in poll.items[1:3]] == ["7", "7"]
    for item in poll.items[4:]:
        found = item.pick(("channel", "channelstate", "uniqueid", "linkedid", "application"))
        assert found == ("PJSIP/t-00000001", "6", "1.1", "1.1", "Wait")
        assert item.get("seconds", "9") == "9"
        assert item.get("duration", "00:00:09") == "00:00:09"
    assert poll.strays == []
    assert poll.exchange.errors == {Kind.TORN_ITEM: 5}


def test_a_text_that_repeats_the_rest_of_the_item_leaves_doubt_and_fails_that_list_alone() -> None:
    forged = channel(data="x").partition("CallerIDName")[2].rpartition("ActionID")[0]
    poll = Poll()
    poll.feed(start("id-1"), queue("a"), complete("id-1", "QueueStatus", 1))
    poll.feed(start("id-2"), channel(f"1\r\nCallerIDName{forged}X:"), channel(), complete("id-2", "Status", 2))
    poll.feed(start("id-3"), listed(), complete("id-3", "CoreShowChannels", 1))
    assert [poll.outcome(action_id) for action_id in ACTIONS] == [Outcome.COMPLETE, Outcome.TORN, Outcome.COMPLETE]
    assert [item["event"] for item in poll.items] == ["QueueParams", "Status", "CoreShowChannel"]


def test_a_torn_value_keeps_its_line_ends_so_that_it_is_no_other_name() -> None:
    poll = Poll()
    poll.feed(start("id-2"), channel(data="600\r\nQueue: vip"), complete("id-2", "Status", 1))
    assert poll.items[0]["data"].startswith("600\n")
    assert "queue" not in poll.items[0]


def test_more_pieces_than_any_text_makes_are_not_kept_and_fail_the_list() -> None:
    poll = Poll()
    poll.feed(start("id-2"), channel("x: y\r\n\r\n" * 9_000), complete("id-2", "Status", 1))
    assert poll.outcome("id-2") is Outcome.TORN


def test_a_wrong_count_is_counted_and_fails_only_lists_that_count_what_they_write() -> None:
    poll = Poll()
    poll.feed(start("id-2"), channel(), complete("id-2", "Status", 2))
    assert poll.outcome("id-2") is Outcome.TORN
    assert poll.exchange.errors == {Kind.LIST_COUNT: 1}


def test_an_event_between_lists_belongs_to_none() -> None:
    poll = Poll()
    booted = "Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted"
    poll.feed(start("id-1"), queue("a"), complete("id-1", "QueueStatus", 1), booted, start("id-2"), booted, channel())
    poll.feed(complete("id-2", "Status", 1))
    assert [poll.outcome(action_id) for action_id in ("id-1", "id-2")] == [Outcome.COMPLETE] * 2
    assert [stray["event"] for stray in poll.strays] == ["FullyBooted"] * 2
