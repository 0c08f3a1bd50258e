"""Runs in the peers' environment: `peer_worker.py LIBRARY [PORT USER SECRET]`, then one answer for each line read.

poll                          send Status, wait for all of it, answer the number of channels
parse TIMES FILE [HEADER...]  feed a recorded answer to the library's own parser and read these headers of every
                              message, answer [CPU seconds, messages]

Each library is used as its own documents show it, reading in pieces of the size it reads in.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

#: What asyncio takes at a time.
ASYNCIO_BYTES = 256 * 1024


class Panoramisk:
    """asyncio; a list's answer is the list of its messages."""

    def connect(self, port: int, user: str, secret: str) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._manager = import_module("panoramisk").Manager(
            loop=self._loop, host="127.0.0.1", port=port, username=user, secret=secret, events="off", ping_delay=36000
        )
        self._loop.run_until_complete(self._manager.connect())
        while not self._manager.authenticated:
            self._loop.run_until_complete(asyncio.sleep(0.01))

    def poll(self) -> int:
        async def ask() -> Any:
            return await self._manager.send_action({"Action": "Status"})

        return sum(1 for message in self._loop.run_until_complete(ask()) if message.event == "Status")

    def parser(self, headers: Sequence[str]) -> Callable[[bytes], int]:
        protocol = import_module("panoramisk.ami_protocol").AMIProtocol()
        seen = _Count(headers)

        def feed(data: bytes) -> int:
            protocol.connection_made(None)
            protocol.version, protocol.encoding, protocol.factory = "11.0.0", "utf8", seen
            for start in range(0, len(data), ASYNCIO_BYTES):
                protocol.data_received(data[start : start + ASYNCIO_BYTES])
            return seen.take()

        return feed


class AsteriskAmi:
    """A thread that calls listeners."""

    def connect(self, port: int, user: str, secret: str) -> None:
        ami = import_module("asterisk.ami")
        self._simple = ami.SimpleAction
        self._client = ami.AMIClient(address="127.0.0.1", port=port, timeout=120)
        self._done = threading.Event()
        self._count = 0
        self._client.add_event_listener(self._on_event)
        self._client.login(username=user, secret=secret).response.is_error()
        self._client.send_action(self._simple("Events", EventMask="off")).response.is_error()

    def _on_event(self, event: Any, **_: Any) -> None:
        if event.name == "Status":
            self._count += 1
        elif event.name == "StatusComplete":
            self._done.set()

    def poll(self) -> int:
        self._done.clear()
        self._count = 0
        self._client.send_action(self._simple("Status"))
        if not self._done.wait(120):
            raise TimeoutError
        return self._count

    def parser(self, headers: Sequence[str]) -> Callable[[bytes], int]:
        client = import_module("asterisk.ami").AMIClient()
        seen = _Count(headers)
        client.add_event_listener(seen.listen)

        def feed(data: bytes) -> int:
            client.finished = threading.Event()
            client._socket = _FakeSocket(b"Asterisk Call Manager/11.0.0\r\n" + data)
            packets: Iterator[str] = client._next_pack()
            next(packets)
            for packet in packets:
                client.fire_recv_pack(packet)
            return seen.take()

        return feed


class Pyst2:
    """A thread that makes a ManagerMsg and an Event of each packet."""

    def parser(self, headers: Sequence[str]) -> Callable[[bytes], int]:
        library = import_module("asterisk.manager")
        seen = _Count(headers)

        def feed(data: bytes) -> int:
            manager = _pyst2_manager(library, data)
            manager._receive_data()  # to the end of the recording, packets of lines into its queue
            while lines := manager._message_queue.get():
                seen.read(library.Event(library.ManagerMsg(lines)).headers)
            return seen.take()

        return feed


def _pyst2_manager(library: Any, data: bytes) -> Any:
    """A Manager that reads a recording; its threads are not started."""
    library.Manager.__del__ = lambda _manager: None  # it would join threads that were never started
    manager = library.Manager()
    manager._sock = io.BytesIO(data)
    manager.title = "Asterisk Call Manager"
    manager._running.set()
    manager._connected.set()
    return manager


class _Count:
    """Counts what a parser hands over, and reads some headers of it."""

    def __init__(self, headers: Sequence[str]) -> None:
        self._headers = headers
        self._count = 0

    def read(self, event: Mapping[str, str]) -> None:
        self._count += 1
        for header in self._headers:
            event.get(header)

    def dispatch(self, event: Any) -> None:
        self.read(event)

    def listen(self, event: Any, **_: Any) -> None:
        self.read(event.keys)

    def take(self) -> int:
        count, self._count = self._count, 0
        return count


class _FakeSocket:
    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def recv(self, size: int) -> bytes:
        return self._stream.read(size)

    def close(self) -> None:
        self._stream.close()


LIBRARIES: dict[str, type[Any]] = {"panoramisk": Panoramisk, "asterisk-ami": AsteriskAmi, "pyst2": Pyst2}


def main() -> None:
    """Obey until the input ends."""
    library = LIBRARIES[sys.argv[1]]()
    if len(sys.argv) > 2:
        library.connect(int(sys.argv[2]), sys.argv[3], sys.argv[4])
    for line in sys.stdin:
        command, *rest = line.split()
        answer = library.poll() if command == "poll" else _parse(library.parser(rest[2:]), int(rest[0]), Path(rest[1]))
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def _parse(feed: Callable[[bytes], int], times: int, file: Path) -> tuple[float, int]:
    data = file.read_bytes()
    begin = time.process_time()
    messages = sum(feed(data) for _ in range(times))
    return time.process_time() - begin, messages


if __name__ == "__main__":
    main()
