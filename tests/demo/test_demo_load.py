"""Living connections: events and lists tell one story, floods arrive whole, slow readers are cut off."""

from __future__ import annotations

import socket
import time
from collections import Counter

import pytest

from ami_exporter.demo import DemoSettings, SimulatedPbx, User, run_demo_pbx
from ami_exporter.demo.rights import classes
from tests.support.ami_packets import DEADLINE, Packet, PacketClient, named, value
from tests.support.asterisk_server import wait_until
from tests.support.flooding_pbx import FloodingPbx

pytestmark = pytest.mark.slow

QUIET = DemoSettings(traffic=0, warmup=0)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def listed(packets: list[Packet]) -> set[str]:
    return {value(packet, "Uniqueid") for packet in named(packets, "Status")}


def test_new_channels_less_hangups_are_the_channels_of_the_next_status() -> None:
    clock = Clock()
    with SimulatedPbx(DemoSettings(seed=2), clock=clock) as pbx, PacketClient(pbx.port) as ami:
        ami.login(events="call")
        known = listed(ami.answer("Status"))
        assert known
        for _minute in range(5):
            clock.now += 60
            pbx.wake()
            packets = ami.answer("Status")
            for packet in packets:
                if packet[0] == ("Event", "Newchannel"):
                    known.add(value(packet, "Uniqueid"))
                elif packet[0] == ("Event", "Hangup"):
                    known.remove(value(packet, "Uniqueid"))
                elif packet[0] == ("Event", "StatusComplete"):
                    assert listed(packets) == known


def test_an_answer_is_never_interrupted_by_events() -> None:
    with SimulatedPbx(DemoSettings(seed=2, speed=50)) as pbx, PacketClient(pbx.port) as ami:
        ami.login(events="on")
        for _round in range(20):
            packets = ami.answer("QueueStatus")
            names = [value(packet, "Event") or value(packet, "Response") for packet in packets]
            begin, end = names.index("Success"), names.index("QueueStatusComplete")
            assert set(names[begin + 1 : end]) <= {"QueueParams", "QueueMember", "QueueEntry"}


def test_events_go_only_to_those_who_may_and_want_to_read_them() -> None:
    users = [User("call-only", "c", read=classes("call")), User("deaf", "d")]
    with (
        SimulatedPbx(DemoSettings(seed=2, speed=50), users=users) as pbx,
        PacketClient(pbx.port) as one,
        PacketClient(pbx.port) as two,
    ):
        one.login("call-only", "c", events="on")
        two.login("deaf", "d", events="off")
        heard = [one.packet() for _ in range(300)]
        assert {value(packet, "Privilege") for packet in heard} == {"call,all"}
        assert value(two.ask("Ping"), "Ping") == "Pong"


def test_a_flood_arrives_whole_and_in_order() -> None:
    with FloodingPbx(QUIET) as pbx, PacketClient(pbx.port) as ami:
        ami.login(events="on")
        assert ami.packet()[0] == ("Event", "FullyBooted")
        flood = pbx.flood(rate=50_000, total=20_000)
        heard = Counter(value(ami.packet(), "Event") for _ in range(20_000))
        assert flood.finished
        assert heard == flood.sent
        assert abs(heard["Newchannel"] - heard["Hangup"]) <= 2


def test_a_flood_with_patience_waits_for_its_reader_and_loses_nothing() -> None:
    with (
        FloodingPbx(QUIET) as pbx,
        PacketClient(pbx.port) as other,
        PacketClient(pbx.port) as ami,
    ):
        other.login(events="off")
        ami.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        ami.login(events="on")
        assert ami.packet()[0] == ("Event", "FullyBooted")
        flood = pbx.flood(rate=200_000, total=40_000, ahead=100_000)
        wait_until(lambda: flood.played > 0, DEADLINE, "the flood")
        before = -1
        while flood.played != before:  # until the kernel's buffers are full, and as much waits as may
            before = flood.played
            assert value(other.ask("Ping"), "Ping") == "Pong"
        assert flood.played < flood.total
        heard = Counter(value(ami.packet(), "Event") for _ in range(flood.total))
        assert heard == flood.sent


def test_two_sessions_of_one_user_work_side_by_side() -> None:
    with (
        SimulatedPbx(DemoSettings(channels=2000, speed=20)) as pbx,
        PacketClient(pbx.port) as poll,
        PacketClient(pbx.port) as events,
    ):
        events.login(events="call,agent")
        poll.login()
        for _round in range(5):
            assert len(named(poll.answer("Status"), "Status")) >= 2000
        assert events.packet()[0][0] == "Event"


def test_a_reader_that_stops_reading_is_cut_off_while_others_go_on() -> None:
    with (
        FloodingPbx(QUIET, write_timeout=0.3) as pbx,
        PacketClient(pbx.port) as lively,
        PacketClient(pbx.port) as asleep,
    ):
        asleep.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asleep.login(events="on")
        lively.login(events="off")
        flood = pbx.flood(rate=50_000, total=60_000)
        deadline = time.monotonic() + DEADLINE
        while len(pbx.sessions) == 2 and time.monotonic() < deadline:
            assert value(lively.ask("Ping"), "Ping") == "Pong"
        assert pbx.sessions == ["demo"]
        assert flood.played > 0
        assert value(lively.ask("Ping"), "Ping") == "Pong"


def test_a_pbx_that_stopped_starts_again_on_its_port() -> None:
    pbx = SimulatedPbx(QUIET)
    port = pbx.start()
    with PacketClient(port) as ami:
        ami.login()
        pbx.stop()
        assert ami.at_end() == b""
    with pytest.raises(ConnectionRefusedError):
        PacketClient(port)
    assert pbx.start() == port
    with PacketClient(port) as ami:
        assert value(ami.login(), "Response") == "Success"
    pbx.stop()


def test_the_demo_of_the_command_line_lives_at_once() -> None:
    pbx = run_demo_pbx(channels=10, endpoints=30, queues=2, dialect="1.1", seed=4)
    try:
        with PacketClient(pbx.port) as ami:
            assert ami.banner == "Asterisk Call Manager/1.1\r\n"
            ami.login(pbx.username, pbx.secret)
            assert len(named(ami.answer("Status"), "Status")) > 15
    finally:
        pbx.stop()
