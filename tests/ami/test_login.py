"""Greetings, challenges, masks, refusals."""

from __future__ import annotations

import pytest

from ami_exporter.ami.errors import ConnectFailed, ForbiddenAction, LoginRefused, ProtocolError
from ami_exporter.ami.login import (
    Credentials,
    challenge_key,
    check_login,
    event_mask,
    parse_banner,
    parse_commands,
)
from ami_exporter.ami.message import Message


@pytest.mark.parametrize(
    ("line", "version"),
    [
        (b"Asterisk Call Manager/11.0.0\r", (11, 0, 0)),
        (b"Asterisk Call Manager/1.1 \r", (1, 1)),
        (b"Asterisk Call Manager Proxy/1.22", (1, 22)),
        (b"OpenPBX Call Manager/1.0\r", (1, 0)),
        (b"A/B Manager/2.10.6\r", (2, 10, 6)),
    ],
)
def test_the_version_follows_the_last_slash(line: bytes, version: tuple[int, ...]) -> None:
    assert parse_banner(line) == version


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"HTTP/1.1 400 Bad Request\r", "'HTTP/1.1 400 Bad Request' (a web server)"),
        (b"HTTP/1.1\r", "a web server"),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian\r", "'SSH-2.0-OpenSSH_9.2p1 Debian' (an SSH server)"),
        (b"220 mail.example.net ESMTP\r", "a mail server"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "a TLS server"),
        (b"\x00\xff garbage/1", "something else"),
        (b"Asterisk Call Manager/", "something else"),
        (b"/1.1", "something else"),
        (b"", "''"),
    ],
)
def test_what_is_not_ami_is_named(line: bytes, found: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_banner(line)
    assert found in str(caught.value)
    assert "expected the greeting of an Asterisk Manager Interface" in str(caught.value)
    assert caught.value.kind == "not_ami"


def test_the_key_is_the_digest_of_challenge_and_secret() -> None:
    assert challenge_key("157208", "hunter2") == "4041891e78bef93e4589de0ac145d7d0"


def test_masks_have_no_blank_and_no_empty_class() -> None:
    assert event_mask(["system", "call"]) == "system,call"
    for classes in (["system", ""], [], [" call"], ["system,call"], ["all"], ["on"]):
        with pytest.raises(ForbiddenAction, match="expected one or more of"):
            event_mask(classes)


@pytest.mark.parametrize(
    ("text", "error", "advice"),
    [
        ("Authentication failed", LoginRefused, "check username and secret against manager.conf"),
        ("Login Already In Use", LoginRefused, "allowmultiplelogin=yes"),
        ("Asterisk is shutting down", ConnectFailed, "restarts or stops"),
    ],
)
def test_a_refused_login_says_what_to_do(text: str, error: type[Exception], advice: str) -> None:
    with pytest.raises(error, match=advice):
        check_login(Message.of({"response": "Error", "message": text}))


def test_commands_are_the_names_of_the_answer() -> None:
    answer = Message.of(
        {"response": "Success", "actionid": "1", "corestatus": "Show (Priv: system,reporting,all)", "ping": "x"}
    )
    assert parse_commands(answer) == {"corestatus", "ping"}


def test_the_secret_is_not_shown() -> None:
    assert repr(Credentials("exporter", "hunter2")) == "Credentials(username='exporter', md5=False)"
