"""Lists that several subjects read: their actions, and the meaning of words in their items."""

from __future__ import annotations

import re

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Context
from ami_exporter.collectors.fields import WHOLE_DIGITS, to_number, to_whole

STATUS = Action("Status")
CORE_SHOW_CHANNELS = Action("CoreShowChannels")
CHANNEL_LISTS = frozenset({STATUS, CORE_SHOW_CHANNELS})

CONTACTS = Action("PJSIPShowContacts")
INBOUND_CONTACTS = Action("PJSIPShowRegistrationInboundContactStatuses")
"""Contacts of Asterisk 13 to 15, which have no PJSIPShowContacts."""
CONTACT_LISTS = frozenset({CONTACTS, INBOUND_CONTACTS})
AORS = Action("PJSIPShowAors")

MAINTENANCE = Action("PJSIPShowMaintenance")
"""PJSIP endpoints that refuse calls, from Asterisk 20.20, 22.10, 23.4 on; it lists no others."""
PJSIP_ENDPOINTS = Action("PJSIPShowEndpoints")
DEVICES = Action("DeviceStateList")
SIP_PEERS = Action("SIPpeers")
IAX_PEERS = Action("IAXpeerlist")
PEER_LISTS = {"SIP": SIP_PEERS, "IAX2": IAX_PEERS}

QUEUE_STATUS = Action("QueueStatus")
QUEUE_PARAMS = ("QueueParams",)
QUEUE_MEMBER = ("QueueMember",)
QUEUE_ENTRY = ("QueueEntry",)

PJSIP_REGISTRATIONS = Action("PJSIPShowRegistrationsOutbound")
SIP_REGISTRATIONS = Action("SIPshowregistry")
IAX_REGISTRATIONS = Action("IAXregistry")

REGISTRATION_STATE = {
    "registered": "registered",
    "unregistered": "unregistered",
    "stopping": "unregistered",
    "stopped": "unregistered",
    "rejected": "rejected",
    "no authentication": "rejected",
    "request sent": "pending",
    "auth. sent": "pending",
    "timeout": "timeout",
    "failed": "failed",
}
"""Whole words, since "Unregistered" contains "registered" (chan_sip.c, chan_iax2.c: regstate2str;
res_pjsip_outbound_registration.c: sip_outbound_registration_status_str). Failed: chan_sip has given up."""

DEVICE_REACHABILITY = {"unavailable": "unreachable", "invalid": "unknown", "unknown": "unknown"}
"""Device state → reachability of a PJSIP endpoint; others mean `reachable`, or `unmonitored` without qualify."""

_PEER_TECHNOLOGY = {"sip": "SIP", "iax": "IAX2", "iax2": "IAX2"}
_PEER_STATE = {
    "ok": "reachable",
    "lagged": "lagged",
    "unreachable": "unreachable",
    "unmonitored": "unmonitored",
}
_CLOCK = re.compile(r"([0-9]{2,9}):([0-9]{2}):([0-9]{2})")
_PEER_STATUS = re.compile(r"([A-Za-z]+)(?: \((\d+) ms\))?", re.ASCII)


def channel_age(message: Message) -> int | None:
    """Seconds since a channel was created: Seconds of Status, Duration of CoreShowChannels."""
    seconds = message.get("seconds")
    if seconds is None:
        return clock_seconds(message.get("duration", ""))
    # Spelled out: this runs for every channel of every poll.
    return int(seconds) if seconds.isdecimal() and len(seconds) <= WHOLE_DIGITS else None


def tells_application(message: Message) -> bool:
    """Whether a channel's item says which application it runs, and with it its age: Status does from Asterisk 12 on.

    Before, Status gives the age only of channels with a dialplan, and not which of them are parked or wait for calls.
    """
    return "application" in message


def clock_seconds(written: str) -> int | None:
    """Return the seconds of HH:MM:SS, whose hours may have more than two digits; None for anything else."""
    found = _CLOCK.fullmatch(written)
    return None if found is None else int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])


def is_registered(written: str) -> bool:
    """Whether a registration's state means registered: exactly one word does."""
    return written.strip().lower() == "registered"


def registration_account(message: Message, _context: Context) -> str | None:
    """Return the name of a chan_sip or IAX2 registration, made of username@host."""
    username, host = message.get("username"), message.get("host")
    return f"{username}@{host}" if username and host else None


def peer_technology(message: Message) -> str | None:
    """Technology of a PeerEntry as channel names have it (IAXpeerlist writes IAX)."""
    return _PEER_TECHNOLOGY.get(message.get("channeltype", "").strip().lower())


def peer_status(written: str) -> tuple[str, float | None]:
    """Reachability and round trip in seconds of a chan_sip or IAX2 peer's Status, as in "OK (12 ms)".

    UNKNOWN is a peer with qualify but without an address: not registered.
    """
    found = _PEER_STATUS.fullmatch(written.strip())
    if found is None:
        return "unknown", None
    milliseconds = to_whole(found[2])
    state = _PEER_STATE.get(found[1].lower(), "unknown")
    return state, None if milliseconds is None else milliseconds / 1000


def names(written: str | None) -> list[str]:
    """Return the names of a comma-separated list, such as Aor of EndpointList."""
    return [name for name in (written or "").split(",") if name]


def qualified(message: Message) -> bool:
    """Whether Asterisk qualifies a contact, or the contacts of an AorList item."""
    return (to_number(message.get("qualifyfrequency")) or 0) > 0


def contact_status(message: Message) -> str:
    """Status of a ContactList or ContactStatusDetail in lower case, as Asterisk 16 and later have it.

    13 to 15 write Created or Unknown for a contact without qualify.
    """
    written = message.get("status", "").strip().lower()
    never_asked = written == "created" or (written == "unknown" and to_number(message.get("qualifyfrequency")) == 0)
    return "nonqualified" if never_asked else written


def in_maintenance(message: Message) -> str | None:
    """Endpoint of a PJSIPMaintenanceStatus that is in maintenance mode, else None."""
    return message.get("endpoint") or None if message.get("status", "").strip().lower() == "enabled" else None
