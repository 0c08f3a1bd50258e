"""A few threads that open connections, so that an unresponsive PBX does not delay the others."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

log = logging.getLogger(__name__)


class Openers:
    """Runs blocking jobs on at most `size` daemon threads, started on demand.

    If a job raises, the error is logged and its thread takes the next job.
    """

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._idle = 0

    def submit(self, job: Callable[[], None]) -> None:
        """Run the job as soon as a thread is free."""
        with self._lock:
            starts = self._idle == 0 and len(self._threads) < self._size
            self._idle -= not starts and self._idle > 0
            if starts:
                self._threads.append(threading.Thread(target=self._work, name=self._name, daemon=True))
                self._threads[-1].start()
        self._jobs.put(job)

    def stop(self) -> None:
        """End each thread after its current job; `join` waits for that."""
        with self._lock:
            for _ in self._threads:
                self._jobs.put(None)

    def join(self, until: float) -> None:
        """Wait for the threads to end, at most until this time (monotonic seconds)."""
        for thread in tuple(self._threads):
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                log.exception("unexpected error while opening a connection")
            with self._lock:
                self._idle += self._jobs.empty()
