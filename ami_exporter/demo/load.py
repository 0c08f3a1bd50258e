"""Static channels, any number of them, rendered once."""

from __future__ import annotations

from dataclasses import dataclass

from .items import bridge_item, channel_item, status_item
from .world import UP, Bridge, Channel, Party, SimulatedEndpoint, World


@dataclass(frozen=True, slots=True)
class StaticLoad:
    """Channels that never change: their number, and their items for the three lists that contain them."""

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
