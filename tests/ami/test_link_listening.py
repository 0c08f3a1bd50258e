"""A session over loopback: listening, and closing it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from ami_exporter.ami.errors import AmiError, LinkClosed, Timeout
from ami_exporter.ami.stream import Stream
from tests.support.ami_links import link_to, soon
from tests.support.ami_server import SECONDS, AmiServer, Ended, Session
from tests.support.ami_wire import packet

if TYPE_CHECKING:
    pass


def test_an_event_link_asks_for_its_classes_and_hands_all_events_over() -> None:
    def script(session: Session) -> None:
        login = session.log_in()
        assert login["Events"] == "system,call"
        session.send(
            packet(("Event", "Newchannel"), ("Privilege", "call,all"), ("Channel", "a")),
            packet(("Event", "Hangup"), ("Privilege", "call,all"), ("Channel", "a")),
        )
        session.send(b"Event: Half\r\nPriv")
        session.expect("ListCommands")
        session.send(b"ilege: call,all\r\n\r\n")

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
            link.refresh_commands(soon())
        assert link.read_events(soon()) == [{"event": "Half", "privilege": "call,all"}]  # came before the end
        with pytest.raises(LinkClosed):
            link.read_events(soon())
        assert link.closed


def test_a_question_keeps_the_events_that_come_in_between() -> None:
    def script(session: Session) -> None:
        session.log_in(boot=b"")
        action = session.expect("ListCommands")
        session.send(packet(("Event", "A"), ("Privilege", "call,all")))
        session.answer(action)
        session.send(packet(("Event", "B"), ("Privilege", "call,all")))
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server, classes=("call",))
        link.open(soon())
        link.refresh_commands(soon())
        names: list[str] = []
        while len(names) < 2:
            names += [event["event"] for event in link.read_events(soon())]
        assert names == ["A", "B"]
        link.close()


def test_events_before_the_end_are_not_lost() -> None:
    opened = threading.Event()

    def script(session: Session) -> None:
        session.log_in(boot=b"")
        assert opened.wait(SECONDS)
        session.send(packet(("Event", "A"), ("Privilege", "call,all")), b"x" * 70_000)
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server, classes=("call",))
        link.open(soon())
        opened.set()
        assert link.read_events(soon()) == [{"event": "A", "privilege": "call,all"}]
        with pytest.raises(AmiError, match="a line of more than 65536 bytes"):  # with the event, or in the next bytes
            link.read_events(soon())
        assert link.closed
        assert link.protocol_errors == {"line_too_long": 1}


def test_a_question_without_an_answer_closes_the_link() -> None:
    def script(session: Session) -> None:
        session.log_in()
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server, classes=("call",))
        link.open(soon())
        with pytest.raises(Timeout):
            link.refresh_commands(soon(0.05))
        assert link.closed


def test_events_that_come_instead_of_an_answer_have_a_bound() -> None:
    def script(session: Session) -> None:
        session.log_in(boot=b"")
        session.expect("ListCommands")
        session.send(b"Event: A\r\nPrivilege: call,all\r\n\r\n" * 50_002)
        session.until_closed()

    with AmiServer(script) as server:
        link = link_to(server, classes=("call",))
        link.open(soon())
        with pytest.raises(LinkClosed, match="more than 50000 events"):
            link.refresh_commands(soon())
        assert link.closed
        assert len(link.read_events(soon())) == 50_000


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
