"""The world around a PBX changes while the exporter runs: its secret, its addresses, what its TLS asks for."""

from __future__ import annotations

import logging
import socket
import ssl
from contextlib import ExitStack
from pathlib import Path

import pytest

from ami_exporter.config.load import load
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import AmiTlsSettings
from tests.support.ami_server import Fields, Session
from tests.support.certificates import Authority
from tests.support.config_catalogue import catalogue
from tests.support.exporter_process import Series
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import movable, scrape, target, value

pytestmark = pytest.mark.slow


def failures(found: Series, reason: str) -> float | None:
    return value(found, "ami_exporter_login_failures_total", reason=reason)


class Guarded(ScriptedPbx):
    """Lets in who knows the secret."""

    secret = "first"

    def obey(self, session: Session, action: Fields) -> None:
        if action["Action"] == "Login" and action["Secret"] != self.secret:
            session.answer(action, ("Message", "Authentication failed"), response="Error")
            return
        super().obey(session, action)


def secret_of(file: Path) -> Secret:
    text = f"targets: {{pbx: {{address: x, username: y, secret_file: {file}}}}}\n"
    return load("c.yml", text, catalogue({})).targets["pbx"].secret


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("first\n")
    return path


def test_a_secret_that_is_rotated_is_used_by_the_next_login(file: Path) -> None:
    with Guarded() as pbx, target(pbx.port, secret=secret_of(file)) as one:
        assert value(scrape(one), "asterisk_up") == 1
        file.write_text("second\n")
        pbx.secret = "second"
        assert value(scrape(one), "asterisk_up") == 1
        pbx.kick()
        found = scrape(one)
        assert (value(found, "asterisk_up"), failures(found, "authentication")) == (1, 0)


def test_a_secret_rotated_at_the_pbx_first_is_tried_as_soon_as_its_file_has_it(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    _, _, clocks = movable()
    with Guarded() as pbx, target(pbx.port, clocks=clocks, secret=secret_of(file)) as one:
        pbx.secret = "second"
        for _ in range(3):
            found = scrape(one)
            assert (value(found, "asterisk_up"), failures(found, "authentication")) == (0, 1)
        file.write_text("second\n")
        assert value(scrape(one), "asterisk_up") == 1
        lines = [record.getMessage() for record in caplog.records]
        assert lines == [
            "cannot connect to Asterisk",
            "the secret was reread, because its file has changed",
            "connected to Asterisk",
        ]
        assert "second" not in caplog.text


@pytest.mark.parametrize("content", [None, "", "two\nlines\n", "\0", "x" * 9000])
def test_a_file_without_a_secret_in_it_leaves_the_last_good_one(file: Path, content: str | None) -> None:
    with Guarded() as pbx, target(pbx.port, secret=secret_of(file)) as one:
        assert value(scrape(one), "asterisk_up") == 1
        if content is None:
            file.unlink()
        else:
            file.write_text(content)
        pbx.kick()
        assert value(scrape(one), "asterisk_up") == 1


class Names:
    """What the resolver answers for `pbx.example.net`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.addresses: list[tuple[str, int]] = []
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(self, host: str, port: int, **options: int) -> list[object]:
        if host != "pbx.example.net":
            return list(self._real(host, port, **options))
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, number))
            for address, number in self.addresses
        ]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def test_a_dead_first_address_leads_to_the_next(names: Names) -> None:
    with ScriptedPbx() as pbx, target(pbx.port, host="pbx.example.net") as one:
        names.addresses = [("::1", closed_port()), ("127.0.0.1", closed_port()), ("127.0.0.1", pbx.port)]
        found = scrape(one)
        assert (value(found, "asterisk_up"), failures(found, "refused")) == (1, 0)


def test_an_address_that_swallows_everything_takes_its_share_of_the_time_and_no_more(names: Names) -> None:
    with ScriptedPbx() as pbx, target(pbx.port, host="pbx.example.net") as one, ExitStack() as stack:
        hole = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # a queue that is full: the kernel drops what else knocks
            knocking = stack.enter_context(socket.socket())
            knocking.setblocking(False)
            knocking.connect_ex(hole.getsockname())
        names.addresses = [hole.getsockname(), ("127.0.0.1", pbx.port)]
        found = scrape(one, 2.0)
        assert (value(found, "asterisk_up"), value(found, "asterisk_active_calls")) == (1, 1)
        assert (value(found, "asterisk_scrape_duration_seconds") or 0) > 0.9


def test_a_name_that_moves_is_followed_at_the_next_connection(names: Names) -> None:
    with ScriptedPbx() as old, ScriptedPbx() as new, target(1, host="pbx.example.net") as one:
        names.addresses = [("127.0.0.1", old.port)]
        assert value(scrape(one), "asterisk_up") == 1
        names.addresses = [("127.0.0.1", new.port)]
        assert value(scrape(one), "asterisk_up") == 1
        assert new.names() == []  # what is connected stays
        old.stop()
        assert value(scrape(one), "asterisk_up") == 1
        assert "Login" in new.names()


def test_a_name_without_any_address_is_down_and_told(names: Names) -> None:
    with ScriptedPbx() as pbx, target(pbx.port, host="pbx.example.net") as one:
        assert value(scrape(one), "asterisk_up") == 0
        names.addresses = [("127.0.0.1", pbx.port)]
        assert value(scrape(one), "asterisk_up") == 1


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_client_certificate_is_a_fault_of_tls(
    tmp_path: Path, newest: ssl.TLSVersion, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    authority = Authority()
    (tmp_path / "ca.pem").write_text(authority.pem)
    authority.issue("localhost").write(tmp_path, "pbx")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = newest
    context.load_cert_chain(tmp_path / "pbx.crt", tmp_path / "pbx.key")
    context.load_verify_locations(tmp_path / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with (
        ScriptedPbx(tls=context) as pbx,
        target(pbx.port, tls=AmiTlsSettings(str(tmp_path / "ca.pem"), "localhost")) as one,
    ):
        for times in (1, 2, 3):
            found = scrape(one)
            assert (value(found, "asterisk_up"), failures(found, "tls")) == (0, times)
        (line,) = [vars(record)["error"] for record in caplog.records]
        assert "the server wants a certificate of its clients" in line
        context.verify_mode = ssl.CERT_NONE
        assert value(scrape(one), "asterisk_up") == 1


def test_a_certificate_without_key_identifiers_is_taken_by_every_version_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = ssl.create_default_context

    def strict(**options: str | None) -> ssl.SSLContext:  # as Python 3.13 does it
        context = make(**options)  # type: ignore[arg-type]  # handed on as given
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    authority = Authority(identified=False)
    (tmp_path / "ca.pem").write_text(authority.pem)
    authority.issue("localhost").write(tmp_path, "pbx")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pbx.crt", tmp_path / "pbx.key")
    tls = AmiTlsSettings(str(tmp_path / "ca.pem"), "localhost")
    with ScriptedPbx(tls=context) as pbx, target(pbx.port, tls=tls) as one:
        found = scrape(one)
        assert (value(found, "asterisk_up"), failures(found, "tls")) == (1, 0)
