"""Events that a server before Asterisk 12 did not send, but that its others amount to (ami/old/): how they are told."""

from __future__ import annotations

from typing import Final

from ami_exporter.ami.message import Message

CONCLUDED: Final = "concluded"
"""Header (lower case) of such an event."""

CHANNEL_LINKED: Final = "ChannelLinked"
"""A channel's call, which those servers tell after its Newchannel: a Newchannel with Linkedid. No server sends it."""

OWN_EVENTS: Final = frozenset({CHANNEL_LINKED})
"""Events that no server sends and no mask brings."""

STAND_INS: Final = frozenset({"AsyncGoto", "Bridge", "IAXPeer", "Parked", "Parking", "SIPPeer", "Transfered"})
"""Technologies of the channels that those servers make only to put another one into their place (features.c, pbx.c,
chan_sip.c, chan_iax2.c): they are no calls."""


def concluded(name: str, *headers: tuple[str, str]) -> Message:
    """Make such an event; names of headers in lower case."""
    return Message.of([("event", name), (CONCLUDED, "yes"), *headers])
