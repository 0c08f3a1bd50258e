"""Standard output and error of a command: writing never raises, even if the stream is full, closed or has no reader.

A command writes and returns its own status; `fault` says afterwards why not everything could be written.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import IO, TextIO, cast


@contextmanager
def standard_streams() -> Iterator[StandardStream]:
    """Replace both by a StandardStream, and yield that of standard output."""
    out, err = StandardStream(sys.stdout), StandardStream(sys.stderr)
    with redirect_stdout(cast("TextIO", out)), redirect_stderr(cast("TextIO", err)):
        try:
            yield out
        except BaseException:
            out.abandon()
            raise
        finally:
            err.flush()


class StandardStream(io.TextIOBase):
    """A stream that remembers its first fault and drops everything after it.

    Characters that the encoding lacks are written as escapes.
    """

    def __init__(self, stream: IO[str] | None) -> None:
        self._stream = stream
        self._over = False
        self.fault = ""
        """Why not everything was written, in a few words; a reader that closes early is not a fault."""
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    def expect_data(self) -> None:
        """Write UTF-8, whatever the locale: programs read the output. A terminal keeps its own encoding."""
        if isinstance(self._stream, io.TextIOWrapper) and not self._stream.isatty():
            self._stream.reconfigure(encoding="utf-8", errors="backslashreplace")

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        """Whether a person is reading it."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor; raise OSError if there is none."""
        return super().fileno() if self._stream is None else self._stream.fileno()

    def write(self, text: str) -> int:
        """Write the text, or drop it."""
        if self._stream is None or self._stream.closed:
            self.fault = self.fault or "it is closed"
        elif not self._over:
            try:
                self._stream.write(text)
            except OSError as error:
                self._end(error)
        return len(text)

    def flush(self) -> None:
        """Write the buffered text, or drop it."""
        if self._stream is None or self._stream.closed:
            return
        try:
            self._stream.flush()
        except OSError as error:
            self._end(error)

    def abandon(self) -> None:
        """Drop the buffered text: the interpreter's flush at exit must neither wait nor write a traceback."""
        self._over = True
        with suppress(OSError):
            written, nowhere = self.fileno(), os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, written)
            os.close(nowhere)

    def _end(self, error: OSError) -> None:
        self.fault = self.fault or ("" if isinstance(error, BrokenPipeError) else error.strerror or str(error))
        self.abandon()
