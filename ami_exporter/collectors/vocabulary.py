"""The words of all closed labels, and the tables that translate Asterisk's words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ami_exporter.ami.concluded import STAND_INS


def _table(**words: tuple[str, ...]) -> Mapping[str, str]:
    return MappingProxyType({theirs: ours for ours, all_theirs in words.items() for theirs in all_theirs})


OUTCOMES = ("answered", "busy", "no_answer", "cancelled", "congestion", "unavailable", "other")

DIAL_STATUS = _table(
    answered=("answer",),
    busy=("busy",),
    no_answer=("noanswer",),
    cancelled=("cancel",),
    congestion=("congestion",),
    unavailable=("chanunavail",),
)
"""DialEnd: DialStatus. DONTCALL, TORTURE, INVALIDARGS, ABORT, CONTINUE, GOTO:… are `other`."""

DEVICE_STATES = (
    "not_in_use",
    "in_use",
    "busy",
    "invalid",
    "unavailable",
    "ringing",
    "ring_in_use",
    "on_hold",
    "unknown",
)

DEVICE_STATE = _table(
    unknown=("0", "unknown"),
    not_in_use=("1", "not_inuse", "not in use"),
    in_use=("2", "inuse", "in use"),
    busy=("3", "busy"),
    invalid=("4", "invalid"),
    unavailable=("5", "unavailable"),
    ringing=("6", "ringing"),
    ring_in_use=("7", "ringinuse", "ring+inuse", "ring, in use", "ringing+inuse"),
    on_hold=("8", "onhold", "on hold"),
)
"""The number (QueueMember), token (DeviceStateChange) and human (EndpointList) form of a device's state."""

REACHABILITY = ("reachable", "lagged", "unreachable", "unmonitored", "unknown")

CHANNEL_STATES = (
    "down",
    "reserved",
    "off_hook",
    "dialing",
    "ring",
    "ringing",
    "up",
    "busy",
    "dialing_off_hook",
    "pre_ring",
)
CHANNEL_STATE = MappingProxyType({str(number): name for number, name in enumerate(CHANNEL_STATES)})
"""ChannelState: the number in the channel block."""
CHANNEL_STATE_WORD = MappingProxyType(
    {
        **{name: name for name in CHANNEL_STATES},
        "rsrvd": "reserved",
        "offhook": "off_hook",
        "dialing offhook": "dialing_off_hook",
        "pre-ring": "pre_ring",
    }
)
"""State: the word that Status has before Asterisk 12 for a channel without dialplan, in lower case."""

DIRECTIONS = ("inbound", "outbound")

INTERNAL = frozenset({"Announcer", "CBAnn", "CBRec", "Message", "Recorder", "Surrogate"}) | STAND_INS
"""Technologies of channels that Asterisk makes for itself: a conference's announcer and recorder, the bearer of text
messages, the stand-in of a masquerade. Lists and events hide them (AST_CHAN_TP_INTERNAL), except Status before 16.

Before Asterisk 12 such channels are only replaced by another channel."""

TELLS_HANGUP = frozenset({"IAX2", "Local", "PJSIP", "SIP"})
"""Technologies whose channels always raise HangupRequest when the far end hangs up. AudioSocket, analogue lines and SS7
do not."""

NULL = "(null)"
"""What C prints for a missing text: Application in Status for a channel without one, until Asterisk 23."""

CAUSES: Mapping[str, str] = MappingProxyType(
    {
        "0": "none",
        "1": "unallocated_number",
        "2": "no_route_transit_net",
        "3": "no_route_destination",
        "5": "misdialled_trunk_prefix",
        "6": "channel_unacceptable",
        "7": "call_awarded_delivered",
        "8": "pre_empted",
        "14": "number_ported_not_here",
        "16": "normal_clearing",
        "17": "user_busy",
        "18": "no_user_response",
        "19": "no_answer",
        "20": "subscriber_absent",
        "21": "call_rejected",
        "22": "number_changed",
        "23": "redirected_to_new_destination",
        "26": "answered_elsewhere",
        "27": "destination_out_of_order",
        "28": "invalid_number_format",
        "29": "facility_rejected",
        "30": "response_to_status_enquiry",
        "31": "normal_unspecified",
        "34": "normal_circuit_congestion",
        "38": "network_out_of_order",
        "41": "normal_temporary_failure",
        "42": "switch_congestion",
        "43": "access_info_discarded",
        "44": "requested_chan_unavail",
        "50": "facility_not_subscribed",
        "52": "outgoing_call_barred",
        "54": "incoming_call_barred",
        "57": "bearer_capability_not_authorized",
        "58": "bearer_capability_not_available",
        "65": "bearer_capability_not_implemented",
        "66": "channel_not_implemented",
        "69": "facility_not_implemented",
        "81": "invalid_call_reference",
        "88": "incompatible_destination",
        "95": "invalid_message_unspecified",
        "96": "mandatory_information_missing",
        "97": "message_type_nonexistent",
        "98": "wrong_message",
        "99": "information_element_nonexistent",
        "100": "invalid_information_element_contents",
        "101": "wrong_call_state",
        "102": "recovery_on_timer_expire",
        "103": "mandatory_information_length_error",
        "111": "protocol_error",
        "127": "interworking",
    }
)
"""Hangup: Cause → Q.850 name (Asterisk's include/asterisk/causes.h)."""

COMMON_CAUSES = (
    "none",
    "normal_clearing",
    "user_busy",
    "no_user_response",
    "no_answer",
    "subscriber_absent",
    "call_rejected",
    "answered_elsewhere",
    "destination_out_of_order",
    "unallocated_number",
    "no_route_destination",
    "invalid_number_format",
    "normal_circuit_congestion",
    "network_out_of_order",
    "normal_temporary_failure",
    "recovery_on_timer_expire",
    "interworking",
    "other",
)
"""Causes that exist at 0 beforehand; all fifty for every trunk and direction would fill the series cap with zeros."""
