"""Scrapes at their moments, as Prometheus makes them: each is due at a time of its own and late from then on."""

from __future__ import annotations

import gzip
import re
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

INTERVAL = 15.0
#: Prometheus' scrape_timeout: a scrape that takes longer has failed.
TIMEOUT = 10.0
LATE = "no answer in time"
#: Answered, but the exporter had no time for the scrape.
REFUSED = "HTTP/1.1 503 Service Unavailable"
#: Those of Prometheus that change the answer.
HEADERS = ("Host: exporter", "Accept-Encoding: gzip", f"X-Prometheus-Scrape-Timeout-Seconds: {TIMEOUT:.0f}")
RECEIVE_BYTES = 1 << 18
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_FAILED = re.compile(rb'^asterisk_scrape_collector_success\{collector="(\w+)"\} 0$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Scraped:
    """One scrape: seconds from its due moment to its last byte, None: not within TIMEOUT, or not complete."""

    path: str
    seconds: float | None
    fault: str = ""


@dataclass(slots=True)
class _Client:
    """The lasting connection of one target, and its scrape under way."""

    path: str
    sock: socket.socket | None = None
    due: float = 0.0
    data: bytearray = field(default_factory=bytearray)
    busy: bool = False


class Schedule:
    """Scrapes targets on an open schedule: a late answer delays no other scrape's beginning, nor its own clock's."""

    def __init__(self, port: int, paths: Sequence[str]) -> None:
        self._port = port
        self._clients = [_Client(path) for path in paths]
        self._selector = selectors.DefaultSelector()
        self._done: list[tuple[str, float, bytes] | Scraped] = []

    def run(self, intervals: int) -> list[Scraped]:
        """Scrape each target once an interval. The bodies are looked at afterwards, so that no scrape waits for it."""
        self._done.clear()
        begin, gap = time.monotonic(), INTERVAL / len(self._clients)
        total, sent = intervals * len(self._clients), 0
        while len(self._done) < total:
            now = time.monotonic()
            while sent < total and begin + sent * gap <= now:
                self._send(self._clients[sent % len(self._clients)], begin + sent * gap)
                sent += 1
            until = begin + sent * gap if sent < total else now + 0.1
            for key, events in self._selector.select(max(0.0, min(0.1, until - time.monotonic()))):
                self._ready(key.data, events)
            self._give_up(time.monotonic())
        return [one if isinstance(one, Scraped) else _checked(*one) for one in self._done]

    def close(self) -> None:
        """End all connections."""
        for client in self._clients:
            self._drop(client)
        self._selector.close()

    def _send(self, client: _Client, due: float) -> None:
        self._fail(client, LATE)
        client.due, client.busy = due, True
        client.data.clear()
        if client.sock is None:
            client.sock = socket.socket()
            client.sock.setblocking(False)
            client.sock.connect_ex(("127.0.0.1", self._port))
            self._selector.register(client.sock, selectors.EVENT_WRITE, client)
        else:
            self._request(client, client.sock)

    def _request(self, client: _Client, sock: socket.socket) -> None:
        """Send the request; of a new connection, once it is there."""
        lines = (f"GET {client.path} HTTP/1.1", *HEADERS, "", "")
        try:
            sock.send("\r\n".join(lines).encode())
        except OSError as error:
            self._fail(client, str(error))

    def _ready(self, client: _Client, events: int) -> None:
        if client.sock is None:
            return
        if events & selectors.EVENT_WRITE:
            self._selector.modify(client.sock, selectors.EVENT_READ, client)
            self._request(client, client.sock)
        else:
            self._receive(client, client.sock)

    def _receive(self, client: _Client, sock: socket.socket) -> None:
        try:
            data = sock.recv(RECEIVE_BYTES)
        except OSError as error:
            self._fail(client, str(error))
            return
        client.data += data
        head = client.data.find(b"\r\n\r\n")
        if not data:
            self._fail(client, "the connection was closed")
            self._drop(client)
            return
        found = _LENGTH.search(client.data, 0, head) if head >= 0 else None
        if found and len(client.data) >= head + 4 + int(found[1]):
            client.busy = False
            self._done.append((client.path, time.monotonic() - client.due, bytes(client.data)))

    def _give_up(self, now: float) -> None:
        for client in self._clients:
            if client.busy and now - client.due > TIMEOUT:
                self._fail(client, LATE)

    def _fail(self, client: _Client, fault: str) -> None:
        """End a client's scrape under way, if there is one, and with it the connection."""
        if client.busy:
            client.busy = False
            self._done.append(Scraped(client.path, None, fault))
            self._drop(client)

    def _drop(self, client: _Client) -> None:
        if client.sock is not None:
            self._selector.unregister(client.sock)
            client.sock.close()
            client.sock = None


def _checked(path: str, seconds: float, answer: bytes) -> Scraped:
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        return Scraped(path, None, head.split(b"\r\n")[0].decode())
    text = gzip.decompress(body) if b"gzip" in head.lower() else body
    failed = _FAILED.findall(text)
    if failed or b"\nasterisk_up 1\n" not in text:
        return Scraped(path, None, "PBX down" if not failed else f"not complete: {failed[0].decode()}")
    return Scraped(path, seconds)
