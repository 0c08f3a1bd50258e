"""The open connections: how many there may be, and which one ends when a newcomer needs its place."""

import ipaddress
import select
import socket
import ssl
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto

from ami_exporter.web import plain_http

# A client that connects and asks 100 ms later keeps its place, however many others connect meanwhile.
PATIENCE_SECONDS = 1.0
# At the limit, how often all connections are asked whether their clients have gone.
REAP_SECONDS = 0.05

_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class Phase(Enum):
    """What a connection's thread does."""

    WAITING = auto()  # for the handshake, a request, the check of its password
    HANDLING = auto()  # a request that was let in is being answered
    SENDING = auto()  # the answer is on its way


class WebConnection:
    """An accepted socket. `address` stands for who is behind it, `wrong_passwords` counts what was sent over it."""

    def __init__(self, sock: socket.socket, peer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.sock = sock
        self.address = client_address(peer)
        self.wrong_passwords = 0
        self.answered = False
        self.phase = Phase.WAITING
        self.since = clock()
        self._ended = False

    def secure(self, context: ssl.SSLContext, seconds: float) -> None:
        """Do the TLS handshake within so many seconds."""
        self.sock.settimeout(seconds)
        self.sock = tls = context.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)
        if self._ended:  # while the socket changed hands
            raise ConnectionAbortedError
        try:
            tls.do_handshake()
        except ssl.SSLError as error:
            if plain_http.is_plain_http(error):
                plain_http.answer(tls)
            raise

    def end(self) -> None:
        """Wake its thread, which closes it. Under the table's lock, so that the descriptor is still this socket's."""
        self._ended = True
        with suppress(OSError):
            # Not SSLSocket's own method: that forgets the session, which its thread may be using.
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def gone(self) -> bool:
        """Whether the client has closed, or the connection was ended."""
        return self._ended or bool(_gone([self]))


class ConnectionTable:
    """The open connections, the longest unchanged first. Used from the threads of all of them."""

    def __init__(self, limit: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._open: OrderedDict[WebConnection, None] = OrderedDict()
        self._of_address: Counter[str] = Counter()
        self._reaped = -REAP_SECONDS

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: WebConnection) -> bool:
        """Enter a connection, at the limit in another one's place; False when there is no place."""
        with self._lock:
            limit = self._limit()
            if len(self._open) >= limit:
                self._reap()
            while len(self._open) >= limit:
                victim = self._victim(connection.address, limit)
                if victim is None:
                    return False
                self._end(victim)
            self._open[connection] = None
            self._of_address[connection.address] += 1
            return True

    def make_room(self) -> None:
        """End one connection that waits: a descriptor is needed."""
        with self._lock:
            self._reap()
            victim = self._longest_waiting(None)
            if victim is not None:
                self._end(victim)

    def close(self, connection: WebConnection) -> None:
        """Close a connection and forget it."""
        with self._lock:
            self._forget(connection)
            connection.sock.close()

    def note(self, connection: WebConnection, phase: Phase) -> None:
        """Note what the connection's thread does from now on."""
        with self._lock:
            connection.phase = phase
            connection.since = self._clock()
            connection.answered |= phase is Phase.WAITING
            if connection in self._open:
                self._open.move_to_end(connection)

    def end_all(self, *, waiting_only: bool = False) -> None:
        """End all connections, or those whose request is not being answered."""
        with self._lock:
            for connection in list(self._open):
                if not waiting_only or connection.phase is Phase.WAITING:
                    connection.end()

    def _reap(self) -> None:
        """End those whose clients have gone and whose threads have not noticed yet."""
        now = self._clock()
        if now - self._reaped >= REAP_SECONDS:
            self._reaped = now
            for connection in _gone([one for one in self._open if one.phase is Phase.WAITING]):
                self._end(connection)

    def _victim(self, newcomer: str, limit: int) -> WebConnection | None:
        """Choose whose place a newcomer takes: an address with more than half of the places pays for it."""
        if 2 * (self._of_address[newcomer] + 1) > limit:
            return self._longest_waiting(newcomer)
        largest, count = self._of_address.most_common(1)[0]
        return (self._longest_waiting(largest) if 2 * count > limit else None) or self._longest_waiting(None)

    def _longest_waiting(self, address: str | None) -> WebConnection | None:
        """Choose one never answered for longer than PATIENCE_SECONDS, else the oldest idle one, else a slow reader."""
        patience = self._clock() - PATIENCE_SECONDS
        idle: WebConnection | None = None
        slow: WebConnection | None = None
        for one in self._open:
            if address not in (None, one.address) or one.phase is Phase.HANDLING:
                continue
            if one.phase is Phase.SENDING:
                slow = slow or (one if one.since < patience else None)
            elif not one.answered and one.since < patience:
                return one
            else:
                idle = idle or one
                if one.since >= patience:
                    break
        return idle or slow

    def _end(self, connection: WebConnection) -> None:
        self._forget(connection)
        connection.end()

    def _forget(self, connection: WebConnection) -> None:
        if connection in self._open:
            del self._open[connection]
            self._of_address[connection.address] -= 1
            if not self._of_address[connection.address]:
                del self._of_address[connection.address]


def _gone(connections: list[WebConnection]) -> list[WebConnection]:
    """Return those whose clients have closed."""
    poll, by_descriptor = select.poll(), {}
    for connection in connections:
        descriptor = connection.sock.fileno()
        if descriptor >= 0:
            by_descriptor[descriptor] = connection
            poll.register(descriptor, _GONE)
    return [by_descriptor[descriptor] for descriptor, _ in poll.poll(0)]


def client_address(peer: str) -> str:
    """Return what stands for a client: its IPv4 address, or the /64 network that an IPv6 host has to itself."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
