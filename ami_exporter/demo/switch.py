"""The switch: the operations on channels and bridges. Each one changes the world and sends the events.

The order and content of the events follow Asterisk 22 (main/manager_channels.c, manager_bridges.c, dial.c).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from . import blocks
from .dice import Dice
from .engine import Timeline
from .wire import headers
from .world import DOWN, RING, RINGING, UP, Bridge, Channel, Mailbox, Party, SimulatedEndpoint, World

# The Q.850 causes that the simulation uses, with Asterisk's texts (main/channel.c).
CAUSES = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    3: "No route to destination",
    16: "Normal Clearing",
    17: "User busy",
    18: "No user responding",
    19: "User alerting, no answer",
    20: "Subscriber absent",
    21: "Call Rejected",
    26: "Answered elsewhere",
    34: "Circuit/channel congestion",
    38: "Network out of order",
    127: "Interworking, unspecified",
}
# Device state → bitmask and text of ExtensionStatus.
EXTENSION_STATES = {
    "NOT_INUSE": (0, "Idle"),
    "INUSE": (1, "InUse"),
    "UNAVAILABLE": (4, "Unavailable"),
    "RINGING": (8, "Ringing"),
    "RINGINUSE": (9, "InUse&Ringing"),
    "ONHOLD": (16, "Hold"),
}


class Tell(Protocol):
    """Takes an event: its name, its class and its body."""

    def __call__(self, name: str, privilege: str, body: str) -> None:
        """Take one event."""


class Switch:
    """Channel operations. Every scenario goes through here, so events and lists cannot disagree."""

    def __init__(self, world: World, time: Timeline, dice: Dice, tell: Tell) -> None:
        self.world, self.time, self.dice, self.tell = world, time, dice, tell
        self.on_up: Callable[[Channel], None] = lambda _chan: None

    def call(self, name: str, *body: str) -> None:
        self.tell(name, "call", "".join(body))

    def originate(self, endpoint: SimulatedEndpoint, exten: str, caller: Party) -> Channel:
        """A call comes in from this endpoint or trunk: a new channel in state Ring."""
        context = "from-trunk" if endpoint.trunk else "from-internal"
        self.world.calls_processed += 1
        return self._channel(endpoint, RING, context, exten, caller)

    def leg(self, caller: Channel, endpoint: SimulatedEndpoint, exten: str) -> Channel:
        """The PBX calls this endpoint for ``caller``: a new channel in state Down, same Linkedid."""
        party = Party(exten) if endpoint.trunk else endpoint.party
        chan = self._channel(endpoint, DOWN, "from-internal", exten, party, parent=caller)
        chan.connected = caller.caller
        chan.application, chan.data = "AppDial", "(Outgoing Line)"
        return chan

    def originated(self, endpoint: SimulatedEndpoint, exten: str, uniqueid: str) -> Channel:
        """The PBX calls this endpoint without a caller: an Originate; its channel gets the requested identifier."""
        return self._channel(endpoint, DOWN, "default", exten, Party(), uniqueid=uniqueid)

    def _channel(
        self,
        endpoint: SimulatedEndpoint,
        state: int,
        context: str,
        exten: str,
        caller: Party,
        *,
        parent: Channel | None = None,
        uniqueid: str = "",
    ) -> Channel:
        serial = next(self.world.serial)
        uniqueid = uniqueid or f"{self.world.unix(self.time.now)}.{serial}"
        suffix = f"{serial:08x}" if endpoint.tech in {"PJSIP", "SIP"} else str(serial)
        name = f"{endpoint.device}-{suffix}"
        linkedid = parent.linkedid if parent else uniqueid
        chan = Channel(name, uniqueid, linkedid, endpoint, self.time.now, state, exten, context, caller)
        if endpoint.codec == "opus":
            chan.transcoded_to = "alaw"  # no other device of the company uses opus
        self.world.channels[uniqueid] = chan
        endpoint.channels.append(chan)
        self.call("Newchannel", blocks.channel(chan))
        self.device_changed(endpoint)
        return chan

    def state(self, chan: Channel, state: int) -> None:
        """The channel's state changes."""
        if chan.state == state:
            return
        chan.state = state
        self.call("Newstate", blocks.channel(chan))
        self.device_changed(chan.endpoint)
        if state == UP:
            self.on_up(chan)

    def run(self, chan: Channel, application: str, data: str = "") -> None:
        """The dialplan runs an application (Newexten, class dialplan)."""
        chan.application, chan.data = application, data
        body = headers(("Extension", chan.exten), ("Application", application), ("AppData", data))
        self.tell("Newexten", "dialplan", blocks.channel(chan) + body)

    def dial_begin(self, caller: Channel, dest: Channel) -> None:
        """DialBegin for a leg."""
        dialled = f"{dest.exten}@{dest.endpoint.name}" if dest.endpoint.trunk else dest.endpoint.name
        self._dial("DialBegin", caller, dest, "DialString", dialled)

    def dial_state(self, caller: Channel, dest: Channel, status: str) -> None:
        """DialState: RINGING, PROGRESS or PROCEEDING; RINGING also changes the channel's state."""
        if status == "RINGING":
            self.state(dest, RINGING)
        self._dial("DialState", caller, dest, "DialStatus", status)

    def dial_end(self, caller: Channel, dest: Channel, status: str) -> None:
        """DialEnd with its DialStatus; ANSWER puts the leg in state Up first."""
        if status == "ANSWER":
            self.state(dest, UP)
        self._dial("DialEnd", caller, dest, "DialStatus", status)

    def _dial(self, name: str, caller: Channel, dest: Channel, key: str, value: str) -> None:
        self.call(name, blocks.channel(caller), blocks.channel(dest, "Dest"), headers((key, value)))

    def bridge(self, *channels: Channel, technology: str = "simple_bridge", kind: str = "basic") -> Bridge:
        """Create a bridge and put channels in."""
        text = f"{self.dice.bits(128):032x}"
        uniqueid = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        made = Bridge(uniqueid, technology, kind)
        self.world.bridges[uniqueid] = made
        self.call("BridgeCreate", blocks.bridge(made))
        for chan in channels:
            self.enter(made, chan)
        return made

    def enter(self, bridge: Bridge, chan: Channel) -> None:
        """A channel enters a bridge."""
        bridge.channels.append(chan)
        chan.bridge = bridge
        # Calls that meet become one with the oldest Linkedid; no separate event reports it.
        oldest = min((c.linkedid for c in bridge.channels), key=_age) if bridge.type == "basic" else chan.linkedid
        for one in bridge.channels if bridge.type == "basic" else ():
            one.linkedid = oldest
        self.call("BridgeEnter", blocks.bridge(bridge), blocks.channel(chan))

    def leave(self, chan: Channel) -> None:
        """A channel leaves its bridge, if it is in one; an empty ordinary bridge is destroyed."""
        bridge = chan.bridge
        if bridge is None:
            return
        bridge.channels.remove(chan)
        chan.bridge = None
        self.call("BridgeLeave", blocks.bridge(bridge), blocks.channel(chan))
        if not bridge.channels and bridge.technology != "holding_bridge":
            del self.world.bridges[bridge.uniqueid]
            self.call("BridgeDestroy", blocks.bridge(bridge))

    def request_hangup(self, chan: Channel, cause: int = 16) -> None:
        """The far end of this channel hangs up; the channel lives until ``hangup``."""
        self.call("HangupRequest", blocks.channel(chan), headers(("Cause", cause)))

    def hangup(self, chan: Channel, cause: int = 16, tech_cause: int = 0) -> None:
        """The channel ends. ``tech_cause``: SIP code, sent only if it is 300 or more."""
        if not chan.alive:
            return
        self.leave(chan)
        chan.alive = False
        del self.world.channels[chan.uniqueid]
        chan.endpoint.channels.remove(chan)
        reasons = headers(("Cause", cause), ("Cause-txt", CAUSES[cause]))
        tech = headers(("TechCause", tech_cause)) if tech_cause >= 300 else ""  # noqa: PLR2004 - SIP: 3xx and up fail
        self.call("Hangup", blocks.channel(chan), reasons, tech)
        self.device_changed(chan.endpoint)

    def hold(self, chan: Channel, *, on: bool) -> None:
        """The channel's far end puts the call on hold, or resumes it."""
        chan.held = on
        body = headers(("MusicClass", "default")) if on else ""
        self.call("Hold" if on else "Unhold", blocks.channel(chan), body)
        self.device_changed(chan.endpoint)

    def message_waiting(self, box: Mailbox) -> None:
        counts = ("Waiting", int(box.new > 0)), ("New", box.new), ("Old", box.old)
        self.call("MessageWaiting", headers(("Mailbox", f"{box.number}@default"), *counts))

    def device_changed(self, endpoint: SimulatedEndpoint) -> None:
        """Recompute the device state; if it has changed, send the events of everything that watches it."""
        state = _device_state(endpoint)
        if state == endpoint.state:
            return
        endpoint.state = state
        self.call("DeviceStateChange", headers(("Device", endpoint.device), ("State", state)))
        if endpoint.trunk:
            return
        number, text = EXTENSION_STATES[state]
        self.call(
            "ExtensionStatus",
            headers(
                ("Exten", endpoint.name),
                ("Context", "from-internal"),
                ("Hint", endpoint.device),
                ("Status", number),
                ("StatusText", text),
            ),
        )
        for member in endpoint.memberships:
            self.tell("QueueMemberStatus", "agent", blocks.member(member, self.world, listed=False))


def _age(linkedid: str) -> int:
    return int(linkedid.rpartition(".")[2])


def _device_state(endpoint: SimulatedEndpoint) -> str:
    if not any(contact.status == "Reachable" for contact in endpoint.contacts):
        return "UNAVAILABLE"
    states = {chan.state for chan in endpoint.channels} - {DOWN}
    if states and all(chan.held for chan in endpoint.channels):
        return "ONHOLD"
    if states & {UP, RING} and RINGING in states:
        return "RINGINUSE"
    if RINGING in states:
        return "RINGING"
    return "INUSE" if states else "NOT_INUSE"
