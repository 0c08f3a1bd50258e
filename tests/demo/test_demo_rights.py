"""Rights of the simulated PBX's users: any one class for an action, all classes for an event."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ami_exporter.demo import DemoSettings, SimulatedPbx, User
from ami_exporter.demo.rights import NONE, classes
from tests.support.ami_packets import PacketClient, value

QUIET = DemoSettings(traffic=0, warmup=0)
USERS = [
    User("reporter", "r", read=classes("system"), write=classes("reporting")),
    User("powerless", "p", read=NONE, write=NONE),
    User("steward", "s", read=classes("call"), write=classes("system")),
]


@pytest.fixture(scope="module")
def pbx() -> Iterator[SimulatedPbx]:
    with SimulatedPbx(QUIET, users=USERS, missing=["VoicemailUsersList"]) as pbx:
        yield pbx


def commands(pbx: SimulatedPbx, username: str, secret: str) -> dict[str, str]:
    with PacketClient(pbx.port) as ami:
        ami.login(username, secret)
        return dict(ami.ask("ListCommands")[1:])


def test_a_reporting_user_sees_and_runs_only_what_reporting_allows(pbx: SimulatedPbx) -> None:
    offered = commands(pbx, "reporter", "r")
    assert {"Status", "CoreShowChannels", "QueueStatus", "ConfbridgeListRooms", "FAXStats", "Ping"} <= set(offered)
    assert not {"PJSIPShowEndpoints", "Agents", "ParkedCalls", "Parkinglots", "Command", "Originate"} & set(offered)
    with PacketClient(pbx.port) as ami:
        ami.login("reporter", "r")
        assert ami.ask("PJSIPShowEndpoints") == [("Response", "Error"), ("Message", "Permission denied")]
        assert value(ami.ask("CoreStatus"), "Response") == "Success"


def test_a_user_without_rights_still_gets_the_class_0_actions(pbx: SimulatedPbx) -> None:
    offered = commands(pbx, "powerless", "p")
    assert {"Ping", "QueueStatus", "BridgeList", "DAHDIShowChannels", "QueueReset"} <= set(offered)
    assert not {"Status", "CoreStatus", "Agents"} & set(offered)


def test_system_is_not_reporting(pbx: SimulatedPbx) -> None:
    offered = commands(pbx, "steward", "s")
    assert {"PJSIPShowEndpoints", "CoreStatus", "Status"} <= set(offered)
    assert not {"DeviceStateList", "ConfbridgeListRooms", "VoicemailUsersList"} & set(offered)


def test_list_commands_names_the_privileges_as_asterisk_does(pbx: SimulatedPbx) -> None:
    offered = commands(pbx, "demo", "demo")
    assert offered["Status"] == "List channel status. (Priv: system,call,reporting,all)"
    assert offered["Ping"] == "Keepalive command. (Priv: <none>)"


def test_a_missing_module_s_action_is_not_offered_and_not_known(pbx: SimulatedPbx) -> None:
    assert "VoicemailUsersList" not in commands(pbx, "demo", "demo")
    with PacketClient(pbx.port) as ami:
        ami.login()
        assert value(ami.ask("VoicemailUsersList"), "Message").startswith(
            "Invalid/unknown command: VoicemailUsersList."
        )


@pytest.mark.parametrize(
    ("username", "secret", "events", "booted"),
    [
        ("demo", "demo", "system", True),
        ("demo", "demo", "call", False),
        ("demo", "demo", "off", False),
        ("reporter", "r", "on", True),
        ("steward", "s", "on", False),
    ],
)
def test_fully_booted_follows_a_login_only_with_read_system_and_system_in_the_mask(
    pbx: SimulatedPbx, username: str, secret: str, events: str, booted: bool
) -> None:
    with PacketClient(pbx.port) as ami:
        ami.login(username, secret, events)
        ami.send(("Action", "Ping"))
        first = ami.packet()
    assert (first[0] == ("Event", "FullyBooted")) is booted
    if booted:
        assert first[1:2] == [("Privilege", "system,all")]
        assert int(value(first, "Uptime")) >= 271_733
        assert int(value(first, "LastReload")) >= 0
        assert value(first, "ActionID") == ""


def test_state_changing_actions_do_nothing(pbx: SimulatedPbx) -> None:
    with PacketClient(pbx.port) as ami:
        ami.login()
        assert value(ami.ask("QueueReset"), "Response") == "Error"
    assert pbx.actions["QueueReset"] == 1
