"""Joining messages to actions: completions in every dialect, errors, strays, forgeries."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.ami.answer import Answer, Outcome
from ami_exporter.ami.errors import Kind
from ami_exporter.ami.exchange import Exchange, stray_kind
from ami_exporter.ami.message import Message


@dataclass
class Play:
    """An exchange with its surroundings: what reached the folds, what was left over, a clock set by hand."""

    actions: dict[str, Action]
    announced: bool = True
    now: float = 100.0
    items: list[tuple[str, Message]] = field(default_factory=list)
    strays: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.exchange = Exchange(
            self.actions,
            lambda action, message: self.items.append((action.name, message)),
            self.strays.append,
            lambda: self.now,
            lists_announced=self.announced,
        )

    def take(self, **headers: str) -> None:
        self.exchange.take([Message.of(headers)])

    def answer(self, action_id: str = "1") -> Answer:
        return self.exchange.answers[self.actions[action_id]]


def test_answers_are_joined_by_action_id_in_whatever_order() -> None:
    play = Play({"1": Action("Status"), "2": Action("QueueStatus"), "3": Action("Ping")})
    play.take(response="Success", actionid="2", eventlist="start")
    play.take(event="QueueParams", queue="a", actionid="2")
    play.take(response="Success", actionid="1", eventlist="start")
    play.take(event="Status", channel="x", actionid="1")
    play.take(response="Success", actionid="3", ping="Pong")
    play.take(event="QueueMember", queue="a", actionid="2")
    play.take(event="StatusComplete", actionid="1", eventlist="Complete")
    play.take(event="QueueStatusComplete", actionid="2", eventlist="COMPLETE")
    assert not play.exchange.unfinished
    assert [(name, message.get("event")) for name, message in play.items] == [
        ("QueueStatus", "QueueParams"),
        ("Status", "Status"),
        ("Ping", None),
        ("QueueStatus", "QueueMember"),
    ]
    assert [(play.answer(i).outcome, play.answer(i).items) for i in "123"] == [
        (Outcome.COMPLETE, 1),
        (Outcome.COMPLETE, 2),
        (Outcome.COMPLETE, 1),
    ]


def test_seconds_run_from_the_end_of_the_answer_before() -> None:
    play = Play({"1": Action("Ping"), "2": Action("CoreStatus")})
    play.now = 100.25
    play.take(response="Success", actionid="1")
    play.now = 101.0
    play.take(response="Success", actionid="2")
    assert play.answer("1").seconds == 0.25
    assert play.answer("2").seconds == 0.75


def test_a_list_of_an_old_server_ends_by_the_name_of_its_completion() -> None:
    play = Play({"1": Action("Status")}, announced=False)
    play.take(response="Follows", actionid="1")
    play.take(event="Status", actionid="1")
    play.take(event="StatusComplete", actionid="1")
    assert play.answer() == Answer(Outcome.COMPLETE, "", 0.0, 1)


def test_a_completion_of_another_name_counts_when_eventlist_says_so() -> None:
    play = Play({"1": Action("IAXpeerlist")})
    play.take(response="Success", actionid="1", eventlist="start")
    play.take(event="SomethingNew", actionid="1", eventlist="Complete")
    assert play.answer().outcome is Outcome.COMPLETE


def test_success_without_a_list_is_empty_where_lists_announce_themselves() -> None:
    play = Play({"1": Action("VoicemailUsersList")})
    play.take(response="Success", actionid="1", message="Nothing of the kind.")
    assert play.answer() == Answer(Outcome.EMPTY, "Nothing of the kind.", 0.0, 0)


def test_success_without_a_list_waits_for_it_on_an_old_server() -> None:
    play = Play({"1": Action("VoicemailUsersList"), "2": Action("QueueStatus")}, announced=False)
    play.take(response="Success", actionid="1", message="There are no voicemail users currently defined.")
    assert play.answer("1").outcome is Outcome.EMPTY
    play.take(response="Success", actionid="2", message="Queue status will follow")
    assert play.exchange.unfinished
    play.take(event="QueueStatusComplete", actionid="2")
    assert play.answer("2").outcome is Outcome.COMPLETE


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("ConfbridgeListRooms", "No active conferences."),
        ("PJSIPShowEndpoints", "No endpoints found"),
        ("PJSIPShowContacts", "No Contacts found"),
        ("PJSIPShowAors", "No AORs found"),
        ("ExtensionStateList", "No dialplan hints are available"),
    ],
)
def test_an_error_that_says_there_are_none_is_empty(action: str, text: str) -> None:
    play = Play({"1": Action(action)})
    play.take(response="Error", actionid="1", message=text)
    assert play.answer() == Answer(Outcome.EMPTY, text, 0.0, 0)
    assert play.answer().full


@pytest.mark.parametrize(
    ("text", "outcome", "unsupported"),
    [
        ("Permission denied", Outcome.REFUSED, False),
        ("Invalid/unknown command: Status. Use Action: ListCommands to show available commands.", Outcome.FAILED, True),
        ("Asterisk is shutting down", Outcome.FAILED, False),
        ("No endpoints found", Outcome.FAILED, False),
    ],
)
def test_an_error_ends_the_answer(text: str, outcome: Outcome, unsupported: bool) -> None:
    play = Play({"1": Action("Status")})
    play.take(response="Error", actionid="1", message=text)
    assert play.answer() == Answer(outcome, text, 0.0, 0)
    assert play.answer().unsupported is unsupported
    assert not play.answer().full


def test_an_error_in_the_middle_of_a_list_fails_it() -> None:
    play = Play({"1": Action("Status")})
    play.take(response="Success", actionid="1", eventlist="start")
    play.take(event="Status", actionid="1")
    play.take(response="Error", actionid="1", message="Could not go on")
    assert play.answer() == Answer(Outcome.FAILED, "Could not go on", 0.0, 1)


def test_a_cancelled_list_has_failed() -> None:
    play = Play({"1": Action("Status")})
    play.take(response="Success", actionid="1", eventlist="start")
    play.take(event="Whatever", actionid="1", eventlist="cancelled")
    assert play.answer().outcome is Outcome.FAILED


def test_fax_statistics_are_one_event_after_the_response() -> None:
    play = Play({"1": Action("FAXStats")})
    play.take(response="Success", actionid="1", message="FAXStats event will follow")
    assert play.exchange.unfinished
    play.take(event="FAXStats", actionid="1", currentsessions="2")
    assert play.answer() == Answer(Outcome.COMPLETE, "", 0.0, 1)


@pytest.mark.parametrize("response", ["Success", "Follows"])
def test_a_cli_answer_is_handed_on_whole(response: str) -> None:
    action = Action("Command", (("Command", "core show taskprocessors"),))
    play = Play({"1": action})
    message = Message.of([("response", response), ("actionid", "1"), ("output", "a"), ("output", "b")])
    play.exchange.take([message])
    assert [item.values_of("output") for _, item in play.items] == [["a", "b"]]
    assert play.answer().outcome is Outcome.COMPLETE


def test_an_unknown_cli_command_has_failed_with_its_text() -> None:
    play = Play({"1": Action("Command", (("Command", "core show taskprocessors"),))})
    play.take(response="Error", actionid="1", message="Command output follows", output="No such command")
    assert play.answer() == Answer(Outcome.FAILED, "No such command", 0.0, 0)
    assert play.items == []


def test_an_item_needs_our_action_id_and_its_own_name() -> None:
    play = Play({"1": Action("ParkedCalls")})
    play.take(event="ParkedCall", parkinglot="a")  # the broadcast event of the same name
    play.take(event="ParkedCall", actionid="9", parkinglot="a")
    play.take(event="UserEvent", actionid="1", parkinglot="a")
    assert play.items == []
    assert len(play.strays) == 3
    assert play.exchange.unfinished


def test_an_item_that_forges_a_completion_stays_an_item() -> None:
    play = Play({"1": Action("Status")})
    play.take(event="Status", eventlist="Complete", actionid="1")
    assert play.exchange.unfinished
    assert len(play.items) == 1


def test_what_comes_after_the_end_is_left_over() -> None:
    play = Play({"1": Action("Status")})
    play.take(event="StatusComplete", actionid="1", eventlist="Complete")
    play.take(event="StatusComplete", actionid="1", eventlist="Complete")
    play.take(event="Status", actionid="1")
    assert [message["event"] for message in play.strays] == ["StatusComplete", "Status"]
    assert play.answer().items == 0


def test_giving_up_ends_what_is_unfinished_only() -> None:
    play = Play({"1": Action("Ping"), "2": Action("Status")})
    play.take(response="Success", actionid="1")
    play.take(event="Status", actionid="2")
    play.now = 103.0
    play.exchange.give_up(Outcome.CUT, "the server closed the connection")
    assert play.answer("1").outcome is Outcome.COMPLETE
    assert play.answer("2") == Answer(Outcome.CUT, "the server closed the connection", 3.0, 1)


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"event": "Hangup"}, None),
        ({"event": "OriginateResponse", "response": "Failure", "actionid": "other"}, None),
        ({"response": "Success"}, Kind.UNEXPECTED_ANSWER),
        ({"response": "Success", "actionid": "other"}, Kind.UNEXPECTED_ANSWER),
        ({"response": "Success", "actionid": "ours-1"}, Kind.UNEXPECTED_ANSWER),
        ({"event": "Status", "actionid": "ours-1"}, Kind.UNEXPECTED_ANSWER),
        ({"event": "StatusComplete", "actionid": "ours-1", "eventlist": "Complete"}, Kind.REPEATED_COMPLETION),
        ({"key": "value"}, Kind.UNEXPECTED_ANSWER),
    ],
)
def test_strays_are_told_apart(headers: dict[str, str], kind: Kind | None) -> None:
    assert stray_kind(Message.of(headers), "ours-") is kind
