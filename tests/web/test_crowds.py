"""Crowds of bad clients at once: none of them may delay a scrape by 100 ms."""

import gc
import http.client
import socket
import ssl
import statistics
import threading
import time
from contextlib import ExitStack, suppress

import pytest

from ami_exporter.exposition.formats import Format
from ami_exporter.web.views import Selection
from tests.support.tls_files import unverified
from tests.support.web import FakeService, Running, exchange, running, wait_until

pytestmark = pytest.mark.slow

SILENT, HALF_SENT, NEVER_READING = 200, 200, 8
CROWD = 400  # at the same moment
ROUNDS = 20
# A scrape's body that no socket buffer swallows, so that a reader who stops is felt.
LARGE = b"asterisk_active_channels 1\n" * 500_000


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


def client_hello() -> bytes:
    """What a TLS client says first."""
    said = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        unverified().wrap_bio(ssl.MemoryBIO(), said).do_handshake()
    return said.read()


CROWDS = {
    "plain": (False, b"GET /metrics HTTP/1.1\r\nHost:"),
    "half a handshake": (True, b"\x16\x03\x01\x02\x00\x01"),
    "whole ClientHello": (True, client_hello()),
}


@pytest.mark.parametrize("kept", [True, False], ids=["over a kept connection", "over a new connection"])
@pytest.mark.parametrize(("tls", "words"), CROWDS.values(), ids=CROWDS)
def test_a_scrape_is_answered_soon_amid_a_crowd_that_comes_at_once(
    tls: bool, words: bytes, kept: bool, tls_file: str
) -> None:
    context = unverified() if tls else None
    with running(config_file=tls_file if tls else None) as web, ExitStack() as stack:
        scraper = connect(web, context)
        stack.callback(scraper.close)
        if kept:
            assert exchange(scraper, "/metrics").status == 200
        crowd = [stack.enter_context(socket.socket()) for _ in range(CROWD)]
        for sock in crowd:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", web.port))
        for sock in crowd:
            sock.settimeout(10)
            sock.sendall(words)
        started = time.monotonic()
        assert exchange(scraper, "/metrics").status == 200
        assert time.monotonic() - started < 5  # on idle cores 0.1 s; this machine may have none
        wait_until(lambda: len(web.server._connections) >= CROWD)


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
