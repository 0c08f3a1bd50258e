"""A TCP proxy on loopback that does to a connection what networks do."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

JOIN_SECONDS = 10.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: close() sends RST


@dataclass(slots=True)
class Faults:
    """What is wrong with the way from the server to the client; each connection takes it when it begins.

    delay: seconds before each piece. piece: bytes of a segment, 0 as they come. rate: bytes a second, 0 unlimited.
    cut_at: the connection is closed after so many bytes. hole_at: after so many bytes nothing passes any more, in
    neither direction, and nothing is closed (half-open: the peer is gone without a word; 0: a black hole).
    reset_hello: the client's first bytes are answered by RST, as in the middle of a TLS handshake.
    """

    delay: float = 0.0
    piece: int = 0
    rate: float = 0.0
    cut_at: int | None = None
    hole_at: int | None = None
    reset_hello: bool = False


class FaultyProxy:
    """Passes connections on to a port of loopback. `faults` may be exchanged at any time."""

    def __init__(self, upstream: int, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        #: What each connection has passed on to its client, in order of connecting.
        self.passed: list[bytearray] = []
        self._upstream = upstream
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for sock in (self._listener, *self._sockets):
            _end(sock)
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
            assert not thread.is_alive(), "the proxy hangs"

    def kick(self) -> None:
        """Cut every connection."""
        for sock in self._sockets:
            _end(sock)
        self._sockets.clear()

    def cut(self, number: int) -> None:
        """Cut one connection, by its order of connecting; `kick` forgets the order."""
        for sock in self._sockets[2 * number : 2 * number + 2]:
            _end(sock)

    def _run(self, work: object, *arguments: object) -> None:
        assert callable(work)
        thread = threading.Thread(target=work, args=arguments, name="faulty-proxy", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._upstream), timeout=JOIN_SECONDS)
            except OSError:
                _end(client)
                continue
            server.settimeout(None)
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += (client, server)
            self.passed.append(bytearray())
            hole = threading.Event()
            self._run(self._down, server, client, self.faults, self.passed[-1], hole)
            self._run(self._up, client, server, self.faults, hole)

    def _up(self, client: socket.socket, server: socket.socket, faults: Faults, hole: threading.Event) -> None:
        """Pass on what the client sends."""
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if faults.reset_hello:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    client.close()
                    break
                if not hole.is_set():
                    server.sendall(data)
        if not hole.is_set():
            _end(server)

    def _down(
        self, server: socket.socket, client: socket.socket, faults: Faults, passed: bytearray, hole: threading.Event
    ) -> None:
        """Pass on what the server sends, with all that is wrong."""
        with contextlib.suppress(OSError):
            if faults.hole_at == 0:
                hole.set()
            while data := server.recv(65536):
                for piece in _pieces(data, faults.piece):
                    left = len(piece) if faults.cut_at is None else faults.cut_at - len(passed)
                    if faults.hole_at is not None and len(passed) + len(piece) > faults.hole_at:
                        left = faults.hole_at - len(passed)
                        hole.set()
                    if faults.delay or faults.rate:
                        self._over.wait(faults.delay + (len(piece) / faults.rate if faults.rate else 0.0))
                    sent = piece[: max(0, left)]
                    passed += sent
                    client.sendall(sent)
                    if hole.is_set():
                        self._over.wait()
                        return
                    if faults.cut_at is not None and len(passed) >= faults.cut_at:
                        _end(client)
                        return
        _end(client)


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)] if size else [data]


def _end(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
