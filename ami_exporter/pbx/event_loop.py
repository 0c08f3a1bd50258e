"""One thread that reads the event links of all targets: an epoll, timers, and jobs handed to it from other threads."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import math
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
        """Read the bytes that have arrived, with `room` as the buffer; return how many."""

    @property
    def unread(self) -> bool:
        """Whether TLS holds decrypted bytes that the kernel does not report."""

    def beat(self, now: float) -> None:
        """Check the link's timers. now: monotonic seconds."""

    def abandon(self) -> None:
        """Close at once, because the loop ends."""


class EventLoop:
    """Reads all listeners. Any thread may use `call`, `open`, `check` and `stop`. clock: monotonic seconds.

    The thread starts with the first job and ends with `stop`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._epoll = select.epoll()
        self._wake_out, self._wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._epoll.register(self._wake_out, select.EPOLLIN)
        self._room = memoryview(mmap.mmap(-1, READ_BYTES))
        self._listeners: dict[int, Listener] = {}
        self._busy: list[int] = []  # descriptors that are read again before the epoll is asked
        self._next_round = 0.0
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
        """End the threads; wait at most `timeout` seconds for those that open connections."""
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
        """Run a job soon in the loop's thread. It must not block."""
        self._jobs.append(job)
        if self._thread is None:
            self._start()
        self._wake()

    def later(self, seconds: float, job: Callable[[], None]) -> None:
        """Run a job after so many seconds. For the loop's thread only."""
        heapq.heappush(self._timers, (self._clock() + seconds, next(self._order), job))

    def open(self, job: Callable[[], None], *, again: bool) -> None:
        """Run a job that may block, in another thread. again: its last attempt failed."""
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
        # Under the lock, because a closed descriptor's number may be in use again. A full pipe wakes just as well.
        with self._lock, contextlib.suppress(OSError):
            if not self._closed:
                os.write(self._wake_in, b"\0")

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
            listener.abandon()

    def _turn(self) -> float:
        """Do what is due; return how long to wait before the next turn."""
        now = self._clock()
        while self._jobs:
            self._jobs.popleft()()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()
        if now >= self._next_beat:
            self._next_beat = now + BEAT_SECONDS
            for listener in list(self._listeners.values()):
                listener.beat(now)
        busy, self._busy = self._busy, []
        ready = self._ready(now, wait=not busy and not self._jobs) if now >= self._next_round else []
        soonest = min([self._read(fd) for fd in busy + ready if fd in self._listeners], default=TICK)
        return min(soonest, max(0.0, self._next_round - self._clock()))

    def _ready(self, now: float, *, wait: bool) -> list[int]:
        """The links that are to be read in this turn; the kernel gives each of them its turn."""
        most = max(LINKS_A_TURN, math.ceil(len(self._listeners) * TICK / ROUND_SECONDS))
        ready = [fd for fd, _ in self._epoll.poll(self._wait(now) if wait else 0.0, most + 1)]
        if self._wake_out in ready:
            self._drain_wakes()
        if ready != [self._wake_out]:
            self._next_round = self._clock() + TICK * bool(ready)
        return ready

    def _read(self, fd: int) -> float:
        """Read one link; return the seconds to wait for more."""
        listener = self._listeners[fd]
        size = listener.readable(self._room)
        if self._listeners.get(fd) is not listener:  # it ended
            return TICK
        unread = listener.unread
        if unread or size >= BUSY_BYTES:
            self._busy.append(fd)
        if unread or size >= FLOOD_BYTES:
            return 0.0
        return TICK if size < BUSY_BYTES else BUSY_TICK

    def _wait(self, now: float) -> float:
        due = min(self._next_beat, self._timers[0][0]) if self._timers else self._next_beat
        return max(0.0, min(LONGEST_WAIT, due - now))

    def _drain_wakes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_out, 4096):
                pass
