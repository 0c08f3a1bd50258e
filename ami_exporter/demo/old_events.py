"""Renders events as Asterisk 1.8 writes them, from those of Asterisk 22: one function per event. Stateless.

Names, headers and their order are those of Asterisk 1.8.32 (AMI 1.1); tests/captures/old has real captures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .blocks import UNKNOWN
from .wire import headers
from .world import CHANNEL_STATES, DOWN

Fields: TypeAlias = Mapping[str, str]
Raw: TypeAlias = Callable[[str], str]
"""Uniqueid of a channel → the one that the server uses for it now."""


@dataclass(frozen=True, slots=True)
class OldEvent:
    """One event: its name, its class and its body."""

    name: str
    privilege: str
    body: str


def fields_of(body: str) -> dict[str, str]:
    """The headers of a rendered body."""
    lines = (line.partition(": ") for line in body.split("\r\n") if line)
    return {name: value for name, _colon, value in lines}


def old_event(name: str, privilege: str, *pairs: tuple[str, object]) -> OldEvent:
    return OldEvent(name, privilege, headers(*pairs))


def parties(one: Fields, prefix: str = "") -> tuple[tuple[str, str], ...]:
    """The caller and connected line headers of most events."""
    names = ("CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName")
    return tuple((name, one.get(f"{prefix}{name}", UNKNOWN)) for name in names)


def newchannel(one: Fields, raw: Raw, state: int) -> OldEvent:
    return old_event(
        "Newchannel",
        "call",
        ("Channel", one["Channel"]),
        *(("ChannelState", state), ("ChannelStateDesc", CHANNEL_STATES[state])),
        *((name, "" if one[name] == UNKNOWN else one[name]) for name in ("CallerIDNum", "CallerIDName")),
        ("AccountCode", one["AccountCode"]),
        ("Exten", "" if state == DOWN and one["ChannelState"] == str(DOWN) else one["Exten"]),
        ("Context", one["Context"]),
        ("Uniqueid", raw(one["Uniqueid"])),
    )


def newstate(one: Fields, raw: Raw) -> OldEvent:
    state = ("ChannelState", one["ChannelState"]), ("ChannelStateDesc", one["ChannelStateDesc"])
    return old_event(
        "Newstate", "call", ("Channel", one["Channel"]), *state, *parties(one), ("Uniqueid", raw(one["Uniqueid"]))
    )


def hangup(one: Fields, raw: Raw, cause: str, name: str = "") -> OldEvent:
    """Hangup. name: the channel's current name, if it lost its place in a masquerade."""
    who = ("Channel", name or one["Channel"]), ("Uniqueid", raw(one["Uniqueid"]))
    text = one["Cause-txt"] if cause == one["Cause"] else {"0": "Unknown", "16": "Normal Clearing"}[cause]
    return old_event("Hangup", "call", *who, *parties(one), ("Cause", cause), ("Cause-txt", text))


def newexten(one: Fields, raw: Raw) -> OldEvent:
    names = ("Channel", "Context", "Extension", "Priority", "Application", "AppData")
    return old_event("Newexten", "dialplan", *((name, one[name]) for name in names), ("Uniqueid", raw(one["Uniqueid"])))


def dial_begin(one: Fields, raw: Raw) -> OldEvent:
    """Dial with SubEvent Begin, for one leg."""
    return old_event(
        "Dial",
        "call",
        *(("SubEvent", "Begin"), ("Channel", one["Channel"]), ("Destination", one["DestChannel"])),
        *parties(one),
        *(("UniqueID", raw(one["Uniqueid"])), ("DestUniqueID", raw(one["DestUniqueid"]))),
        ("Dialstring", one["DialString"]),
    )


def dial_end(name: str, uniqueid: str, status: str) -> OldEvent:
    """Dial with SubEvent End, when the application ends: it names only the caller."""
    who = ("Channel", name), ("UniqueID", uniqueid)
    return old_event("Dial", "call", ("SubEvent", "End"), *who, ("DialStatus", status))


def link(one: Fields, other: Fields, raw: Raw) -> OldEvent:
    """Bridge: two channels are connected."""
    return old_event("Bridge", "call", ("Bridgestate", "Link"), ("Bridgetype", "core"), *_pair(one, other, raw))


def unlink(one: Fields, other: Fields, raw: Raw) -> OldEvent:
    """Unlink: two channels are no longer connected."""
    return old_event("Unlink", "call", *_pair(one, other, raw))


def _pair(one: Fields, other: Fields, raw: Raw) -> tuple[tuple[str, str], ...]:
    return (
        *(("Channel1", one["Channel"]), ("Channel2", other["Channel"])),
        *(("Uniqueid1", raw(one["Uniqueid"])), ("Uniqueid2", raw(other["Uniqueid"]))),
        *(("CallerID1", one["CallerIDNum"]), ("CallerID2", other["CallerIDNum"])),
    )


def hold(one: Fields, raw: Raw, state: str) -> OldEvent:
    """Hold, which reports both the beginning and the end of a hold."""
    return old_event("Hold", "call", ("Status", state), ("Channel", one["Channel"]), ("Uniqueid", raw(one["Uniqueid"])))


def music(one: Fields, raw: Raw, state: str) -> OldEvent:
    sort = (("Class", "default"),) if state == "Start" else ()
    who = ("Channel", one["Channel"]), ("UniqueID", raw(one["Uniqueid"]))
    return old_event("MusicOnHold", "call", ("State", state), *who, *sort)


def join(one: Fields, raw: Raw) -> OldEvent:
    place = (("Queue", one["Queue"]), ("Position", one["Position"]), ("Count", one["Count"]))
    return old_event(
        "Join", "call", ("Channel", one["Channel"]), *parties(one), *place, ("Uniqueid", raw(one["Uniqueid"]))
    )


def leave(one: Fields, raw: Raw) -> OldEvent:
    place = (("Queue", one["Queue"]), ("Count", one["Count"]), ("Position", one["Position"]))
    return old_event("Leave", "call", ("Channel", one["Channel"]), *place, ("Uniqueid", raw(one["Uniqueid"])))


def abandon(one: Fields, raw: Raw) -> OldEvent:
    place = ((name, one[name]) for name in ("Position", "OriginalPosition", "HoldTime"))
    return old_event("QueueCallerAbandon", "agent", ("Queue", one["Queue"]), ("Uniqueid", raw(one["Uniqueid"])), *place)


def agent_called(one: Fields, raw: Raw) -> OldEvent:
    return old_event(
        "AgentCalled",
        "agent",
        *(("Queue", one["Queue"]), ("AgentCalled", one["Interface"]), ("AgentName", one["MemberName"])),
        *(("ChannelCalling", one["Channel"]), ("DestinationChannel", one["DestChannel"])),
        *parties(one),
        *(("Context", one["Context"]), ("Extension", one["Exten"]), ("Priority", one["Priority"])),
        ("Uniqueid", raw(one["Uniqueid"])),
    )


def agent_event(one: Fields, raw: Raw, name: str) -> OldEvent:
    """AgentConnect, AgentComplete and AgentRingNoAnswer."""
    channel = one["Channel"] if name == "AgentRingNoAnswer" else one["DestChannel"]
    who = ("Queue", one["Queue"]), ("Uniqueid", raw(one["Uniqueid"])), ("Channel", channel)
    member = ("Member", one["Interface"]), ("MemberName", one["MemberName"])
    times: tuple[tuple[str, str], ...]
    if name == "AgentConnect":
        bridged = ("BridgedChannel", raw(one["DestUniqueid"]))
        times = (("Holdtime", one["HoldTime"]), bridged, ("Ringtime", one["RingTime"]))
    elif name == "AgentComplete":
        times = tuple((key, one[key]) for key in ("HoldTime", "TalkTime", "Reason"))
    else:
        times = (("Ringtime", one["RingTime"]),)
    return old_event(name, "agent", *who, *member, *times)


def member_event(one: Fields, name: str) -> OldEvent:
    """The events about queue members."""
    who = ("Queue", one["Queue"]), ("Location", one["Interface"]), ("MemberName", one["MemberName"])
    if name == "QueueMemberRemoved":
        return old_event(name, "agent", *who)
    if name == "QueueMemberPause":
        reason = (("Reason", one["PausedReason"]),) if one["PausedReason"] else ()
        return old_event("QueueMemberPaused", "agent", *who, ("Paused", one["Paused"]), *reason)
    keys = ("Membership", "Penalty", "CallsTaken", "LastCall", "Status", "Paused")
    return old_event(name, "agent", *who, *((key, one[key]) for key in keys))


def parking(one: Fields, raw: Raw, name: str) -> OldEvent:
    """The events about parked calls."""
    who = ("Exten", one["ParkingSpace"]), ("Channel", one["ParkeeChannel"]), ("Parkinglot", one["Parkinglot"])
    uid = raw(one["ParkeeUniqueid"])
    if name in ("ParkedCallGiveUp", "ParkedCallTimeOut"):
        return old_event(name, "call", *who, *parties(one, "Parkee"), ("UniqueID", uid))
    source = one["ParkerDialString"] if name == "ParkedCall" else one["RetrieverChannel"]
    timeout = (("Timeout", one["ParkingTimeout"]),) if name == "ParkedCall" else ()
    return old_event(name, "call", *who, ("From", source), *timeout, *parties(one, "Parkee"), ("Uniqueid", uid))


def transfer(one: Fields, target: Fields, raw: Raw, kind: str, exten: str = "") -> OldEvent:
    """Transfer, sent if it succeeds. target: the transferred party, or the channel of the other call."""
    where = (("TransferExten", exten), ("TransferContext", "from-internal")) if exten else ()
    return old_event(
        "Transfer",
        "call",
        *(("TransferMethod", "SIP"), ("TransferType", kind), ("Channel", one["Channel"])),
        *(("Uniqueid", raw(one["Uniqueid"])), ("SIP-Callid", "demo@192.0.2.1")),
        *(("TargetChannel", target["Channel"]), ("TargetUniqueid", raw(target["Uniqueid"]))),
        *where,
    )


def masquerade(clone: str, original: str, clone_id: str, original_id: str) -> list[OldEvent]:
    """Masquerade and its renames: the clone takes the original's place, names change, Uniqueids stay."""
    names = ("Clone", clone), ("CloneState", "Up"), ("Original", original), ("OriginalState", "Up")
    steps = (
        (clone, f"{clone}<MASQ>", clone_id),
        (original, clone, original_id),
        (f"{clone}<MASQ>", f"{original}<ZOMBIE>", clone_id),
    )
    renames = [
        old_event("Rename", "call", ("Channel", was), ("Newname", now), ("Uniqueid", uid)) for was, now, uid in steps
    ]
    return [old_event("Masquerade", "call", *names), *renames]


def rtcp(one: Fields, name: str) -> OldEvent:
    """RTCPSent and RTCPReceived: they name addresses, not channels."""
    lost, jitter = one.get("Report0FractionLost", "0"), one.get("Report0IAJitter", "0")
    if name == "RTCPSent":
        return old_event(
            name,
            "reporting",
            *(("To", one["To"]), ("OurSSRC", int(one["SSRC"], 16)), ("SentNTP", one["SentNTP"])),
            *((key, one[key]) for key in ("SentRTP", "SentPackets", "SentOctets")),
            *(("ReportBlock", ""), ("FractionLost", lost)),
            *(("CumulativeLoss", one.get("Report0CumulativeLost", "0")), ("IAJitter", f"{int(jitter) / 8000:.4f}")),
            *(("TheirLastSR", "0"), ("DLSR", "0.0000 (sec)")),
        )
    return old_event(
        name,
        "reporting",
        *(("From", one["From"]), ("PT", "200(Sender Report)"), ("ReceptionReports", one["ReportCount"])),
        *(("SenderSSRC", int(one["SSRC"], 16)), ("FractionLost", lost)),
        *(("PacketsLost", one.get("Report0CumulativeLost", "0")), ("HighestSequence", "0")),
        *(("SequenceNumberCycles", "0"), ("IAJitter", jitter), ("LastSR", "0.0000000000"), ("DLSR", "0.0000(sec)")),
    )


def registry(one: Fields) -> list[OldEvent]:
    """Registry: chan_iax2 reports a refusal without Domain, chan_sip reports none (here: it tries again)."""
    tech, status = ("ChannelType", one["ChannelType"]), one["Status"]
    name, domain = ("Username", one["Username"]), ("Domain", one["Domain"])
    if status == "Registered":
        return [old_event("Registry", "system", tech, domain, ("Status", status))]
    if tech[1] != "IAX2":
        return [old_event("Registry", "system", tech, name, domain, ("Status", "Request Sent"))]
    refused = ("Status", status), ("Cause", "Registration Refused")
    return [old_event("Registry", "system", tech, name, *refused)] if status == "Rejected" else []


def peer_status(one: Fields) -> OldEvent:
    who = ((name, one[name]) for name in ("ChannelType", "Peer", "PeerStatus"))
    return old_event("PeerStatus", "system", *who, ("Time", one.get("Time", "-1")))


def extension_status(one: Fields) -> OldEvent:
    return old_event("ExtensionStatus", "call", *((name, one[name]) for name in ("Exten", "Context", "Hint", "Status")))


def agent_login(one: Fields, raw: Raw) -> OldEvent:
    who = ("Channel", one["Channel"]), ("Uniqueid", raw(one["Uniqueid"]))
    return old_event("Agentlogin", "agent", ("Agent", one["Agent"]), *who)


def agent_logoff(one: Fields, raw: Raw) -> OldEvent:
    return old_event(
        "Agentlogoff",
        "agent",
        *(("Agent", one["Agent"]), ("Logintime", one["Logintime"]), ("Uniqueid", raw(one["Uniqueid"]))),
    )
