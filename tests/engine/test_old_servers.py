"""A whole target on a server before Asterisk 12: polls and events of one, as its transcripts have them."""

from __future__ import annotations

import pytest

from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.canary_settings import CanarySettings
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import TrunkSettings
from ami_exporter.pbx.target import Target
from tests.support.exporter_process import Series
from tests.support.old_pbx import OldPbx
from tests.support.targets import has, listening, scrape, target, until, value

TRUNKS = (TrunkSettings("telco-a", "SIP/telco-a"), TrunkSettings("branch-b", "IAX2/branch-b"))
OLDEST = ("1.8", "11")
VERSIONS = (*OLDEST, "13")


def calls(one: Target, direction: str, outcome: str) -> float | None:
    return value(scrape(one), "asterisk_calls_total", direction=direction, outcome=outcome)


def channels(series: Series, direction: str) -> float | None:
    return value(series, "asterisk_trunk_channels", trunk="telco-a", direction=direction)


@pytest.mark.parametrize("version", OLDEST)
def test_calls_dials_and_queues_of_an_old_server_are_counted(version: str) -> None:
    with OldPbx(version) as pbx, target(pbx.port, events=True, trunks=TRUNKS) as one:
        listening(one)
        for scenario in ("call_answered", "in_busy", "out_404", "queue_answered_support", "park_retrieved"):
            pbx.play(scenario)
        until(lambda: calls(one, "inbound", "answered") == 2.0, "the last call")
        found = scrape(one)
    assert value(found, "asterisk_calls_total", direction="internal", outcome="answered") == 2.0
    assert value(found, "asterisk_calls_total", direction="inbound", outcome="unanswered") == 1.0
    assert value(found, "asterisk_calls_total", direction="outbound", outcome="unanswered") == 1.0
    assert (
        value(found, "asterisk_trunk_calls_total", trunk="telco-a", direction="outbound", outcome="unavailable") == 1.0
    )
    assert value(found, "asterisk_queue_calls_total", queue="support", outcome="answered") == 1.0
    assert value(found, "asterisk_dials_total", technology="SIP", status="answered") == 3.0
    assert not has(found, "asterisk_security_events_total")


@pytest.mark.parametrize("version", OLDEST)
def test_an_old_server_is_asked_for_the_list_that_tells_more(version: str) -> None:
    with OldPbx(version) as pbx, target(pbx.port, trunks=TRUNKS) as one:
        found = scrape(one)
        assert "CoreShowChannels" in pbx.names()
        assert "Status" not in pbx.names()
    assert value(found, "asterisk_application_channels", application="Parked Call") == 1.0
    assert not has(found, "asterisk_transcoding_channels")


@pytest.mark.parametrize("version", OLDEST)
def test_where_the_version_is_refused_the_greeting_tells_it(version: str) -> None:
    refused = ("CoreSettings", "CoreShowChannels")
    with OldPbx(version, refused=refused) as pbx, target(pbx.port, events=True, trunks=TRUNKS) as one:
        listening(one)
        found = scrape(one)
    assert not has(found, "asterisk_info")
    assert has(found, "asterisk_active_channels")
    for name in ("asterisk_security_events_total", "asterisk_transcoding_channels", "asterisk_active_calls"):
        assert not has(found, name), name


def test_a_parked_trunk_channel_has_the_direction_in_which_it_was_seen_to_begin() -> None:
    with OldPbx("11") as pbx, target(pbx.port, events=True, trunks=TRUNKS) as one:
        listening(one)
        assert channels(scrape(one), "inbound") is None, "one is parked, and nobody saw it begin"
        pbx.send_events(
            b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: SIP/telco-a-0000007e\r\nChannelState: 4\r\n"
            b"ChannelStateDesc: Ring\r\nCallerIDNum: 1\r\nCallerIDName: \r\nAccountCode: \r\nExten: 1\r\nContext: x\r\n"
            b"Uniqueid: " + pbx.parked.encode() + b"\r\n\r\n"
        )
        until(lambda: channels(scrape(one), "inbound") == 7.0, "the event")
        assert channels(scrape(one), "outbound") == 1.0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_restart_is_seen_by_the_startup_time_that_core_status_writes(version: str) -> None:
    with OldPbx(version) as pbx, target(pbx.port, events=True, trunks=TRUNKS) as one:
        listening(one)
        until(lambda: value(scrape(one), "asterisk_boots_total") == 0.0, "the first start")
        pbx.instead = {b"CoreStartupDate: 2026-11-28": b"CoreStartupDate: 2026-11-29"}
        pbx.kick()
        until(lambda: value(scrape(one), "asterisk_boots_total") == 1.0, "the second start")
        pbx.kick()
        listening(one)
        assert value(scrape(one), "asterisk_boots_total") == 1.0


def test_trunks_and_contacts_of_13_are_what_its_lists_tell() -> None:
    trunk = TrunkSettings("telco-a", "PJSIP/telco-a", registration="telco-a")
    with OldPbx("13") as pbx, target(pbx.port, trunks=(trunk,)) as one:
        found = scrape(one)
    assert value(found, "asterisk_trunk_up", trunk="telco-a") == 1.0, "by its registration"
    assert value(found, "asterisk_contacts", status="reachable") == 10.0
    assert not has(found, "asterisk_aor_contacts")
    assert value(found, "asterisk_active_calls") == 14.0
    assert sum(number for (name, _), number in found.items() if name == "asterisk_active_channels") == 19.0


def test_no_canary_is_called_on_a_server_that_cannot_mark_its_calls() -> None:
    caller = AmiUser("canary", Secret("x"))
    canaries = {"telco": CanarySettings("SIP/1@telco-a", caller, interval=30.0)}
    with OldPbx("1.8") as pbx, target(pbx.port, events=True, trunks=TRUNKS, canaries=canaries) as one:
        listening(one)
        assert one._starting()
