"""Events received, by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from ami_exporter.ami.concluded import CONCLUDED
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Rule, counter

SELECTED: Final = (
    # calls
    *("Newchannel", "Newstate", "Hangup", "HangupRequest", "SoftHangupRequest", "DialBegin", "DialState", "DialEnd"),
    *("Hold", "Unhold", "Pickup", "BlindTransfer", "AttendedTransfer", "OriginateResponse", "DeviceStateChange"),
    *("ParkedCall", "ParkedCallTimeOut", "ParkedCallGiveUp", "UnParkedCall"),
    *("ConfbridgeStart", "ConfbridgeEnd", "ConfbridgeJoin", "ConfbridgeLeave", "MessageWaiting"),
    # queues
    *("QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "QueueMemberStatus", "QueueMemberPause"),
    *("AgentCalled", "AgentConnect", "AgentComplete", "AgentRingNoAnswer", "AgentDump", "AgentLogin", "AgentLogoff"),
    # system
    *("FullyBooted", "Shutdown", "Reload", "PeerStatus", "ContactStatus", "Registry"),
    *("Alarm", "AlarmClear", "SpanAlarm", "SpanAlarmClear"),
    # media
    *("RTCPSent", "RTCPReceived"),
    # security
    *("SuccessfulAuth", "ChallengeSent", "ChallengeResponseFailed", "InvalidAccountID", "InvalidPassword"),
    *("FailedACL", "UnexpectedAddress", "RequestNotAllowed", "RequestNotSupported", "RequestBadFormat"),
    *("AuthMethodNotAllowed", "InvalidTransport", "SessionLimit", "MemoryLimit", "LoadAverageLimit"),
)
"""The events that rules use and other frequent ones of the same classes, by their current names."""

_LABELS: Final = MappingProxyType({name.lower(): (name,) for name in SELECTED})

EVENTS = counter(
    "asterisk_events_total",
    "Manager events received on the event link, for a fixed list of names (AMI events: Event)",
    "event",
    closed=MappingProxyType({"event": SELECTED}),
)


def _name(message: Message, _context: Context) -> tuple[str, ...] | None:
    return _LABELS.get(message["event"].lower())


COLLECTOR = Collector(
    name="events",
    title="Events received, by name",
    metrics=(EVENTS,),
    rules=(Rule(EVENTS, None, SELECTED, _name, where=lambda message: CONCLUDED not in message),),
    passive=True,
)
