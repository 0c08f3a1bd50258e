"""Many short connections beside a scraper that connects, waits 100 ms and asks: it is never the one that is ended."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from ami_exporter.web.capacity import ServerLimits
from tests.support.tls_files import unverified
from tests.support.web import Running, exchange, running

pytestmark = pytest.mark.slow

#: Few places, so that the flood fills them many times over in the seconds of the test.
PLACES = 64
SCRAPES = 20


KINDS = {
    "asks and closes": b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n",
    "says nothing and closes": b"",
    "half a request and closes": b"GET /metrics HTTP/1.1\r\nHost:",
    "garbage and closes": b"\x00\x01\x02\r\n\r\n",
}


@contextmanager
def flood(web: Running, words: bytes, context: ssl.SSLContext | None) -> Iterator[list[int]]:
    """Short connections one after another, as fast as this process can, until the block ends."""
    end, opened = threading.Event(), [0]

    def run() -> None:
        while not end.is_set():
            with suppress(OSError), socket.create_connection(("127.0.0.1", web.port), timeout=5) as plain:
                opened[0] += 1
                with context.wrap_socket(plain) if context is not None else plain as sock:
                    sock.sendall(words)
                    if words.endswith(b"\r\n\r\n"):
                        sock.recv(100)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield opened
    finally:
        end.set()
        thread.join(20)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("words", KINDS.values(), ids=KINDS)
def test_a_scraper_that_waits_before_it_asks_is_always_answered(words: bytes, tls: bool, tls_file: str) -> None:
    context = unverified() if tls else None
    limits = ServerLimits(connections=PLACES)
    with running(limits=limits, config_file=tls_file if tls else None) as web, flood(web, words, context) as opened:
        for _ in range(SCRAPES):
            scraper: http.client.HTTPConnection
            if context is None:
                scraper = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
            else:
                scraper = http.client.HTTPSConnection("127.0.0.1", web.port, timeout=20, context=context)
            scraper.connect()
            threading.Event().wait(0.1)
            assert exchange(scraper, "/metrics").status == 200
            scraper.close()
        deadline = time.monotonic() + 30
        while opened[0] < 2 * PLACES and time.monotonic() < deadline:
            threading.Event().wait(0.05)
        assert opened[0] >= 2 * PLACES


def test_a_scraper_of_another_address_is_answered_amid_silent_clients_that_never_close() -> None:
    limits = ServerLimits(connections=PLACES, idle=60)
    with running(limits=limits, listen_addresses=("127.0.0.1:0",)) as web:
        silent: list[socket.socket] = []
        end = threading.Event()

        def run() -> None:
            while not end.is_set() and len(silent) < 20_000:
                with suppress(OSError):
                    silent.append(socket.create_connection(("127.0.0.1", web.port), 5, ("127.0.0.66", 0)))
                if len(silent) > 2 * PLACES:
                    silent.pop(0).close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            for n in range(SCRAPES):
                with socket.create_connection(("127.0.0.1", web.port), 20, (f"127.0.0.{n + 2}", 0)) as scraper:
                    threading.Event().wait(0.1)
                    scraper.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                    assert scraper.recv(12) == b"HTTP/1.1 200"
        finally:
            end.set()
            thread.join(20)
            for sock in silent:
                sock.close()
