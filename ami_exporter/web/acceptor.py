"""Takes new connections from the listening sockets; nothing a client does keeps it."""

import errno
import logging
import select
import socket
import time
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

# With these errors of accept(2) the process or the system has run out of something.
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
# How long it waits then; connections wait in the kernel's queue.
PAUSE_SECONDS = 0.1
# How often that is logged.
TELL_SECONDS = 60.0
# Connections taken from one listener before the others have their turn.
BATCH = 64

Take = Callable[[socket.socket, str], None]


class Acceptor:
    """Hands each accepted socket and its peer's address to `take`; calls `exhausted` when none can be accepted.

    `take` raises RuntimeError when the system has no thread for the connection.
    """

    def __init__(self, listeners: Sequence[socket.socket], take: Take, exhausted: Callable[[], None]) -> None:
        self._listeners = {listener.fileno(): listener for listener in listeners}
        self._take = take
        self._exhausted = exhausted
        self._wake, self._woken = socket.socketpair()
        self._told = -TELL_SECONDS

    def stop(self) -> None:
        """Make `run` return."""
        self._wake.send(b"\0")

    def run(self) -> None:
        """Accept until stopped."""
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
        """Take the connections that wait; False when the system has run out of descriptors, memory or threads."""
        try:
            for _ in range(BATCH):
                sock, peer = listener.accept()
                self._take(sock, str(peer[0]))
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno in EXHAUSTED:
                return self._run_out(error.strerror or str(error))
            log.debug("no connection taken: %s", error)  # its client has gone again
        except RuntimeError as error:
            return self._run_out(str(error))
        return True

    def _run_out(self, why: str) -> bool:
        now = time.monotonic()
        if now - self._told > TELL_SECONDS:
            self._told = now
            log.error("no connection can be taken (%s): raise LimitNOFILE= or TasksMax=", why.lower())
        self._exhausted()
        return False

    def _pause(self) -> bool:
        """Wait a moment; True when stopped meanwhile."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        return bool(poll.poll(PAUSE_SECONDS * 1000))

    def close(self) -> None:
        """Close the listening sockets; one that systemd passed goes on to listen there."""
        for sock in (*self._listeners.values(), self._wake, self._woken):
            sock.close()
