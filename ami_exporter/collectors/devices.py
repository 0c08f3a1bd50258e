"""Device states and extension hints."""

from __future__ import annotations

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Rule, gauge
from ami_exporter.collectors.fields import OTHER, labels, technology_of, word
from ami_exporter.collectors.lists import DEVICES
from ami_exporter.collectors.vocabulary import DEVICE_STATE, DEVICE_STATES

HINTS = Action("ExtensionStateList")

DEVICE_COUNT = gauge(
    "asterisk_device_states",
    "Devices in Asterisk's state cache by state, without pseudo devices (Queue:, Custom:, park:, …); a device whose "
    "state never changed is not in the cache (AMI DeviceStateList: State)",
    "technology",
    "state",
    closed={"state": DEVICE_STATES},
)
HINT_COUNT = gauge(
    "asterisk_hints",
    "Extension hints by state (AMI ExtensionStateList: Status)",
    "state",
    closed={"state": DEVICE_STATES},
)

# include/asterisk/pbx.h: enum ast_extension_states, a bit mask; 17 is one active call and one on hold.
_HINT_STATES = {
    "-2": "invalid",
    "-1": "invalid",
    "0": "not_in_use",
    "1": "in_use",
    "2": "busy",
    "4": "unavailable",
    "8": "ringing",
    "9": "ring_in_use",
    "16": "on_hold",
    "17": "in_use",
}


def device_technology(message: Message, _context: Context) -> str | None:
    """Return the technology of the Device header; None for pseudo devices such as Queue:x and Custom:x."""
    device = message.get("device", "")
    found = technology_of(device) if "/" in device else None
    return None if found == OTHER else found


COLLECTOR = Collector(
    name="devices",
    title="Device states and extension hints",
    metrics=(DEVICE_COUNT, HINT_COUNT),
    polls=((DEVICES,), (HINTS,)),
    rules=(
        Rule(
            DEVICE_COUNT,
            DEVICES,
            ("DeviceStateChange",),
            labels(device_technology, word("State", DEVICE_STATE, other="unknown")),
        ),
        Rule(HINT_COUNT, HINTS, ("ExtensionStatus",), labels(word("Status", _HINT_STATES, other="unknown"))),
    ),
)
