"""The form of derived events: servers before Asterisk 12 do not send them, so ami/old/ derives them from the others."""

from __future__ import annotations

from typing import Final

from ami_exporter.ami.message import Message

CONCLUDED: Final = "concluded"
"""Header (lower case) that marks a derived event."""

CHANNEL_LINKED: Final = "ChannelLinked"
"""Repeats a Newchannel, with its Linkedid, once the channel's call is known. No server sends it."""

OWN_EVENTS: Final = frozenset({CHANNEL_LINKED})
"""Events that exist only inside the exporter: no server sends them, so no event mask needs them."""

STAND_INS: Final = frozenset({"AsyncGoto", "Bridge", "IAXPeer", "Parked", "Parking", "SIPPeer", "Transfered"})
"""Technologies of channels that these servers create only to swap them with another channel (features.c, pbx.c,
chan_sip.c, chan_iax2.c): they are not calls."""


def concluded(name: str, *headers: tuple[str, str]) -> Message:
    """Make a derived event; header names in lower case."""
    return Message.of([("event", name), (CONCLUDED, "yes"), *headers])
