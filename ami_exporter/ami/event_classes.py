"""The manager events Asterisk broadcasts, and the classes of `read=` each needs.

An event reaches a session when the user's `read=` and the session's mask hold all of its classes. From the names that
rules want, `classes_of` gives the mask of the event link. Classes are those of Asterisk 22's source
(`manager show event NAME`); names in use before Asterisk 12 are there too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

_NAMES = {
    "agent": """
        AgentCalled AgentComplete AgentConnect AgentDump AgentLogin AgentLogoff AgentRingNoAnswer
        QueueCallerAbandon QueueCallerJoin QueueCallerLeave QueueMemberAdded QueueMemberPause QueueMemberPaused
        QueueMemberPenalty QueueMemberRemoved QueueMemberRinginuse QueueMemberStatus""",
    # Join to Unlink are the names before Asterisk 12; Dongle… and Quectel… are those of chan_dongle and chan_quectel.
    "call": """
        AttendedTransfer BlindTransfer BridgeCreate BridgeDestroy BridgeEnter BridgeLeave BridgeMerge
        BridgeVideoSourceUpdate CEL ChanSpyStart ChanSpyStop ChannelTalkingStart ChannelTalkingStop ConfbridgeEnd
        ConfbridgeJoin ConfbridgeLeave ConfbridgeMute ConfbridgeRecord ConfbridgeStart ConfbridgeStopRecord
        ConfbridgeTalking ConfbridgeUnmute DAHDIChannel DeviceStateChange DialBegin DialEnd DialState ExtensionStatus
        FAXStatus Flash Hangup HangupRequest Hold LocalBridge LocalOptimizationBegin LocalOptimizationEnd MCID
        MeetmeEnd MeetmeJoin MeetmeLeave MeetmeMute MeetmeTalkRequest MeetmeTalking MessageWaiting MiniVoiceMail
        MixMonitorMute MixMonitorStart MixMonitorStop MusicOnHoldStart MusicOnHoldStop NewAccountCode NewCallerid
        NewConnectedLine Newchannel Newstate OriginateResponse ParkedCall ParkedCallGiveUp ParkedCallSwap
        ParkedCallTimeOut Pickup PresenceStateChange PresenceStatus ReceiveFAX Rename SendFAX SoftHangupRequest
        UnParkedCall Unhold Wink
        Join Leave Dial Bridge Transfer MusicOnHold Link Unlink Masquerade
        DongleNewSMS DongleReport DongleSMSStatus DongleStatus
        QuectelNewSMS QuectelReport QuectelSMSStatus QuectelStatus""",
    "cdr": "Cdr",
    # From 12 to 15 Newexten came with class call; asking for dialplan as well does no harm there.
    "dialplan": "HangupHandlerPop HangupHandlerPush HangupHandlerRun Newexten VarSet",
    "reporting": "FAXSession RTCPReceived RTCPSent TestEvent",
    "security": """
        AuthMethodNotAllowed ChallengeResponseFailed ChallengeSent FailedACL InvalidAccountID InvalidPassword
        InvalidTransport LoadAverageLimit MemoryLimit RequestBadFormat RequestNotAllowed RequestNotSupported
        SessionLimit SuccessfulAuth UnexpectedAddress""",
    "system": """
        Alarm AlarmClear ContactStatus DNDState DeadlockStart FullyBooted Load LogChannel PJSIPMaintenanceStatus
        PeerStatus Registry Reload Shutdown SpanAlarm SpanAlarmClear Unload""",
    "user": "UserEvent",
}
# Left out on purpose: VoicemailPasswordChange (the new password), and those that are never asked for.

NEVER_ASKED_FOR = frozenset(
    [
        *("dtmfbegin", "dtmfend"),
        *("agiexecstart", "agiexecend", "asyncagistart", "asyncagiexec", "asyncagiend"),
        *("aoc-d", "aoc-e", "aoc-s"),
    ]
)
"""Events (lower case) of the classes dtmf, agi and aoc, which no mask of ours holds.

They carry PINs, what scripts say to channels, and what calls cost.
"""

EVENT_NAMES: Mapping[str, str] = MappingProxyType(
    {name.lower(): name for names in _NAMES.values() for name in names.split()}
)
"""Event name in lower case → as Asterisk writes it."""

EVENT_CLASSES: Mapping[str, frozenset[str]] = MappingProxyType(
    {name.lower(): frozenset({class_}) for class_, names in _NAMES.items() for name in names.split()}
)
"""Event name in lower case → the classes that read= and the mask must hold, all of them."""


UNLISTED: frozenset[str] = frozenset({"agent", "call", "system", "reporting"})
"""Where the events of third-party modules are to be looked for; never dialplan and dtmf, for what they carry, nor user,
whose events say whatever a dialplan lets callers write into them."""

USER_EVENTS = frozenset({"user"})
"""The classes of a session for UserEvents alone."""


def classes_of(names: Iterable[str]) -> frozenset[str]:
    """Classes that the mask must hold for these events; a name the table does not have asks for all of UNLISTED."""
    return frozenset[str]().union(*(EVENT_CLASSES.get(name.lower(), UNLISTED) for name in names))
