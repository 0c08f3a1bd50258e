"""Bounds of one connection of the simulated PBX, with a clock in the test's hand."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from ami_exporter.demo import DemoSettings, SimulatedPbx, connection
from ami_exporter.demo.ami_session import ClientSession
from ami_exporter.demo.connection import ClientConnection

LOGIN = b"Action: Login\r\nUsername: demo\r\nSecret: demo\r\nEvents: off\r\n\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[ClientConnection, socket.socket]]:
    pbx = SimulatedPbx(DemoSettings(traffic=0, warmup=0))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for end in (ours, theirs):
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        yield (
            ClientConnection(
                ours, ClientSession(pbx.house, ("127.0.0.1", 5038), ("127.0.0.1", 40000)), now=100.0, write_timeout=2.0
            ),
            theirs,
        )


def test_no_login_within_thirty_seconds_ends_the_connection(pair: tuple[ClientConnection, socket.socket]) -> None:
    one, _client = pair
    assert one.next_check() == 130.0
    one.check(129.9)
    assert not one.gone
    one.check(130.1)
    assert one.gone


def test_whoever_is_logged_in_may_be_silent(pair: tuple[ClientConnection, socket.socket]) -> None:
    one, client = pair
    client.sendall(LOGIN)
    one.read(101.0)
    one.check(100_000.0)
    assert not one.gone


def test_what_cannot_be_written_for_the_write_timeout_ends_the_connection(
    pair: tuple[ClientConnection, socket.socket],
) -> None:
    one, client = pair
    client.sendall(LOGIN)
    one.read(101.0)
    one.put(b"x" * 1_000_000)
    one.write(102.0)
    assert one.wants_write
    assert one.next_check() == 104.0
    one.check(103.9)
    assert not one.gone
    one.check(104.1)
    assert one.gone


def test_a_reader_that_goes_on_reading_is_never_too_slow(pair: tuple[ClientConnection, socket.socket]) -> None:
    one, client = pair
    client.sendall(LOGIN)
    one.read(101.0)
    one.put(b"x" * 1_000_000)
    now, got = 102.0, 0
    while one.wants_write:
        one.write(now)
        one.check(now)
        assert not one.gone
        got += len(client.recv(1 << 20))
        now += 1.5
    assert got > 1_000_000


def test_more_unread_bytes_than_the_bound_end_the_connection(
    pair: tuple[ClientConnection, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_WAITING", 1000)
    one, _client = pair
    one.put(b"x" * 900)
    assert not one.gone
    one.put(b"x" * 200)
    assert one.gone


def test_a_client_that_leaves_is_noticed(pair: tuple[ClientConnection, socket.socket]) -> None:
    one, client = pair
    client.close()
    one.read(101.0)
    assert one.gone
