"""Nothing but the read-only actions of the table can be sent, and nothing can be smuggled in."""

from __future__ import annotations

import pytest

from ami_exporter.ami.actions import ACTIONS, Action, AnswerForm
from ami_exporter.ami.codec import MAX_ACTION_ID, MAX_SENT, encode, encode_headers
from ami_exporter.ami.errors import ForbiddenAction

#: Every action of Asterisk 22 (and of chan_sip, chan_skinny before it) that changes state, blocks the session,
#: reveals configuration or secrets, or sends something to a channel; with write=reporting or none at all first.
NEVER = """
    QueueReset QueueReload QueueChangePriorityCaller QueueWithdrawCaller QueueRule
    BridgeDestroy BridgeKick BridgeTechnologySuspend BridgeTechnologyUnsuspend BridgeInfo
    DAHDIHangup DAHDITransfer DAHDIDialOffhook DAHDIDNDon DAHDIDNDoff DAHDIRestart
    PRIDebugSet PRIDebugFileSet PRIDebugFileUnset WaitEvent DataGet
    LoggerRotate PJSIPRegister PJSIPUnregister PJSIPQualify DBGet ShowDialPlan Getvar
    IAXnetstats IAXpeers CoreShowChannelMap ExtensionState PresenceState MailboxStatus MailboxCount
    VoicemailUserStatus VoicemailBoxSummary VoicemailRefresh VoicemailMove VoicemailRemove VoicemailForward
    SIPqualifypeer SIPshowpeer SIPpeerstatus SIPnotify SKINNYdevices SKINNYlines SKINNYshowdevice SKINNYshowline
    QueueAdd QueueRemove QueuePause QueuePenalty QueueLog QueueMemberRingInUse AgentLogoff AgentCallbackLogin
    Originate Hangup Redirect Atxfer BlindTransfer CancelAtxfer Bridge Park Setvar AbsoluteTimeout SendText SendFlash
    MessageSend UserEvent PlayDTMF PlayMF LocalOptimizeAway MuteAudio MixMonitor MixMonitorMute StopMixMonitor
    Monitor StopMonitor ChangeMonitor PauseMonitor UnpauseMonitor ControlPlayback JabberSend JabberSend_res_xmpp
    DBPut DBDel DBDelTree Reload ModuleLoad ModuleCheck GetConfig GetConfigJSON UpdateConfig CreateConfig ListCategories
    DialplanExtensionAdd DialplanExtensionRemove Filter AOCMessage AGI
    ConfbridgeList ConfbridgeMute ConfbridgeUnmute ConfbridgeKick ConfbridgeLock ConfbridgeUnlock
    ConfbridgeStartRecord ConfbridgeStopRecord ConfbridgeSetSingleVideoSrc
    MeetmeMute MeetmeUnmute MeetmeList MeetmeListRooms FAXSession MWIUpdate MWIDelete
    PJSIPShowEndpoint PJSIPShowAuths PJSIPNotify PJSIPHangup PJSIPSetMaintenance PJSIPShowResourceLists
    PJSIPShowSubscriptionsInbound PJSIPShowSubscriptionsOutbound PJSIPShowRegistrationsInbound
    SorceryMemoryCacheExpire SorceryMemoryCacheExpireObject SorceryMemoryCachePopulate SorceryMemoryCacheStale
    SorceryMemoryCacheStaleObject CCRecall DeviceStateChanged PresenceStateChange ExtensionStatus
    DongleSendUSSD DongleSendSMS DongleSendPDU DongleSetCCWA DongleReset DongleRestart DongleStop DongleStart
    DongleRemove DongleReload QuectelSendUSSD QuectelSendSMS QuectelReset QuectelRestart QuectelStop QuectelStart
    QuectelRemove QuectelReload QuectelAtCommand
    Login Logoff Challenge Events ListCommands ""
""".split()  # noqa: SIM905 - one name a line would be two hundred lines


@pytest.mark.parametrize("name", [*NEVER, *(name.lower() for name in ACTIONS), *(f"{name} " for name in ACTIONS)])
def test_an_action_outside_the_table_is_refused(name: str) -> None:
    with pytest.raises(ForbiddenAction, match="never sent"):
        Action(name)


def test_the_table_holds_these_actions_and_no_other() -> None:
    assert sorted(ACTIONS) == sorted(
        [
            *("Agents", "BridgeList", "BridgeTechnologyList", "Command", "ConfbridgeListRooms", "CoreSettings"),
            *("CoreShowChannels", "CoreStatus", "DAHDIShowChannels", "DAHDIShowStatus", "DBGetTree", "DeviceStateList"),
            *("DongleShowDevices", "QuectelShowDevices"),
            *("ExtensionStateList", "FAXSessions", "FAXStats", "IAXpeerlist", "IAXregistry", "MWIGet", "ParkedCalls"),
            *("Parkinglots", "Ping", "PJSIPShowAors", "PJSIPShowContacts", "PJSIPShowEndpoints"),
            "PJSIPShowMaintenance",
            *("PJSIPShowRegistrationInboundContactStatuses", "PJSIPShowRegistrationsOutbound", "PresenceStateList"),
            *("PRIShowSpans", "QueueStatus", "QueueSummary", "SIPpeers", "SIPshowregistry", "Status"),
            "VoicemailUsersList",
        ]
    )
    assert {name for name, spec in ACTIONS.items() if spec.name != name} == set()


def test_each_list_names_its_items_and_its_end() -> None:
    for spec in ACTIONS.values():
        assert bool(spec.items) == (spec.form in (AnswerForm.LIST, AnswerForm.EVENT)), spec.name
        assert bool(spec.complete) == (spec.form is AnswerForm.LIST), spec.name
        assert spec.complete not in spec.items


@pytest.mark.parametrize(
    "command",
    [
        "core stop now",
        "core restart now",
        "module unload x",
        "core show taskprocessors ",
        "",
    ],
)
def test_a_cli_command_outside_the_list_is_refused(command: str) -> None:
    with pytest.raises(ForbiddenAction, match="never sent"):
        Action("Command", (("Command", command),))


def test_a_cli_command_comes_alone() -> None:
    with pytest.raises(ForbiddenAction):
        Action("Command")
    with pytest.raises(ForbiddenAction):
        Action("Command", (("Command", "core show taskprocessors"), ("Command", "core show taskprocessors")))


@pytest.mark.parametrize("name", ["Variables", "queue", "ActionID", "Action", "Queue: x\r\nAction"])
def test_a_parameter_outside_the_table_is_refused(name: str) -> None:
    with pytest.raises(ForbiddenAction, match="not allowed"):
        Action("QueueStatus", ((name, "x"),))


@pytest.mark.parametrize(
    "params",
    [
        (),
        (("Family", ""),),
        (("Family", "%"),),
        (("Family", "DN%"),),
        (("Family", "_"),),
        (("Family", "/"),),
        (("Family", " DND"),),
        (("Family", "DND/"),),
        (("Family", "x' OR '1"),),
        (("Family", "DND\n"),),
        (("Family", "DND"), ("Family", "CF")),
        (("Family", "DND"), ("Key", "1001")),
    ],
)
def test_the_database_is_never_read_without_the_name_of_one_family(params: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ForbiddenAction):
        Action("DBGetTree", params)


@pytest.mark.parametrize("family", ["DND", "SIP/Registry", "AMPUSER/1001/followme", "day_night-1.2"])
def test_a_family_is_named_as_asterisk_does(family: str) -> None:
    assert encode(Action("DBGetTree", (("Family", family),)), "1").endswith(f"Family: {family}\r\n\r\n".encode())


@pytest.mark.parametrize("value", ["a\r", "a\nb", "\0", "sales\r\n\r\nAction: Originate"])
def test_a_value_with_a_line_end_or_nul_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(ForbiddenAction, match="which AMI cannot carry") as caught:
        Action("QueueStatus", (("Queue", value),))
    assert "sales" not in str(caught.value)
    with pytest.raises(ForbiddenAction, match="which AMI cannot carry"):
        encode_headers([("Action", "Login"), ("Secret", value)])


def test_an_action_is_one_packet() -> None:
    action = Action("QueueStatus", (("Queue", "s\u00e4les"), ("Member", "PJSIP/1")))
    assert encode(action, "x-1") == (
        b"Action: QueueStatus\r\nActionID: x-1\r\nQueue: s\xc3\xa4les\r\nMember: PJSIP/1\r\n\r\n"
    )
    assert encode(Action("Ping"), "x-2") == b"Action: Ping\r\nActionID: x-2\r\n\r\n"


def test_what_asterisk_would_cut_is_refused() -> None:
    assert len(encode(Action("Ping"), "i" * MAX_ACTION_ID)) == 95
    with pytest.raises(ForbiddenAction, match="longer than 67 bytes"):
        encode(Action("Ping"), "i" * (MAX_ACTION_ID + 1))
    with pytest.raises(ForbiddenAction, match="shorten its parameters"):
        encode(Action("QueueStatus", (("Queue", "q" * MAX_SENT),)), "1")
