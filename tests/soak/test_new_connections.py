"""Two hundred new connections a second beside 20 scrapes a second: none is lost, memory and descriptors stay level.

AMI_EXPORTER_SOAK_SECONDS is for both halves together, plain and TLS; AMI_EXPORTER_SOAK_CONNECTIONS a second.
"""

# ruff: noqa: T201 - a long run tells how it goes
from __future__ import annotations

import http.client
import itertools
import os
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ami_exporter.demo import DemoSettings, SimulatedPbx
from tests.soak.test_soak import Body
from tests.support.asterisk_server import wait_until
from tests.support.certificates import Authority
from tests.support.exporter_process import exporter

SECONDS = float(os.environ.get("AMI_EXPORTER_SOAK_SECONDS", "3600")) / 2
CONNECTIONS = float(os.environ.get("AMI_EXPORTER_SOAK_CONNECTIONS", "200"))
SCRAPES = 20.0
#: A scraper connects, waits, asks: so long that at the rate above others have come in between.
WAIT_SECONDS = 0.1
#: At 20 scrapes a second each of these has a second for its own.
SCRAPERS = 20
CLIENTS = 8
WARM_UP_SECONDS = 30.0
#: MB that allocator and caches may still move afterwards.
GROWTH = 10.0
RESET = struct.pack("ii", 1, 0)
#: What the many do; every other one also resets its connection.
WORDS = (b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n", b"", b"GET /metrics HTTP/1.1\r\nHost:", b"\0garbage\r\n\r\n")


@dataclass
class Load:
    """Clients at a fixed rate, and what became of the scrapes."""

    port: int
    context: ssl.SSLContext | None
    answers: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    opened: int = 0
    _end: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        for number in range(SCRAPERS + CLIENTS):
            run, rate = (self._scrape, SCRAPES / SCRAPERS) if number < SCRAPERS else (self._come, CONNECTIONS / CLIENTS)
            self._threads.append(threading.Thread(target=self._paced, args=[run, 1 / rate, number / rate / 30]))
            self._threads[-1].start()

    def stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(60)

    def _paced(self, run: object, every: float, offset: float) -> None:
        assert callable(run)
        due = time.monotonic() + offset
        for number in itertools.count():
            if self._end.wait(max(0.0, due - time.monotonic())):
                return
            due = max(due + every, time.monotonic())  # what the machine was too busy for is not made up for
            run(number)

    def _scrape(self, _number: int) -> None:
        connection: http.client.HTTPConnection
        if self.context is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        else:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.context)
        try:
            connection.connect()
            time.sleep(WAIT_SECONDS)
            began = time.monotonic()
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            whole = b"\nasterisk_up 1" in answer.read()
            what = f"{answer.status} {'whole' if whole else 'not up'}"
            self.longest = max(self.longest, time.monotonic() - began)
        except (OSError, http.client.HTTPException) as error:
            what = repr(error)
        finally:
            connection.close()
        with self._lock:
            self.answers[what] += 1

    def _come(self, number: int) -> None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain:
            with self._lock:
                self.opened += 1
            if number % 2:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            words = WORDS[number // 2 % len(WORDS)]
            with plain if self.context is None or number % 4 else self.context.wrap_socket(plain) as sock:
                sock.sendall(words)
                if words.endswith(b"\r\n\r\n"):
                    sock.recv(100)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_new_connections_without_end_lose_no_scrape_and_leave_nothing_behind(tls: bool, tmp_path: Path) -> None:
    arguments, context = [], None
    if tls:
        Authority().issue("localhost").write(tmp_path, "server")
        (tmp_path / "web.yml").write_text("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")
        arguments = ["--web.config.file", str(tmp_path / "web.yml")]
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with SimulatedPbx(DemoSettings(traffic=0, warmup=0)) as pbx:
        flags = ["--ami.address", f"127.0.0.1:{pbx.port}", "--ami.username", "demo", *arguments]
        with exporter(*flags, environ={"AMI_EXPORTER_AMI_SECRET": "demo"}) as running:
            load = Load(running.port, context)
            load.start()
            bodies: list[Body] = []
            began = time.monotonic()
            try:
                time.sleep(min(WARM_UP_SECONDS, SECONDS / 2))
                while time.monotonic() - began < SECONDS:
                    bodies.append(Body.of(running.process.pid))
                    now = time.monotonic() - began
                    print(f"{now:6.0f} s {bodies[-1]} {dict(load.answers)} of {load.opened} others", flush=True)
                    time.sleep(min(30.0, SECONDS / 4))
            finally:
                load.stop()
            print(f"longest answer {load.longest:.3f} s, {load.opened / SECONDS:.0f} connections a second")
            assert set(load.answers) == {"200 whole"}
            wait_until(lambda: Body.of(running.process.pid).descriptors <= 20, 30, "connections of clients that left")
            assert bodies[-1].megabytes - bodies[0].megabytes < GROWTH
            assert "bug" not in running.log
            assert not any("level=error" in line for line in running.lines)
