"""Who is let in, and when: one new connection in each short turn of the event loop, the newest first.

asyncio begins all that wait before it looks at a connection that was there before, and in the order they came. To begin
one takes half a millisecond, with TLS more than one: 400 at the same moment kept a scrape waiting for a third of a
second.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from ami_exporter.web.connections import Connection, Connections

log = logging.getLogger(__name__)

#: Connections taken out of the kernel's queue in one turn, 0.03 ms each: the newest of hundreds is found within some
#: turns, and who opens connections without end leaves time for the others.
TAKEN_A_TURN = 64

#: After a turn that took long, another connection is begun for each of these: where hundreds of threads share the
#: interpreter, a turn takes a tenth of a second, and one a turn is less than come.
ANOTHER_SECONDS = 0.005

#: With these errors of `accept` it is too early to ask again.
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
PAUSE_SECONDS = 1.0


class ServingLoop(asyncio.SelectorEventLoop):
    """An event loop whose servers let in as this module says, and enter who comes into the table."""

    def __init__(self, table: Connections) -> None:
        super().__init__()
        self._table = table

    async def create_server(self, protocol_factory: Any, *_: Any, **how: Any) -> Any:
        """Serve on the listening socket `sock`, with what `connect_accepted_socket` knows besides."""
        known = {name: how[name] for name in ("ssl", "ssl_handshake_timeout") if name in how}
        connect = partial(self.connect_accepted_socket, protocol_factory, **known)
        return Door(self, how["sock"], self._table, connect)


class Door:
    """A listening socket, and who waits there: as much of asyncio's Server as the server library asks for."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listener: socket.socket,
        table: Connections,
        connect: Callable[[Connection], Awaitable[tuple[asyncio.Transport, Any]]],
    ) -> None:
        self._loop = loop
        self._listener = listener
        self._table = table
        self._connect = connect
        self._waiting: dict[Connection, None] = {}  # the newest comes last; a dict, as one in the middle may go
        self._beginning = False
        self._begun_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._open()

    def close(self) -> None:
        """Let nobody in any more: close the listening socket, and all who wait."""
        self._loop.remove_reader(self._listener)
        self._listener.close()
        for connection in list(self._waiting):
            connection.close()

    async def wait_closed(self) -> None:
        """Return at once: who was let in is looked after by the server library."""

    def _open(self) -> None:
        if self._listener.fileno() >= 0:  # not closed meanwhile
            self._loop.add_reader(self._listener, self._take)

    def _take(self) -> None:
        """Take who waits in the kernel's queue."""
        for _ in range(TAKEN_A_TURN):
            try:
                sock, _ = self._listener.accept()
            except BlockingIOError:
                break
            except OSError as error:
                log.debug("no connection taken: %s", error)
                if error.errno in EXHAUSTED:
                    self._loop.remove_reader(self._listener)
                    self._loop.call_later(PAUSE_SECONDS, self._open)
                    break
            else:
                self._table.add(Connection(sock, self._waiting))
        if not self._beginning:
            self._begin()

    def _begin(self) -> None:
        """Begin the newest, and what the turn before was too long for; the next one in the next turn."""
        now = self._loop.time()
        late = int((now - self._begun_at) / ANOTHER_SECONDS) if self._beginning else 0
        self._begun_at = now
        for _ in range(min(1 + late, len(self._waiting))):
            connection, _ = self._waiting.popitem()
            task = self._loop.create_task(self._let_in(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._beginning = bool(self._waiting)
        if self._beginning:
            self._loop.call_soon(self._begin)

    async def _let_in(self, connection: Connection) -> None:
        try:
            transport, _ = await self._connect(connection)
        except OSError as error:  # above all TLS handshakes that fail
            log.debug("connection lost: %s", error)
        else:
            connection.begun(transport)
