"""The simulated PBX's AMI 1.1: it sends what a real Asterisk 1.8 sends, and tells the same life as the modern one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ami_exporter.ami.actions import ACTIONS
from ami_exporter.ami.message import Message
from ami_exporter.ami.old.translator import OldEvents
from ami_exporter.collectors import channels, parking, queues, trunks
from ami_exporter.collectors.declarations import Context, Trunk
from ami_exporter.demo import DemoSettings, Dialect, SimulatedPbx
from ami_exporter.demo.old_dialect import SILENT_QUEUES, OldDialect
from ami_exporter.demo.old_listings import NOT_THERE
from ami_exporter.demo.simulation import Simulation
from tests.support import old_servers as old
from tests.support.ami_packets import Packet, PacketClient, value
from tests.support.collecting import Samples, counted, message, store_of

EPOCH = 1_700_000_000.0
MINUTES = 12
Shape = tuple[str, ...]


def shapes(data: bytes) -> Iterator[tuple[str, Shape]]:
    """Value of the first header, and the names of all, for each packet."""
    for packet in data.decode().replace("\r", "").split("\n\n"):
        lines = [line.partition(":") for line in packet.split("\n") if ":" in line]
        if lines:
            yield lines[0][2].strip(), tuple(name for name, _, _ in lines)


@pytest.fixture(scope="module")
def pbx() -> Iterator[SimulatedPbx]:
    settings = DemoSettings(seed=11, warmup=900.0, channels=6)
    with SimulatedPbx(settings, clock=lambda: EPOCH, dialect="1.1") as found:
        yield found


def answer(pbx: SimulatedPbx, action: str) -> list[Packet]:
    with PacketClient(pbx.port) as ami:
        ami.login()
        return ami.answer(action)


@pytest.mark.parametrize("action", [name for name in old.lists("1.8") if ACTIONS[name].items])
def test_a_list_has_the_packets_of_a_real_one(pbx: SimulatedPbx, action: str) -> None:
    real = {shape for _, shape in shapes(old.answer_bytes("1.8", action)[1])}
    packets = answer(pbx, action)
    assert {tuple(name for name, _ in packet) for packet in packets} <= real
    assert value(packets[0], "Response") == "Success"
    assert value(packets[-1], "Event") == ACTIONS[action].complete


def test_status_has_channels_with_and_without_dialplan(pbx: SimulatedPbx) -> None:
    items = answer(pbx, "Status")[1:-1]
    assert {"State" in dict(item) for item in items} == {True, False}
    assert not any("Linkedid" in dict(item) or "Application" in dict(item) for item in items)


def test_what_came_later_is_unknown_and_not_listed(pbx: SimulatedPbx) -> None:
    with PacketClient(pbx.port) as ami:
        assert ami.banner == "Asterisk Call Manager/1.1\r\n"
        ami.login(events="system")
        assert ami.packet() == [("Event", "FullyBooted"), ("Privilege", "system,all"), ("Status", "Fully Booted")]
        offered = {name.lower() for name, _ in ami.ask("ListCommands")}
        assert not offered & NOT_THERE
        assert value(ami.ask("BridgeList"), "Message").startswith("Invalid/unknown command")
        assert value(ami.ask("CoreStatus"), "CoreProcessedCalls") == ""
        assert value(ami.ask("CoreSettings"), "AMIversion") == "1.1"


def test_taskprocessors_come_as_raw_text(pbx: SimulatedPbx) -> None:
    with PacketClient(pbx.port) as ami:
        ami.login()
        ami.send(("Action", "Command"), ("ActionID", "c"), ("Command", "core show taskprocessors"))
        text = ami.until(b"--END COMMAND--\r\n\r\n").decode()
    assert text.startswith("Response: Follows\r\nPrivilege: Command\r\nActionID: c\r\n\nProcessor ")
    assert "\n14 taskprocessors\n" in text


class Life:
    """A simulated company whose events are counted as the exporter counts them."""

    def __init__(self, dialect: Dialect, seed: int) -> None:
        sip = "SIP" if dialect is Dialect.OLD else "PJSIP"
        ends = ((sip, "telco-a"), (sip, "telco-b"), ("IAX2", "4940"))
        self.events: list[Message] = []
        self._now = 0.0
        self._translator = OldEvents() if dialect is Dialect.OLD else None
        context = replace(
            Context(),
            trunks={name: Trunk(name, tech, name) for tech, name in ends},
            trunk_names={end: end[1] for end in ends},
            version=(1, 8, 32) if dialect is Dialect.OLD else (22, 10, 1),
        )
        collectors = (channels.COLLECTOR, trunks.COLLECTOR, queues.COLLECTOR, parking.COLLECTOR)
        self._store = store_of(*collectors, context=context)
        self.simulation = Simulation(DemoSettings(seed=seed, warmup=0.0), EPOCH, self._take, dialect)

    def _take(self, name: str, privilege: str, body: str) -> None:
        event = message(f"Event: {name}\nPrivilege: {privilege},all\n{body}")
        self.events.append(event)
        if name.startswith("RTCP"):
            return
        told = [event] if self._translator is None else self._translator.take([event], self._now)
        self._store.feed(told, self._now)

    def live(self, minutes: int) -> Samples:
        """Live so long, and return what was counted; chan_sip is taken for PJSIP."""
        for second in range(minutes * 60):
            self._now = float(second)
            if self._translator is not None:
                self._store.feed(self._translator.overdue(self._now), self._now)
            self.simulation.advance(EPOCH + second)
            self._store.expire(self._now)
        found: Samples = defaultdict(float)
        for (metric, *labels), number in counted(self._store).items():
            found[(metric, *(label.replace("PJSIP", "SIP") for label in labels))] += number
        return {key: number for key, number in found.items() if number}


@pytest.fixture(scope="module")
def old_life() -> tuple[Life, Samples]:
    life = Life(Dialect.OLD, seed=5)
    return life, life.live(MINUTES)


@pytest.fixture(scope="module")
def modern_life() -> Samples:
    return Life(Dialect.MODERN, seed=5).live(MINUTES)


def test_each_event_has_the_headers_of_a_real_one(old_life: tuple[Life, Samples]) -> None:
    real: dict[str, set[Shape]] = defaultdict(set)
    for name in old.scenarios("1.8"):
        for kind, shape in shapes(old.events("1.8", name)):
            real[kind].add(tuple(header.lower() for header in shape))
    found: dict[str, set[Shape]] = defaultdict(set)
    for event in old_life[0].events:
        found[event["event"]].add(event.layout.names)
    sticks = {name for name in found if name.startswith("Dongle")}  # of a driver from outside Asterisk
    assert found.keys() - sticks <= real.keys()
    assert {name: strange for name in found.keys() - sticks if (strange := found[name] - real[name])} == {}
    assert len(found) > 25


SAME = (
    *("asterisk_calls_total", "asterisk_queue_joins_total", "asterisk_queue_calls_total", "asterisk_holds_total"),
    *("asterisk_parking_events_total", "asterisk_transfers_total", "asterisk_trunk_talk_seconds_count"),
    *("asterisk_trunk_talk_seconds_sum", "asterisk_dial_talk_seconds_count", "asterisk_dial_talk_seconds_sum"),
    *("asterisk_queue_wait_seconds_count", "asterisk_hold_seconds_sum"),
)


def test_the_same_life_gives_the_same_figures_in_both_dialects(
    old_life: tuple[Life, Samples], modern_life: Samples
) -> None:
    def of(samples: Samples, names: tuple[str, ...]) -> Samples:
        return {key: number for key, number in samples.items() if key[0] in names}

    assert of(old_life[1], SAME) == of(modern_life, SAME)
    assert sum(of(modern_life, ("asterisk_calls_total",)).values()) > 50

    def legs(samples: Samples, metric: str, *labels: str) -> float:
        wanted = (metric, *labels)
        return sum(number for key, number in samples.items() if key[: len(wanted)] == wanted)

    for metric in ("asterisk_dials_total", "asterisk_trunk_calls_total", "asterisk_hangups_total"):
        ended = {technology: legs(old_life[1], metric, technology) for technology in ("SIP", "IAX2", "telco-a", "4940")}
        assert ended == {technology: legs(modern_life, metric, technology) for technology in ended}, metric


def test_a_queue_that_does_not_tell_of_its_members_is_answered_all_the_same(
    old_life: tuple[Life, Samples], modern_life: Samples
) -> None:
    (silent,) = SILENT_QUEUES
    answered = ("asterisk_queue_calls_total", silent, "answered")
    assert old_life[1][answered] == modern_life[answered] > 0
    assert ("asterisk_queue_ring_seconds_count", silent) not in old_life[1]
    assert not any(event.get("queue") == silent for event in old_life[0].events if event["event"] == "AgentConnect")


def test_nothing_is_left_of_calls_that_have_ended(old_life: tuple[Life, Samples]) -> None:
    simulation = old_life[0].simulation
    dialect = simulation.switch.tell
    assert isinstance(dialect, OldDialect)
    alive = simulation.world.channels.keys()
    assert dialect._legs.keys() <= alive
    assert simulation.world.places.keys() <= alive
    assert dialect._zombies.keys() <= alive
