"""The open connections: bounded, so that nobody can take all file descriptors, and ended on demand.

The server library keeps its connections to itself. Ours are seen where they are accepted: a listening socket whose
`accept` hands out sockets that report when they are closed.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

#: Connections taken in one turn of the event loop. It would take all that wait, and then begin them all (half a
#: millisecond each, with TLS more than one) before it looks at a connection that was there before: 400 at once kept a
#: scrape waiting for a third of a second.
ACCEPTS_A_TURN = 2

Key = tuple[Any, Any]  # (client, server) as ASGI scopes have them: what tells two connections apart


class Connections:
    """Table of the open connections. At the limit one that waits for its client is ended.

    First one that has never had an answer, and of those the oldest: so silent clients drive each other out, never keep
    a newcomer waiting, and do not drive out who scrapes. Safe to use from any thread.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[Key, Connection] = {}
        self._busy: set[Key] = set()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: "Connection") -> None:
        """Enter a new connection; at the limit, end an idle one first."""
        with self._lock:
            if len(self._open) >= self._limit:
                idle = (one for key, one in self._open.items() if key not in self._busy)
                least = min(idle, key=lambda one: (one.answered, one.since), default=None)
                if least is not None:
                    self._open.pop(least.key).end()
            connection.since = self._clock()
            self._open[connection.key] = connection

    def discard(self, connection: "Connection") -> None:
        """Forget a connection that was closed."""
        with self._lock:
            if self._open.get(connection.key) is connection:
                del self._open[connection.key]

    @contextmanager
    def answering(self, key: Key) -> Iterator[None]:
        """Keep a connection from being ended for a newcomer while its request is answered."""
        with self._lock:
            self._busy.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(key)
                if key in self._open:
                    self._open[key].since = self._clock()
                    self._open[key].answered = True

    def end_idle(self, seconds: float) -> None:
        """End the connections on which nothing has been answered for so long, whatever the server thinks of them."""
        latest = self._clock() - seconds
        with self._lock:
            idle = [c for key, c in self._open.items() if key not in self._busy and c.since < latest]
        for connection in idle:
            connection.end()

    def end(self, key: Key) -> None:
        """End one connection at once, whatever is still unsent."""
        with self._lock:
            connection = self._open.get(key)
        if connection is not None:
            connection.end()

    def end_all(self) -> None:
        """End every connection."""
        with self._lock:
            connections = list(self._open.values())
        for connection in connections:
            connection.end()


class Connection(socket.socket):
    """An accepted socket that leaves the table when it is closed."""

    key: Key = (None, None)
    since: float = 0.0  # when it was accepted, or its last request was answered; monotonic seconds
    answered: bool = False  # whether it has had an answer
    table: Connections | None = None

    def end(self) -> None:
        """Stop both directions: the event loop sees the end and closes the socket itself."""
        with suppress(OSError):  # the client may have gone already
            self.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close, and leave the table."""
        if self.table is not None:
            self.table.discard(self)
        super().close()


class Listener(socket.socket):
    """A listening socket that enters what it accepts into the table."""

    table: Connections | None = None
    _taken = 0

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept as a plain socket does; but only so many, then none (BlockingIOError) for a turn of the event loop."""
        if self._taken >= ACCEPTS_A_TURN:
            self._taken = 0
            raise BlockingIOError
        try:
            plain, address = super().accept()
        except OSError:  # nobody waits any more, or no descriptor is left
            self._taken = 0
            raise
        self._taken += 1
        connection = Connection(plain.family, plain.type, plain.proto, fileno=plain.detach())
        connection.table = self.table
        with suppress(OSError):  # gone again already: the event loop will notice by itself
            connection.key = (connection.getpeername()[:2], connection.getsockname()[:2])
            if self.table is not None:
                self.table.add(connection)
        return connection, address
