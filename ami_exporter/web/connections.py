"""The open connections: how many are allowed, and which one to close to make room for a new one."""

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

# A new connection is safe for this long, so a client that sends its request after 100 ms is not pushed out.
PATIENCE_SECONDS = 1.0
# At the limit, check at most this often which clients have closed their connections.
REAP_SECONDS = 0.05

_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class Phase(Enum):
    """What a connection's thread is doing."""

    WAITING = auto()  # for the handshake, a request or a password check
    HANDLING = auto()  # computing the response to an admitted request
    SENDING = auto()  # sending the response


class WebConnection:
    """An accepted socket. `address` identifies the client, `wrong_passwords` counts those sent over this socket."""

    def __init__(self, sock: socket.socket, peer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.sock = sock
        self.address = client_address(peer)
        self.wrong_passwords = 0
        self.answered = False
        self.phase = Phase.WAITING
        self.since = clock()
        self._ended = False

    def secure(self, context: ssl.SSLContext, seconds: float) -> None:
        """Do the TLS handshake, with a timeout in seconds."""
        self.sock.settimeout(seconds)
        self.sock = tls = context.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)
        if self._ended:  # ended while the socket was being wrapped
            raise ConnectionAbortedError
        try:
            tls.do_handshake()
        except ssl.SSLError as error:
            if plain_http.is_plain_http(error):
                plain_http.answer(tls)
            raise

    def end(self) -> None:
        """Wake its thread, which closes the socket. Call with the table locked, so the descriptor cannot be reused."""
        self._ended = True
        with suppress(OSError):
            # Not SSLSocket.shutdown: that drops the TLS session while the thread may be using it.
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def gone(self) -> bool:
        """Whether the client has closed the connection, or we have ended it."""
        return self._ended or bool(_gone([self]))


class ConnectionTable:
    """The open connections, least recently changed first. Thread-safe."""

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
        """Add a connection, closing another one if the table is full; False when there is no room."""
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
        """End one waiting connection to free its descriptor."""
        with self._lock:
            self._reap()
            victim = self._longest_waiting(None)
            if victim is not None:
                self._end(victim)

    def close(self, connection: WebConnection) -> None:
        with self._lock:
            self._forget(connection)
            connection.sock.close()

    def note(self, connection: WebConnection, phase: Phase) -> None:
        """Record the phase that the connection enters now."""
        with self._lock:
            connection.phase = phase
            connection.since = self._clock()
            connection.answered |= phase is Phase.WAITING
            if connection in self._open:
                self._open.move_to_end(connection)

    def end_all(self, *, waiting_only: bool = False) -> None:
        """End all connections, or only those that are waiting."""
        with self._lock:
            for connection in list(self._open):
                if not waiting_only or connection.phase is Phase.WAITING:
                    connection.end()

    def _reap(self) -> None:
        """End connections that their clients have closed but whose threads have not noticed yet."""
        now = self._clock()
        if now - self._reaped >= REAP_SECONDS:
            self._reaped = now
            for connection in _gone([one for one in self._open if one.phase is Phase.WAITING]):
                self._end(connection)

    def _victim(self, newcomer: str, limit: int) -> WebConnection | None:
        """Choose the connection to close for a new one: an address holding over half of the places loses one first."""
        if 2 * (self._of_address[newcomer] + 1) > limit:
            return self._longest_waiting(newcomer)
        largest, count = self._of_address.most_common(1)[0]
        return (self._longest_waiting(largest) if 2 * count > limit else None) or self._longest_waiting(None)

    def _longest_waiting(self, address: str | None) -> WebConnection | None:
        """Choose one that sent no request within PATIENCE_SECONDS, else the oldest idle one, else a slow reader."""
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
    """Return the connections that their clients have closed."""
    poll, by_descriptor = select.poll(), {}
    for connection in connections:
        descriptor = connection.sock.fileno()
        if descriptor >= 0:
            by_descriptor[descriptor] = connection
            poll.register(descriptor, _GONE)
    return [by_descriptor[descriptor] for descriptor, _ in poll.poll(0)]


def client_address(peer: str) -> str:
    """Return what identifies a client: its IPv4 address, or its /64 network, since an IPv6 host may own all of it."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
