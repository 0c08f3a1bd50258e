"""The allow-list of fields that may be labels of `custom:` metrics without a map.

A field is listed if Asterisk fills it with closed words, small numbers, or names of its own configuration files, in
every event and list item that has it (Asterisk 16 to 22). Fields that a caller, a phone or an agent can fill are not:
numbers, names of persons, channel names, ids, URIs, addresses, free text.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_WORDS: Final = """
    acl alarm alarms amaflags application attachmessage authenticatequalify autocomedia autoforcerport
    bridgesuspended bridgetechnology bridgetype bridgevideosourcemode callgroup canmarkurgent canreview cause cause-txt
    channelstate channelstatedesc channeltype chanobjecttype chantype class comedia contactstatus deletemessage
    destchannelstate destchannelstatedesc devicestate dialstatus direction disposition dnd dnsmanager
    dynamic dynamicmember encryption event eventname faxstatus forcerport incall isexternal language
    lastapplication line loadstatus locked marked markeduser membership module moh muted nativeformats
    objecttype operation paused peerstatus pickupgroup presencestatus pruneonboot qualify2xxonly readformat readtrans
    realtimedevice reloadstatus removeexisting removeunavailable restart result saycid sayenvelope
    securitynegotiation service severity shutdown signalling state status statustext strategy supportoutbound
    supportpath talkingstatus talkstatus technology textsupport trunk type videosupport waiting writeformat
    writetrans
"""
_NUMBERS: Final = """
    bridgepriority dahdichannel loggedin parkingspace parties penalty position priority ringinuse span weight
"""
_NAMES: Final = """
    aor bridgecreator conference context destcontext destinationcontext endpoint endpointname exitcontext musicclass
    parkeecontext parkinglot queue regserver transport userevent vmcontext
"""

SAFE: Final = frozenset(_WORDS.split()) | frozenset(_NUMBERS.split()) | frozenset(_NAMES.split())
"""Lower case."""

CHECKED: Final = frozenset({"device", "hint"})
"""Names of devices, mostly of phones and trunks as configured. A number or an address in one becomes `other`."""
CHECKED_EVENTS: Final = frozenset({"userevent"})
"""Events whose fields the dialplan fills with anything: a number or an address in a label becomes `other`."""

_SAFE_ON: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "parkinglot": frozenset({"name", "startspace", "stopspace"}),
        "endpointlist": frozenset({"objectname"}),
        "aorlist": frozenset({"objectname"}),
        "outboundregistrationdetail": frozenset({"objectname"}),
        "peerentry": frozenset({"objectname"}),
    }
)
"""Item or event (lower case) → fields that are configured names in it, and something else in others."""

PERSONAL_COLUMNS: Final = frozenset({"imei", "imsi", "number"})
"""Columns of console commands that hold a person's number or card. Other columns may be labels; a number or an address
in one becomes `other`."""

REFUSAL: Final = (
    "found a field that may hold a number, a person's name, an address or an id, expected one of the allow-list"
    " (docs/custom-metrics.md), a map that names the few texts you want to tell apart, or unsafe_labels: true"
)
_MISSPELT: Final = 0.85
"""How like (difflib ratio) a field must be to one of the allow-list; DestChannel is no misspelt DAHDIChannel."""
COLUMN_REFUSAL: Final = (
    "found a column that holds a person's number or card, expected another one, a map that names the few texts you"
    " want to tell apart, or unsafe_labels: true"
)


def refusal(field: str) -> str:
    """Say why a field (lower case) may not be a label; a misspelt one of the allow-list is told by its right name."""
    near = difflib.get_close_matches(field, SAFE | CHECKED, n=1, cutoff=_MISSPELT)
    return f'{REFUSAL}; did you mean "{near[0]}"?' if near else REFUSAL


def may_be_label(item: str | None, field: str) -> bool:
    """Whether a field (lower case) of this event or list item may be a label without a map."""
    return field in SAFE or field in CHECKED or (item is not None and field in _SAFE_ON.get(item.lower(), ()))


def may_be_column(field: str) -> bool:
    """Whether a field (lower case) of a console command's rows may be a label without a map."""
    return field not in PERSONAL_COLUMNS


def is_checked(event: str | None, field: str, *, of_command: bool = False) -> bool:
    """Whether each value of such a label is checked for numbers and addresses."""
    filled_by_dialplan = event is not None and event.lower() in CHECKED_EVENTS and field != "userevent"
    return of_command or field in CHECKED or filled_by_dialplan
