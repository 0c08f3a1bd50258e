"""HTTP/2, upgrades, tunnels and noise: refused at the first bytes, whatever follows, and never a traceback."""

import logging
import resource
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from ami_exporter.web.capacity import ServerLimits
from tests.support.web import FakeService, Running, running

pytestmark = pytest.mark.slow

CONNECTIONS = 20

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """An HTTP/2 frame (RFC 9113, 4.1)."""
    return len(payload).to_bytes(3, "big") + struct.pack("!BBI", kind, flags, stream) + payload


SETTINGS = frame(4)
FRAMES = {
    "PING": frame(6, payload=b"12345678"),
    "SETTINGS": frame(4, payload=struct.pack("!HI", 3, 100)),
    "HEADERS without end": frame(1, stream=1, payload=b"\x82\x86\x84"),
    "CONTINUATION": frame(9, stream=1, payload=b"\x40" + b"a" * 100),
    "PRIORITY": frame(2, stream=1, payload=bytes(5)),
    "RST_STREAM": frame(3, stream=1, payload=bytes(4)),
    "WINDOW_UPDATE": frame(8, payload=struct.pack("!I", 1)),
    "DATA": frame(0, stream=1, payload=b"x" * 100),
    "GOAWAY": frame(7, payload=bytes(8)),
    "unknown": frame(0xFF, payload=b"x"),
    "too long": b"\xff\xff\xff" + bytes(6) + b"x" * 1000,
}


def upgrade(*lines: bytes) -> bytes:
    return b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


BEGINNINGS = {
    "HTTP/2 preface": PREFACE,
    "preface and settings": PREFACE + SETTINGS,
    "h2c": upgrade(
        b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"
    ),
    "h2c without settings": upgrade(b"Connection: Upgrade", b"Upgrade: h2c"),
    "upgrade without connection": upgrade(b"Upgrade: h2c"),
    "several upgrades": upgrade(b"Connection: Upgrade", b"Upgrade: h2c, websocket", b"Upgrade: foo/2"),
    "WebSocket": upgrade(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    "TLS upgrade": upgrade(b"Connection: Upgrade", b"Upgrade: TLS/1.3"),
    "HTTP/3": b"GET /metrics HTTP/3.0\r\nHost: x\r\n\r\n",
    "HTTP/2 in a request": b"GET /metrics HTTP/2.0\r\nHost: x\r\n\r\n",
    "CONNECT": b"CONNECT pbx:5038 HTTP/1.1\r\nHost: pbx:5038\r\n\r\n",
    "AMI": b"Action: Login\r\nUsername: x\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "proxy protocol": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
    "proxy protocol 2": b"\r\n\r\n\0\r\nQUIT\n" + bytes(16),
    "NULs": bytes(64),
}


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


@contextmanager
def connected(web: Running, *, tls: bool) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as plain:
        if not tls:
            yield plain
            return
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        with context.wrap_socket(plain) as sock:
            yield sock


def talk(sock: socket.socket, beginning: bytes, then: bytes, seconds: float) -> bytes:
    """Say the beginning, then the same over and over, until the server closes or the time is over; what it said."""
    until, said = time.monotonic() + seconds, b""
    with suppress(OSError):
        sock.sendall(beginning)
        while time.monotonic() < until:
            sock.sendall(then * 100)
    with suppress(ConnectionError):
        sock.settimeout(10)
        while piece := sock.recv(65536):
            said += piece
    return said


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS)
def test_another_protocol_is_refused_and_closed(beginning: bytes, tls: bool, tls_file: str) -> None:
    whole = beginning.endswith(b"\r\n\r\n") or not beginning.isascii() or beginning[:1] < b"!" or PREFACE in beginning
    with running(config_file=tls_file if tls else None, limits=ServerLimits(idle=10.0 if whole else 2.0)) as web:
        with connected(web, tls=tls) as sock:
            said = talk(sock, beginning, FRAMES["PING"], 0.0)
        if whole:
            assert said[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 505"}
            assert said.count(b"Connection: close") == said.count(b"Content-Length") == 1
        else:  # a line that no blank line follows is waited for as long as any request
            assert said == b""
        assert web.service.scrapes == []


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("frames", FRAMES.values(), ids=FRAMES)
def test_frames_over_many_connections_cost_nothing_and_scrapes_go_on(frames: bytes, tls: bool, tls_file: str) -> None:
    with running(FakeService(), config_file=tls_file if tls else None, limits=ServerLimits(idle=60.0)) as web:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for n in range(CONNECTIONS):
            with connected(web, tls=tls) as sock:
                talk(sock, PREFACE + SETTINGS if n % 2 else BEGINNINGS["h2c"], frames, 0.02)
        with connected(web, tls=tls) as scraper:
            scraper.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert scraper.recv(12) == b"HTTP/1.1 200"
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB
