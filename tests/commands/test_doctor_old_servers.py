"""The doctor on servers before Asterisk 12: it says what they cannot tell, and advises nothing that they lack."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ami_exporter.ami.action_versions import ACTION_SINCE, CLASS_SINCE, classes_sent, is_newer
from ami_exporter.ami.actions import ACTIONS, Action
from ami_exporter.ami.event_classes import EVENT_NAMES
from ami_exporter.cli import main
from ami_exporter.commands.doctor.examine import Examination
from ami_exporter.commands.doctor.versions import COLLECTOR_SINCE, events_of_version, impossible, not_sent
from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.canary_settings import CanarySettings
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.lacking import lacking
from tests.support import old_servers as old
from tests.support.old_pbx import OldPbx

pytestmark = pytest.mark.slow


def examined(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pbx: OldPbx) -> str:
    """What the doctor prints, as one line of text."""
    monkeypatch.setenv("AMI_EXPORTER_AMI_SECRET", "hunter2")
    main(["doctor", "--ami.address", f"127.0.0.1:{pbx.port}", "--ami.username", "exporter", "--eventfilter"])
    return re.sub(r"\s+", " ", capsys.readouterr().out)


@pytest.mark.parametrize("version", ["1.8", "11"])
def test_an_old_server_needs_no_class_and_no_module_that_it_cannot_have(
    version: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with OldPbx(version) as pbx:
        said = examined(monkeypatch, capsys, pbx)
    assert "Nothing to fix." in said
    assert "read = system,call,agent write = reporting" in said
    assert "security NO" not in said
    for module in ("res_pjsip", "res_manager_devicestate", "app_agent_pool"):
        assert module not in said
    assert f"Newer than Asterisk {version}, which is not a fault:" in said
    assert f"Asterisk {version} does not tell these, so they are absent:" in said
    assert "eventwhencalled=yes" in said
    filters = set(re.findall(r"\w+", " ".join(re.findall(r"eventfilter = \^Event: \(([^)]*)\)", said))))
    assert {"Dial", "Bridge", "Masquerade", "Rename", "AgentCalled", "Join", "Newchannel"} <= filters
    assert not filters & {"DialBegin", "SuccessfulAuth", "ChannelLinked", "BlindTransfer"}


def test_where_the_version_is_refused_the_greeting_tells_the_doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with OldPbx("1.8", refused=("CoreSettings",)) as pbx:
        said = examined(monkeypatch, capsys, pbx)
    assert "Newer than Asterisk 1.8, which is not a fault:" in said


def test_13_is_told_what_it_lacks_and_asked_for_all_that_it_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with OldPbx("13") as pbx:
        said = examined(monkeypatch, capsys, pbx)
    assert "Newer than Asterisk 13, which is not a fault:" in said
    assert "PJSIPShowAors" in said
    assert "Asterisk 13 does not tell these, so they are absent: post-dial delay, start time and last reload" in said
    assert "security" in said
    assert "eventwhencalled" not in said


def test_of_a_newer_or_unknown_server_nothing_is_said() -> None:
    assert not_sent((22, 10, 1)) == not_sent(()) == ""


@pytest.mark.parametrize("version", old.VERSIONS)
def test_what_a_real_server_offers_is_not_called_newer_than_it(version: str) -> None:
    offered = old.archive(version)["lists/ListCommands.txt"].decode().lower()
    known = tuple(map(int, old.WHOLE[version].split(".")))
    for action in ACTIONS:
        assert not (is_newer(action, known) and f"\n{action.lower()}: " in offered.replace("\r", "")), action


def test_the_tables_of_versions_name_what_there_is() -> None:
    assert ACTION_SINCE.keys() <= ACTIONS.keys()
    assert CLASS_SINCE.keys() <= {"system", "call", "agent", "reporting", "security", "user", "cdr", "dialplan"}
    assert classes_sent(frozenset({"call", "security"}), ()) == {"call", "security"}
    assert COLLECTOR_SINCE.keys() == {"security", "rtcp", "recordings"}


def test_the_status_page_calls_nothing_missing_that_came_later() -> None:
    unavailable = [Action("PJSIPShowEndpoints"), Action("DeviceStateList")]
    offered = frozenset({"ping", "listcommands"})
    assert lacking(unavailable, offered, "11.25.3").further == ()
    assert lacking(unavailable, offered, "11.25.3").needed == ()
    assert lacking(unavailable, offered, "22.10.1").further == ("PJSIPShowEndpoints",)


def test_a_filter_for_newer_servers_has_their_names() -> None:
    names = ["DialBegin", "Hangup", "SuccessfulAuth"]
    assert events_of_version(names, (22,)) == events_of_version(names, ()) == names
    assert set(events_of_version(names, (11,))) <= set(EVENT_NAMES.values()) | {"Rename", "Link", "Unlink"}


def test_a_list_that_needs_no_right_and_is_denied_all_the_same_ends_no_doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with OldPbx("13", refused=("BridgeList",)) as pbx:
        assert "BridgeList" in examined(monkeypatch, capsys, pbx)


def test_canaries_need_asterisk_12() -> None:
    caller = AmiUser("canary", Secret("x"))
    plain = TargetSettings("pbx", "127.0.0.1", "exporter", Secret("x"))
    wanted = replace(plain, canaries={"telco": CanarySettings("SIP/1@telco", caller)})
    assert impossible(plain, Examination((1, 1), "", frozenset())) == []
    assert impossible(wanted, Examination((11, 0, 0), "", frozenset(), "22.10.1")) == []
    (fault,) = impossible(wanted, Examination((1, 1), "", frozenset()))
    assert "none is called" in fault
