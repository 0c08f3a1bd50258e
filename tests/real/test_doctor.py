"""`ami-exporter doctor` against real servers: users of no rights, of reporting only, of all; and its advice tried."""

from __future__ import annotations

import re
import subprocess

import pytest

from ami_exporter.commands.doctor.eventfilter import lines
from tests.real.conftest import AsteriskFactory
from tests.support.ami_raw import EventRecorder, RawAmi
from tests.support.asterisk_server import AsteriskServer
from tests.support.exporter_process import run
from tests.support.planted import AMI_SECRETS, PLANTED

WIDTH = 96
SYSTEM_ONLY = ["PJSIPShowEndpoints", "PJSIPShowContacts", "PJSIPShowAors"]


def doctor(server: AsteriskServer, user: str, *flags: str) -> subprocess.CompletedProcess[str]:
    address = f"127.0.0.1:{server.ami_port}"
    environ = {"AMI_EXPORTER_AMI_SECRET": AMI_SECRETS[user]}
    return run("doctor", *flags, "--ami.address", address, "--ami.username", user, environ=environ)


#: Collectors that the configuration must ask for.
OPT_IN = (
    *("queue_averages", "queue_members", "voicemail", "voicemail_mailboxes", "taskprocessors"),
    *("destinations", "dids", "tenants", "canary"),
)


def states(report: str) -> dict[str, str]:
    """The table: collector → state."""
    (table,) = (part.splitlines()[1:] for part in report.split("\n\n") if part.startswith("COLLECTOR "))
    return {line[:20].strip(): line[20:39].strip() for line in table if line[:1] != " "}


def faults_to_fix(report: str) -> str:
    return report.partition("To fix:")[2]


def test_a_user_without_rights_is_told_that_reporting_and_two_classes_of_read_are_missing(
    asterisk: AsteriskServer,
) -> None:
    done = doctor(asterisk, "nothing")
    assert done.returncode == 1
    found = states(done.stdout)
    assert found["core"] == found["channels"] == found["devices"] == "permission missing"
    assert found["queues"] == found["bridges"] == "works"
    assert found["dahdi"] == "not supported"
    assert "Classes of write= this user has: none" in done.stdout
    to_fix = faults_to_fix(done.stdout)
    assert "write=reporting is missing" in to_fix
    assert "read=system is missing" in to_fix
    assert "read=security is missing" in to_fix


def test_a_user_with_reporting_only_has_what_that_right_allows_and_is_not_told_to_take_more(
    asterisk: AsteriskServer,
) -> None:
    done = doctor(asterisk, "events")
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("Nothing to fix.\n")
    assert {name: state for name, state in states(done.stdout).items() if state not in ("works", "events only")} == {
        "trunks": "works in part",
        "endpoints": "works in part",
        "contacts": "permission missing",
        **dict.fromkeys(("dahdi", "mobile"), "not supported"),
        "agents": "left out",
        "parking": "left out",
        **dict.fromkeys(OPT_IN, "off"),
    }
    assert "Classes of write= this user has: reporting\n" in done.stdout
    assert re.search(r"PJSIPShowEndpoints\s+\(now\s+DeviceStateList\)", done.stdout)
    assert set(re.findall(r"write(?: = |=)([\w,]+)", done.stdout)) == {"reporting", "system", "reporting,system"}
    assert "\nwrite = reporting\n" in done.stdout


def test_a_user_of_all_rights_has_everything_and_is_warned(asterisk: AsteriskServer) -> None:
    done = doctor(asterisk, "all")
    assert done.returncode == 0, done.stdout
    found = states(done.stdout)
    assert {state for name, state in found.items() if name not in ("dahdi", "mobile")} == {
        "works",
        "events only",
        "off",
    }
    warned = re.findall(r"^  (\w+) +can ", done.stdout, re.MULTILINE)
    assert warned == ["call", "agent", "command", "config", "originate", "user", "message", "agi", "aoc"]
    assert "\nwrite = reporting\n" in done.stdout
    assert re.search(r"^Tier `system` \(write = reporting,system\)", done.stdout, re.MULTILINE)


def test_no_module_is_told_from_no_right(asterisk22: AsteriskServer, asterisk16: AsteriskServer) -> None:
    on_22, on_16 = (doctor(server, "nothing").stdout for server in (asterisk22, asterisk16))
    assert "chan_sip (gone since Asterisk 21)" in on_22
    assert "chan_sip" not in on_16
    assert "SIPpeers" in on_16


@pytest.mark.parametrize("user", ["nothing", "reporting", "system", "all"])
def test_the_report_fits_a_terminal_and_names_no_secret(asterisk: AsteriskServer, user: str) -> None:
    done = doctor(asterisk, user)
    assert max(map(len, done.stdout.splitlines())) <= WIDTH
    assert [secret for secret in PLANTED if secret in done.stdout + done.stderr] == []


def test_each_missing_action_is_asked_for_once(asterisk22: AsteriskServer) -> None:
    with EventRecorder(asterisk22.ami_port, "all", AMI_SECRETS["all"], events="security") as recorder:
        doctor(asterisk22, "reporting")
        refused = recorder.count_by("RequestNotAllowed", "RequestType")
    assert set(refused.values()) == {1}
    assert {name.removeprefix("Action: ") for (name,) in refused} >= {*SYSTEM_ONLY, "Agents", "ParkedCalls"}


def test_a_wrong_secret_is_said_and_not_shown(asterisk22: AsteriskServer) -> None:
    address = f"127.0.0.1:{asterisk22.ami_port}"
    environ = {"AMI_EXPORTER_AMI_SECRET": "wrong-on-purpose"}
    done = run("doctor", "--ami.address", address, "--ami.username", "all", environ=environ)
    assert done.returncode == 1
    assert "check username and secret" in done.stdout
    assert "wrong-on-purpose" not in done.stdout + done.stderr


# Its eventfilter lines, put into a real manager.conf


@pytest.fixture(params=[22, 16], ids=["asterisk22", "asterisk16"])
def server(request: pytest.FixtureRequest, asterisk_factory: AsteriskFactory) -> AsteriskServer:
    """A server whose manager.conf a test may change."""
    return asterisk_factory(request.param)


def listen(server: AsteriskServer, filters: list[str], until: str) -> set[str]:
    """Names of the events a user with these filters gets of one call; until: the event that ends the listening."""
    block = ["[filtered]", "secret = filtered-secret", "read = all", "write = reporting", *filters]
    with (server.folder / "etc" / "manager.conf").open("a") as file:
        file.write("\n" + "\n".join(block) + "\n")
    server.cli("manager reload")
    with (
        EventRecorder(server.ami_port, "filtered", "filtered-secret") as recorder,
        RawAmi(server.ami_port, "all", AMI_SECRETS["all"]) as ami,
    ):
        ami.originate("Local/100000@load/n", Application="Wait", Data="0.1")
        recorder.wait_for(lambda r: len(r.events(until)) >= 2, 20.0)
        return set(recorder.names())


def test_the_lines_it_prints_let_through_what_is_counted_and_nothing_else(server: AsteriskServer) -> None:
    assert "eventfilter" not in doctor(server, "events").stdout
    report = doctor(server, "events", "--eventfilter").stdout
    filters = [line for line in report.splitlines() if line.startswith("eventfilter")]
    assert any("(name(Hangup))" in line for line in filters) == (server.major == 22)
    seen = listen(server, filters, "Hangup")
    assert {"Newchannel", "Hangup"} <= seen
    assert seen <= set(re.findall(r"[A-Z]\w+", " ".join(filters)))


def test_the_form_by_name_is_silently_ignored_by_16(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(16)
    seen = listen(server, lines(["Hangup"], "22.10.1"), "Hangup")
    assert {"Newchannel", "Newexten", "Newstate", "Hangup"} <= seen
    assert "eventfilter" not in server.log()


def test_a_user_who_may_log_in_only_once_is_told_so_and_still_examined(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    block = ["[once]", "secret = once-secret", "read = all", "write = reporting", "allowmultiplelogin = no"]
    with (server.folder / "etc" / "manager.conf").open("a") as file:
        file.write("\n" + "\n".join(block) + "\n")
    server.cli("manager reload")
    address = f"127.0.0.1:{server.ami_port}"
    environ = {"AMI_EXPORTER_AMI_SECRET": "once-secret"}
    done = run("doctor", "--ami.address", address, "--ami.username", "once", environ=environ)
    assert done.returncode == 1
    assert states(done.stdout)["channels"] == "works"
    assert "allowmultiplelogin=yes" in " ".join(faults_to_fix(done.stdout).split())
    assert "read=security is missing" not in done.stdout
