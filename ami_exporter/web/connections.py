"""The open connections: bounded, so that nobody can take all file descriptors, and ended on demand.

The server library keeps its connections to itself. Ours are seen where they are let in (`door.py`): sockets that report
when they are closed.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

Key = tuple[Any, Any]  # (client, server) as ASGI scopes have them: what tells two connections apart


class Connections:
    """Table of the open connections. At the limit one that waits for its client is ended.

    First one that has never had an answer, and of those the oldest: so silent clients drive each other out, never keep
    a newcomer waiting, and do not drive out who scrapes. It belongs to the event loop's thread.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._open: dict[Key, Connection] = {}  # who has been idle for longest comes first
        self._busy: set[Key] = set()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: "Connection") -> None:
        """Enter a new connection; at the limit, end an idle one first."""
        try:
            connection.key = (connection.getpeername()[:2], connection.getsockname()[:2])
        except OSError:  # gone again already
            connection.close()
            return
        if len(self._open) >= self._limit:
            least = next((one for one in self._idle() if not one.answered), None) or next(self._idle(), None)
            if least is not None:
                self._open.pop(least.key).end()
        gone = self._open.pop(connection.key, None)
        if gone is not None:  # reset by its client, who comes from the same port again
            gone.end()
        connection.since = self._clock()
        connection.table = self
        self._open[connection.key] = connection

    def discard(self, connection: "Connection") -> None:
        """Forget a connection that was closed."""
        if self._open.get(connection.key) is connection:
            del self._open[connection.key]

    @contextmanager
    def answering(self, key: Key) -> Iterator[None]:
        """Keep a connection from being ended for a newcomer while its request is answered."""
        self._busy.add(key)
        try:
            yield
        finally:
            self._busy.discard(key)
            connection = self._open.pop(key, None)
            if connection is not None:
                connection.since = self._clock()
                connection.answered = True
                self._open[key] = connection

    def _idle(self) -> "Iterator[Connection]":
        return (one for key, one in self._open.items() if key not in self._busy)

    def end_idle(self, seconds: float) -> None:
        """End the connections on which nothing has been answered for so long, whatever the server thinks of them."""
        latest = self._clock() - seconds
        for connection in [one for one in self._idle() if one.since < latest]:
            connection.end()

    def end(self, key: Key) -> None:
        """End one connection at once, whatever is still unsent."""
        connection = self._open.get(key)
        if connection is not None:
            connection.end()

    def end_all(self) -> None:
        """End every connection."""
        for connection in list(self._open.values()):
            connection.end()


class Connection(socket.socket):
    """An accepted socket that leaves the table when it is closed. At first it is among the `waiting`."""

    def __init__(self, accepted: socket.socket, waiting: "dict[Connection, None]") -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self.key: Key = (None, None)
        self.since = 0.0  # when it was accepted, or its last request was answered; monotonic seconds
        self.answered = False  # whether it has had an answer
        self.table: Connections | None = None
        self._transport: asyncio.Transport | None = None
        self._ended = False
        self._waiting = waiting
        waiting[self] = None

    @property
    def waits(self) -> bool:
        """Whether it has not been begun."""
        return self in self._waiting

    def begun(self, transport: asyncio.Transport) -> None:
        """Take note that it is served, by this transport."""
        self._transport = transport
        if self._ended:
            transport.abort()

    def end(self) -> None:
        """Close, whatever is still unsent."""
        self._ended = True
        if self.waits:
            self.close()
        elif self._transport is not None:
            self._transport.abort()
        else:
            with suppress(OSError):  # the client may have gone already
                self.shutdown(socket.SHUT_RDWR)  # a TLS handshake sees it

    def close(self) -> None:
        """Close, and leave the table."""
        self._waiting.pop(self, None)
        self._transport = None  # it knows its socket: a cycle
        if self.table is not None:
            self.table.discard(self)
        super().close()
