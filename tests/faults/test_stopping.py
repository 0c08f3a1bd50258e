"""SIGTERM ends the program within five seconds, whatever hundreds of PBXs do meanwhile."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.exporter_process import exporter

pytestmark = pytest.mark.slow

TARGETS = 500
MOST_SECONDS = 5.0
GREETING = b"Asterisk Call Manager/11.0.0\r\n"
#: A black hole: addresses for documentation, to which nobody routes; 2 names whose look-up may take long.
HOLE = "198.18.255.1:5038"


@pytest.fixture(params=[b"", GREETING], ids=["silent", "greets and is silent"])
def silent(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a server that takes every connection and says no more than this."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    taken: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            taken.append(connection)
            connection.sendall(request.param)

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for connection in taken:
        connection.close()


@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_the_end_comes_soon_with_500_silent_targets(silent: int, kind: str, tmp_path: Path) -> None:
    tls = ", tls: {verify: false}" if kind == "tls" else ""
    address = [f"127.0.0.1:{silent}", HOLE, "no-such-name.invalid"]
    lines = [
        f"  t{number}: {{address: '{address[0 if number % 10 else number // 10 % 3]}', username: u, secret: s{tls}}}"
        for number in range(TARGETS)
    ]
    file = tmp_path / "c.yml"
    file.write_text("targets:\n" + "\n".join(lines) + "\n")
    with exporter("--config.file", str(file)) as running, ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(_probe, running.port, number) for number in range(20)]
        time.sleep(1.0)  # while all of them connect and wait
        begin = time.monotonic()
        running.signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
        assert time.monotonic() - begin < MOST_SECONDS
        for one in asked:
            one.result()


def _probe(port: int, number: int) -> None:
    """A scrape under way; it may be cut."""
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(f"GET /probe?target=t{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            client.recv(100)
    except OSError:
        pass
