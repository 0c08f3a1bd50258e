"""Events as Asterisk 1.8 writes them, from what Asterisk 22 writes: one renderer an event. Stateless.

Names, headers and their order are those of Asterisk 1.8.32 (AMI 1.1); tests/captures/old has its own words.
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
"""Uniqueid of a channel → the one under which the server writes of it now."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event: its name, its class and its body."""

    name: str
    privilege: str
    body: str


def fields_of(body: str) -> dict[str, str]:
    """The headers of a rendered body."""
    lines = (line.partition(": ") for line in body.split("\r\n") if line)
    return {name: value for name, _colon, value in lines}


def told(name: str, privilege: str, *pairs: tuple[str, object]) -> Told:
    """An event of these headers."""
    return Told(name, privilege, headers(*pairs))


def parties(one: Fields, prefix: str = "") -> tuple[tuple[str, str], ...]:
    """Caller and connected line, as most events have them."""
    names = ("CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName")
    return tuple((name, one.get(f"{prefix}{name}", UNKNOWN)) for name in names)


def newchannel(one: Fields, raw: Raw, state: int) -> Told:
    """Newchannel."""
    return told(
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


def newstate(one: Fields, raw: Raw) -> Told:
    """Newstate."""
    state = ("ChannelState", one["ChannelState"]), ("ChannelStateDesc", one["ChannelStateDesc"])
    return told(
        "Newstate", "call", ("Channel", one["Channel"]), *state, *parties(one), ("Uniqueid", raw(one["Uniqueid"]))
    )


def hangup(one: Fields, raw: Raw, cause: str, name: str = "") -> Told:
    """Hangup; name: of the channel, where it is another's by now."""
    who = ("Channel", name or one["Channel"]), ("Uniqueid", raw(one["Uniqueid"]))
    text = one["Cause-txt"] if cause == one["Cause"] else {"0": "Unknown", "16": "Normal Clearing"}[cause]
    return told("Hangup", "call", *who, *parties(one), ("Cause", cause), ("Cause-txt", text))


def newexten(one: Fields, raw: Raw) -> Told:
    """Newexten."""
    names = ("Channel", "Context", "Extension", "Priority", "Application", "AppData")
    return told("Newexten", "dialplan", *((name, one[name]) for name in names), ("Uniqueid", raw(one["Uniqueid"])))


def dial_begin(one: Fields, raw: Raw) -> Told:
    """Dial, for a leg that begins."""
    return told(
        "Dial",
        "call",
        *(("SubEvent", "Begin"), ("Channel", one["Channel"]), ("Destination", one["DestChannel"])),
        *parties(one),
        *(("UniqueID", raw(one["Uniqueid"])), ("DestUniqueID", raw(one["DestUniqueid"]))),
        ("Dialstring", one["DialString"]),
    )


def dial_end(name: str, uniqueid: str, status: str) -> Told:
    """Dial, when the application ends: of the caller alone."""
    who = ("Channel", name), ("UniqueID", uniqueid)
    return told("Dial", "call", ("SubEvent", "End"), *who, ("DialStatus", status))


def link(one: Fields, other: Fields, raw: Raw) -> Told:
    """Bridge: two channels hear each other."""
    return told("Bridge", "call", ("Bridgestate", "Link"), ("Bridgetype", "core"), *_pair(one, other, raw))


def unlink(one: Fields, other: Fields, raw: Raw) -> Told:
    """Unlink: they do no more."""
    return told("Unlink", "call", *_pair(one, other, raw))


def _pair(one: Fields, other: Fields, raw: Raw) -> tuple[tuple[str, str], ...]:
    return (
        *(("Channel1", one["Channel"]), ("Channel2", other["Channel"])),
        *(("Uniqueid1", raw(one["Uniqueid"])), ("Uniqueid2", raw(other["Uniqueid"]))),
        *(("CallerID1", one["CallerIDNum"]), ("CallerID2", other["CallerIDNum"])),
    )


def hold(one: Fields, raw: Raw, state: str) -> Told:
    """Hold, with the beginning and the end of it in one event."""
    return told("Hold", "call", ("Status", state), ("Channel", one["Channel"]), ("Uniqueid", raw(one["Uniqueid"])))


def music(one: Fields, raw: Raw, state: str) -> Told:
    """MusicOnHold."""
    sort = (("Class", "default"),) if state == "Start" else ()
    who = ("Channel", one["Channel"]), ("UniqueID", raw(one["Uniqueid"]))
    return told("MusicOnHold", "call", ("State", state), *who, *sort)


def join(one: Fields, raw: Raw) -> Told:
    """Join."""
    place = (("Queue", one["Queue"]), ("Position", one["Position"]), ("Count", one["Count"]))
    return told("Join", "call", ("Channel", one["Channel"]), *parties(one), *place, ("Uniqueid", raw(one["Uniqueid"])))


def leave(one: Fields, raw: Raw) -> Told:
    """Leave."""
    place = (("Queue", one["Queue"]), ("Count", one["Count"]), ("Position", one["Position"]))
    return told("Leave", "call", ("Channel", one["Channel"]), *place, ("Uniqueid", raw(one["Uniqueid"])))


def abandon(one: Fields, raw: Raw) -> Told:
    """QueueCallerAbandon."""
    place = ((name, one[name]) for name in ("Position", "OriginalPosition", "HoldTime"))
    return told("QueueCallerAbandon", "agent", ("Queue", one["Queue"]), ("Uniqueid", raw(one["Uniqueid"])), *place)


def agent_called(one: Fields, raw: Raw) -> Told:
    """AgentCalled."""
    return told(
        "AgentCalled",
        "agent",
        *(("Queue", one["Queue"]), ("AgentCalled", one["Interface"]), ("AgentName", one["MemberName"])),
        *(("ChannelCalling", one["Channel"]), ("DestinationChannel", one["DestChannel"])),
        *parties(one),
        *(("Context", one["Context"]), ("Extension", one["Exten"]), ("Priority", one["Priority"])),
        ("Uniqueid", raw(one["Uniqueid"])),
    )


def agent_event(one: Fields, raw: Raw, name: str) -> Told:
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
    return told(name, "agent", *who, *member, *times)


def member_event(one: Fields, name: str) -> Told:
    """What happens to members of queues."""
    who = ("Queue", one["Queue"]), ("Location", one["Interface"]), ("MemberName", one["MemberName"])
    if name == "QueueMemberRemoved":
        return told(name, "agent", *who)
    if name == "QueueMemberPause":
        reason = (("Reason", one["PausedReason"]),) if one["PausedReason"] else ()
        return told("QueueMemberPaused", "agent", *who, ("Paused", one["Paused"]), *reason)
    keys = ("Membership", "Penalty", "CallsTaken", "LastCall", "Status", "Paused")
    return told(name, "agent", *who, *((key, one[key]) for key in keys))


def parking(one: Fields, raw: Raw, name: str) -> Told:
    """What happens to parked calls."""
    who = ("Exten", one["ParkingSpace"]), ("Channel", one["ParkeeChannel"]), ("Parkinglot", one["Parkinglot"])
    uid = raw(one["ParkeeUniqueid"])
    if name in ("ParkedCallGiveUp", "ParkedCallTimeOut"):
        return told(name, "call", *who, *parties(one, "Parkee"), ("UniqueID", uid))
    source = one["ParkerDialString"] if name == "ParkedCall" else one["RetrieverChannel"]
    timeout = (("Timeout", one["ParkingTimeout"]),) if name == "ParkedCall" else ()
    return told(name, "call", *who, ("From", source), *timeout, *parties(one, "Parkee"), ("Uniqueid", uid))


def transfer(one: Fields, target: Fields, raw: Raw, kind: str, exten: str = "") -> Told:
    """Transfer, of a channel that succeeded with it; target: who is transferred, or the other call's channel."""
    where = (("TransferExten", exten), ("TransferContext", "from-internal")) if exten else ()
    return told(
        "Transfer",
        "call",
        *(("TransferMethod", "SIP"), ("TransferType", kind), ("Channel", one["Channel"])),
        *(("Uniqueid", raw(one["Uniqueid"])), ("SIP-Callid", "demo@192.0.2.1")),
        *(("TargetChannel", target["Channel"]), ("TargetUniqueid", raw(target["Uniqueid"]))),
        *where,
    )


def masquerade(clone: str, original: str, clone_id: str, original_id: str) -> list[Told]:
    """The clone takes the original's place: names change, Uniqueids stay."""
    names = ("Clone", clone), ("CloneState", "Up"), ("Original", original), ("OriginalState", "Up")
    steps = (
        (clone, f"{clone}<MASQ>", clone_id),
        (original, clone, original_id),
        (f"{clone}<MASQ>", f"{original}<ZOMBIE>", clone_id),
    )
    renames = [told("Rename", "call", ("Channel", was), ("Newname", now), ("Uniqueid", uid)) for was, now, uid in steps]
    return [told("Masquerade", "call", *names), *renames]


def rtcp(one: Fields, name: str) -> Told:
    """RTCPSent and RTCPReceived: of addresses, not of channels."""
    lost, jitter = one.get("Report0FractionLost", "0"), one.get("Report0IAJitter", "0")
    if name == "RTCPSent":
        return told(
            name,
            "reporting",
            *(("To", one["To"]), ("OurSSRC", int(one["SSRC"], 16)), ("SentNTP", one["SentNTP"])),
            *((key, one[key]) for key in ("SentRTP", "SentPackets", "SentOctets")),
            *(("ReportBlock", ""), ("FractionLost", lost)),
            *(("CumulativeLoss", one.get("Report0CumulativeLost", "0")), ("IAJitter", f"{int(jitter) / 8000:.4f}")),
            *(("TheirLastSR", "0"), ("DLSR", "0.0000 (sec)")),
        )
    return told(
        name,
        "reporting",
        *(("From", one["From"]), ("PT", "200(Sender Report)"), ("ReceptionReports", one["ReportCount"])),
        *(("SenderSSRC", int(one["SSRC"], 16)), ("FractionLost", lost)),
        *(("PacketsLost", one.get("Report0CumulativeLost", "0")), ("HighestSequence", "0")),
        *(("SequenceNumberCycles", "0"), ("IAJitter", jitter), ("LastSR", "0.0000000000"), ("DLSR", "0.0000(sec)")),
    )


def registry(one: Fields) -> list[Told]:
    """Registry: chan_iax2 tells of a refusal without Domain, and chan_sip of none at all (here: it tries again)."""
    tech, status = ("ChannelType", one["ChannelType"]), one["Status"]
    name, domain = ("Username", one["Username"]), ("Domain", one["Domain"])
    if status == "Registered":
        return [told("Registry", "system", tech, domain, ("Status", status))]
    if tech[1] != "IAX2":
        return [told("Registry", "system", tech, name, domain, ("Status", "Request Sent"))]
    refused = ("Status", status), ("Cause", "Registration Refused")
    return [told("Registry", "system", tech, name, *refused)] if status == "Rejected" else []


def peer_status(one: Fields) -> Told:
    """PeerStatus."""
    who = ((name, one[name]) for name in ("ChannelType", "Peer", "PeerStatus"))
    return told("PeerStatus", "system", *who, ("Time", one.get("Time", "-1")))


def extension_status(one: Fields) -> Told:
    """ExtensionStatus."""
    return told("ExtensionStatus", "call", *((name, one[name]) for name in ("Exten", "Context", "Hint", "Status")))


def agent_login(one: Fields, raw: Raw) -> Told:
    """Agentlogin."""
    who = ("Channel", one["Channel"]), ("Uniqueid", raw(one["Uniqueid"]))
    return told("Agentlogin", "agent", ("Agent", one["Agent"]), *who)


def agent_logoff(one: Fields, raw: Raw) -> Told:
    """Agentlogoff."""
    return told(
        "Agentlogoff",
        "agent",
        *(("Agent", one["Agent"]), ("Logintime", one["Logintime"]), ("Uniqueid", raw(one["Uniqueid"]))),
    )
