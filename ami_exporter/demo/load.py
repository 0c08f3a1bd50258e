"""Load for benchmarks: channels that stand still, and a flood of events; both rendered before they are needed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .dice import Dice
from .engine import Timeline
from .items import bridge_item, channel_item, status_item
from .switch import Switch
from .wire import event
from .world import UP, Bridge, Channel, Contact, Party, SimulatedEndpoint, World


@dataclass(frozen=True, slots=True)
class StaticLoad:
    """Channels that never change: how many, and their items for the three lists that show channels."""

    channels: int = 0
    bridges: int = 0
    status: bytes = b""
    core: bytes = b""
    bridge_list: bytes = b""
    still: tuple[Channel, ...] = ()


def static_load(count: int, world: World, age: float) -> StaticLoad:
    """``count`` channels in calls of two, all up and bridged, ``age`` seconds old."""
    tech = next((trunk.tech for trunk in world.trunks), "PJSIP")
    phone = SimulatedEndpoint(tech, "load", Party("500", "Load"))
    status, core, bridges = [], [], []
    still: list[Channel] = []
    bridge = Bridge("")
    for number in range(count):
        first = number - number % 2
        if number == first:
            bridge = Bridge(f"10ad0000-0000-4000-8000-{number:012x}")
            bridges.append(bridge)
        uniqueid, linkedid = (f"{int(world.epoch)}.{9_000_000 + n}" for n in (number, first))
        party = Party(str(5000 + number), f"Load {number}")
        chan = Channel(f"{tech}/load-{number:08x}", uniqueid, linkedid, phone, -age, UP, "500", "from-internal", party)
        chan.bridge = bridge
        chan.application, chan.data = ("AppDial", "(Outgoing Line)") if number != first else ("Dial", f"{tech}/500,30")
        bridge.channels.append(chan)
        status.append(status_item(chan, 0.0))
        core.append(channel_item(chan, 0.0))
        still.append(chan)
    return StaticLoad(
        count,
        len(bridges),
        "".join(status).encode(),
        "".join(core).encode(),
        "".join(bridge_item(one) for one in bridges).encode(),
        tuple(still),
    )


@dataclass(slots=True)
class Flood:
    """Replays ``corpus`` (name, class, bytes of each event) at ``rate`` per real second, ``total`` in all.

    ``sent`` counts the events played, by name, whoever listened. ``ahead``: bytes that may wait for a reader before the
    flood does, too; None: it never waits, and a reader that stays behind is cut off as by any PBX.
    """

    corpus: list[tuple[str, str, bytes]]
    rate: float
    total: int
    began: float
    ahead: int | None = None
    played: int = 0
    sent: Counter[str] = field(default_factory=Counter)

    @property
    def finished(self) -> bool:
        """Whether everything was played."""
        return self.played >= self.total

    def hold(self, now: float) -> None:
        """Play nothing for now, and go on from here at the same rate: what was held back comes in no burst."""
        self.began = now - self.played / self.rate

    def play(self, now: float) -> list[tuple[str, str, bytes]]:
        """The events due by the monotonic time ``now``."""
        upto = max(self.played, min(self.total, int((now - self.began) * self.rate)))
        size = len(self.corpus)
        due = [self.corpus[number % size] for number in range(self.played, upto)]
        self.sent.update([name for name, _privilege, _data in due])
        self.played = upto
        return due


def flood_corpus(calls: int = 64) -> list[tuple[str, str, bytes]]:
    """Events of ``calls`` answered calls through a trunk, each complete from Newchannel to Hangup."""
    corpus: list[tuple[str, str, bytes]] = []

    def tell(name: str, privilege: str, body: str) -> None:
        corpus.append((name, privilege, event(name, privilege, body)))

    switch = Switch(World(1_700_000_000.0), Timeline(0.0), Dice(1), tell)
    for number in range(calls):
        phone, trunk = (
            SimulatedEndpoint("PJSIP", name, Party(name, "Flood")) for name in (f"flood-{number}", "telco-a")
        )
        trunk.trunk = True
        for endpoint in (phone, trunk):
            endpoint.contacts.append(Contact("192.0.2.1:5060"))
        caller = switch.originate(phone, "15550100", phone.party)
        callee = switch.leg(caller, trunk, "15550100")
        switch.dial_begin(caller, callee)
        switch.dial_state(caller, callee, "RINGING")
        switch.dial_end(caller, callee, "ANSWER")
        switch.state(caller, UP)
        switch.bridge(caller, callee)
        switch.request_hangup(caller)
        switch.hangup(callee)
        switch.hangup(caller)
    return corpus
