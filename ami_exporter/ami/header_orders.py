"""The headers of events and list items, in Asterisk's order.

From the source (main/manager_channels.c, manager_bridges.c, security_events.c, apps/app_queue.c and the others) and
from transcripts of 1.8, 11, 13, 16 and 22. A kind whose order changed has several lines. `?`: not always present, or
not in every version. `~`: the value may hold text from outside, line ends included; all other values are numbers,
closed words and what an administrator has configured.

Other kinds, and versions with another order, are accepted unchecked. `Contacts`, `Variable` and `ChanVariable(…)`,
which are repeated, have no place: they may stand anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from ami_exporter.ami.genuine import Order, Place

#: `*` and `PREFIX*`: a channel, from Asterisk 12 on (manager_channels.c).
_CHANNEL = (
    "Channel~ ChannelState ChannelStateDesc CallerIDNum~ CallerIDName~ ConnectedLineNum~ ConnectedLineName~"
    " Language~ AccountCode~ Context~ Exten~ Priority Uniqueid Linkedid Tenantid?~"
)
#: `+` and `PREFIX+`: a bridge (manager_bridges.c).
_BRIDGE = (
    "BridgeUniqueid BridgeType BridgeTechnology BridgeCreator BridgeName~ BridgeNumChannels BridgeVideoSourceMode?"
)
#: Headers before those of each kind: the class, and what manager.conf and asterisk.conf may add.
_BEFORE = "Event Privilege? Timestamp? SequenceNumber? File? Line? Func? SystemName? ActionID?"
_AFTER = "ActionID?"

_LEGACY_CALLER = "CallerIDNum~ CallerIDName~ ConnectedLineNum~ ConnectedLineName~"
_MEMBER = (
    "Queue MemberName~ Interface~ StateInterface?~ Membership Penalty CallsTaken LastCall LastPause? LoginTime? InCall?"
    " Status Paused PausedReason?~ Ringinuse Wrapuptime?"
)
_LEGACY_MEMBER = (
    "Queue Location~ MemberName~ StateInterface?~ Membership Penalty CallsTaken LastCall InCall? Status Paused"
)
_SECURITY = "EventTV Severity Service EventVersion AccountID?~ SessionID~ LocalAddress RemoteAddress"
_REPORT = (
    "Report0SourceSSRC? Report0FractionLost? Report0CumulativeLost? Report0HighestSequence?"
    " Report0SequenceNumberCycles? Report0IAJitter? Report0LSR? Report0DLSR?"
)
_RTCP = f"To From RTT? MES? SSRC PT ReportCount SentNTP? SentRTP? SentPackets? SentOctets? {_REPORT}"
_PARKED = "ParkerDialString~ Parkinglot ParkingSpace ParkingTimeout ParkingDuration"
_LEGACY_PARKED = f"Parkinglot From?~ Timeout? Duration? {_LEGACY_CALLER}"

_TABLE = f"""
Newchannel: *
Newstate: *
Hangup: * Cause Cause-txt TechCause?
HangupRequest: * Cause? TechCause?
SoftHangupRequest: * Cause TechCause?
NewConnectedLine: *
NewCallerid: * CID-CallingPres
NewAccountCode: * OldAccountCode~
Newexten: * Extension~ Application AppData~
VarSet: * Variable~ Value~
VarSet: Channel Uniqueid Variable~ Value~
Hold: * MusicClass?
Unhold: *
MusicOnHoldStart: * Class
MixMonitorStart: *
MixMonitorStop: *
MusicOnHoldStop: *
DTMFBegin: * Digit Direction
DTMFEnd: * Digit DurationMs Direction
DialBegin: * Dest* DialString~
DialBegin: Dest* DialString~
DialState: * Dest* DialStatus Forward?~
DialState: Dest* DialStatus Forward?~
DialEnd: * Dest* DialStatus Forward?~
DialEnd: Dest* DialStatus Forward?~
BridgeCreate: +
BridgeDestroy: +
BridgeMerge: To+ From+
BridgeEnter: + * SwapUniqueid?
BridgeLeave: + *
Pickup: * Target*
LocalBridge: LocalOne* LocalTwo* Context~ Exten~ LocalOptimization
LocalOptimizationBegin: LocalOne* LocalTwo* Source* DestUniqueId Id
LocalOptimizationEnd: LocalOne* LocalTwo* Success Id
BlindTransfer: Result Transferer* Transferee* + IsExternal Context~ Extension~
BlindTransfer: Result Transferer* + IsExternal Context~ Extension~
BlindTransfer: Result Transferer* Transferee* IsExternal Context~ Extension~
AttendedTransfer: Result OrigTransferer* Orig+? SecondTransferer* Second+? Transferee*? TransferTarget*? IsExternal
 DestType DestBridgeUniqueid? DestApp? DestTransfererChannel?~ LocalOne*? LocalTwo*?
ParkedCall: Parkee* {_PARKED}
ParkedCallGiveUp: Parkee* {_PARKED}
ParkedCallTimeOut: Parkee* {_PARKED}
UnParkedCall: Parkee* Retriever* {_PARKED}
QueueCallerJoin: * Queue Position Count
QueueCallerLeave: * Queue Position Count
QueueCallerAbandon: * Queue Position OriginalPosition HoldTime
AgentCalled: * Dest* Queue Interface~ MemberName~
AgentConnect: * Dest* Queue Interface~ MemberName~ HoldTime RingTime
AgentComplete: * Dest* Queue Interface~ MemberName~ HoldTime TalkTime Reason
AgentComplete: * Queue Interface~ MemberName~ HoldTime TalkTime Reason
AgentComplete: Queue Interface~ MemberName~ HoldTime TalkTime Reason
AgentRingNoAnswer: * Dest* Queue Interface~ MemberName~ RingTime
AgentDump: * Dest* Queue Interface~ MemberName~
AgentLogin: * Agent
AgentLogoff: * Agent Logintime
QueueMemberAdded: {_MEMBER}
QueueMemberRemoved: {_MEMBER}
QueueMemberStatus: {_MEMBER}
QueueMemberPenalty: {_MEMBER}
QueueMemberRinginuse: {_MEMBER}
QueueMemberPause: {_MEMBER} Reason?~
ConfbridgeStart: Conference~ +
ConfbridgeEnd: Conference~ +
ConfbridgeJoin: Conference~ + * Admin Muted?
ConfbridgeLeave: Conference~ + * Admin Muted?
OriginateResponse: Response Channel~ Context~ Exten~ Reason Uniqueid CallerIDNum~ CallerIDName~
OriginateResponse: Response Channel~ Application Data~ Reason Uniqueid CallerIDNum~ CallerIDName~
RTCPSent: * {_RTCP}
RTCPSent: {_RTCP}
RTCPReceived: * {_RTCP}
RTCPReceived: {_RTCP}
MessageWaiting: Mailbox~ Waiting New? Old? *
MessageWaiting: * Mailbox~ Waiting New? Old?
MessageWaiting: Mailbox~ Waiting New? Old?
Cdr: AccountCode~ Source~ Destination~ DestinationContext~ CallerID~ Channel~ DestinationChannel~ LastApplication
 LastData~ StartTime AnswerTime EndTime Duration BillableSeconds Disposition AMAFlags UniqueID UserField~
Shutdown: Shutdown Restart
FullyBooted: Uptime? LastReload? Status
FullyBooted: Status Uptime? LastReload?
Reload: Module? Status? Message?
Load: Module Status
Unload: Module Status
PeerStatus: ChannelType Peer~ PeerStatus Cause?~ Address?~ Port? Time?
PeerStatus: ChannelType Peer~ PeerStatus Time? Address?~ Port? Cause?~
PeerStatus: ChannelType Peer~ PeerStatus Address?~ Port? Cause?~ Time?
ContactStatus: URI~ ContactStatus AOR EndpointName RoundtripUsec?
Registry: ChannelType Username?~ Domain?~ Status Cause?~
InvalidAccountID: {_SECURITY} Module? SessionTV?
InvalidPassword: {_SECURITY} Challenge?~ ReceivedChallenge?~ ReceivedHash?~ Module? SessionTV?
ChallengeResponseFailed: {_SECURITY} Challenge?~ Response?~ ExpectedResponse?~ Module? SessionTV?
ChallengeSent: {_SECURITY} Challenge?~ Module? SessionTV?
SuccessfulAuth: {_SECURITY} UsingPassword Module? SessionTV?
RequestNotAllowed: {_SECURITY} RequestType?~ RequestParams?~ Module? SessionTV?
RequestBadFormat: {_SECURITY} RequestType?~ RequestParams?~ Module? SessionTV?
RequestBadFormat: {_SECURITY} RequestType?~ Module? SessionTV? AccountID~
UserEvent: * UserEvent~
UserEvent: UserEvent~
FailedACL: {_SECURITY} Module? SessionTV? ACLName?
UnexpectedAddress: {_SECURITY} ExpectedAddress Module? SessionTV?

Status: Channel~ ChannelState ChannelStateDesc {_LEGACY_CALLER} Language? Accountcode~ Context~ Exten~ Priority Uniqueid
 Linkedid Tenantid?~ Type DNID?~ EffectiveConnectedLineNum~ EffectiveConnectedLineName~ TimeToHangup BridgeID?
 Application Data~ Nativeformats Readformat Readtrans Writeformat Writetrans Callgroup Pickupgroup Seconds
CoreShowChannel: * Application ApplicationData~ Duration BridgeId
QueueParams: Queue Max Strategy Calls Holdtime TalkTime Completed Abandoned ServiceLevel ServicelevelPerf
 ServicelevelPerf2? Weight
QueueMember: Queue Name~ Location~ StateInterface?~ Membership Penalty CallsTaken LastCall LastPause? LoginTime?
 InCall? IsInCall? Status Paused PausedReason?~ Wrapuptime?
QueueEntry: Queue Position Channel~ Uniqueid {_LEGACY_CALLER} Wait Priority?
QueueSummary: Queue LoggedIn Available Callers HoldTime TalkTime LongestHoldTime
Agents: Agent~ Name~ Status
Agents: Agent~ Name~ Status TalkingToChan?~ CallStarted? LoggedInTime *
BridgeListItem: +
BridgeTechnologyListItem: BridgeTechnology BridgeType BridgePriority BridgeSuspended
ConfbridgeListRooms: Conference~ Parties Marked Locked Muted?
DeviceStateChange: Device~ State
ExtensionStatus: Exten~ Context Hint~ Status StatusText?
PresenceStateChange: Presentity~ Status Subtype~ Message~
Parkinglot: Name~ StartSpace StopSpace Timeout
FAXStats: CurrentSessions ReservedSessions TransmitAttempts ReceiveAttempts CompletedFAXes FailedFAXes
FAXSessionsEntry: Channel~ Technology SessionNumber SessionType Operation State Files~
PeerEntry: Channeltype ObjectName~ ObjectUsername?~ ChanObjectType IPaddress Mask? IPport? Port? Dynamic AutoForcerport?
 Forcerport? AutoComedia? Comedia? VideoSupport? TextSupport? ACL? Trunk? Encryption? Status RealtimeDevice?
 Description?~ Accountcode?~
RegistryEntry: Host DNSmanager Username~ Perceived Refresh State
RegistryEntry: Host Port Username~ Domain~ DomainPort Refresh State RegistrationTime
EndpointList: ObjectType ObjectName Transport Aor Auths OutboundAuths DeviceState ActiveChannels
AorList: ObjectType ObjectName MinimumExpiration DefaultExpiration QualifyTimeout Qualify2xxOnly? Mailboxes SupportPath
 RemoveUnavailable? VoicemailExtension MaxContacts AuthenticateQualify MaximumExpiration QualifyFrequency RemoveExisting
 OutboundProxy
OutboundRegistrationDetail: ObjectType ObjectName MaxRetries ClientUri SecurityNegotiation? AuthRejectionPermanent
 ServerUri MaxRandomInitialDelay? SupportPath RetryInterval ContactHeaderParams? Expiration Transport Line ContactUser
 Endpoint UserAgent? ForbiddenRetryInterval OutboundAuth OutboundProxy FatalRetryInterval SupportOutbound? Status
 NextReg
VoicemailUserEntry: VMContext VoiceMailbox Fullname Email Pager ServerEmail FromString? MailCommand Language TimeZone
 Callback Dialout UniqueID ExitContext SayDurationMinimum SayEnvelope SayCID AttachMessage AttachmentFormat
 DeleteMessage VolumeGain CanReview CanMarkUrgent? CallOperator MaxMessageCount MaxMessageLength NewMessageCount
 OldMessageCount? IMAPUser?
DAHDIShowChannels: DAHDIChannel Channel?~ Uniqueid? AccountCode?~ Signalling SignallingCode Context~ DND Alarm
 Description
DAHDIShowStatus: Span Description Alarms IRQ bpviol CRC Framing Coding Options LBO
PRIShowSpans: Span DChannel Order Active Alarm Up
PJSIPMaintenanceStatus: Endpoint Status
MWIGet: Mailbox~ OldMessages NewMessages
DBGetTreeResponse: Key~ Val~
ContactList: ObjectType ObjectName ViaAddr~ QualifyTimeout Qualify2xxOnly? CallId~ RegServer PruneOnBoot Path~ Endpoint
 ViaPort AuthenticateQualify Uri~ QualifyFrequency UserAgent~ ExpirationTime OutboundProxy~ Status RoundtripUsec
ContactStatusDetail: AOR URI~ UserAgent~ RegExpire ViaAddress~ CallID~ Status RoundtripUsec EndpointName ID~
 AuthenticateQualify OutboundProxy~ Path~ QualifyFrequency QualifyTimeout Qualify2xxOnly?
"""

#: Orders before Asterisk 12, as far as they differ.
_LEGACY_TABLE = f"""
Newchannel: Channel~ ChannelState ChannelStateDesc CallerIDNum~ CallerIDName~ AccountCode~ Exten~ Context~ Uniqueid
Newstate: Channel~ ChannelState ChannelStateDesc {_LEGACY_CALLER} Uniqueid
NewCallerid: Channel~ CallerIDNum~ CallerIDName~ Uniqueid CID-CallingPres
NewAccountCode: Channel~ Uniqueid AccountCode~ OldAccountCode~
Newexten: Channel~ Context~ Extension~ Priority Application AppData~ Uniqueid
VarSet: Channel~ Variable~ Value~ Uniqueid
Hangup: Channel~ Uniqueid {_LEGACY_CALLER} AccountCode?~ Cause Cause-txt
HangupRequest: Channel~ Uniqueid Cause?
SoftHangupRequest: Channel~ Uniqueid Cause
Hold: Status Channel~ Uniqueid
MusicOnHold: State Channel~ UniqueID Class?
Dial: SubEvent Channel~ Destination~ {_LEGACY_CALLER} UniqueID DestUniqueID Dialstring~
Dial: SubEvent Channel~ UniqueID DialStatus
Bridge: Bridgestate Bridgetype Channel1~ Channel2~ Uniqueid1 Uniqueid2 CallerID1~ CallerID2~
Unlink: Channel1~ Channel2~ Uniqueid1 Uniqueid2 CallerID1~ CallerID2~
LocalBridge: Channel1~ Channel2~ Uniqueid1 Uniqueid2 Context~ Exten~ LocalOptimization
Rename: Channel~ Newname~ Uniqueid
Pickup: Channel~ TargetChannel~
ParkedCall: Exten~ Channel~ {_LEGACY_PARKED} Uniqueid
ParkedCall: {_LEGACY_PARKED.replace("Parkinglot", "Parkinglot Exten~ Channel~")}
ParkedCallGiveUp: Exten~ Channel~ {_LEGACY_PARKED} UniqueID
ParkedCallTimeOut: Exten~ Channel~ {_LEGACY_PARKED} UniqueID
UnParkedCall: Exten~ Channel~ {_LEGACY_PARKED} Uniqueid
Join: Channel~ {_LEGACY_CALLER} Queue Position Count Uniqueid
Leave: Channel~ Queue Count Position Uniqueid
QueueCallerAbandon: Queue Uniqueid Position OriginalPosition HoldTime
AgentCalled: Queue AgentCalled~ AgentName~ ChannelCalling~ DestinationChannel~ {_LEGACY_CALLER} Context~ Extension~
 Priority Uniqueid
AgentConnect: Queue Uniqueid Channel~ Member~ MemberName~ HoldTime BridgedChannel~ RingTime
AgentComplete: Queue Uniqueid Channel~ Member~ MemberName~ HoldTime TalkTime Reason
AgentRingNoAnswer: Queue Uniqueid Channel~ Member~ MemberName~ RingTime
Agentlogin: Agent Channel~ Uniqueid
Agentlogoff: Agent Logintime Uniqueid
QueueMemberAdded: {_LEGACY_MEMBER}
QueueMemberStatus: {_LEGACY_MEMBER}
QueueMemberPenalty: Queue Location~ Penalty
QueueMemberRemoved: Queue Location~ MemberName~
QueueMemberPaused: Queue Location~ MemberName~ Paused Reason?~
ConfbridgeStart: Conference~
ConfbridgeEnd: Conference~
ConfbridgeJoin: Channel~ Uniqueid Conference~ CallerIDnum~ CallerIDname~
ConfbridgeLeave: Channel~ Uniqueid Conference~ CallerIDnum~ CallerIDname~

Status: Channel~ {_LEGACY_CALLER} Accountcode~ ChannelState ChannelStateDesc Context~ Extension~ Priority Seconds
 BridgedChannel?~ BridgedUniqueid? Uniqueid
Status: Channel~ {_LEGACY_CALLER} Account~ State BridgedChannel?~ BridgedUniqueid? Uniqueid
CoreShowChannel: Channel~ UniqueID Context~ Extension~ Priority ChannelState ChannelStateDesc Application
 ApplicationData~ {_LEGACY_CALLER} Duration AccountCode~ BridgedChannel~ BridgedUniqueID
Agents: Agent~ Name~ Status LoggedInChan~ LoggedInTime TalkingTo~ TalkingToChan~
Parkinglot: Name~ StartExten StopExten Timeout
"""

_LINE = re.compile(r"^(\w+): (.*(?:\n .*)*)$", re.MULTILINE)
_WORD = re.compile(r"([\w-]*)([*+])(\??)")


def _places(written: str) -> Order:
    def block(word: re.Match[str]) -> str:
        headers = _CHANNEL if word[2] == "*" else _BRIDGE
        return " ".join(word[1] + header + word[3] for header in headers.split())

    words = f"{_BEFORE} {_WORD.sub(block, written)} {_AFTER}".split()
    return tuple(Place(word.rstrip("?~").lower(), "?" in word, "~" in word) for word in words)


def _orders(table: str) -> Mapping[str, tuple[Order, ...]]:
    orders: dict[str, tuple[Order, ...]] = {}
    for kind, written in _LINE.findall(table):
        orders[kind.lower()] = (*orders.get(kind.lower(), ()), _places(written))
    return orders


class Era(Enum):
    """A range of versions with the same orders."""

    LEGACY = "legacy"  # before Asterisk 12
    MODERN = "modern"

    @staticmethod
    def of(version: tuple[int, ...]) -> Era:
        """Return the era of an AMI version: Asterisk 12 came with 2.0."""
        return Era.LEGACY if version < (2,) else Era.MODERN


_MODERN = _orders(_TABLE)
ORDERS: Mapping[Era, Mapping[str, tuple[Order, ...]]] = MappingProxyType(
    {Era.MODERN: _MODERN, Era.LEGACY: {**_MODERN, **_orders(_LEGACY_TABLE)}}
)
"""Event name in lower case → the orders of its headers in the known versions."""

CHANNEL: frozenset[str] = frozenset(name.rstrip("?~").lower() for name in _CHANNEL.split())
"""The headers of a channel, in lower case."""

#: Kinds that have arbitrary headers after those of the table.
OPEN_KINDS = frozenset({"userevent"})

VOCABULARY: frozenset[str] = frozenset(
    place.name for era in ORDERS.values() for orders in era.values() for order in orders for place in order
)
"""Every header name of the tables, in lower case."""
