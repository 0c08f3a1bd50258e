"""TCP and TLS under deadlines. The only module of this package that touches sockets."""

from __future__ import annotations

import contextlib
import errno
import math
import mmap
import select
import socket
import ssl
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from ami_exporter.ami.certificate import not_after
from ami_exporter.ami.errors import ConnectFailed, Timeout, TlsFailed
from ami_exporter.ami.tls import advice, client_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ami_exporter.ami.tls import Tls

    #: Family, kind, protocol and address, as socket.getaddrinfo has them.
    Resolved = list[tuple[int, int, int, tuple[object, ...]]]

#: Bytes read from the kernel and decoded at once: other threads wait a millisecond for it at most.
RECEIVE_BYTES = 64 * 1024
#: Bytes from which on an answer counts as long. Then whoever has read all there is sleeps before the next read: to wake
#: a reader costs Asterisk more than to write a list item, and Asterisk holds locks meanwhile.
LONG_BYTES = 256 * 1024
#: Seconds of that sleep. The fastest Asterisk measured writes 150 KB in this time.
GATHER_SECONDS = 0.0015
#: Bytes that the kernel holds for us, at least. By itself Linux begins with 128 KB, which a thousand small TLS records
#: fill; Asterisk's kernel may then take 200 ms to notice that there is room again.
BUFFER_BYTES = 1024 * 1024
#: Seconds of silence before the kernel probes, between probes, and probes until it gives up: a dead peer of an
#: idle link is noticed within a minute.
KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
#: Errors of connections that failed on our side, which say nothing about the server.
NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}
_NO_BYTES = memoryview(b"")


class Stream:
    """A connected byte stream that sends and reads at the same time, so that neither blocks the other.

    Deadlines are times of `clock` (monotonic seconds).
    """

    def __init__(
        self, connected: socket.socket, clock: Callable[[], float], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._tls = connected if isinstance(connected, ssl.SSLSocket) else None
        self._clock = clock
        self._sleep = sleep
        self._out: deque[bytes] = deque()
        self._room = memoryview(mmap.mmap(-1, RECEIVE_BYTES))
        self._poll = select.poll()
        self._received = 0  # bytes since something was queued
        self._emptied = False  # whether the last read left nothing
        self._empty_at = clock()  # when the buffer was empty last
        #: The server was sending at least until this time, because the last bytes arrived after it.
        self.alive_at = self._empty_at
        #: Why the stream has ended.
        self.end_reason = "the server closed the connection"

    @classmethod
    def connect(cls, host: str, port: int, tls: Tls | None, deadline: float, clock: Callable[[], float]) -> Stream:
        """Connect to the first address of the host that answers, IPv6 or IPv4.

        Raises ConnectFailed, Timeout, TlsFailed.
        """
        plain = _connect(host, port, deadline, clock, _WITHOUT_TLS if tls is None else _WITH_TLS)
        if tls is None:
            return cls(plain, clock)
        try:
            wrapped = client_context(tls).wrap_socket(
                plain, server_hostname=tls.server_name or host, do_handshake_on_connect=False
            )
            stream = cls(wrapped, clock)
            stream._handshake(wrapped, deadline)
        except ValueError as error:  # of wrap_socket: no name at all, one that begins with a dot, one that is no name
            plain.close()
            raise TlsFailed(f"server_name cannot be checked against a certificate: {error}") from error
        except BaseException:
            plain.close()
            raise
        return stream

    def _handshake(self, wrapped: ssl.SSLSocket, deadline: float) -> None:
        try:
            while True:
                try:
                    return wrapped.do_handshake()
                except ssl.SSLWantReadError:
                    self._wait(select.POLLIN, deadline)
                except ssl.SSLWantWriteError:
                    self._wait(select.POLLOUT, deadline)
        except Timeout as error:
            wrapped.close()
            raise Timeout("no TLS handshake before the deadline: is this the port of AMI over TLS?") from error
        except OSError as error:
            wrapped.close()
            raise TlsFailed(advice(error)) from error

    @property
    def local_address(self) -> tuple[str, int]:
        """Our own end, as the server sees it without NAT."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    @property
    def certificate_ends(self) -> float | None:
        """Unix seconds at which the server's certificate ends; None without TLS."""
        return None if self._tls is None else not_after(self._tls.getpeercert(binary_form=True))

    def queue(self, packets: Iterable[bytes]) -> None:
        """Queue packets, which the next `receive` sends.

        Over TLS each gets a record of its own: the server reads 1,024 bytes of a record and looks at the rest only when
        the next record arrives.
        """
        self._received, self._emptied = 0, False
        if self._tls is None:
            self._out.append(b"".join(packets))
        else:
            self._out.extend(packets)

    def flush(self) -> None:
        """Send as much of the queue as possible without blocking."""
        self._send()
        if not self.unread and not self._ready(select.POLLIN, 0.0):
            self._empty_at = self._clock()  # so that the answer proves that the server is alive now

    def receive(self, deadline: float) -> memoryview:
        """Send the queue and return the next bytes, valid until the next call; no bytes mean that the stream has ended.

        Raises Timeout, also for bytes without end, and TlsFailed if the server wants a client certificate.
        """
        if self._clock() >= deadline:
            raise Timeout("the answer was not complete at the deadline")
        may_sleep = self._received >= LONG_BYTES
        data, wanted = (None, 0) if may_sleep and self._emptied else self._take(self._room)
        while data is None:
            if may_sleep:
                may_sleep = False
                self._sleep(GATHER_SECONDS)
            else:
                self._wait(wanted, deadline)
            data, wanted = self._take(self._room)
        self._received += len(data)
        self._emptied = self._is_all(len(data), RECEIVE_BYTES)
        return data

    def receive_ready(self, room: memoryview) -> memoryview | None:
        """Send what is possible and return the bytes that have arrived, in `room`; None if none have. Never blocks."""
        self._room = _NO_BYTES  # the caller's buffer serves all such streams
        return self._take(room)[0]

    @property
    def unread(self) -> bool:
        """Whether TLS has decrypted bytes that were not received: select and epoll do not know of them."""
        return self._tls is not None and self._tls.pending() > 0

    def fileno(self) -> int:
        """The descriptor, for epoll."""
        return self._socket.fileno()

    def _take(self, room: memoryview) -> tuple[memoryview | None, int]:
        """Receive without blocking: the bytes (empty at the end), or None and what to wait for."""
        wanted = select.POLLIN
        try:
            if self._out:
                wanted |= self._send()
            size = self._socket.recv_into(room)
        except (BlockingIOError, ssl.SSLWantReadError):
            self._empty_at = self._clock()
            return None, wanted
        except ssl.SSLWantWriteError:
            return None, wanted | select.POLLOUT
        except OSError as error:
            if "CERTIFICATE_REQUIRED" in str(error):  # with TLS 1.3 only after the handshake
                raise TlsFailed(advice(error)) from error
            self.end_reason = f"the connection broke: {error.strerror or error}"
            return _NO_BYTES, 0
        if size:
            self.alive_at = self._empty_at
        if self._is_all(size, len(room)):
            self._empty_at = self._clock()
        return room[:size], wanted

    def _is_all(self, size: int, room: int) -> bool:
        """Whether a read of this size left nothing. A TLS record is less than the room, and more of them may wait."""
        return 0 < size < room and self._tls is None

    def _send(self) -> int:
        """Send without blocking; return what to wait for besides bytes to read."""
        while self._out:
            try:
                sent = self._socket.send(self._out[0])
            except (BlockingIOError, ssl.SSLWantWriteError):
                return select.POLLOUT
            except ssl.SSLWantReadError:
                return 0
            except OSError:
                self._out.clear()  # what the server sent before it closed can still be read
                return 0
            if sent < len(self._out[0]):
                self._out[0] = self._out[0][sent:]
            else:
                self._out.popleft()
        return 0

    def _wait(self, wanted: int, deadline: float) -> None:
        left = deadline - self._clock()
        if left <= 0 or not self._ready(wanted, left):
            raise Timeout("no answer before the deadline")

    def _ready(self, wanted: int, seconds: float) -> bool:
        """Wait for bytes, the end, or room to send if wanted; False if none of them came in time."""
        self._poll.register(self._socket, wanted)
        return bool(self._poll.poll(math.ceil(seconds * 1000)))

    def close(self) -> None:
        """Close at once, without sending the queue."""
        self._socket.close()


_WITHOUT_TLS: Final = "enabled=yes and this port"
_WITH_TLS: Final = "tlsenable=yes and tlsbindaddr with this port"
"""What manager.conf must have for the port to be open."""


def _connect(host: str, port: int, deadline: float, clock: Callable[[], float], needed: str) -> socket.socket:
    """Try the host's addresses in turn, each with its share of the remaining time; needed: of manager.conf."""
    addresses = _resolve(host, port, deadline - clock())
    # Facts, not the exceptions: these would hold our frame, which would hold them, until garbage is collected.
    failures: list[tuple[int | None, str]] = []
    silent = True
    for index, (family, kind, protocol, address) in enumerate(addresses):
        share = (deadline - clock()) / (len(addresses) - index)
        if share <= 0:
            break
        try:
            return _connect_to(family, kind, protocol, address, share)
        except OSError as error:
            silent = silent and isinstance(error, TimeoutError)
            failures.append((error.errno, error.strerror or str(error)))
    if silent:
        raise Timeout(
            f"port {port} did not answer: is the PBX up, is bindaddr in manager.conf reachable from here,"
            " does a firewall drop the packets?"
        )
    found = "; ".join(sorted({reason for _, reason in failures}))
    if all(number in NO_WAY for number, _ in failures):
        raise ConnectFailed(
            f"port {port}: {found}: no packet gets there from here: look at the address, at the routes (ip route get"
            " ADDRESS), and at VPN and firewall between"
        )
    raise ConnectFailed(f"port {port}: {found}: is Asterisk running, and does manager.conf have {needed}?")


def _connect_to(family: int, kind: int, protocol: int, address: tuple[object, ...], seconds: float) -> socket.socket:
    attempt = socket.socket(family, kind, protocol)
    try:
        attempt.settimeout(seconds)
        attempt.connect(address)
        _set_options(attempt)
    except OSError:
        attempt.close()
        raise
    return attempt


def _resolve(host: str, port: int, seconds: float) -> Resolved:
    """Look up the host's addresses; a name's in a thread, because the resolver has no deadline."""
    with contextlib.suppress(OSError, UnicodeError):  # it is a name
        return _addresses(host, port, socket.AI_NUMERICHOST)
    found: list[Resolved] = []
    failed: list[str] = []

    def look_up() -> None:
        try:
            found.append(_addresses(host, port))
        except OSError as error:
            failed.append(error.strerror or str(error))
        except UnicodeError as error:  # not a domain name: an empty part, or one of more than 63 characters
            failed.append(str(error))

    thread = threading.Thread(target=look_up, name="ami-resolve", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise ConnectFailed(f"the host's name cannot be resolved: {error}; raise TasksMax= or use an address") from None
    thread.join(max(0.0, seconds))
    if found:
        return found[0]
    if failed:
        raise ConnectFailed(f"the host's name cannot be resolved: {failed[0]}; check address and DNS")
    raise Timeout("the host's name was not resolved before the deadline; check DNS")


def _addresses(host: str, port: int, flags: int = 0) -> Resolved:
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, kind, protocol, address) for family, kind, protocol, _, address in entries]


def _set_options(connected: socket.socket) -> None:
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):  # names of Linux; other systems use their defaults
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    # Linux makes the buffer as large as a low-water mark needs, and leaves it so; SO_RCVBUF would keep it from growing.
    with contextlib.suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, BUFFER_BYTES)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
