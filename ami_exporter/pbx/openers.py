"""A few threads that open connections, so that a PBX that does not answer keeps no other one waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

log = logging.getLogger(__name__)


class Openers:
    """Runs blocking jobs on at most `size` daemon threads, started as they are needed.

    A job that raises is logged; its thread goes on with the next one.
    """

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0

    def submit(self, job: Callable[[], None]) -> None:
        """Run the job as soon as a thread is free."""
        with self._lock:
            starts = self._idle == 0 and self._threads < self._size
            self._threads += starts
            self._idle -= not starts and self._idle > 0
        self._jobs.put(job)
        if starts:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def stop(self) -> None:
        """End the threads, each after the job it is at."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                log.exception("a fault in the exporter while a connection was opened")
            with self._lock:
                self._idle += self._jobs.empty()
