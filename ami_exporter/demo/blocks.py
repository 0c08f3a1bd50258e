"""Header blocks shared by several packets, with the names, order and spelling of Asterisk 22.

Source: main/manager_channels.c, manager_bridges.c, app_queue.c, res/parking/parking_manager.c.
"""

from __future__ import annotations

from .wire import headers
from .world import CHANNEL_STATES, DEVICE_STATES, Bridge, Channel, Member, Parked, ParkingLot, World

UNKNOWN = "<unknown>"


def channel(chan: Channel, prefix: str = "") -> str:
    """The channel block (14 lines), each key with the prefix ("Dest", "Parkee", …)."""
    caller, connected = chan.caller, chan.connected
    return (
        f"{prefix}Channel: {chan.name}\r\n"
        f"{prefix}ChannelState: {chan.state}\r\n"
        f"{prefix}ChannelStateDesc: {CHANNEL_STATES[chan.state]}\r\n"
        f"{prefix}CallerIDNum: {caller.number or UNKNOWN}\r\n"
        f"{prefix}CallerIDName: {caller.name or UNKNOWN}\r\n"
        f"{prefix}ConnectedLineNum: {connected.number or UNKNOWN}\r\n"
        f"{prefix}ConnectedLineName: {connected.name or UNKNOWN}\r\n"
        f"{prefix}Language: en\r\n"
        f"{prefix}AccountCode: {chan.endpoint.account}\r\n"
        f"{prefix}Context: {chan.context}\r\n"
        f"{prefix}Exten: {chan.exten}\r\n"
        f"{prefix}Priority: 1\r\n"
        f"{prefix}Uniqueid: {chan.uniqueid}\r\n"
        f"{prefix}Linkedid: {chan.linkedid}\r\n"
    )


def bridge(item: Bridge, prefix: str = "") -> str:
    """The bridge block."""
    return (
        f"{prefix}BridgeUniqueid: {item.uniqueid}\r\n"
        f"{prefix}BridgeType: {item.type}\r\n"
        f"{prefix}BridgeTechnology: {item.technology}\r\n"
        f"{prefix}BridgeCreator: {item.creator or UNKNOWN}\r\n"
        f"{prefix}BridgeName: {item.name or UNKNOWN}\r\n"
        f"{prefix}BridgeNumChannels: {len(item.channels)}\r\n"
        f"{prefix}BridgeVideoSourceMode: none\r\n"
    )


def member(item: Member, world: World, *, listed: bool) -> str:
    """A queue member: as QueueMember item (``listed``) or as the body of a QueueMember… event."""
    keys = ("Name", "Location") if listed else ("MemberName", "Interface")
    ringinuse = () if listed else (("Ringinuse", 0),)
    return headers(
        ("Queue", item.queue.name),
        (keys[0], item.name),
        (keys[1], item.endpoint.device),
        ("StateInterface", item.endpoint.device),
        ("Membership", item.membership),
        ("Penalty", item.penalty),
        ("CallsTaken", item.calls),
        ("LastCall", world.unix(item.last_call)),
        ("LastPause", world.unix(item.last_pause)),
        ("LoginTime", world.unix(item.login)),
        ("InCall", int(item.in_call)),
        ("Status", DEVICE_STATES[item.endpoint.state]),
        ("Paused", int(item.paused)),
        ("PausedReason", item.reason),
        *ringinuse,
        ("Wrapuptime", item.wrapup),
    )


def parked(item: Parked, lot: ParkingLot, now: float, retriever: Channel | None = None) -> str:
    """A parked call, as ParkedCall item or event; ``now`` in simulated seconds."""
    return (
        channel(item.channel, "Parkee")
        + (channel(retriever, "Retriever") if retriever else "")
        + headers(
            ("ParkerDialString", item.parker),
            ("Parkinglot", lot.name),
            ("ParkingSpace", item.space),
            ("ParkingTimeout", max(0, int(lot.timeout - (now - item.since)))),
            ("ParkingDuration", int(now - item.since)),
        )
    )
