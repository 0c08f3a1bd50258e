"""A session over loopback: asking."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.ami.errors import LinkClosed, StaleLink
from ami_exporter.ami.link import Link
from tests.support.ami_links import USER, ignore, link_to, soon
from tests.support.ami_server import SECONDS, AmiServer, Session
from tests.support.ami_wire import packet, status_item

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami_exporter.ami.message import Message


def test_actions_are_sent_at_once_cheap_ones_first() -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        actions = [session.action() for _ in range(3)]  # all three, before any answer
        assert [action["Action"] for action in actions] == ["Ping", "QueueStatus", "Status"]
        assert actions[1]["Queue"] == "sales"
        for action in reversed(actions):
            name = action["Action"]
            if name != "Ping":
                session.answer(action, ("EventList", "start"))
                session.send(
                    packet(("Event", f"{name}Complete"), ("EventList", "Complete"), ("ActionID", action["ActionID"]))
                )
            else:
                session.answer(action, ("Ping", "Pong"))
        session.until_closed()

    sales = Action("QueueStatus", (("Queue", "sales"),))
    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        answers = link.exchange([Action("Status"), sales, Action("Ping"), Action("Status")], ignore, soon())
        assert {action.name: answer.outcome for action, answer in answers.items()} == {
            "Ping": "complete",
            "QueueStatus": "complete",
            "Status": "complete",
        }
        link.close()


def test_items_arrive_one_by_one_in_whatever_pieces() -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        action = session.expect("Status")
        session.answer(action, ("EventList", "start"))
        data = b"".join(status_item(number, action["ActionID"]) for number in range(50))
        data += packet(
            ("Event", "StatusComplete"),
            ("ActionID", action["ActionID"]),
            ("EventList", "Complete"),
            ("ListItems", "50"),
        )
        for place in range(0, len(data), 97):
            session.send(data[place : place + 97])
        session.until_closed()

    seen: list[str] = []
    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        status = Action("Status")
        answer = link.exchange([status], lambda _, message: seen.append(message["uniqueid"]), soon())[status]
        assert answer.outcome == "complete"
        assert answer.items == 50
        assert answer.seconds > 0
        link.close()
    assert seen == [f"1700000000.{number}" for number in range(50)]


def test_the_dialect_of_1_1_has_its_data_in_events_and_ends_by_name() -> None:
    def script(session: Session) -> None:
        session.poll_ready(banner=b"Asterisk Call Manager/1.1\r\n")
        action = session.expect("Status")
        session.answer(action, response="Follows")
        session.send(packet(("Event", "Status"), ("Channel", "SIP/1"), ("ActionID", action["ActionID"])))
        session.send(packet(("Event", "StatusComplete"), ("ActionID", action["ActionID"])))
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        assert link.version == (1, 1)
        status = Action("Status")
        assert link.exchange([status], ignore, soon())[status].items == 1
        link.close()


def test_what_does_not_belong_is_counted_and_reaches_no_fold() -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        action = session.expect("Status")
        end = packet(("Event", "StatusComplete"), ("ActionID", action["ActionID"]), ("EventList", "Complete"))
        session.send(packet(("Response", "Error"), ("Message", "Missing action in request")))
        session.send(packet(("Event", "Status"), ("ActionID", "another")), packet(("Event", "Reload")))
        session.send(end, end)
        session.answer(session.expect("Ping"))
        session.until_closed()

    folded: list[Message] = []
    told: list[str] = []
    with AmiServer(script) as server:
        link = Link("127.0.0.1", server.port, USER, on_event=lambda message: told.append(message["event"]))
        link.open(soon())
        link.exchange([Action("Status")], lambda _, message: folded.append(message), soon())
        link.exchange([Action("Ping")], ignore, soon())
        assert link.protocol_errors == {"unexpected_answer": 1, "repeated_completion": 1}
        link.close()
    assert folded == []
    assert told == ["FullyBooted", "Status", "Reload"]


def test_a_list_unfinished_at_the_deadline_closes_the_link() -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        session.answer(session.expect("Ping"))
        action = session.expect("Status")
        session.answer(action, ("EventList", "start"))
        session.send(status_item(1, action["ActionID"]))
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        answers = link.exchange([Action("Status"), Action("Ping")], ignore, soon(0.2))
        assert answers[Action("Ping")].outcome == "complete"
        assert answers[Action("Status")].outcome == "deadline"
        assert answers[Action("Status")].items == 1
        assert link.closed
        with pytest.raises(LinkClosed):
            link.exchange([Action("Ping")], ignore, soon())


def test_a_list_that_never_ends_is_left_at_the_deadline() -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        action = session.expect("Status")
        while True:
            session.send(status_item(1, action["ActionID"]))

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        status = Action("Status")
        assert link.exchange([status], ignore, soon(0.2))[status].outcome == "deadline"
        assert link.closed


def test_a_connection_cut_in_a_list_is_told() -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        session.send(status_item(1, session.expect("Status")["ActionID"]), b"Event: Sta")

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        status = Action("Status")
        answer = link.exchange([status], ignore, soon())[status]
        assert (answer.outcome, answer.items) == ("cut", 1)
        assert answer.message == "the server closed the connection"
        assert link.protocol_errors == {"cut_packet": 1}
        assert link.closed


def test_a_broken_bound_ends_the_exchange_and_is_counted() -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        session.expect("Status")
        session.send(b"x" * 70_000)
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        status = Action("Status")
        assert link.exchange([status], ignore, soon())[status].outcome == "cut"
        assert link.protocol_errors == {"line_too_long": 1}
        assert link.closed


@pytest.mark.parametrize(
    "ask",
    [
        lambda link: link.exchange([Action("Ping")], ignore, soon(), first_answer_timeout=0.05),
        lambda link: link.refresh_commands(soon(), first_answer_timeout=0.05),
    ],
    ids=["exchange", "refresh_commands"],
)
def test_an_idle_link_that_says_nothing_is_stale(ask: Callable[[Link], object]) -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        begin = time.monotonic()
        with pytest.raises(StaleLink, match="half open"):
            ask(link)
        assert time.monotonic() - begin < SECONDS / 2
        assert link.closed


def test_a_fold_that_raises_closes_the_link() -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        session.answer(session.expect("Ping"))
        session.until_closed()

    def fold(_action: Action, _message: Message) -> None:
        raise ZeroDivisionError

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        with pytest.raises(ZeroDivisionError):
            link.exchange([Action("Ping")], fold, soon())
        assert link.closed


def test_a_server_that_answers_before_it_reads_on_does_not_block_us() -> None:
    queues = [Action("QueueStatus", (("Queue", f"{number:0900}"),)) for number in range(4000)]

    def script(session: Session) -> None:
        session.poll_ready()
        for _ in queues:
            action = session.expect("QueueStatus")
            session.answer(action, ("Padding", "x" * 2000), response="Error")
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        answers = link.exchange(queues, ignore, soon())
        assert {answer.outcome for answer in answers.values()} == {"failed"}
        link.close()


def test_commands_are_learned_anew() -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        session.answer(session.expect("ListCommands"), ("Agents", "List agents (Priv: agent,all)"))
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        assert not link.offers("Agents")
        link.refresh_commands(soon())
        assert link.offers("Agents")
        assert not link.offers("Status")
        link.close()


def test_no_action_is_no_wait() -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        assert link.exchange([], ignore, soon()) == {}
        link.close()
