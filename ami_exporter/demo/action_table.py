"""The actions that this PBX knows: rights, synopsis, and the function that answers.

Rights as in Asterisk 22: any one class is enough, none is needed if empty. Actions that change a PBX are listed, so
that ListCommands and refusals look real, but do nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from . import database, listings, listings_isdn, listings_lines, singles, sticks
from .listing import Listing
from .rights import CLASSES
from .scene import Scene
from .wire import AmiRequest, response

Answer: TypeAlias = Callable[[Scene, AmiRequest], Listing | bytes]


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action: its rights and its answer."""

    name: str
    rights: frozenset[str]
    synopsis: str
    answer: Answer

    @property
    def listed(self) -> str:
        """Its value in ListCommands."""
        named = [name for name in CLASSES if name in self.rights]
        return f"{self.synopsis} (Priv: {','.join([*named, 'all']) if named else '<none>'})"


def _inert(_scene: Scene, _request: AmiRequest) -> bytes:
    return response("Error", "The simulated PBX does not do this").encode()


_ANSWERED: tuple[tuple[str, str, str, Answer], ...] = (
    ("Ping", "", "Keepalive command.", singles.ping),
    ("CoreSettings", "system,reporting", "Show PBX core settings (version etc).", singles.core_settings),
    ("CoreStatus", "system,reporting", "Show PBX core status variables.", singles.core_status),
    ("CoreShowChannels", "system,reporting", "List currently active channels.", listings.core_show_channels),
    ("Status", "system,call,reporting", "List channel status.", listings.status),
    ("BridgeList", "", "Get a list of bridges in the system.", listings.bridge_list),
    ("QueueStatus", "", "Show queue status.", listings.queue_status),
    ("QueueSummary", "", "Show queue summary.", listings.queue_summary),
    ("Agents", "agent", "Lists agents and their status.", listings.agents),
    ("ConfbridgeListRooms", "reporting", "List active conferences.", listings.confbridge_list_rooms),
    ("Parkinglots", "call", "Get a list of parking lots", listings.parkinglots),
    ("ParkedCalls", "call", "List parked calls.", listings.parked_calls),
    (
        "VoicemailUsersList",
        "call,reporting",
        "List All Voicemail User Information.",
        listings.voicemail_users,
    ),
    ("FAXStats", "reporting", "Responds with fax statistics", singles.fax_stats),
    (
        "DeviceStateList",
        "call,reporting",
        "List the current known device states.",
        listings_lines.device_state_list,
    ),
    (
        "ExtensionStateList",
        "call,reporting",
        "List the current known extension states.",
        listings_lines.extension_state_list,
    ),
    ("PJSIPShowEndpoints", "system", "Lists PJSIP endpoints.", listings_lines.pjsip_endpoints),
    ("PJSIPShowContacts", "system", "Lists PJSIP Contacts.", listings_lines.pjsip_contacts),
    ("PJSIPShowAors", "system", "Lists PJSIP AORs.", listings_lines.pjsip_aors),
    (
        "PJSIPShowMaintenance",
        "system,reporting",
        "Show maintenance mode status for PJSIP endpoints.",
        listings_lines.pjsip_maintenance,
    ),
    (
        "PJSIPShowRegistrationsOutbound",
        "system,reporting",
        "Lists PJSIP outbound registrations.",
        listings_lines.pjsip_registrations,
    ),
    ("SIPpeers", "system,reporting", "List SIP peers (text format).", listings_lines.sip_peers),
    (
        "SIPshowregistry",
        "system,reporting",
        "Show SIP registrations (text format).",
        listings_lines.sip_registry,
    ),
    ("IAXpeerlist", "system,reporting", "List IAX Peers.", listings_lines.iax_peers),
    ("IAXregistry", "system,reporting", "Show IAX registrations.", listings_lines.iax_registry),
    ("DAHDIShowChannels", "", "Show status of DAHDI channels.", listings_isdn.dahdi_channels),
    ("DAHDIShowStatus", "", "Show status of DAHDI spans.", listings_isdn.dahdi_status),
    ("PRIShowSpans", "", "Show status of PRI spans.", listings_isdn.pri_spans),
    ("DongleShowDevices", "system,reporting", "List Dongle devices", sticks.dongle_devices),
    ("DBGetTree", "system,reporting", "Get DB entries, optionally at a particular family/key", database.tree),
    ("Command", "command", "Execute Asterisk CLI Command.", singles.command),
)
_INERT = (
    ("BridgeDestroy", ""),
    ("DAHDIHangup", ""),
    ("QueueReset", ""),
    ("QueueReload", ""),
    ("QueueAdd", "agent"),
    ("QueuePause", "agent"),
    ("QueueRemove", "agent"),
    ("Hangup", "system,call"),
    ("Redirect", "call"),
    ("Setvar", "call"),
    ("Originate", "originate"),
    ("LoggerRotate", "system,reporting"),
    ("PJSIPUnregister", "system,reporting"),
    ("ShowDialPlan", "config,reporting"),
    ("DBGet", "system,reporting"),
    ("DBPut", "system"),
    ("GetConfig", "system,config"),
    ("ModuleLoad", "system"),
    ("Reload", "system,config"),
)


def _rights(text: str) -> frozenset[str]:
    return frozenset(text.split(",")) if text else frozenset()


# By lower-case name, as case does not matter in action names. The session answers Originate and the last five.
ACTIONS: Mapping[str, ActionRow] = MappingProxyType(
    {name.lower(): ActionRow(name, _rights(rights), synopsis, answer) for name, rights, synopsis, answer in _ANSWERED}
    | {name.lower(): ActionRow(name, _rights(rights), f"{name}.", _inert) for name, rights in _INERT}
    | {
        name.lower(): ActionRow(name, frozenset(), synopsis, _inert)
        for name, synopsis in (
            ("Events", "Control Event Flow."),
            ("ListCommands", "List available manager commands."),
            ("Logoff", "Logoff Manager."),
            ("Login", "Login Manager."),
            ("Challenge", "Generate Challenge for MD5 Auth."),
        )
    }
)
