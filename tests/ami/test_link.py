"""A session over loopback: opening it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.ami.errors import AmiError, ConnectFailed, LoginRefused, ProtocolError, Timeout
from ami_exporter.ami.link import Link
from ami_exporter.ami.login import Credentials
from tests.support.ami_links import USER, ignore, link_to, soon
from tests.support.ami_server import FULLY_BOOTED, SECONDS, AmiServer, Session

if TYPE_CHECKING:
    from collections.abc import Callable


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
