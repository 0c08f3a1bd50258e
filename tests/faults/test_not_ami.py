"""Whatever listens at the address: up 0, the reason counted, one line that says what to do, and back when it is AMI."""

from __future__ import annotations

import contextlib
import logging
import time

import pytest

from tests.support.ami_server import Fields, Session
from tests.support.scripted_pbx import Hook, ScriptedPbx
from tests.support.targets import scrape, target, value

pytestmark = pytest.mark.slow

GREETING = "expected the greeting of an Asterisk Manager Interface: check the port (manager.conf: 5038; TLS 5039)"


def says(*words: bytes) -> Hook:
    """Greet with these bytes and wait."""

    def talk(session: Session, _action: Fields) -> None:
        session.send(*words)
        session.until_closed()

    return talk


def never_ends(piece: bytes) -> Hook:
    """Greet with bytes that have no end."""

    def talk(session: Session, _action: Fields) -> None:
        with contextlib.suppress(OSError):
            while True:
                session.send(piece)

    return talk


def closes(session: Session, _action: Fields) -> None:
    """Accept and close at once, as a full authlimit does."""


@pytest.mark.parametrize(
    ("hook", "reason", "kind", "text"),
    [
        (says(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"), "protocol", "not_ami", "(a web server); " + GREETING),
        (says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), "protocol", "not_ami", "(an SSH server); " + GREETING),
        (says(b"220 mail.example.net ESMTP\r\n"), "protocol", "not_ami", "(a mail server); " + GREETING),
        (says(b"\xff\x00\xfe garbage\n"), "protocol", "not_ami", "(something else); " + GREETING),
        (says(b"\r\n"), "protocol", "not_ami", GREETING),
        (never_ends(b"x" * 4096), "protocol", "not_ami", GREETING),
        (never_ends(b"\0" * 4096), "protocol", "not_ami", GREETING),
        (says(), "timeout", None, "the server sent nothing before the deadline; " + GREETING),
        (says(b"Asterisk Call Man"), "timeout", None, "had no end before the deadline; " + GREETING),
        (closes, "refused", None, "authlimit in manager.conf is reached"),
    ],
    ids=["http", "ssh", "smtp", "garbage", "blank", "endless", "NULs", "silence", "half", "closed"],
)
def test_what_is_not_ami_is_named_once_and_forgotten_when_it_is(
    hook: Hook, reason: str, kind: str | None, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with ScriptedPbx(hooks={"connect": hook}) as pbx, target(pbx.port) as one:
        for times in (1, 2):
            begun = time.monotonic()
            found = scrape(one, 0.3)
            assert time.monotonic() - begun < 2.3
            assert value(found, "asterisk_up") == 0
            assert value(found, "ami_exporter_login_failures_total", reason=reason) == times
            assert kind is None or value(found, "ami_exporter_protocol_errors_total", kind=kind) == times
            assert {name for name, _ in found if name.startswith("asterisk_")} == {
                "asterisk_up",
                "asterisk_scrape_duration_seconds",
                "asterisk_scrape_collector_success",
            }
        lines = [vars(record)["error"] for record in caplog.records if record.levelno == logging.WARNING]
        assert len(lines) == 1
        assert text in lines[0]
        pbx.hooks.clear()
        found = scrape(one)
        assert (value(found, "asterisk_up"), value(found, "asterisk_active_calls")) == (1, 1)


def test_a_login_without_an_answer_may_have_been_refused_and_is_not_repeated_at_once() -> None:
    greeting = says(b"Asterisk Call Manager/" + b"9" * 200 + b".1\r\n")
    with ScriptedPbx(hooks={"connect": greeting}) as pbx, target(pbx.port) as one:
        for _ in range(3):
            found = scrape(one, 1.5)
            assert value(found, "asterisk_up") == 0
            assert value(found, "ami_exporter_login_failures_total", reason="timeout") == 1


def test_nobody_at_the_port_is_refused_with_what_to_look_at(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        pbx.stop()
        for _ in range(5):
            found = scrape(one)
        assert value(found, "asterisk_up") == 0
        assert value(found, "ami_exporter_login_failures_total", reason="refused") == 5
        lines = [vars(record)["error"] for record in caplog.records if record.levelno == logging.WARNING]
        assert len(lines) == 1
        assert (
            "Connection refused: is Asterisk running, and does manager.conf have enabled=yes and this port?" in lines[0]
        )
        pbx.restart()
        assert value(scrape(one), "asterisk_up") == 1
