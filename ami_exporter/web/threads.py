"""Threads that are used again: to start one costs more than a short request."""

import queue
import threading
from collections.abc import Callable

# A burst of connections comes again at the next scrape interval, or never.
KEPT_SECONDS = 30.0
# Idle threads kept for the next connections; more end at once.
MAX_IDLE = 32

Task = Callable[[], None]


class ReusedThreads:
    """Runs each task at once, in a thread of its own. Tasks never raise; the threads are daemons."""

    def __init__(self, name: str, kept_seconds: float = KEPT_SECONDS) -> None:
        self._name = name
        self._kept_seconds = kept_seconds
        self._lock = threading.Lock()
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._idle = 0
        self._stopped = False

    def run(self, task: Task) -> None:
        """Begin a task. RuntimeError when the system has no more threads."""
        with self._lock:
            if self._idle:
                self._idle -= 1
                self._tasks.put(task)
                return
        threading.Thread(target=self._work, args=[task], name=self._name, daemon=True).start()

    def stop(self) -> None:
        """End the idle threads; the others end with their tasks."""
        with self._lock:
            self._stopped = True
            for _ in range(self._idle):
                self._tasks.put(None)
            self._idle = 0

    def _work(self, task: Task | None) -> None:
        while task is not None:
            task()
            task = self._next()

    def _next(self) -> Task | None:
        with self._lock:
            if self._stopped or self._idle >= MAX_IDLE:
                return None
            self._idle += 1
        try:
            return self._tasks.get(timeout=self._kept_seconds)
        except queue.Empty:
            with self._lock:
                if self._tasks.empty():
                    self._idle -= 1
                    return None
            return self._tasks.get()  # it came at the last moment
