"""What AudioSocket channels connect to: a TCP server on loopback that takes the audio and ends calls.

A frame is a kind (one byte), the length of what follows (two bytes, the high one first), and that. Asterisk's first one
has the call's UUID.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Final, Self
from uuid import UUID

_HEAD: Final = struct.Struct(">BH")
_HANG_UP, _UUID = 0x00, 0x01


class AudioSockets:
    """Accepts any number of calls and reads their audio until either side ends."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._calls: dict[UUID, socket.socket] = {}
        self._known = threading.Condition()
        threading.Thread(target=self._accept, name="audiosockets", daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _shut(self._listener)
        with self._known:
            for call in self._calls.values():
                _shut(call)

    def close(self, call: UUID) -> None:
        """End a call without a word, as a caller's program that dies does."""
        _shut(self._call(call))

    def hang_up(self, call: UUID) -> None:
        """End a call with the frame for it."""
        self._call(call).sendall(_HEAD.pack(_HANG_UP, 0))

    def _call(self, call: UUID, seconds: float = 20.0) -> socket.socket:
        with self._known:
            if not self._known.wait_for(lambda: call in self._calls, seconds):
                raise TimeoutError(f"no call {call} within {seconds} s")
            return self._calls[call]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), name="audiosocket", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream, contextlib.suppress(OSError):
            while len(head := stream.read(_HEAD.size)) == _HEAD.size:
                kind, length = _HEAD.unpack(head)
                payload = stream.read(length)
                if kind == _UUID:
                    with self._known:
                        self._calls[UUID(bytes=payload)] = connection
                        self._known.notify_all()


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
