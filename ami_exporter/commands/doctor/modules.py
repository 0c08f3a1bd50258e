"""The Asterisk module that answers each action: the advice for a server that does not know the action."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_ACTIONS: Final = {
    "chan_sip (gone since Asterisk 21)": "SIPpeers SIPshowregistry",
    "chan_iax2": "IAXpeerlist IAXregistry",
    "chan_dahdi": "DAHDIShowChannels DAHDIShowStatus",
    "chan_dahdi with ISDN": "PRIShowSpans",
    "chan_dongle": "DongleShowDevices",
    "chan_quectel": "QuectelShowDevices",
    "res_pjsip": "PJSIPShowEndpoints",
    "res_pjsip of Asterisk 16 or later": "PJSIPShowContacts PJSIPShowAors",
    "res_pjsip_maintenance of Asterisk 20.20, 22.10, 23.4 or later": "PJSIPShowMaintenance",
    "res_pjsip_outbound_registration": "PJSIPShowRegistrationsOutbound",
    "res_manager_devicestate": "DeviceStateList",
    "app_queue": "QueueStatus",
    "app_agent_pool": "Agents",
    "app_confbridge": "ConfbridgeListRooms",
    "res_parking (in the core before Asterisk 12)": "Parkinglots ParkedCalls",
    "app_voicemail": "VoicemailUsersList",
    "res_fax": "FAXStats",
}

MODULE_OF: Final[Mapping[str, str]] = MappingProxyType(
    {action: module for module, actions in _ACTIONS.items() for action in actions.split()}
)
"""Action → the module that provides it; actions of the core are not included."""
