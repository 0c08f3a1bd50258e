"""A connection to AMI for tests, without code of ami_exporter: bytes out, and in up to a mark, before a deadline."""

from __future__ import annotations

import socket
import time
from types import TracebackType
from typing import Self

READ_SIZE = 1 << 18
END = b"\r\n\r\n"
"""Of a packet."""


class AmiSocket:
    """One connection, its banner read. `seconds`: how long each answer may take."""

    def __init__(self, port: int, seconds: float) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.buffer = bytearray()
        self.seconds = seconds
        try:
            self.banner = self.until(b"\r\n").decode()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection."""
        self.sock.close()

    def until(self, mark: bytes, deadline: float | None = None) -> bytes:
        """Everything up to and with the mark; an error tells what came instead of it."""
        deadline = time.monotonic() + self.seconds if deadline is None else deadline
        searched = 0
        while (at := self.buffer.find(mark, searched)) < 0:
            searched = max(0, len(self.buffer) - len(mark))
            self.sock.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.sock.recv(READ_SIZE)
            except TimeoutError:
                raise TimeoutError(f"no {mark!r}, got {bytes(self.buffer[-500:])!r}") from None
            if not data:
                raise ConnectionError(f"closed before {mark!r}, got {bytes(self.buffer[-500:])!r}")
            self.buffer += data
        end = at + len(mark)
        found = bytes(self.buffer[:end])
        del self.buffer[:end]
        return found

    def at_end(self) -> bytes:
        """What is left until the server closes the connection."""
        while data := self.sock.recv(READ_SIZE):
            self.buffer += data
        return bytes(self.buffer)
