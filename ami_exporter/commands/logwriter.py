"""Writes log lines to a descriptor from a separate thread: logging never waits for a slow reader.

A pipe that is not read takes 64 KiB and then blocks its writer. Here lines wait in a bounded queue; lines that do not
fit are dropped and counted, and the count is the first line when there is room again.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Lines that wait for a reader: minutes of a busy log, some 2 MB at most.
MOST_WAITING: Final = 5_000
#: Maximum characters of one line; even a traceback needs no more.
LONGEST_LINE: Final = 16_384
#: How long the program waits at its end until the last lines are written.
FLUSH_SECONDS: Final = 1.0


class QueueingHandler(logging.Handler):
    """Writes records to a descriptor. dropped: makes the record that reports how many were lost."""

    def __init__(self, descriptor: int, dropped: Callable[[int], logging.LogRecord]) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._dropped = dropped
        self._lines: deque[str] = deque()
        self._lost = 0
        self._changed = threading.Condition(threading.Lock())
        self._writing = False
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one record, or count it as lost. Never blocks."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - as in logging: a record that cannot be written must not end the program
            line = 'msg="a log record could not be written"'
        with self._changed:
            if len(self._lines) >= MOST_WAITING:
                self._lost += 1
                return
            self._lines.append(line[:LONGEST_LINE])
            if self._thread is None:
                self._start()
            self._changed.notify_all()

    def _start(self) -> None:
        """Start the thread. If the system has none left, the lines wait, and the next record tries again."""
        thread = threading.Thread(target=self._run, name="log", daemon=True)
        with suppress(RuntimeError):
            thread.start()
            self._thread = thread

    def flush(self) -> None:
        """Wait until everything is written, for FLUSH_SECONDS at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._lines and not self._writing, FLUSH_SECONDS)

    def close(self) -> None:
        self.flush()
        super().close()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._lines))
                line, lost = self._lines.popleft(), self._lost
                self._lost, self._writing = 0, True
            if lost:
                line = f"{self.format(self._dropped(lost))}\n{line}"
            self._write(f"{line}\n".encode(errors="backslashreplace"))
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                select.select((), (self._descriptor,), (), 1.0)
            except OSError:  # closed, or the reader has gone: there is nowhere to report it
                time.sleep(0.01)
                return
