"""One thread that reads the event links of all targets: an epoll, timers, and jobs handed to it from other threads."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import mmap
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ami_exporter.pbx.openers import Openers

log = logging.getLogger(__name__)

#: Bytes taken of one link in one turn, and the size of the one buffer: no link keeps the others waiting for longer.
READ_BYTES = 64 * 1024
#: Seconds between two turns while events keep coming: a wake-up costs more than ten events.
TICK = 0.01
#: Seconds that one link rests between two reads, for each link there is, and at most: with many links, more events
#: are taken with each read.
REST_A_LINK = 0.0002
LONGEST_REST = 0.2
#: After a turn in which one link had so many bytes the next turn comes sooner, or at once: the PBX must not wait.
BUSY_BYTES, BUSY_TICK = 8 * 1024, 0.001
FLOOD_BYTES = 32 * 1024
#: The longest wait for anything to happen. A clock that was set is noticed after it.
LONGEST_WAIT = 0.5
#: How often each link looks at its own times: ping, time-out, expiry.
BEAT_SECONDS = 1.0
#: Connections opened at the same time: those that may well succeed, and those whose last attempt failed. A PBX that
#: does not answer holds an opener for its whole time-out, so fifty such PBXs must not fill all of them.
OPENERS, RETRIERS = 32, 16
#: Pause after a fault of the loop itself, so that one that repeats does not fill the log.
FAULT_SECONDS = 1.0


class Listener(Protocol):
    """What the loop reads. Called in the loop's thread alone; must not raise and must not wait."""

    def readable(self, room: memoryview) -> int:
        """Take the bytes that are there, using `room` as the buffer; return how many there were."""

    @property
    def unread(self) -> bool:
        """Whether bytes wait in a buffer of ours (TLS), of which the kernel tells nothing."""

    def beat(self, now: float) -> None:
        """Look at the link's own times; now: monotonic seconds."""

    def abandon(self) -> None:
        """Close at once: the loop ends."""


class EventLoop:
    """Reads all listeners. `call`, `open`, `check` and `stop` may be called from any thread. clock: monotonic seconds.

    The thread starts with the first job and ends with `stop`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._epoll = select.epoll()
        self._wake_out, self._wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._epoll.register(self._wake_out, select.EPOLLIN)
        self._room = memoryview(mmap.mmap(-1, READ_BYTES))
        self._listeners: dict[int, Listener] = {}
        self._resting: list[tuple[float, int, int, Listener]] = []
        self._unread: list[tuple[int, Listener]] = []
        self._jobs: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._openers = Openers("ami-open", OPENERS)
        self._retriers = Openers("ami-retry", RETRIERS)
        self._next_beat = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._closed = False

    def check(self) -> None:
        """Replace the thread if it died, and log that."""
        if self._thread is not None and not self._thread.is_alive():
            self._start()

    def _start(self) -> None:
        """Start the thread unless it runs."""
        with self._lock:
            if self._stopped or (self._thread is not None and self._thread.is_alive()):
                return
            if self._thread is not None:
                log.critical("the thread that reads events has died; another one takes over")
            self._thread = threading.Thread(target=self._run, name="events", daemon=True)
            self._thread.start()

    def stop(self, timeout: float) -> None:
        """End the threads; those that open connections are waited for no longer than `timeout` seconds."""
        until = time.monotonic() + timeout
        self._openers.stop()
        self._retriers.stop()
        self._openers.join(until)
        self._retriers.join(until)
        with self._lock:
            self._stopped = True
            thread = self._thread
        self._wake()
        if thread is not None:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                return
        with self._lock:
            self._closed = True
            self._epoll.close()
            os.close(self._wake_in)
            os.close(self._wake_out)

    def call(self, job: Callable[[], None]) -> None:
        """Run a job in the loop's thread, soon. It must not wait."""
        self._jobs.append(job)
        if self._thread is None:
            self._start()
        self._wake()

    def later(self, seconds: float, job: Callable[[], None]) -> None:
        """Run a job in the loop's thread after so many seconds. Call it in the loop's thread."""
        heapq.heappush(self._timers, (self._clock() + seconds, next(self._order), job))

    def open(self, job: Callable[[], None], *, again: bool) -> None:
        """Run a job that may wait in another thread. again: its last attempt failed."""
        (self._retriers if again else self._openers).submit(job)

    def add(self, fd: int, listener: Listener) -> None:
        """Read this descriptor from now on. Call it in the loop's thread."""
        self._listeners[fd] = listener
        self._epoll.register(fd, select.EPOLLIN | select.EPOLLONESHOT)

    def remove(self, fd: int) -> None:
        """Read this descriptor no more. Call it in the loop's thread, before the descriptor is closed."""
        if self._listeners.pop(fd, None) is not None:
            with contextlib.suppress(OSError):
                self._epoll.unregister(fd)

    def _wake(self) -> None:
        # Under the lock, for a closed descriptor's number may be another's by now. A full pipe wakes just as well.
        with self._lock, contextlib.suppress(OSError):
            if not self._closed:
                os.write(self._wake_in, b"\0")

    def _run(self) -> None:
        while not self._stopped:
            try:
                pause = self._turn()
            except Exception:
                log.exception("a fault in the thread that reads events; it goes on")
                pause = FAULT_SECONDS
            if pause:
                time.sleep(pause)
        while self._jobs:
            self._jobs.popleft()()
        for listener in list(self._listeners.values()):
            listener.abandon()

    def _turn(self) -> float:
        """Do all that is due; return the seconds to let more come before the next turn."""
        now = self._clock()
        while self._jobs:
            self._jobs.popleft()()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()
        if now >= self._next_beat:
            self._next_beat = now + BEAT_SECONDS
            for listener in list(self._listeners.values()):
                listener.beat(now)
        self._wake_rested(now)
        unread, self._unread = self._unread, []
        ready = self._epoll.poll(0.0 if unread or self._jobs else self._wait(now))
        waiting = unread + [(fd, self._listeners[fd]) for fd, _ in ready if fd in self._listeners]
        if len(ready) > len(waiting) - len(unread):
            self._drain_wakes()
        return _pause([self._read(fd, listener) for fd, listener in waiting])

    def _read(self, fd: int, listener: Listener) -> int:
        if self._listeners.get(fd) is not listener:
            return 0
        size = listener.readable(self._room)
        if self._listeners.get(fd) is not listener:  # it ended
            return size
        if listener.unread:
            self._unread.append((fd, listener))
        elif size >= FLOOD_BYTES:
            self._epoll.modify(fd, select.EPOLLIN | select.EPOLLONESHOT)
        else:
            rest = min(LONGEST_REST, REST_A_LINK * len(self._listeners)) if size < BUSY_BYTES else BUSY_TICK
            heapq.heappush(self._resting, (self._clock() + rest, next(self._order), fd, listener))
        return size

    def _wake_rested(self, now: float) -> None:
        while self._resting and self._resting[0][0] <= now:
            _, _, fd, listener = heapq.heappop(self._resting)
            if self._listeners.get(fd) is listener:
                self._epoll.modify(fd, select.EPOLLIN | select.EPOLLONESHOT)

    def _wait(self, now: float) -> float:
        due = min((self._next_beat, *(entry[0] for entry in (self._timers[:1] + self._resting[:1]))))
        return max(0.0, min(LONGEST_WAIT, due - now))

    def _drain_wakes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_out, 4096):
                pass


def _pause(sizes: list[int]) -> float:
    most = max(sizes, default=-1)
    if most < 0 or most >= FLOOD_BYTES:
        return 0.0
    return TICK if most < BUSY_BYTES else BUSY_TICK
