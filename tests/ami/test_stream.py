"""Reading a stream: a short answer at once, a long one in few reads."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from ami_exporter.ami.errors import Timeout
from ami_exporter.ami.stream import BUFFER_BYTES, GATHER_SECONDS, LONG_BYTES, RECEIVE_BYTES, Stream

PIECE = b"Event: Status\r\n\r\n"
#: Pieces that come while the stream sleeps.
PIECES = 10


class KernelPoll:
    """The kernel's poll, with a server that begins when it is waited for."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._poll = select.poll()
        self.register = self._poll.register

    def poll(self, milliseconds: int) -> list[tuple[int, int]]:
        self._server.send(PIECE)
        return self._poll.poll(milliseconds)


class Sleep:
    """Sleeps, during which a server writes on."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        for _ in range(PIECES):
            self._server.send(PIECE)


Ends = tuple[Stream, socket.socket, Sleep]


@pytest.fixture
def ends() -> Iterator[Ends]:
    ours, server = socket.socketpair()
    sleep = Sleep(server)
    stream = Stream(ours, time.monotonic, sleep)
    stream._poll = KernelPoll(server)  # type: ignore[assignment]  # a stand-in for the kernel's
    with server:
        yield stream, server, sleep
        stream.close()


def read(stream: Stream) -> int:
    return len(stream.receive(time.monotonic() + 10))


def read_much(stream: Stream, server: socket.socket) -> None:
    size = 0
    while size < LONG_BYTES:
        server.send(bytes(16 * 1024))
        size += read(stream)


def test_few_bytes_are_read_as_soon_as_they_come(ends: Ends) -> None:
    stream, _, sleep = ends
    assert [read(stream) for _ in range(3)] == [len(PIECE)] * 3
    assert sleep.slept == []


def test_in_a_long_answer_more_is_let_come_before_each_read_that_follows_one_of_all_there_was(ends: Ends) -> None:
    stream, server, sleep = ends
    read_much(stream, server)
    assert [read(stream) for _ in range(3)] == [PIECES * len(PIECE)] * 3
    assert sleep.slept == [GATHER_SECONDS] * 3


def test_what_was_left_by_a_read_is_read_without_sleeping(ends: Ends) -> None:
    stream, server, sleep = ends
    read_much(stream, server)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 * RECEIVE_BYTES)
    server.sendall(bytes(2 * RECEIVE_BYTES))
    sizes = [read(stream) for _ in range(2)]
    assert sizes == [RECEIVE_BYTES] * 2
    assert sleep.slept == [GATHER_SECONDS], "before the first of them"


def test_the_next_question_is_answered_without_sleeping(ends: Ends) -> None:
    stream, server, sleep = ends
    read_much(stream, server)
    stream.queue([b"Action: Ping\r\n\r\n"])
    assert read(stream) == len(PIECE)
    assert sleep.slept == []


def test_a_server_that_pauses_in_a_long_answer_is_waited_for() -> None:
    ours, server = socket.socketpair()
    slept: list[float] = []
    stream = Stream(ours, time.monotonic, slept.append)
    with server:
        read_much(stream, server)
        threading.Timer(0.05, server.sendall, [PIECE]).start()
        assert len(stream.receive(time.monotonic() + 20)) == len(PIECE)
        assert slept == [GATHER_SECONDS], "then the kernel wakes it"
        with pytest.raises(Timeout):
            stream.receive(time.monotonic() + 0.05)
        stream.close()


def test_the_kernel_holds_a_megabyte_for_us_and_tells_of_each_byte() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stream = Stream.connect("127.0.0.1", server.getsockname()[1], None, time.monotonic() + 10, time.monotonic)
        assert stream._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= BUFFER_BYTES
        peer, _ = server.accept()
        with peer:
            threading.Timer(0.05, peer.sendall, [b"A"]).start()
            assert bytes(stream.receive(time.monotonic() + 10)) == b"A"
        stream.close()


def test_a_connection_that_is_reset_has_broken() -> None:
    ours, server = socket.socketpair()
    stream = Stream(ours, time.monotonic)
    stream.queue([b"Action: Ping\r\n\r\n"])  # nobody reads it, so that the close is a reset
    threading.Timer(0.05, server.close).start()
    assert len(stream.receive(time.monotonic() + 20)) == 0
    assert stream.end_reason == "the connection broke: Connection reset by peer"
    stream.close()


def test_nothing_more_to_come_is_waited_for_until_the_end() -> None:
    ours, server = socket.socketpair()
    stream = Stream(ours, time.monotonic)
    read_much(stream, server)
    server.close()
    assert len(stream.receive(time.monotonic() + 20)) == 0
    stream.close()


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def stopped() -> Iterator[tuple[Stream, socket.socket, Clock]]:
    """A stream that has read one piece at 100 and all there was by 101, and whose process is then stopped until 160."""
    clock = Clock()
    ours, server = socket.socketpair()
    stream = Stream(ours, clock)
    with server:
        server.send(PIECE)
        assert stream.receive(clock() + 10)
        clock.now = 101.0
        yield stream, server, clock
        stream.close()


def test_bytes_that_may_have_waited_prove_life_only_since_the_last_time_all_was_read(
    stopped: tuple[Stream, socket.socket, Clock],
) -> None:
    stream, server, clock = stopped
    assert stream.alive_at == 100.0
    server.send(PIECE)
    server.close()
    clock.now = 160.0
    assert stream.receive(clock() + 10) == PIECE
    assert not stream.receive(clock() + 10)
    assert stream.alive_at == 100.0


def test_bytes_that_were_waited_for_prove_life_since_the_wait_began(
    stopped: tuple[Stream, socket.socket, Clock],
) -> None:
    stream, server, clock = stopped
    stream._poll = KernelPoll(server)  # type: ignore[assignment]  # the server sends as soon as it is waited for
    clock.now = 130.0
    assert stream.receive(clock() + 10) == PIECE
    assert stream.alive_at == 130.0


def test_silence_proves_nothing(stopped: tuple[Stream, socket.socket, Clock]) -> None:
    stream, _, clock = stopped
    for _ in range(3):
        with pytest.raises(Timeout):
            stream.receive(clock() + 0.01)
        clock.now += 0.5
    assert stream.alive_at == 100.0
