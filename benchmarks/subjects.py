"""The ways to ask a PBX for its channels: our whole HTTP scrape, the raw drain, res_prometheus."""

from __future__ import annotations

import gzip
import http.client
import re
import socket
import time

from benchmarks.pbx import SECRET, USER

RECEIVE_BYTES = 65_536
REQUEST_SECONDS = 120.0
#: Longest wait for the load guard to let a poll through again (it serves an answer of t ≥ 0.5 s for 20 × t).
GUARD_SECONDS = 120.0

_AGE = re.compile(rb"^asterisk_scrape_collector_data_age_seconds\{[^}]*\} (\S+)$", re.MULTILINE)
_FAILED = re.compile(rb'^asterisk_scrape_collector_success\{collector="(\w+)"\} 0$', re.MULTILINE)
_FRESH_SECONDS = 0.2


class HttpGet:
    """GET over one lasting connection, gzip accepted, as Prometheus does."""

    def __init__(self, port: int, path: str = "/metrics") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)
        self._path = path
        self.body = b""

    def __call__(self) -> int:
        """Bytes on the wire."""
        try:
            answer = self._ask()
        except ConnectionError:  # the server ended it while it was idle
            self._connection.close()
            answer = self._ask()
        body = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"GET {self._path}: {answer.status} {body[:200]!r}")
        self.body = gzip.decompress(body) if answer.getheader("Content-Encoding") == "gzip" else body
        return len(body)

    def _ask(self) -> http.client.HTTPResponse:
        self._connection.request("GET", self._path, headers={"Accept-Encoding": "gzip"})
        return self._connection.getresponse()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    @property
    def series(self) -> int:
        """Series in the last body."""
        return sum(1 for line in self.body.splitlines() if line and not line.startswith(b"#"))


class Scrape(HttpGet):
    """Our scrape, checked: complete, and asked of the PBX and not served from what was kept."""

    def __call__(self) -> int:
        """Bytes on the wire; 0 when the load guard served something that it had kept."""
        size = super().__call__()
        failed = _FAILED.findall(self.body)
        if failed or b"\nasterisk_up 1\n" not in self.body:
            raise RuntimeError(f"the scrape is not complete: {failed or 'PBX down'}")
        return size if self.fresh else 0

    @property
    def fresh(self) -> bool:
        """Whether nothing in the last body had been kept by the load guard."""
        return all(float(age) < _FRESH_SECONDS for age in _AGE.findall(self.body))

    def wait_fresh(self) -> None:
        """Scrape until the load guard keeps nothing: a fresh answer that took long is the one that is served next."""
        deadline = time.monotonic() + GUARD_SECONDS
        while not (self() and self()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the load guard still serves what it kept after {GUARD_SECONDS} s: a slow PBX")
            time.sleep(1.0)


class Drain:
    """The floor: one list action sent over a raw socket, its answer thrown away as it comes."""

    def __init__(self, port: int, action: str, complete: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=REQUEST_SECONDS)
        self._send(f"Action: Login\r\nUsername: {USER}\r\nSecret: {SECRET}\r\nEvents: off\r\n\r\n")
        while b"Message: Authentication accepted" not in self._socket.recv(RECEIVE_BYTES):
            pass
        self._action = f"Action: {action}\r\n\r\n"
        self._complete = f"Event: {complete}\r\n".encode()
        self.data = b""

    def _send(self, packet: str) -> None:
        self._socket.sendall(packet.encode())

    def __call__(self) -> int:
        """Bytes of the answer."""
        self._send(self._action)
        size, tail = 0, b""
        while not (tail.endswith(b"\r\n\r\n") and self._complete in tail):
            data = self._socket.recv(RECEIVE_BYTES)
            size += len(data)
            tail = (tail + data)[-1000:] if len(data) < 1000 else data[-1000:]
        return size

    def record(self) -> bytes:
        """The whole answer."""
        self._send(self._action)
        data = b""
        while not (data.endswith(b"\r\n\r\n") and self._complete in data[-1000:]):
            data += self._socket.recv(RECEIVE_BYTES)
        return data

    def close(self) -> None:
        """End the connection."""
        self._socket.close()
