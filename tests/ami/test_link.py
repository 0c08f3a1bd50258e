"""A session over loopback: opening, asking, closing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.ami.errors import AmiError, ConnectFailed, LinkClosed, LoginRefused, ProtocolError, StaleLink, Timeout
from ami_exporter.ami.link import Link
from ami_exporter.ami.login import Credentials
from ami_exporter.ami.stream import Stream
from tests.support.ami_server import FULLY_BOOTED, SECONDS, AmiServer, Ended, Session
from tests.support.ami_wire import packet, status_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ami_exporter.ami.message import Message

USER = Credentials("exporter", "hunter2")


def soon(seconds: float = SECONDS) -> float:
    return time.monotonic() + seconds


def link_to(server: AmiServer, *, user: Credentials = USER, classes: Iterable[str] = ()) -> Link:
    return Link("127.0.0.1", server.port, user, classes=classes, token=lambda: "token")


def ignore(_action: Action, _message: Message) -> None:
    """Fold nothing."""


# Opening


def test_a_poll_link_learns_the_uptime_and_the_commands_and_turns_events_off() -> None:
    sessions: list[Session] = []

    def script(session: Session) -> None:
        sessions.append(session)
        session.poll_ready()
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        assert link.version == (11, 0, 0)
        assert link.boot is not None
        assert link.boot.uptime == 100.0
        assert link.boot.of_login
        assert link.commands == {"ping", "status", "corestatus", "queuestatus"}
        assert link.offers("QueueStatus")
        assert not link.offers("Agents")
        assert link.local_address == sessions[0].connection.getpeername()
        link.close()
    assert link.closed
    assert sessions[0].seen == [
        {"Action": "Login", "ActionID": "token-1", "Username": "exporter", "Secret": "hunter2", "Events": "system"},
        {"Action": "ListCommands", "ActionID": "token-2"},
        {"Action": "Events", "ActionID": "token-3", "EventMask": "off"},
        {"Action": "Logoff", "ActionID": "token-4"},
    ]


def test_a_login_by_challenge_does_not_send_the_secret() -> None:
    seen: list[dict[str, str]] = []

    def script(session: Session) -> None:
        session.send(b"Asterisk Call Manager/1.1\r\n")
        session.answer(session.expect("Challenge"), ("Challenge", "157208"))
        session.answer(session.expect("Login"))
        seen.extend(session.seen)
        session.answer(session.expect("ListCommands"))
        session.answer(session.expect("Events"))
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server, user=Credentials("exporter", "hunter2", md5=True))
        link.open(soon())
        link.close()
    assert seen == [
        {"Action": "Challenge", "ActionID": "token-1", "AuthType": "MD5"},
        {
            "Action": "Login",
            "ActionID": "token-2",
            "AuthType": "MD5",
            "Username": "exporter",
            "Key": "4041891e78bef93e4589de0ac145d7d0",
            "Events": "system",
        },
    ]


def test_a_server_that_is_still_starting_may_tell_when_it_is_ready() -> None:
    told: list[str] = []

    def script(session: Session) -> None:
        session.log_in(boot=b"")
        action = session.expect("Ping")
        session.send(FULLY_BOOTED)
        session.answer(action)
        session.answer(session.expect("Events"))
        session.answer(session.expect("Ping"))
        session.until_closed()

    with AmiServer(script) as server:
        link = Link(
            "127.0.0.1", server.port, USER, on_event=lambda message: told.append(message["event"]), token=lambda: "t"
        )
        link.open(soon())
        assert link.boot is None
        for _ in range(2):
            link.exchange([Action("Ping")], ignore, soon())
        assert link.boot is not None
        assert not link.boot.of_login
        link.close()
    assert told == ["FullyBooted"]


def test_a_server_that_cannot_list_its_commands_may_be_asked_for_anything() -> None:
    def script(session: Session) -> None:
        session.send(b"Asterisk Call Manager/1.0\r\n")
        session.answer(session.expect("Login"))
        session.answer(session.expect("ListCommands"), ("Message", "Invalid/unknown command"), response="Error")
        session.answer(session.expect("Events"))
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        assert link.offers("Agents")
        link.close()


def test_ipv6_works() -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        session.until_closed()

    with AmiServer(script, host="::1") as server:
        link = Link("::1", server.port, USER)
        link.open(soon())
        assert link.local_address is not None
        assert link.local_address[0] == "::1"
        link.close()


def sends(*data: bytes, then_close: bool = False) -> Callable[[Session], None]:
    """A server that sends these bytes and stays, or goes."""

    def script(session: Session) -> None:
        session.send(*data)
        if not then_close:
            session.until_closed()

    return script


BAD_GREETINGS: dict[str, tuple[Callable[[Session], None], type[AmiError], str]] = {
    "a web server": (sends(b"HTTP/1.1 400 Bad Request\r\n\r\n"), ProtocolError, "a web server"),
    "an SSH server": (sends(b"SSH-2.0-OpenSSH_9.2p1\r\n"), ProtocolError, "an SSH server"),
    "garbage": (sends(bytes(range(128, 200)), b"\n"), ProtocolError, "something else"),
    "an endless line": (sends(b"x" * 100_000), ProtocolError, "something else"),
    "half a line, then the end": (sends(b"Asterisk Ca", then_close=True), ProtocolError, "something else"),
    "closed at once": (sends(then_close=True), ConnectFailed, "authlimit in manager.conf"),
    "closed in the login": (sends(b"Asterisk Call Manager/11.0.0\r\n", then_close=True), ConnectFailed, "not finished"),
}


@pytest.mark.parametrize("name", BAD_GREETINGS)
def test_what_is_not_an_ami_server_gets_a_clear_error(name: str) -> None:
    script, error, text = BAD_GREETINGS[name]
    with AmiServer(script) as server:
        link = link_to(server)
        with pytest.raises(error, match=text):
            link.open(soon())
        assert link.closed
        assert link.protocol_errors == ({"not_ami": 1} if error is ProtocolError else {})


@pytest.mark.parametrize(
    ("greeting", "text"),
    [(b"", "the server sent nothing before the deadline"), (b"Asterisk Call", "'Asterisk Call' had no end before")],
)
def test_silence_ends_at_the_deadline(greeting: bytes, text: str) -> None:
    with AmiServer(sends(greeting)) as server:
        link = link_to(server)
        with pytest.raises(Timeout, match=text):
            link.open(soon(0.1))
        assert link.closed


def test_a_refused_login_closes_the_link_and_shows_no_secret() -> None:
    def script(session: Session) -> None:
        session.send(b"Asterisk Call Manager/11.0.0\r\n")
        session.answer(session.expect("Login"), ("Message", "Authentication failed"), response="Error")

    with AmiServer(script) as server:
        link = link_to(server)
        with pytest.raises(LoginRefused, match="check username and secret") as caught:
            link.open(soon())
        assert link.closed
        assert caught.value.reason == "authentication"
        assert "hunter2" not in f"{caught.value!r} {link!r} {USER!r}"


def test_a_refused_connection_says_what_to_check() -> None:
    with AmiServer(sends()) as server:
        port = server.port
    with pytest.raises(ConnectFailed, match="is Asterisk running") as caught:
        Link("127.0.0.1", port, USER).open(soon())
    assert caught.value.reason == "refused"


def test_a_name_without_an_address_is_told_within_the_deadline() -> None:
    begin = time.monotonic()
    with pytest.raises((ConnectFailed, Timeout), match="DNS"):
        Link("pbx.invalid", 5038, USER).open(soon(0.5))
    assert time.monotonic() - begin < SECONDS / 2


def test_no_wait_begins_after_the_deadline() -> None:
    with pytest.raises(Timeout):
        Link("127.0.0.1", 9, USER).open(time.monotonic() - 1)


# Asking


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


# Listening


def test_an_event_link_asks_for_its_classes_and_hands_all_events_over() -> None:
    def script(session: Session) -> None:
        login = session.log_in()
        assert login["Events"] == "system,call"
        session.send(packet(("Event", "Newchannel"), ("Channel", "a")), packet(("Event", "Hangup"), ("Channel", "a")))
        session.send(b"Event: Ha")
        session.expect("Ping")
        session.send(b"lf\r\n\r\n")

    with AmiServer(script) as server:
        link = link_to(server, classes=("system", "call"))
        link.open(soon())
        names: list[str] = []
        while len(names) < 3:
            names += [event["event"] for event in link.read_events(soon())]
        assert names == ["FullyBooted", "Newchannel", "Hangup"]
        assert link.read_events(soon(0.05)) == []
        assert not link.closed
        with pytest.raises(LinkClosed, match="the server closed the connection"):
            link.ping(soon())
        assert link.read_events(soon()) == [{"event": "Half"}]  # came before the end
        with pytest.raises(LinkClosed):
            link.read_events(soon())
        assert link.closed


def test_a_ping_keeps_the_events_that_come_in_between() -> None:
    def script(session: Session) -> None:
        session.log_in(boot=b"")
        action = session.expect("Ping")
        session.send(packet(("Event", "A")))
        session.answer(action, ("Ping", "Pong"))
        session.send(packet(("Event", "B")))
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server, classes=("call",))
        link.open(soon())
        link.ping(soon())
        names: list[str] = []
        while len(names) < 2:
            names += [event["event"] for event in link.read_events(soon())]
        assert names == ["A", "B"]
        link.close()


def test_events_before_the_end_are_not_lost() -> None:
    def script(session: Session) -> None:
        session.log_in(boot=b"")
        session.send(packet(("Event", "A")), b"x" * 70_000)
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server, classes=("call",))
        link.open(soon())
        assert link.read_events(soon()) == [{"event": "A"}]
        with pytest.raises(AmiError, match="a line of more than 65536 bytes"):  # with the event, or in the next bytes
            link.read_events(soon())
        assert link.closed
        assert link.protocol_errors == {"line_too_long": 1}


def test_a_ping_without_an_answer_closes_the_link() -> None:
    def script(session: Session) -> None:
        session.log_in()
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server, classes=("call",))
        link.open(soon())
        with pytest.raises(Timeout):
            link.ping(soon(0.05))
        assert link.closed


def test_events_that_come_instead_of_an_answer_have_a_bound() -> None:
    def script(session: Session) -> None:
        session.log_in(boot=b"")
        session.expect("Ping")
        session.send(b"Event: A\r\n\r\n" * 50_001)
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server, classes=("call",))
        link.open(soon())
        with pytest.raises(LinkClosed, match="more than 50000 events"):
            link.ping(soon())
        assert link.closed
        assert len(link.read_events(soon())) == 50_000


# Closing


def test_closing_does_not_wait_for_a_silent_server() -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        session.expect("Logoff")
        with pytest.raises(Ended):
            session.action()

    with AmiServer(script) as server:
        link = link_to(server)
        link.open(soon())
        begin = time.monotonic()
        link.close()
        link.close()
        assert time.monotonic() - begin < SECONDS / 2
        assert link.closed


def test_a_stream_knows_why_it_ended() -> None:
    def script(session: Session) -> None:
        session.send(b"bye")

    with AmiServer(script) as server:
        stream = Stream.connect("127.0.0.1", server.port, None, soon(), time.monotonic)
        data = b""
        while chunk := stream.receive(soon()):
            data += chunk
        stream.close()
    assert data == b"bye"
    assert stream.end_reason == "the server closed the connection"
