"""The manager events that Asterisk broadcasts, and the `read=` classes that each needs.

An event reaches a session if the user's `read=` and the session's mask hold all of its classes. `classes_of` makes the
mask of the event link from the events that rules want. Classes are those of Asterisk 22's source
(`manager show event NAME`); names from before Asterisk 12 are included.
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
# Left out on purpose: VoicemailPasswordChange (the new password), and the events below.

NEVER_ASKED_FOR = frozenset(
    [
        *("dtmfbegin", "dtmfend"),
        *("agiexecstart", "agiexecend", "asyncagistart", "asyncagiexec", "asyncagiend"),
        *("aoc-d", "aoc-e", "aoc-s"),
    ]
)
"""Events (lower case) of the classes dtmf, agi and aoc, which are never requested.

They carry PINs, commands of scripts, and the cost of calls.
"""

EVENT_NAMES: Mapping[str, str] = MappingProxyType(
    {name.lower(): name for names in _NAMES.values() for name in names.split()}
)
"""Event name in lower case → its spelling in Asterisk."""

EVENT_CLASSES: Mapping[str, frozenset[str]] = MappingProxyType(
    {name.lower(): frozenset({class_}) for class_, names in _NAMES.items() for name in names.split()}
)
"""Event name in lower case → the classes that read= and the mask must all hold."""


UNLISTED: frozenset[str] = frozenset({"agent", "call", "system", "reporting"})
"""Classes in which events of third-party modules may come.

Not dialplan and dtmf because of their content, and not user, whose events hold whatever a dialplan lets callers write.
"""

USER_EVENTS = frozenset({"user"})
"""The classes of a session for UserEvents alone."""


def classes_of(names: Iterable[str]) -> frozenset[str]:
    """Return the classes of these events; a name that is not in the table needs all of UNLISTED."""
    return frozenset[str]().union(*(EVENT_CLASSES.get(name.lower(), UNLISTED) for name in names))
