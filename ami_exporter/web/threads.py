"""A pool of reusable threads: starting a thread costs more than serving a short request."""

import queue
import threading
from collections.abc import Callable

# How long an idle thread lives: the next burst of connections comes at the next scrape interval, if ever.
KEPT_SECONDS = 30.0
# Idle threads to keep; any beyond that end at once.
MAX_IDLE = 32

Task = Callable[[], None]


class ReusedThreads:
    """Runs each task immediately in its own daemon thread. Tasks must not raise."""

    def __init__(self, name: str, kept_seconds: float = KEPT_SECONDS) -> None:
        self._name = name
        self._kept_seconds = kept_seconds
        self._lock = threading.Lock()
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._idle = 0
        self._stopped = False

    def run(self, task: Task) -> None:
        """Start a task. Raises RuntimeError when the system cannot start another thread."""
        with self._lock:
            if self._idle:
                self._idle -= 1
                self._tasks.put(task)
                return
        threading.Thread(target=self._work, args=[task], name=self._name, daemon=True).start()

    def stop(self) -> None:
        """End the idle threads; busy ones end after their task."""
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
            return self._tasks.get()  # a task arrived just as the wait timed out
