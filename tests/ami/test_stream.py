"""Reading a stream: what is many bytes in one go is gathered, what is few is read at once."""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from ami_exporter.ami.errors import Timeout
from ami_exporter.ami.stream import LONG_BYTES, Stream

PIECE = b"Event: Status\r\n\r\n"
#: Pieces that come while the stream lets more come.
PIECES = 10


class KernelPoll:
    """The kernel's poll, with a server that begins when it is waited for, and writes on while more is let come."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._poll = select.poll()
        self.register = self._poll.register
        self.gathered: list[int] = []

    def poll(self, milliseconds: int) -> list[tuple[int, int]]:
        if milliseconds > 1000:  # until the deadline
            self._server.send(PIECE)
            return self._poll.poll(milliseconds)
        self.gathered.append(milliseconds)
        for _ in range(PIECES):
            self._server.send(PIECE)
        return []


@pytest.fixture
def ends() -> Iterator[tuple[Stream, socket.socket, KernelPoll]]:
    ours, server = socket.socketpair()
    poll = KernelPoll(server)
    stream = Stream(ours, time.monotonic)
    stream._poll = poll  # type: ignore[assignment]  # a stand-in for the kernel's
    with server:
        yield stream, server, poll
        stream.close()


def read(stream: Stream) -> int:
    return len(stream.receive(time.monotonic() + 10))


def read_much(stream: Stream, server: socket.socket) -> None:
    size = 0
    while size < LONG_BYTES:
        server.send(bytes(16 * 1024))
        size += read(stream)


def test_few_bytes_are_read_as_soon_as_they_come(ends: tuple[Stream, socket.socket, KernelPoll]) -> None:
    stream, _, poll = ends
    assert [read(stream) for _ in range(3)] == [len(PIECE)] * 3
    assert poll.gathered == []


def test_in_a_long_answer_more_is_let_come_before_each_read(ends: tuple[Stream, socket.socket, KernelPoll]) -> None:
    stream, server, poll = ends
    read_much(stream, server)
    assert [read(stream) for _ in range(3)] == [PIECES * len(PIECE)] * 3
    assert poll.gathered == [1, 1, 1]


def test_what_is_there_already_is_read_without_waiting(ends: tuple[Stream, socket.socket, KernelPoll]) -> None:
    stream, server, poll = ends
    server.send(PIECE)
    assert read(stream) == len(PIECE)
    server.send(PIECE)
    assert read(stream) == len(PIECE)
    assert poll.gathered == []


def test_the_next_question_is_answered_without_gathering(ends: tuple[Stream, socket.socket, KernelPoll]) -> None:
    stream, server, poll = ends
    read_much(stream, server)
    stream.queue([b"Action: Ping\r\n\r\n"])
    assert read(stream) == len(PIECE)
    assert poll.gathered == []


class Refusing(socket.socket):
    """Refuses options but for the first few, as sockets of some systems do once the other end has reset them."""

    allowed = 0

    def setsockopt(self, *_option: object) -> None:
        self.allowed -= 1
        if self.allowed < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


@pytest.mark.parametrize("allowed", [0, 1])
def test_a_connection_that_is_reset_while_more_is_let_come_has_broken(allowed: int) -> None:
    ours, server = socket.socketpair()
    refusing = Refusing(fileno=ours.detach())
    refusing.allowed = allowed
    stream = Stream(refusing, time.monotonic)
    stream.queue([b"Action: Ping\r\n\r\n"])  # nobody reads it, so that the close is a reset
    threading.Timer(0.05, server.close).start()
    assert len(stream.receive(time.monotonic() + 20)) == 0
    assert stream.end_reason == "the connection broke: Connection reset by peer"
    stream.close()


def test_where_bytes_cannot_be_let_gather_they_are_read_as_they_come() -> None:
    ours, server = socket.socketpair()
    stream = Stream(Refusing(fileno=ours.detach()), time.monotonic)
    with server:
        read_much(stream, server)
        threading.Timer(0.05, server.sendall, [PIECE]).start()
        assert len(stream.receive(time.monotonic() + 20)) == len(PIECE)
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
