"""Who is let in: the newest first, nobody for ever, and never more than there is room for."""

import os
import resource
import socket
import struct
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import cast
from unittest.mock import AsyncMock, Mock

import pytest

from ami_exporter.web import door
from ami_exporter.web.connections import Connection, Connections
from ami_exporter.web.settings import Bounds
from tests.support.web import busy, running, wait_until, waiting

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def test_who_waits_is_closed_at_the_limit_the_oldest_first(listener: socket.socket) -> None:
    table, waiting = Connections(2), dict[Connection, None]()
    with ExitStack() as stack:
        come = []
        for _ in range(3):
            stack.enter_context(socket.create_connection(listener.getsockname()))
            come.append(stack.enter_context(Connection(listener.accept()[0], waiting)))
            table.add(come[-1])
        assert [one.fileno() >= 0 for one in come] == [False, True, True]
        assert list(waiting) == come[1:]
        assert len(table) == 2


def test_who_waits_is_closed_after_the_idle_time(listener: socket.socket) -> None:
    clock = Clock()
    table, waiting = Connections(9, clock), dict[Connection, None]()
    with socket.create_connection(listener.getsockname()) as client:
        table.add(Connection(listener.accept()[0], waiting))
        clock.now = 5.0
        table.end_idle(5.0)
        assert len(table) == 1
        clock.now = 5.1
        table.end_idle(5.0)
        assert client.recv(1) == b""
    assert (len(table), waiting) == (0, {})


def test_a_client_that_resets_and_comes_again_from_the_same_port_has_one_connection(listener: socket.socket) -> None:
    table, waiting = Connections(9), dict[Connection, None]()
    address, come = ("127.0.0.1", 0), []
    with ExitStack() as stack:
        for _ in range(2):
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                client.bind(address)
                client.connect(listener.getsockname())
                address = client.getsockname()
                come.append(stack.enter_context(Connection(listener.accept()[0], waiting)))
                table.add(come[-1])
        assert [one.fileno() >= 0 for one in come] == [False, True]
        assert (len(table), list(waiting)) == (1, come[1:])
    assert (len(table), waiting) == (0, {})


def test_a_client_that_has_gone_before_it_is_taken_has_none(listener: socket.socket) -> None:
    table, waiting = Connections(9), dict[Connection, None]()
    with socket.create_connection(listener.getsockname()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    gone = Connection(listener.accept()[0], waiting)
    table.add(gone)
    assert (gone.fileno(), len(table), waiting) == (-1, 0, {})


class Turns:
    """An event loop by hand: its clock, what it was given for its next turn, and how many connections were begun."""

    def __init__(self) -> None:
        self.now = 0.0
        self.begun = 0
        self.next: list[Callable[[], None]] = []

    def time(self) -> float:
        return self.now

    def add_reader(self, *_: object) -> None:
        pass

    def call_soon(self, step: Callable[[], None]) -> None:
        self.next.append(step)

    def create_task(self, begin: Coroutine[None, None, None]) -> Mock:
        begin.close()
        self.begun += 1
        return Mock()

    def turn(self, seconds: float) -> int:
        """End a turn that took so long; how many the next one begins."""
        self.now += seconds
        before, steps, self.next = self.begun, self.next, []
        for step in steps:
            step()
        return self.begun - before


def test_one_is_begun_in_a_short_turn_and_after_a_long_one_as_many_as_it_was_too_long_for(
    listener: socket.socket,
) -> None:
    listener.setblocking(False)
    turns, table = Turns(), Connections(99)
    served = door.Door(cast("AbstractEventLoop", turns), listener, table, connect=AsyncMock())
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        turns.now = 1000.0  # a long rest is no long turn
        served._take()
        assert turns.begun == 1
        long = 5.5 * door.ANOTHER_SECONDS
        assert [turns.turn(seconds) for seconds in (0.0, 0.001, long, 0.001, 1000.0, 0.0)] == [1, 1, 6, 1, 10, 0]
        for connection in list(table._open.values()):
            connection.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("words", [b"", b"GET /metrics HTTP/1.1\r\nHost:"], ids=["silent", "half a request"])
@pytest.mark.parametrize("leaves", [False, True], ids=["stays", "has said all"])
def test_connections_ended_for_newer_ones_give_their_descriptors_back_at_once(words: bytes, leaves: bool) -> None:
    with running(bounds=Bounds(idle=60, connections=20)) as web, ExitStack() as stack:
        before = descriptors()
        for n in range(100):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", web.port), timeout=10))
            client.sendall(words)
            if leaves:
                client.shutdown(socket.SHUT_WR)
            if n % 10 == 9:
                assert web.ask("/-/healthy").status == 200
                wait_until(lambda: waiting(web) == 0)
        wait_until(lambda: descriptors() <= before + 100 + 20)


def test_without_a_free_descriptor_connections_wait_until_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PAUSE_SECONDS", 0.05)
    with running() as web, socket.socket() as client:
        client.settimeout(20)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        tried = threading.Event()
        monkeypatch.setattr(door.log, "debug", lambda *_: tried.set())
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            client.connect(("127.0.0.1", web.port))
            assert tried.wait(20)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        client.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"


def test_a_stop_ends_who_waits(caplog: pytest.LogCaptureFixture) -> None:
    with running() as web, ExitStack() as stack:
        address = ("127.0.0.1", web.port)
        with busy(web):
            crowd = [stack.enter_context(socket.create_connection(address, timeout=10)) for _ in range(99)]
            assert web.server._loop is not None
            web.server._loop.call_soon_threadsafe(web.server._stopping.set)
        web.server.stop()
        for client in crowd:
            with suppress(ConnectionResetError):
                assert client.recv(1) == b""
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
