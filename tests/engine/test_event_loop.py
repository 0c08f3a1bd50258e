"""One thread reads the event links of all targets: in turn, none of them waiting for another."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from ami_exporter.pbx.event_loop import OPENERS, READ_BYTES, ROUND_SECONDS, TICK, EventLoop
from ami_exporter.pbx.openers import Openers
from tests.support.ami_wire import packet
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import LONGEST_WAIT, SOON, exporting, listening, settings, target, until

PIECE = b"x" * 100


class End:
    """A listener at one end of a pair of sockets; `far` is the other end."""

    def __init__(self, loop: EventLoop) -> None:
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.sizes: list[int] = []
        self.threads: set[int] = set()
        self.times: list[float] = []
        self.faults = 0
        self._loop = loop
        self.add()

    def add(self) -> None:
        self._loop.call(lambda: self._loop.add(self.near.fileno(), self))

    def readable(self, room: memoryview) -> int:
        if self.faults:
            self.faults -= 1
            raise ZeroDivisionError
        self.threads.add(threading.get_ident())
        try:
            size = self.near.recv_into(room)
        except BlockingIOError:
            size = 0
        self.sizes.append(size)
        self.times.append(time.monotonic())
        return size

    def beat(self, now: float, room: memoryview) -> None: ...

    def lost(self, _reason: str, /) -> None:
        self.near.close()

    def close(self) -> None:
        done = threading.Event()

        def remove() -> None:
            self._loop.remove(self.near.fileno())
            done.set()

        self._loop.call(remove)
        assert done.wait(SOON)
        self.near.close()
        self.far.close()


@pytest.fixture
def loop() -> Iterator[EventLoop]:
    made = EventLoop()
    yield made
    made.stop(SOON)


def test_all_links_are_read_in_one_thread(loop: EventLoop) -> None:
    ends = [End(loop) for _ in range(20)]
    for end in ends:
        end.far.send(PIECE)
    until(lambda: all(end.sizes == [len(PIECE)] for end in ends), "every link's bytes")
    assert len(set.union(*(end.threads for end in ends))) == 1
    for end in ends:
        end.close()


def test_a_link_that_floods_is_read_on_while_the_others_have_their_turns(loop: EventLoop) -> None:
    flooding, other = End(loop), End(loop)
    stop = threading.Event()

    def flood() -> None:
        while not stop.is_set():
            flooding.far.sendall(bytes(READ_BYTES))

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        until(lambda: sum(flooding.sizes) > 50 * READ_BYTES, "the flood")
        other.far.send(PIECE)
        until(lambda: other.sizes == [len(PIECE)], "the other link's bytes")
        assert max(flooding.sizes) <= READ_BYTES
    finally:
        stop.set()
        until(lambda: not thread.is_alive(), "the flood's end")
        flooding.close()
        other.close()


def test_few_bytes_that_keep_coming_are_taken_many_at_a_time(loop: EventLoop) -> None:
    end = End(loop)
    begin = time.monotonic()
    for _ in range(300):
        end.far.send(PIECE)
        threading.Event().wait(0.001)
    until(lambda: sum(end.sizes) == 300 * len(PIECE), "all bytes")
    assert len(end.sizes) < 20 + (time.monotonic() - begin) / 0.01  # a read each 10 ms
    end.close()


def test_of_many_links_with_events_some_are_read_in_a_turn_and_each_once_before_one_is_read_again() -> None:
    class Driven(End):
        """Of a loop without a thread, whose turns the test makes."""

        def add(self) -> None:
            self._loop.add(self.near.fileno(), self)

    now = 0.0
    loop = EventLoop(lambda: now)
    ends = [Driven(loop) for _ in range(400)]
    turns = 0
    while not all(end.sizes for end in ends):
        for end in ends:
            end.far.send(PIECE)
        seen = sum(len(end.sizes) for end in ends)
        assert 0 < loop._turn() <= TICK
        assert sum(len(end.sizes) for end in ends) - seen <= 21
        assert all(end.sizes for end in ends) or max(len(end.sizes) for end in ends) == 1
        now, turns = now + TICK, turns + 1
    assert turns * TICK <= ROUND_SECONDS
    for end in ends:
        end.near.close()
        end.far.close()
    loop.stop(SOON)


def test_bytes_that_only_tls_knows_of_are_read_without_waiting_for_the_kernel(loop: EventLoop) -> None:
    class Hiding(End):
        """Has something unread after its first bytes, of which the socket knows nothing."""

        def readable(self, room: memoryview) -> int:
            size = super().readable(room)
            return len(room) if len(self.sizes) == 1 else size

    hiding = Hiding(loop)
    hiding.far.send(PIECE)
    until(lambda: hiding.sizes == [len(PIECE), 0], "the second read")
    hiding.close()


def test_a_fault_of_one_link_ends_neither_the_thread_nor_the_others(
    loop: EventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    broken, other = End(loop), End(loop)
    broken.faults = 1
    with caplog.at_level(logging.ERROR, "ami_exporter"):
        broken.far.send(PIECE)
        until(lambda: "unexpected error in the event reader thread" in caplog.text, "the log line")
        other.far.send(PIECE)
        until(lambda: other.sizes == [len(PIECE)], "the other link's bytes")
    broken.close()
    other.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_is_replaced_and_says_so(loop: EventLoop, caplog: pytest.LogCaptureFixture) -> None:
    end = End(loop)

    def die() -> None:
        raise SystemExit

    with caplog.at_level(logging.CRITICAL, "ami_exporter"):
        loop.call(die)
        until(lambda: loop._thread is not None and not loop._thread.is_alive(), "the thread's end")
        loop.check()
    assert "is being replaced" in caplog.text
    end.far.send(PIECE)
    until(lambda: end.sizes == [len(PIECE)], "bytes read by the new thread")
    end.close()


def test_jobs_that_wait_run_on_so_many_threads_and_no_more() -> None:
    go, running, peak = threading.Event(), [], []
    openers = Openers("test-open", 3)

    def job() -> None:
        running.append(1)
        peak.append(len(running))
        go.wait(SOON)
        running.pop()

    for _ in range(10):
        openers.submit(job)
    until(lambda: len(peak) == 3, "three jobs")
    go.set()
    until(lambda: len(peak) == 10, "all jobs")
    assert max(peak) == 3
    until(lambda: not any(thread.name == "test-open" for thread in threading.enumerate()), "the threads' end")


def test_links_that_are_left_are_closed_when_the_loop_ends_and_later_jobs_write_nothing() -> None:
    made = EventLoop()
    left = End(made)
    left.far.send(PIECE)
    until(lambda: left.sizes == [len(PIECE)], "its bytes")
    made.stop(SOON)
    assert left.near.fileno() == -1
    reader, writer = os.pipe()  # the numbers that the loop's own pipe had, most likely
    os.set_blocking(reader, False)
    made.call(lambda: None)
    with pytest.raises(BlockingIOError):
        os.read(reader, 1)
    for descriptor in (reader, writer):
        os.close(descriptor)
    left.far.close()


def test_one_event_is_counted_at_once() -> None:
    with ScriptedPbx() as pbx, target(pbx.port, events=True) as one:
        listening(one)
        until(lambda: one.stats.events_received == 1, "FullyBooted")
        session = next(session for session in pbx.sessions if session.seen and session.seen[0]["Events"] != "system")
        times: list[float] = []
        pause = threading.Event()
        for _ in range(20):
            seen, begin = one.stats.events_received, time.monotonic()
            session.send(packet(("Event", "Hold"), ("Privilege", "call,all")))
            while one.stats.events_received == seen and time.monotonic() - begin < SOON:
                pause.wait(0.001)
            times.append(time.monotonic() - begin)
        assert sorted(times)[10] < 0.05  # 10 ms on an idle machine


def test_many_targets_share_one_thread() -> None:
    before = Counter(thread.name for thread in threading.enumerate())
    with ScriptedPbx() as pbx:
        many = {f"pbx{number}": settings(pbx.port, events=True, timeout=LONGEST_WAIT) for number in range(30)}
        with exporting(many) as (one, _):
            targets = one._targets.values()
            until(lambda: all(each.stats.up_since("events") is not None for each in targets), "all event links")
            names = Counter(thread.name for thread in threading.enumerate())
            assert names["events"] - before["events"] == 1
            assert names["ami-open"] - before["ami-open"] <= OPENERS
    until(
        lambda: Counter(thread.name for thread in threading.enumerate())["ami-open"] <= before["ami-open"], "their end"
    )
