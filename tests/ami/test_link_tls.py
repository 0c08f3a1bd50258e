"""AMI over TLS: verification, small records, clear refusals."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.ami.errors import Timeout, TlsFailed
from ami_exporter.ami.link import Link
from ami_exporter.ami.login import Credentials
from ami_exporter.config.target_settings import AmiTlsSettings
from tests.support.ami_server import SECONDS, AmiServer, Session
from tests.support.tls_files import write_server_certificate

if TYPE_CHECKING:
    from pathlib import Path

USER = Credentials("exporter", "hunter2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    write_server_certificate(folder)
    return folder


@pytest.fixture(scope="module")
def server_context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


def soon(seconds: float = SECONDS) -> float:
    return time.monotonic() + seconds


def ready(session: Session) -> None:
    session.poll_ready()
    session.until_closed()


def silent(session: Session) -> None:
    session.connection.recv(65536)
    session.until_closed()


@pytest.mark.parametrize(
    "tls",
    [
        AmiTlsSettings(ca_file="ca.pem"),
        AmiTlsSettings(ca_file="ca.pem", server_name="localhost"),
        AmiTlsSettings(verify=False),
        AmiTlsSettings(server_name="other.example.net", verify=False),
    ],
)
def test_a_certificate_that_is_trusted_or_not_asked_for_is_accepted(
    folder: Path, server_context: ssl.SSLContext, tls: AmiTlsSettings
) -> None:
    ca_file = str(folder / tls.ca_file) if tls.ca_file else None
    with AmiServer(ready, server_context) as server:
        link = Link("127.0.0.1", server.port, USER, tls=AmiTlsSettings(ca_file, tls.server_name, tls.verify))
        link.open(soon())
        assert link.offers("Status")
        link.close()


@pytest.mark.parametrize(
    ("tls", "text"),
    [
        (AmiTlsSettings(), "set ca_file to the CA that signed it"),
        (AmiTlsSettings(ca_file="ca.pem", server_name="other.example.net"), "server_name to the name in it"),
        (AmiTlsSettings(ca_file="server.key"), "expected a readable PEM file"),
        (AmiTlsSettings(ca_file="absent.pem"), "expected a readable PEM file"),
    ],
)
def test_a_certificate_that_is_not_trusted_is_refused(
    folder: Path, server_context: ssl.SSLContext, tls: AmiTlsSettings, text: str
) -> None:
    ca_file = str(folder / tls.ca_file) if tls.ca_file else None
    with AmiServer(ready, server_context) as server:
        link = Link("127.0.0.1", server.port, USER, tls=AmiTlsSettings(ca_file, tls.server_name))
        with pytest.raises(TlsFailed, match=text) as caught:
            link.open(soon())
        assert caught.value.reason == "tls"
        assert link.closed


def test_a_server_without_tls_is_named() -> None:
    with AmiServer(ready) as server, pytest.raises(TlsFailed, match="does not speak TLS on this port"):
        Link("127.0.0.1", server.port, USER, tls=AmiTlsSettings(verify=False)).open(soon())


def test_a_handshake_without_an_answer_ends_at_the_deadline() -> None:
    with AmiServer(silent) as server, pytest.raises(Timeout, match="no TLS handshake before the deadline"):
        Link("127.0.0.1", server.port, USER, tls=AmiTlsSettings(verify=False)).open(soon(0.1))


def test_each_action_is_a_record_of_its_own(server_context: ssl.SSLContext) -> None:
    records: list[bytes] = []

    def script(session: Session) -> None:
        session.poll_ready()
        while len(records) < 40:
            records.append(session.connection.recv(65536))  # never more than one record
        for record in records:
            action_id = record.split(b"ActionID: ")[1].split(b"\r\n")[0]
            session.send(b"Response: Error\r\nActionID: ", action_id, b"\r\nMessage: no\r\n\r\n")
        session.until_closed()

    with AmiServer(script, server_context) as server:
        link = Link("127.0.0.1", server.port, USER, tls=AmiTlsSettings(verify=False))
        link.open(soon())
        queues = [Action("QueueStatus", (("Queue", f"q{number}"),)) for number in range(40)]
        answers = link.exchange(queues, lambda _action, _message: None, soon())
        assert {answer.message for answer in answers.values()} == {"no"}
        link.close()
    assert [record.count(b"Action: ") for record in records] == [1] * 40
    assert all(record.endswith(b"\r\n\r\n") and len(record) < 1024 for record in records)


def test_a_cut_of_the_tls_connection_is_an_end(server_context: ssl.SSLContext) -> None:
    def script(session: Session) -> None:
        session.poll_ready()
        session.expect("Ping")

    with AmiServer(script, server_context) as server:
        link = Link("127.0.0.1", server.port, USER, tls=AmiTlsSettings(verify=False))
        link.open(soon())
        ping = Action("Ping")
        assert link.exchange([ping], lambda _action, _message: None, soon())[ping].outcome == "cut"
        assert link.closed
