"""One thread that reads the event links of all targets: an epoll, timers, and jobs handed to it from other threads."""

from __future__ import annotations

import contextlib
import logging
import math
import mmap
import os
import sched
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ami_exporter.pbx.openers import Openers

log = logging.getLogger(__name__)

#: Bytes read from one link in one turn, and the size of the one buffer: a busy link delays the others by no more.
READ_BYTES = 64 * 1024
#: Seconds between two turns while events keep coming: one wake-up costs more than ten events.
TICK = 0.01
#: Links read in one turn: at least the first number, and so many that each link has a turn within the second one
#: (seconds). The longer a link waits, the more events one read takes.
LINKS_A_TURN = 10
ROUND_SECONDS = 0.2
#: A link that had so many bytes is read again before its turn, or at once: the PBX must not wait.
BUSY_BYTES, BUSY_TICK = 8 * 1024, 0.001
FLOOD_BYTES = 32 * 1024
#: Longest wait of a turn, after which a changed clock is noticed.
LONGEST_WAIT = 0.5
#: How often each link checks its timers: ping, timeout, expiry.
BEAT_SECONDS = 1.0
#: Threads that open connections: those for links likely to succeed, and those for links whose last attempt failed. A
#: PBX that does not answer blocks a thread for its whole timeout, so fifty such PBXs must not take them all.
OPENERS, RETRIERS = 32, 16
#: Pause after a fault of the loop itself, so that a repeated one does not fill the log.
FAULT_SECONDS = 1.0


class Listener(Protocol):
    """What the loop reads. Only the loop's thread calls it; it must not raise or block."""

    def readable(self, room: memoryview) -> int:
        """Read the bytes that have arrived, with `room` as the buffer; return how many.

        All of the room, if TLS holds more, of which the kernel does not know.
        """

    def beat(self, now: float, room: memoryview) -> None:
        """Check the link's timers. now: monotonic seconds; room: as for `readable`."""

    def lost(self, reason: str, /) -> None:
        """Close at once. An empty reason: because the loop ends."""


class EventLoop:
    """Reads all listeners. Any thread may use `call`, `open`, `check` and `stop`. clock: monotonic seconds.

    The thread starts with the first job and ends with `stop`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._epoll = select.epoll()
        self._wakes = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wakes, select.EPOLLIN)
        self._room = memoryview(mmap.mmap(-1, READ_BYTES))
        self._listeners: dict[int, Listener] = {}
        self._busy: list[int] = []  # descriptors that are read again before the epoll is asked
        self._next_round = 0.0
        self._jobs: deque[Callable[[], None]] = deque()
        self._timers = sched.scheduler(clock)
        self._timers.enter(0.0, 0, self._beat)
        self._openers = Openers("ami-open", OPENERS)
        self._retriers = Openers("ami-retry", RETRIERS)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._closed = False

    def check(self) -> None:
        """Log and replace the thread if it died."""
        if self._thread is not None and not self._thread.is_alive():
            self._start()

    def _start(self) -> None:
        """Start the thread unless it runs."""
        with self._lock:
            if self._stopped or (self._thread is not None and self._thread.is_alive()):
                return
            if self._thread is not None:
                log.critical("the event reader thread has died and is being replaced")
            self._thread = threading.Thread(target=self._run, name="events", daemon=True)
            self._thread.start()

    def stop(self, timeout: float) -> None:
        """End the thread; wait at most `timeout` seconds for it and for those that open connections."""
        until = time.monotonic() + timeout
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
            os.close(self._wakes)

    def call(self, job: Callable[[], None]) -> None:
        """Run a job soon in the loop's thread. It must not block."""
        self._jobs.append(job)
        if self._thread is None:
            self._start()
        self._wake()

    def later(self, seconds: float, job: Callable[[], None]) -> None:
        """Run a job after so many seconds. For the loop's thread only."""
        self._timers.enter(seconds, 0, job)

    def open(self, job: Callable[[], None], *, again: bool) -> None:
        """Run a job that may block, in another thread. again: its last attempt failed."""
        if self._thread is None:
            self._start()  # which looks after jobs that found no thread
        (self._retriers if again else self._openers).submit(job)

    def add(self, fd: int, listener: Listener) -> None:
        """Start to read this descriptor. For the loop's thread only."""
        self._listeners[fd] = listener
        self._epoll.register(fd, select.EPOLLIN)

    def remove(self, fd: int) -> None:
        """Stop reading this descriptor, before it is closed. For the loop's thread only."""
        if self._listeners.pop(fd, None) is not None:
            with contextlib.suppress(OSError):
                self._epoll.unregister(fd)

    def _wake(self) -> None:
        with self._lock:  # a closed descriptor's number may be in use again
            if not self._closed:
                os.eventfd_write(self._wakes, 1)

    def _run(self) -> None:
        while not self._stopped:
            try:
                pause = self._turn()
            except Exception:
                log.exception("unexpected error in the event reader thread; it continues")
                pause = FAULT_SECONDS
            if pause:
                time.sleep(pause)
        while self._jobs:
            self._jobs.popleft()()
        for listener in list(self._listeners.values()):
            listener.lost("")

    def _turn(self) -> float:
        """Do what is due; return how long to wait before the next turn."""
        while self._jobs:
            self._jobs.popleft()()
        due = self._timers.run(blocking=False) or LONGEST_WAIT
        busy, self._busy = self._busy, []
        wait = 0.0 if busy or self._jobs else min(due, LONGEST_WAIT)
        ready = self._ready(wait) if self._clock() >= self._next_round else []
        soonest = min([self._read(fd) for fd in busy + ready if fd in self._listeners], default=TICK)
        return min(soonest, max(0.0, self._next_round - self._clock()))

    def _beat(self) -> None:
        self.later(BEAT_SECONDS, self._beat)
        self._openers.check()
        self._retriers.check()
        now = self._clock()
        for listener in list(self._listeners.values()):
            listener.beat(now, self._room)

    def _ready(self, wait: float) -> list[int]:
        """The links that are to be read in this turn; the kernel gives each of them its turn."""
        most = max(LINKS_A_TURN, math.ceil(len(self._listeners) * TICK / ROUND_SECONDS))
        ready = [fd for fd, _ in self._epoll.poll(wait, most + 1)]
        if self._wakes in ready:
            os.eventfd_read(self._wakes)
        if ready != [self._wakes]:
            self._next_round = self._clock() + TICK * bool(ready)
        return ready

    def _read(self, fd: int) -> float:
        """Read one link; return the seconds to wait for more."""
        listener = self._listeners[fd]
        size = listener.readable(self._room)
        if self._listeners.get(fd) is not listener:  # it ended
            return TICK
        if size >= BUSY_BYTES:
            self._busy.append(fd)
        if size >= FLOOD_BYTES:
            return 0.0
        return TICK if size < BUSY_BYTES else BUSY_TICK
