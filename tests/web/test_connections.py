"""Whose place a newcomer takes when all places are taken, and what becomes of descriptors."""

import os
import resource
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ami_exporter.web import acceptor
from ami_exporter.web.capacity import ServerLimits, max_connections, max_requests, raise_descriptor_limit
from ami_exporter.web.connections import ConnectionTable, Phase, WebConnection, client_address
from tests.support.web import FakeService, running, wait_until

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Places:
    """A table of so many places, and connections of made-up clients."""

    def __init__(self, limit: int) -> None:
        self.clock = Clock()
        self.limit = limit
        self.table = ConnectionTable(lambda: self.limit, self.clock)
        self.stack = ExitStack()
        self.far: dict[WebConnection, socket.socket] = {}

    def come(self, address: str = "192.0.2.1") -> WebConnection | None:
        """A newcomer; None when it was not let in."""
        near, far = socket.socketpair()
        self.stack.enter_context(near)
        self.stack.enter_context(far)
        connection = WebConnection(near, address, self.clock)
        self.far[connection] = far
        return connection if self.table.add(connection) else None

    def came(self, address: str = "192.0.2.1") -> WebConnection:
        connection = self.come(address)
        assert connection is not None
        return connection

    def answered(self, connection: WebConnection) -> WebConnection:
        self.table.note(connection, Phase.SENDING)
        self.table.note(connection, Phase.WAITING)
        return connection

    def ended(self) -> set[WebConnection]:
        return {connection for connection in self.far if connection._ended}


@pytest.fixture
def make_places() -> Iterator[Callable[[int], Places]]:
    with ExitStack() as stack:

        def make(limit: int) -> Places:
            places = Places(limit)
            stack.enter_context(places.stack)
            return places

        yield make


def test_one_whose_client_has_gone_goes_first(make_places: Callable[[int], Places]) -> None:
    places = make_places(3)
    silent, gone, scraper = places.came(), places.answered(places.came()), places.answered(places.came())
    places.clock.now = 5.0
    places.far[gone].close()
    places.came()
    assert places.ended() == {gone}
    assert not silent.gone()
    assert not scraper.gone()


def test_then_one_that_was_never_answered_for_a_second(make_places: Callable[[int], Places]) -> None:
    places = make_places(3)
    places.answered(places.came())
    places.clock.now = 1.0
    silent = places.came()
    places.came()
    places.clock.now = 2.1
    places.came()
    assert places.ended() == {silent}


def test_a_newcomer_that_has_not_asked_yet_is_spared_for_a_second(make_places: Callable[[int], Places]) -> None:
    places = make_places(3)
    idle = places.answered(places.came())
    places.clock.now = 1.0
    places.came()
    places.came()
    places.clock.now = 1.9
    places.came()
    assert places.ended() == {idle}


def test_a_slow_reader_goes_when_nobody_waits_and_one_whose_request_is_answered_never(
    make_places: Callable[[int], Places],
) -> None:
    places = make_places(3)
    asking = [places.came() for _ in range(3)]
    for connection in asking:
        places.table.note(connection, Phase.HANDLING)
    places.clock.now = 5.0
    assert places.come() is None
    places.table.note(asking[1], Phase.SENDING)
    assert places.come() is None
    places.clock.now = 6.1
    assert places.come() is not None
    assert places.ended() == {asking[1]}


def test_an_address_with_more_than_half_of_the_places_pays_for_newcomers(make_places: Callable[[int], Places]) -> None:
    places = make_places(10)
    others = [places.answered(places.came(f"198.51.100.{n}")) for n in range(3)]
    places.clock.now = 100.0
    crowd = [places.answered(places.came("192.0.2.66")) for _ in range(7)]
    assert places.come("203.0.113.1") is not None
    assert places.ended() == {crowd[0]}
    assert places.come("192.0.2.66") is not None
    assert places.ended() == set(crowd[:2])
    assert not any(connection.gone() for connection in others)


def test_no_address_keeps_more_than_half_while_others_ask(make_places: Callable[[int], Places]) -> None:
    places = make_places(10)
    for _ in range(50):
        places.come("192.0.2.66")
    others = [places.come(f"198.51.100.{n}") for n in range(5)]
    for _ in range(50):
        places.come("192.0.2.66")
    assert None not in others
    assert not places.ended() & set(others)
    assert places.table._of_address["192.0.2.66"] == 5


def test_an_address_whose_requests_fill_half_of_the_places_is_let_in_no_more(
    make_places: Callable[[int], Places],
) -> None:
    places = make_places(4)
    for _ in range(2):
        places.table.note(places.came("192.0.2.66"), Phase.HANDLING)
    for n in range(2):
        places.came(f"198.51.100.{n}")
    assert places.come("192.0.2.66") is None
    assert places.come("203.0.113.1") is not None


def test_without_places_all_is_as_before_when_some_are_given_back(make_places: Callable[[int], Places]) -> None:
    places = make_places(2)
    first, second = places.came(), places.came()
    places.table.close(first)
    places.table.close(second)
    assert (len(places.table), dict(places.table._of_address)) == (0, {})
    assert places.come() is not None


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(peer: str, client: str) -> None:
    assert client_address(peer) == client


def test_places_follow_the_number_of_targets_and_leave_descriptors_for_their_links() -> None:
    assert max_connections(1, max_requests(1), 1024) == 512
    assert max_connections(1000, max_requests(1000), 100_000) == 4000
    assert max_connections(10_000, max_requests(10_000), 10**6) == 40_000
    assert max_connections(400, max_requests(400), 1024) == 124
    assert max_connections(1000, max_requests(1000), 1024) == 32
    assert max_connections(1, max_requests(1), resource.RLIM_INFINITY) == 512
    assert max_connections(1, 3000, 100_000) == 6000  # --web.max-requests


def test_the_soft_limit_of_descriptors_is_raised() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        raise_descriptor_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(hard, 65_536), hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_targets_are_scraped_over_a_thousand_connections_at_once() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    service = FakeService(targets=[f"pbx{n}" for n in range(1000)])
    try:
        with running(service) as web, ExitStack() as stack:
            scrapers = [stack.enter_context(socket.create_connection(("127.0.0.1", web.port), 20)) for _ in range(1000)]
            for n, scraper in enumerate(scrapers):
                scraper.sendall(b"GET /probe?target=pbx%d HTTP/1.1\r\nHost: x\r\n\r\n" % n)
            assert {scraper.recv(12) for scraper in scrapers} == {b"HTTP/1.1 200"}
            wait_until(lambda: len(web.server._connections) == 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("words", [b"", b"GET /metrics HTTP/1.1\r\nHost:"], ids=["silent", "half a request"])
@pytest.mark.parametrize("leaves", [False, True], ids=["stays", "has said all"])
def test_connections_ended_for_newer_ones_give_their_descriptors_back_at_once(words: bytes, leaves: bool) -> None:
    with running(limits=ServerLimits(idle=60, connections=20)) as web, ExitStack() as stack:
        before = descriptors()
        for n in range(100):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", web.port), timeout=10))
            client.sendall(words)
            if leaves:
                client.shutdown(socket.SHUT_WR)
            if n % 10 == 9:
                assert web.ask("/-/healthy").status == 200
        wait_until(lambda: descriptors() <= before + 100 + 20)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_connection_is_released_when_its_client_has_gone(reset: bool) -> None:
    with running(limits=ServerLimits(idle=60)) as web:
        before = descriptors()
        clients = [socket.create_connection(("127.0.0.1", web.port), timeout=10) for _ in range(50)]
        wait_until(lambda: len(web.server._connections) == 50)
        for client in clients:
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
        wait_until(lambda: len(web.server._connections) == 0 and descriptors() <= before)


def test_without_a_free_descriptor_connections_wait_until_there_is_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = threading.Event()
    with running() as web, socket.socket() as client:
        client.settimeout(20)
        monkeypatch.setattr(web.server._acceptor, "_exhausted", tried.set)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            client.connect(("127.0.0.1", web.port))
            assert tried.wait(20)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        client.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "cannot accept connections (too many open files): raise LimitNOFILE= or TasksMax="
    ]


def test_without_a_free_descriptor_a_waiting_client_makes_room_for_a_scrape() -> None:
    with running(limits=ServerLimits(idle=60)) as web, ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", web.port), 20)) for _ in range(3)]
        wait_until(lambda: len(web.server._connections) == 3)
        scraper = stack.enter_context(socket.socket())
        scraper.settimeout(20)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            scraper.connect(("127.0.0.1", web.port))
            scraper.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
            assert scraper.recv(12) == b"HTTP/1.1 200"
            assert silent[0].recv(1) == b""
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_a_thread_connections_are_closed_and_the_next_ones_served(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(acceptor, "PAUSE_SECONDS", 0.01)

    def none_left(_task: object) -> None:
        raise RuntimeError("can't start new thread")

    with running() as web:
        with monkeypatch.context() as broken:
            broken.setattr(web.server._threads, "run", none_left)
            for _ in range(5):
                with socket.create_connection(("127.0.0.1", web.port), timeout=20) as client:
                    assert client.recv(1) == b""
        assert web.ask("/metrics").status == 200
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1
