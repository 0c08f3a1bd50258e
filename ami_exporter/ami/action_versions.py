"""The Asterisk version that introduced each list action and event class: an older server cannot have it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Version = tuple[int, ...]

ACTION_SINCE: Final[Mapping[str, Version]] = MappingProxyType(
    {
        "ConfbridgeListRooms": (10,),
        "Parkinglots": (11,),
        **dict.fromkeys(("BridgeList", "BridgeTechnologyList", "PJSIPShowEndpoints"), (12,)),
        "PJSIPShowRegistrationsOutbound": (12,),
        **dict.fromkeys(("DeviceStateList", "ExtensionStateList", "PresenceStateList"), (13,)),
        **dict.fromkeys(("FAXStats", "FAXSessions", "PJSIPShowRegistrationInboundContactStatuses"), (13,)),
        **dict.fromkeys(("PJSIPShowContacts", "PJSIPShowAors"), (16,)),
        "DBGetTree": (16, 28),
        "PJSIPShowMaintenance": (20, 20),
    }
)
"""Action → the first version that has it; this may be too early for a branch between two that have it."""

CLASS_SINCE: Final[Mapping[str, Version]] = MappingProxyType({"reporting": (12,), "security": (12,)})
"""Event class → the first version whose events of that class identify their subject."""


def is_newer(action: str, version: Version) -> bool:
    """Whether an action was introduced after this version; an unknown version counts as having it."""
    return bool(version) and version < ACTION_SINCE.get(action, ())


def classes_sent(wanted: frozenset[str], version: Version) -> frozenset[str]:
    """The event classes in which a server of this version sends anything."""
    return frozenset(name for name in wanted if not version or version >= CLASS_SINCE.get(name, ()))
