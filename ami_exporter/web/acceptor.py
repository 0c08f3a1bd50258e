"""Accepts new connections from the listening sockets; no client can block it."""

import errno
import logging
import select
import socket
import time
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

# accept(2) fails with these when the process or the system is out of a resource.
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
# How long to wait in that case; connections stay in the kernel's queue.
PAUSE_SECONDS = 0.1
# Log that at most this often.
TELL_SECONDS = 60.0
# Connections accepted from one listener before the next one gets its turn.
BATCH = 64

Take = Callable[[socket.socket, str], None]


class Acceptor:
    """Hands each accepted socket and its peer's address to `take`; calls `exhausted` when it can accept none.

    `take` raises RuntimeError when the system cannot start a thread for the connection.
    """

    def __init__(self, listeners: Sequence[socket.socket], take: Take, exhausted: Callable[[], None]) -> None:
        self._listeners = {listener.fileno(): listener for listener in listeners}
        self._take = take
        self._exhausted = exhausted
        self._wake, self._woken = socket.socketpair()
        self._logged_at = -TELL_SECONDS

    def stop(self) -> None:
        """Make `run` return."""
        self._wake.send(b"\0")

    def run(self) -> None:
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        for descriptor in self._listeners:
            poll.register(descriptor, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._woken.fileno() in ready:
                return
            for descriptor in ready:
                if not self._accept_some(self._listeners[descriptor]) and self._pause():
                    return

    def _accept_some(self, listener: socket.socket) -> bool:
        """Accept waiting connections; False when the system is out of descriptors, memory or threads."""
        try:
            for _ in range(BATCH):
                sock, peer = listener.accept()
                self._take(sock, str(peer[0]))
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno in EXHAUSTED:
                return self._run_out(error.strerror or str(error))
            log.debug("connection not accepted: %s", error)  # the client has already left
        except RuntimeError as error:
            return self._run_out(str(error))
        return True

    def _run_out(self, why: str) -> bool:
        now = time.monotonic()
        if now - self._logged_at > TELL_SECONDS:
            self._logged_at = now
            log.error("cannot accept connections (%s): raise LimitNOFILE= or TasksMax=", why.lower())
        self._exhausted()
        return False

    def _pause(self) -> bool:
        """Wait a moment; True if stopped in the meantime."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        return bool(poll.poll(PAUSE_SECONDS * 1000))

    def close(self) -> None:
        """Close the listening sockets; systemd keeps its own copies open and listening."""
        for sock in (*self._listeners.values(), self._wake, self._woken):
            sock.close()
