"""A few threads that open connections, so that an unresponsive PBX does not delay the others."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

#: Log that no thread can be started at most this often.
TELL_SECONDS = 60.0


class Openers:
    """Runs blocking jobs on at most `size` daemon threads. A thread starts with a job and ends when none waits.

    If a job raises, the error is logged and its thread takes the next job.
    """

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._jobs: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._told_at = -TELL_SECONDS

    def submit(self, job: Callable[[], None]) -> None:
        """Run the job as soon as a thread is free."""
        with self._lock:
            self._jobs.append(job)
        self.check()

    def check(self) -> None:
        """Start a thread if a job waits for one: the system may have had none left when the job came."""
        with self._lock:
            if self._jobs and len(self._threads) < self._size:
                thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:
                    self._tell(error)
                else:
                    self._threads.add(thread)

    def _tell(self, error: RuntimeError) -> None:
        now = time.monotonic()
        if now - self._told_at > TELL_SECONDS:
            self._told_at = now
            log.error("no AMI connection can be opened (%s), it is tried again: raise TasksMax=", error)

    def join(self, until: float) -> None:
        """Wait for all jobs, at most until this time (monotonic seconds)."""
        with self._lock:
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._threads.discard(threading.current_thread())
                    return
                job = self._jobs.popleft()
            try:
                job()
            except Exception:
                log.exception("unexpected error while opening a connection")
