import http.client
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from ami_exporter.web import connections
from ami_exporter.web.capacity import ServerLimits
from ami_exporter.web.views import Busy
from tests.support.certificates import Authority
from tests.support.tls_files import unverified
from tests.support.web import FakeService, Running, exchange, running, wait_until

pytestmark = pytest.mark.slow

REQUEST = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


@contextmanager
def connected(web: Running) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as sock:
        yield sock


def say(web: Running, *pieces: bytes) -> bytes:
    """Send the pieces, then read until the server closes."""
    with connected(web) as sock:
        for piece in pieces:
            sock.sendall(piece)
        return read_all(sock)


def read_all(sock: socket.socket) -> bytes:
    data = b""
    with suppress(ConnectionResetError):  # closed with our bytes unread
        while piece := sock.recv(65536):
            data += piece
    return data


def test_at_the_cap_scrapes_get_503_and_the_health_paths_answer() -> None:
    service = FakeService()
    service.hold.clear()
    with running(service, max_requests=2) as web:
        answers: list[int] = []
        threads = [threading.Thread(target=lambda: answers.append(web.ask("/metrics").status)) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert service.running.acquire(timeout=10)
        assert service.running.acquire(timeout=10)
        busy = web.ask("/probe?target=pbx1")
        assert (busy.status, busy.headers["retry-after"]) == (503, "5")
        assert busy.text == "2 requests are already being answered; raise --web.max-requests or scrape less often\n"
        assert [web.ask(path).status for path in ("/-/healthy", "/-/ready", "/", "/sd")] == [200, 200, 503, 503]
        assert web.ask("/-/reload", "POST").status == 200
        service.hold.set()
        for thread in threads:
            thread.join(10)
        assert answers == [200, 200]
        assert web.ask("/metrics").status == 200


def test_a_scrape_for_which_others_leave_no_time_is_a_503() -> None:
    with running(FakeService(error=Busy("scrape less often"))) as web:
        answer = web.ask("/metrics")
    assert (answer.status, answer.text, answer.headers["retry-after"]) == (503, "scrape less often\n", "5")


def test_no_cap_means_no_503() -> None:
    with running(max_requests=0) as web:
        assert web.ask("/metrics").status == 200


def test_a_silent_client_is_dropped_after_the_idle_time() -> None:
    with running(limits=ServerLimits(idle=0.2)) as web, connected(web) as sock:
        assert read_all(sock) == b""


def test_a_client_that_drips_its_header_is_dropped_after_the_idle_time() -> None:
    with running(limits=ServerLimits(idle=0.3)) as web, connected(web) as sock:
        started = time.monotonic()
        sock.sendall(b"GET /metrics HTTP/1.1\r\n")
        with suppress(OSError):  # reset or broken pipe, as the kernel likes
            while time.monotonic() - started < 10:
                sock.sendall(b"X: y\r\n")
                threading.Event().wait(0.02)
        assert time.monotonic() - started < 3
        assert web.service.scrapes == []


def test_a_reader_that_never_reads_is_dropped_and_gives_its_place_back() -> None:
    service = FakeService(body=b"x" * 30_000_000)
    with running(service, limits=ServerLimits(send=0.3), max_requests=1) as web, connected(web) as sock:
        sock.sendall(REQUEST)
        assert service.running.acquire(timeout=10)
        service.body = b"asterisk_up 1\n"
        deadline = time.monotonic() + 5
        while (status := web.ask("/metrics").status) == 503 and time.monotonic() < deadline:
            threading.Event().wait(0.05)
        assert status == 200
        assert len(read_all(sock)) < 30_000_000


def test_the_oldest_idle_connection_makes_room_for_a_new_one() -> None:
    service = FakeService()
    service.hold.clear()
    with running(service, limits=ServerLimits(connections=4)) as web, ExitStack() as stack:
        asking = stack.enter_context(connected(web))
        asking.sendall(REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert service.running.acquire(timeout=10)
        silent = [stack.enter_context(connected(web)) for _ in range(3)]
        assert web.ask("/-/healthy").status == 200
        assert read_all(silent[0]) == b""
        silent[2].sendall(REQUEST)  # the youngest is still there
        assert service.running.acquire(timeout=10)
        service.hold.set()
        assert read_all(asking).endswith(b"asterisk_up 1\n")


def test_a_crowd_of_silent_clients_does_not_drive_out_who_scrapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 0.0)
    with running(limits=ServerLimits(connections=4)) as web, ExitStack() as stack:
        scraping = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
        stack.callback(scraping.close)
        for _ in range(3):
            assert exchange(scraping, "/metrics").status == 200
            silent = [stack.enter_context(connected(web)) for _ in range(4)]
            assert read_all(silent[0]) == b""
        assert scraping.sock is not None


def test_a_thousand_connections_leave_the_server_answering() -> None:
    with running(limits=ServerLimits(connections=100)) as web, ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(connected(web))
        assert web.ask("/metrics").status == 200


def status_of(reply: bytes) -> int:
    """The status of the first answer; 0 when the connection was closed without one."""
    return int(reply[9:12] or b"0")


def test_an_endless_header_is_refused() -> None:
    with running() as web:
        reply = say(web, b"GET /metrics HTTP/1.1\r\nX: " + b"y" * 40_000)
        assert status_of(reply) == 431
        assert web.ask("/metrics").status == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"\r\n\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,  # a TLS hello on the plain port
        b"GET\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc",
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\xff" * 20_000,
    ],
)
def test_garbage_never_reaches_a_scrape(garbage: bytes) -> None:
    with running(limits=ServerLimits(idle=0.3)) as web:
        assert status_of(say(web, garbage)) in {0, 400, 413, 431}
        assert web.service.scrapes == []
        assert web.ask("/metrics").status == 200


@pytest.mark.parametrize(
    "body_headers", [b"Content-Length: 100000000\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 65537\r\n"]
)
def test_a_large_request_body_is_refused_unread(body_headers: bytes) -> None:
    with running() as web:
        head = b"POST /-/reload HTTP/1.1\r\nHost: x\r\n" + body_headers + b"\r\n"
        chunks = [b"10000\r\n" + b"z" * 65536 + b"\r\n"] * 20
        with suppress(ConnectionError):  # closed while we were still sending
            assert status_of(say(web, head, *chunks)) == 413
        assert web.service.reloads == 0
        assert web.ask("/-/reload", "POST").status == 200


def test_a_small_body_is_thrown_away_and_the_connection_goes_on() -> None:
    with running() as web, connected(web) as sock:
        post = b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n" + b"z" * 30_000
        sock.sendall(post + post + b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        reply = read_all(sock)
        assert reply.count(b"HTTP/1.1 200 ") == 3
        assert web.service.reloads == 2


def test_a_body_that_never_comes_does_not_hold_the_answer() -> None:
    with running(limits=ServerLimits(idle=0.3)) as web, connected(web) as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        assert read_all(sock).endswith(b"asterisk_up 1\n")


def test_pipelined_requests_are_answered_in_order() -> None:
    with running() as web, connected(web) as sock:
        sock.sendall(REQUEST * 49 + REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert read_all(sock).count(b"asterisk_up 1\n") == 50


def test_a_websocket_is_refused() -> None:
    upgrade = (
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with running() as web:
        assert status_of(say(web, upgrade)) == 400
        assert web.service.scrapes == []


@pytest.mark.parametrize("settings", [b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n", b"HTTP2-Settings: !!!\r\n", b""])
def test_http_2_without_tls_is_refused_and_its_headers_are_not_logged(
    settings: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    upgrade = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    with running(limits=ServerLimits(idle=0.2)) as web:
        reply = say(web, upgrade + b"Authorization: Basic cGxhbnRlZA==\r\n" + settings + b"\r\n")
        assert b"asterisk_up" not in reply
        assert status_of(reply) == 400
        assert status_of(say(web, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 500)) == 505
        assert web.service.scrapes == []
    assert "cGxhbnRlZA" not in caplog.text


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_stop_takes_less_than_five_seconds_whatever_clients_do(tls: bool, tmp_path: Path) -> None:
    file = tmp_path / "web.yml"
    if tls:
        Authority().issue("localhost").write(tmp_path, "server")
        file.write_text("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")
    service = FakeService(body=b"x" * 30_000_000)
    service.hold.clear()
    context = unverified()
    with running(service, config_file=str(file) if tls else None, max_requests=100) as web, ExitStack() as stack:
        for n in range(300):
            sock = stack.enter_context(connected(web))
            if n < 100:
                continue  # silent
            if n < 200:
                sock.sendall(b"\x16\x03\x01\x02\x00\x01" if tls else b"GET /metrics HTTP/1.1\r\n")
            else:
                asking = stack.enter_context(context.wrap_socket(sock)) if tls else sock
                asking.sendall(REQUEST)  # its scrape hangs
        for _ in range(100):
            assert service.running.acquire(timeout=20)
        started = time.monotonic()
        web.server.stop()
        assert time.monotonic() - started < 5


def threads_named(prefix: str) -> int:
    return sum(thread.name.startswith(prefix) for thread in threading.enumerate())


def test_stop_ends_every_connection_and_thread() -> None:
    service = FakeService()
    service.hold.clear()
    before = threads_named("web")
    with running(service, limits=ServerLimits(grace=0.3)) as web, connected(web) as silent, connected(web) as asking:
        asking.sendall(REQUEST)
        assert service.running.acquire(timeout=10)
        started = time.monotonic()
        web.server.stop()
        assert time.monotonic() - started < 2
        assert web.server.ended.is_set()
        assert read_all(silent) == b""
        assert b"asterisk_up" not in read_all(asking)  # empty, or a 500 that was quicker than the end
        with pytest.raises(OSError):  # noqa: PT011 - refused
            web.ask("/-/healthy")
        service.hold.set()
    wait_until(lambda: threads_named("web") <= before)
