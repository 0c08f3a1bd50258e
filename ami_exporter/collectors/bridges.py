"""Bridges, which join channels."""

from __future__ import annotations

from typing import Final

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Rule, gauge
from ami_exporter.collectors.fields import labels, number, text

LIST = Action("BridgeList")

# The common types (bridges/bridge_*.c and main/bridge*.c); others appear when in use.
_CLOSED = {
    "bridge_technology": ("simple_bridge", "native_rtp", "softmix", "holding_bridge"),
    "type": ("basic", "base", "stasis", "parking"),
}

BRIDGES = gauge(
    "asterisk_bridges",
    "Bridges by technology and type (AMI BridgeList: BridgeTechnology, BridgeType)",
    "bridge_technology",
    "type",
    closed=_CLOSED,
)
CHANNELS = gauge(
    "asterisk_bridge_channels",
    "Channels in bridges by technology and type, a conference's hidden announcer included "
    "(AMI BridgeList: BridgeNumChannels)",
    "bridge_technology",
    "type",
    closed=_CLOSED,
)

_LABELS = labels(text("BridgeTechnology"), text("BridgeType"))

_CANARY: Final = "ami-canary"
"""Name of the bridge in which a canary call waits."""


def _counts(message: Message) -> bool:
    return message.get("bridgename") != _CANARY


COLLECTOR = Collector(
    name="bridges",
    title="Bridges and the channels in them",
    metrics=(BRIDGES, CHANNELS),
    polls=((LIST,),),
    rules=(
        Rule(BRIDGES, LIST, ("BridgeListItem",), _LABELS, where=_counts),
        Rule(CHANNELS, LIST, ("BridgeListItem",), _LABELS, number("BridgeNumChannels"), _counts),
    ),
)
