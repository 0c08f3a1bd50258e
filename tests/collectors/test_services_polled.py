from __future__ import annotations

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Layout, Message
from ami_exporter.collectors import agents, conferences, fax, parking, voicemail
from ami_exporter.collectors.declarations import Collector
from tests.support.collecting import message, messages, nonzero, polled

AGENTS = """
    Event: Agents
    Agent: 1001
    Name: Ann
    Status: AGENT_IDLE

    Event: Agents
    Agent: 1002
    Name: Bob
    Status: AGENT_ONCALL
    TalkingToChan: PJSIP/telco-00000001
    CallStarted: 1700000000

    Event: Agents
    Agent: 1003
    Name: Cyd
    Status: AGENT_LOGGEDOFF

    Event: Agents
    Agent: 1004
    Name: Dan
    Status: AGENT_NEW_WORD
"""

ROOMS = """
    Event: ConfbridgeListRooms
    Conference: 8000
    Parties: 3
    Marked: 1
    Locked: No
    Muted: No

    Event: ConfbridgeListRooms
    Conference: board
    Parties: 2
    Marked: 0
    Locked: Yes
"""

LOTS = """
    Event: Parkinglot
    Name: default
    StartSpace: 701
    StopSpace: 720
    Timeout: 45

    Event: Parkinglot
    Name: hotel
    StartSpace: 800
    StopSpace: 800
    Timeout: 60
"""

PARKED = """
    Event: ParkedCall
    ActionID: a-7
    ParkeeChannel: PJSIP/telco-00000001
    Parkinglot: default
    ParkingSpace: 701
    ParkingTimeout: 40
    ParkingDuration: 5

    Event: ParkedCall
    ActionID: a-7
    Parkinglot: default
    ParkingSpace: 702
    ParkingTimeout: 10
    ParkingDuration: 35
"""

BOXES = """
    Event: VoicemailUserEntry
    VMContext: default
    VoiceMailbox: 201
    Fullname: Ann Example
    Email: ann@example.com
    Pager: 5550001
    NewMessageCount: 3
    OldMessageCount: 10
    MaxMessageCount: 100

    Event: VoicemailUserEntry
    VMContext: default
    VoiceMailbox: 202
    Fullname: Bob Example
    Email: bob@example.com
    NewMessageCount: 0
    OldMessageCount: 2

    Event: VoicemailUserEntry
    VMContext: hotel
    VoiceMailbox: 201
    NewMessageCount: 1
    OldMessageCount: 0
"""


def test_agents_by_state_with_every_state_present() -> None:
    assert polled(agents.COLLECTOR, {agents.POLL: messages(AGENTS)}) == {
        ("asterisk_agents", "idle"): 1,
        ("asterisk_agents", "on_call"): 1,
        ("asterisk_agents", "logged_off"): 1,
        ("asterisk_agents", "unknown"): 1,
    }


def test_conferences_and_their_rooms() -> None:
    assert polled(conferences.COLLECTOR, {conferences.POLL: messages(ROOMS)}) == {
        ("asterisk_conferences",): 2,
        ("asterisk_conference_participants",): 5,
        ("asterisk_conference_room_participants", "8000"): 3,
        ("asterisk_conference_room_participants", "board"): 2,
        ("asterisk_conference_room_locked", "8000"): 0,
        ("asterisk_conference_room_locked", "board"): 1,
    }


def test_no_active_conferences_is_0() -> None:
    assert polled(conferences.COLLECTOR, {conferences.POLL: []}) == {
        ("asterisk_conferences",): 0,
        ("asterisk_conference_participants",): 0,
    }


def test_parking_spaces_and_calls_with_known_lots_at_0() -> None:
    found = polled(parking.COLLECTOR, {parking.LOTS: messages(LOTS), parking.PARKED: messages(PARKED)})
    assert found == {
        ("asterisk_parking_spaces", "default"): 20,
        ("asterisk_parking_spaces", "hotel"): 1,
        ("asterisk_parked_calls", "default"): 2,
        ("asterisk_parked_calls", "hotel"): 0,
        ("asterisk_parked_longest_seconds", "default"): 35,
    }


def test_trap_a_failing_part_neither_fails_nor_fakes_the_rest() -> None:
    answers = {parking.LOTS: messages(LOTS), parking.PARKED: messages(PARKED)[:1]}
    assert polled(parking.COLLECTOR, answers, cut=[parking.PARKED]) == {
        ("asterisk_parking_spaces", "default"): 20,
        ("asterisk_parking_spaces", "hotel"): 1,
    }
    without_lots = polled(parking.COLLECTOR, {parking.PARKED: messages(PARKED)})
    assert without_lots["asterisk_parked_calls", "default"] == 2


def test_a_parking_lot_with_senseless_spaces_has_no_number_of_spaces() -> None:
    for lines in ("StartSpace: 720\nStopSpace: 701", "StartSpace: -1\nStopSpace: 701", "StopSpace: 701"):
        item = message(f"Event: Parkinglot\nName: x\n{lines}")
        assert polled(parking.COLLECTOR, {parking.LOTS: [item]}) == {}


def test_voicemail_by_context_and_by_mailbox() -> None:
    assert polled(voicemail.VOICEMAIL, {voicemail.POLL: messages(BOXES)}) == {
        ("asterisk_voicemail_messages", "default", "new"): 3,
        ("asterisk_voicemail_messages", "default", "old"): 12,
        ("asterisk_voicemail_messages", "hotel", "new"): 1,
        ("asterisk_voicemail_messages", "hotel", "old"): 0,
    }
    assert nonzero(polled(voicemail.MAILBOXES, {voicemail.POLL: messages(BOXES)})) == {
        ("asterisk_voicemail_mailbox_messages", "default", "201", "new"): 3,
        ("asterisk_voicemail_mailbox_messages", "default", "201", "old"): 10,
        ("asterisk_voicemail_mailbox_messages", "default", "202", "old"): 2,
        ("asterisk_voicemail_mailbox_messages", "hotel", "201", "new"): 1,
    }


class Spy(Message):
    """Remembers which headers were read."""

    read: set[str]

    def get(self, name: str, /, default: object = None) -> str:
        self.read.add(name)
        return str(super().get(name, default) or "")


def test_voicemail_reads_no_name_and_no_address() -> None:
    [box, *_] = messages(BOXES)
    item = Spy(Layout(list(box)), ("", *box.values(), ""))
    item.read = set()
    for collector in voicemail.COLLECTORS:
        polled(collector, {voicemail.POLL: [item]})
    assert item.read == {"event", "vmcontext", "voicemailbox", "newmessagecount", "oldmessagecount"}


def test_voicemail_is_opt_in_and_asked_for_rarely() -> None:
    for collector in voicemail.COLLECTORS:
        assert collector.enabled is False
        assert collector.min_interval == 300
        assert all("every 5 minutes at most" in metric.help for metric in collector.metrics)


def test_fax_statistics() -> None:
    item = message("""
        Event: FAXStats
        CurrentSessions: 1
        ReservedSessions: 0
        TransmitAttempts: 12
        ReceiveAttempts: 30
        CompletedFAXes: 39
        FailedFAXes: 3
    """)
    assert polled(fax.COLLECTOR, {fax.POLL: [item]}) == {
        ("asterisk_fax_sessions",): 1,
        ("asterisk_fax_attempts_total", "send"): 12,
        ("asterisk_fax_attempts_total", "receive"): 30,
        ("asterisk_fax_completed_total",): 39,
        ("asterisk_fax_failed_total",): 3,
    }


def test_trap_minus_1_for_unknown_is_absent() -> None:
    item = message("Event: FAXStats\nCurrentSessions: -1\nTransmitAttempts: nan\nReceiveAttempts: 1e400\nFailedFAXes:")
    assert polled(fax.COLLECTOR, {fax.POLL: [item]}) == {}


def test_trap_n_plus_1_none_of_these_asks_for_one_object() -> None:
    collectors: tuple[Collector, ...] = (
        *(agents.COLLECTOR, conferences.COLLECTOR, parking.COLLECTOR, fax.COLLECTOR),
        *voicemail.COLLECTORS,
    )
    asked = {action for c in collectors for alternatives in c.polls for action in alternatives}
    names = {"Agents", "ConfbridgeListRooms", "Parkinglots", "ParkedCalls", "FAXStats", "VoicemailUsersList"}
    assert asked == {Action(name) for name in names}
