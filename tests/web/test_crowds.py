"""Crowds of bad clients at once: none of them may delay a scrape by 100 ms."""

import gc
import http.client
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from ami_exporter.exposition.formats import Format
from ami_exporter.web.views import Selection
from tests.support.certificates import Authority
from tests.support.web import FakeService, Running, busy, exchange, running, wait_until, waiting

SILENT, HALF_SENT, NEVER_READING = 200, 200, 8
CROWD = 400  # at the same moment
ROUNDS = 20
# A scrape's body that no socket buffer swallows, so that a reader who stops is felt.
LARGE = b"asterisk_active_channels 1\n" * 500_000


@pytest.fixture
def tls_file(tmp_path: Path) -> str:
    Authority().issue("localhost").write(tmp_path, "server")
    file = tmp_path / "web.yml"
    file.write_text("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")
    return str(file)


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def connect(web: Running, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    if context is None:
        return http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    return http.client.HTTPSConnection("127.0.0.1", web.port, timeout=10, context=context)


def seconds_of_scrapes(web: Running, context: ssl.SSLContext | None, path: str) -> list[float]:
    """Scrape ROUNDS times, each on a connection of its own."""
    taken = []
    for _ in range(ROUNDS):
        started = time.monotonic()
        connection = connect(web, context)
        assert exchange(connection, path).status == 200
        connection.close()
        taken.append(time.monotonic() - started)
    return taken


class OnlyMetricsAreLarge(FakeService):
    """`/probe` is small, so that the measured scrape costs what a scrape costs."""

    def scrape(self, target: str | None, select: Selection, header_timeout: str | None, fmt: Format) -> bytes:
        small = super().scrape(target, select, header_timeout, fmt)
        return LARGE if target is None else small


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_silent_half_sent_and_never_reading_clients_do_not_delay_a_scrape(tls: bool, tls_file: str) -> None:
    context = unverified() if tls else None
    with running(OnlyMetricsAreLarge(), config_file=tls_file if tls else None) as web, ExitStack() as stack:
        probe = "/probe?target=pbx1"
        calm = seconds_of_scrapes(web, context, probe)
        for n in range(SILENT + HALF_SENT + NEVER_READING):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", web.port), timeout=10))
            if n < SILENT:
                continue
            if n >= SILENT + HALF_SENT:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                if context is not None:
                    sock = stack.enter_context(context.wrap_socket(sock))
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            else:
                # On the TLS port this is half a handshake: the start of a ClientHello.
                sock.sendall(b"\x16\x03\x01\x02\x00\x01" if tls else b"GET /metrics HTTP/1.1\r\nHost:")
        wait_until(lambda: len(web.server._connections) >= SILENT + HALF_SENT + NEVER_READING)
        rounds = [seconds_of_scrapes(web, context, probe) for _ in range(3)]
    # What the crowd costs, each round has; what a busy machine costs, not every one.
    assert min(statistics.median(crowded) for crowded in rounds) - statistics.median(calm) < 0.1
    assert min(sorted(crowded)[-2] for crowded in rounds) - max(calm) < 0.1


class CountsBegun(FakeService):
    """Knows how many connections the server had begun when a scrape was answered."""

    count: Callable[[], int] = staticmethod(lambda: 0)
    begun = 0

    def scrape(self, target: str | None, select: Selection, header_timeout: str | None, fmt: Format) -> bytes:
        self.begun = self.count()
        return super().scrape(target, select, header_timeout, fmt)


def client_hello() -> bytes:
    """What a TLS client says first."""
    said = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        unverified().wrap_bio(ssl.MemoryBIO(), said).do_handshake()
    return said.read()


def say_hello(sock: ssl.SSLSocket) -> None:
    """Begin the handshake; the first request goes on with it."""
    timeout = sock.gettimeout()
    sock.setblocking(False)
    with suppress(ssl.SSLWantReadError):
        sock.do_handshake()
    sock.settimeout(timeout)


CROWDS = {
    "plain": (False, b"GET /metrics HTTP/1.1\r\nHost:"),
    "half a handshake": (True, b"\x16\x03\x01\x02\x00\x01"),
    "whole ClientHello": (True, client_hello()),
}


def come(web: Running, stack: ExitStack, words: bytes) -> None:
    for _ in range(CROWD):
        sock = stack.enter_context(socket.create_connection(("127.0.0.1", web.port), timeout=10))
        sock.sendall(words)


@contextmanager
def counting(config_file: str | None) -> Iterator[tuple[Running, CountsBegun]]:
    """A server, and a service that notes how many connections had been begun."""
    service = CountsBegun()
    with running(service, config_file=config_file) as web:
        service.count = lambda: len(web.server._connections) - waiting(web)
        yield web, service


@pytest.mark.parametrize(("tls", "words"), CROWDS.values(), ids=CROWDS)
def test_a_connection_that_is_there_need_not_wait_until_a_crowd_of_new_ones_is_begun(
    tls: bool, words: bytes, tls_file: str
) -> None:
    context = unverified() if tls else None
    with counting(tls_file if tls else None) as (web, service), ExitStack() as stack:
        kept = connect(web, context)
        assert exchange(kept, "/metrics").status == 200
        with busy(web):
            come(web, stack, words)
            kept.request("GET", "/metrics")
        assert kept.getresponse().status == 200
        assert service.begun < CROWD / 2
        wait_until(lambda: waiting(web) == 0)  # the crowd has its turn, too
        kept.close()


@pytest.mark.parametrize(("tls", "words"), CROWDS.values(), ids=CROWDS)
def test_a_new_connection_need_not_wait_until_the_crowd_before_it_is_begun(
    tls: bool, words: bytes, tls_file: str
) -> None:
    context = unverified() if tls else None
    with counting(tls_file if tls else None) as (web, service), ExitStack() as stack:
        with busy(web):
            come(web, stack, words)
            newcomer = connect(web, None)
            newcomer.connect()
            if context is not None:
                newcomer.sock = context.wrap_socket(newcomer.sock, do_handshake_on_connect=False)
                say_hello(newcomer.sock)
        assert exchange(newcomer, "/metrics").status == 200
        assert service.begun < CROWD / 2
        wait_until(lambda: waiting(web) == 0)
        newcomer.close()


def test_ten_scrapers_at_once_are_all_served() -> None:
    with running() as web:
        answers: list[int] = []
        scrapers = [
            threading.Thread(target=lambda: answers.extend(web.ask("/metrics").status for _ in range(20)))
            for _ in range(10)
        ]
        for scraper in scrapers:
            scraper.start()
        for scraper in scrapers:
            scraper.join(20)
        assert answers == [200] * 200


def test_a_stop_amid_tls_handshakes_is_no_news(tls_file: str, caplog: pytest.LogCaptureFixture) -> None:
    with running(config_file=tls_file) as web, ExitStack() as stack:
        for words in (b"", b"\x16\x03\x01\x02\x00\x01") * 10:
            stack.enter_context(socket.create_connection(("127.0.0.1", web.port))).sendall(words)
        wait_until(lambda: len(web.server._connections) == 20)
        web.server.stop()
        gc.collect()  # a task that was left behind says so when it goes
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


def test_clients_that_begin_tls_and_leave_are_no_news(tls_file: str, caplog: pytest.LogCaptureFixture) -> None:
    with running(config_file=tls_file) as web:
        for words in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 1000):
            with socket.create_connection(("127.0.0.1", web.port)) as sock:
                sock.sendall(words)
        connection = connect(web, unverified())
        assert exchange(connection, "/-/healthy").status == 200
        connection.close()
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
