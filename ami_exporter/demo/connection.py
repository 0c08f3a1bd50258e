"""One TCP connection of the simulated PBX: non-blocking, with bounded buffers."""

from __future__ import annotations

import socket
from collections import deque

from .ami_session import ClientSession
from .wire import RequestReader

# A Status of 10,000 channels is 6.4 MB; if several of those are waiting, the client has stopped reading.
MAX_WAITING = 64 << 20
RECEIVE = 65536
# Asterisk's authtimeout: the time a client has to log in.
LOGIN_TIMEOUT = 30.0
# Events are joined into chunks of about this size before they are sent.
PIECE = 1 << 18


class ClientConnection:
    """Socket, session and unwritten bytes. Times are monotonic seconds."""

    def __init__(self, sock: socket.socket, session: ClientSession, now: float, write_timeout: float) -> None:
        self.sock, self.session = sock, session
        self._reader = RequestReader()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._write_timeout = write_timeout
        self._stuck_since: float | None = None
        self._login_by = now + LOGIN_TIMEOUT
        self._reject_at: float | None = None
        self.gone = False
        self.put(session.banner())

    def put(self, data: bytes) -> None:
        """Queue bytes; drop a connection whose client has left too much unread."""
        self._waiting.append(data)
        self._size += len(data)
        if self._size > MAX_WAITING:
            self.gone = True

    @property
    def waiting(self) -> int:
        return self._size

    @property
    def wants_write(self) -> bool:
        return bool(self._waiting)

    def read(self, now: float) -> None:
        """Read and process what the client sent."""
        try:
            data = self.sock.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.gone = True
            return
        for request in self._reader.feed(data):
            if self.session.closing or self.session.reject:
                return
            self.session.take(request)
            while self.session.outbox:
                self.put(self.session.outbox.popleft())
        if self.session.reject and self._reject_at is None:
            self._reject_at = now + self.session.house.reject_delay

    def write(self, now: float) -> None:
        """Write as much as the socket accepts; end the connection if nothing can be written for the write timeout."""
        try:
            while self._waiting and not self.gone:
                piece = self._next_piece()
                sent = self.sock.send(piece)
                self._size -= sent
                self._stuck_since = None
                if sent < len(piece):
                    self._waiting.appendleft(piece[sent:])
                    break
        except BlockingIOError:
            self._waiting.appendleft(piece)
        except OSError:
            self.gone = True
        if self._waiting and self._stuck_since is None:
            self._stuck_since = now
        if self.session.closing and not self._waiting:
            self.gone = True

    def _next_piece(self) -> bytes:
        parts, size = [self._waiting.popleft()], 0
        while self._waiting and size < PIECE:
            parts.append(self._waiting.popleft())
            size += len(parts[-1])
        return b"".join(parts) if len(parts) > 1 else parts[0]

    def check(self, now: float) -> None:
        """Act on expired timeouts."""
        if self._reject_at is not None and now >= self._reject_at:
            self.put(self.session.reject)
            self.session.closing, self._reject_at = True, None
            self.write(now)
        stuck = self._stuck_since is not None and self._waiting and now - self._stuck_since > self._write_timeout
        silent = self.session.user is None and now > self._login_by
        self.gone = self.gone or stuck or silent

    def next_check(self) -> float:
        """The time of the next timeout that ``check`` must act on."""
        times = [self._login_by] if self.session.user is None else []
        times += [self._reject_at] if self._reject_at is not None else []
        times += [self._stuck_since + self._write_timeout] if self._stuck_since is not None else []
        return min(times, default=float("inf"))
