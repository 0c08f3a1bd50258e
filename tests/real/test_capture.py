"""`ami-exporter capture` of real PBXs in the rich state: whole, and without anything that must not be told."""

from __future__ import annotations

import re

import pytest

from tests.support.captures import read
from tests.support.exporter_process import run
from tests.support.pbx_pair import RichPbx
from tests.support.planted import AMI_SECRETS, PLANTED

# Names that somebody gave; each is in some list of the rich state.
NAMES = ("telco", "Sales", "Board", "weekly", "Busy", "Lunch", "slow", "branch", "account", "support")


def capture(pbx: RichPbx, user: str) -> str:
    address = f"127.0.0.1:{pbx.server.ami_port}"
    environ = {"AMI_EXPORTER_AMI_SECRET": AMI_SECRETS[user]}
    done = run(*("capture", "--ami.address", address, "--ami.username", user, "--log.level", "debug"), environ=environ)
    assert done.returncode == 0, done.stderr
    assert [secret for secret in PLANTED if secret in done.stderr] == []
    return done.stdout


@pytest.mark.parametrize("user", ["all", "reporting"])
def test_nothing_planted_and_no_name_or_address_is_told(rich: RichPbx, user: str) -> None:
    text = capture(rich, user)
    assert [secret for secret in PLANTED if secret in text] == []
    values = "\n".join(line.partition(": ")[2] for line in text.splitlines())
    assert [name for name in NAMES if name in values] == []
    addresses = (rich.server.place.address, rich.peer.place.address, rich.provider, rich.carrier)
    assert [address for address in addresses if address in text] == []
    shown = set(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", values)) - {"255.255.255.255"}
    assert {address for address in shown if not address.startswith(("198.18.", "198.19."))} == set()


def test_every_safe_list_of_the_server_is_there_in_full(rich: RichPbx) -> None:
    found = read(capture(rich, "all"))
    assert {outcome for one in found.values() for outcome in one.outcome} == {"complete"}
    sizes = {action.name: len(one.items) for action, one in found.items()}
    assert sizes["Status"] == sizes["CoreShowChannels"] == 44
    assert sizes["ConfbridgeListRooms"] == 2
    assert sizes["VoicemailUsersList"] == 4
    assert ("SIPpeers" in sizes) == (rich.server.major == 16)
    assert "MWIGet" not in sizes
    assert "Command" not in sizes


def test_the_same_endpoint_is_the_same_in_every_list(rich: RichPbx) -> None:
    found = {action.name: one.items for action, one in read(capture(rich, "all")).items()}
    endpoints = {item["objectname"] for item in found["PJSIPShowEndpoints"]}
    assert len(endpoints) == 15
    assert {item["endpoint"] for item in found["PJSIPShowContacts"]} <= endpoints
    assert {item["endpoint"] for item in found["PJSIPShowRegistrationsOutbound"] if "endpoint" in item} <= endpoints
    channels = [item["channel"] for item in found["Status"] if item["channel"].startswith("PJSIP/")]
    assert {re.sub(r"^PJSIP/(.*)-[0-9a-f]{8}$", r"\1", channel) for channel in channels} <= endpoints
    assert {
        item["device"].removeprefix("PJSIP/") for item in found["DeviceStateList"] if "PJSIP/" in item["device"][:6]
    }


def test_a_user_of_few_rights_captures_what_it_may(rich: RichPbx) -> None:
    found = {action.name for action in read(capture(rich, "reporting"))}
    assert "Status" in found
    assert not found & {"PJSIPShowEndpoints", "ParkedCalls", "Agents"}
