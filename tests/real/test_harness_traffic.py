"""Traffic makes every kind of call and every kind of event it promises, on both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.ami_raw import EventRecorder
from tests.support.asterisk_root import AsteriskRoot
from tests.support.planted import AMI_SECRETS
from tests.support.rich_pbx import rich_pbx
from tests.support.traffic import KINDS, Traffic, refuse_ami_logins, refuse_registrations


@pytest.fixture(scope="module", params=[22, 16], ids=["asterisk22", "asterisk16"])
def recorded(
    request: pytest.FixtureRequest,
    asterisk_roots: dict[int, AsteriskRoot],
    sipp: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> EventRecorder:
    """The events of each kind of call once, as often as its weight says (119 calls, 8 s)."""
    folder = tmp_path_factory.mktemp("traffic")
    with (
        rich_pbx(asterisk_roots[request.param], asterisk_roots[22], folder, sipp) as pbx,
        EventRecorder(pbx.server.ami_port, "events", AMI_SECRETS["events"]) as recorder,
    ):
        traffic = Traffic(pbx)
        traffic.run(sum(kind.weight for kind in KINDS))
        assert traffic.started == {kind.name: kind.weight for kind in KINDS}
        refuse_ami_logins(pbx, 4)
        refuse_registrations(pbx, 4, sipp, folder)
        recorder.wait_quiet()
    return recorder


def test_every_channel_that_was_made_was_hung_up(recorded: EventRecorder) -> None:
    names = recorded.names()
    assert names["Newchannel"] == names["Hangup"] > 300


def test_dials_end_in_every_way(recorded: EventRecorder) -> None:
    ways = {status for (status,) in recorded.count_by("DialEnd", "DialStatus")}
    assert ways >= {"ANSWER", "BUSY", "NOANSWER", "CONGESTION", "CANCEL"}
    causes = {cause for (cause,) in recorded.count_by("Hangup", "Cause")}
    assert causes >= {"0", "1", "16", "17", "19", "21", "26", "34"}


def test_queue_callers_are_answered_abandon_time_out_and_leave(recorded: EventRecorder) -> None:
    joins = recorded.count_by("QueueCallerJoin", "Queue")
    assert joins == {("q-answer",): 17, ("q-waiting",): 13, ("q-ringing",): 3, ("q-leaving",): 3}
    assert recorded.count_by("AgentConnect", "Queue") == {("q-answer",): 17}
    # Five who hang up and five who time out; three leave by a key and are not abandoned.
    abandons = recorded.count_by("QueueCallerAbandon", "Queue")
    assert abandons == {("q-waiting",): 10, ("q-ringing",): 3, ("q-leaving",): 3}
    assert recorded.count_by("AgentRingNoAnswer", "Queue", "RingTime") == {("q-ringing", "1000"): 3}


def test_calls_are_parked_transferred_held_picked_up_and_meet(recorded: EventRecorder) -> None:
    names = recorded.names()
    # Which parked call is retrieved in time is a matter of milliseconds.
    assert names["ParkedCallGiveUp"] + names["ParkedCallTimeOut"] + names["UnParkedCall"] == names["ParkedCall"] == 4
    assert recorded.count_by("BlindTransfer", "Result") == {("Success",): 2}
    assert recorded.count_by("AttendedTransfer", "Result") == {("Success",): 1}
    assert names["Hold"] >= 1
    assert names["Unhold"] >= 1
    assert names["Pickup"] >= 1
    assert names["ConfbridgeJoin"] >= 1
    assert names["UserEvent"] == 1


def test_audio_both_ways_makes_rtcp_reports(recorded: EventRecorder) -> None:
    assert recorded.names()["RTCPSent"] > 10
    assert recorded.names()["RTCPReceived"] > 10


def test_refused_logins_and_registrations_are_security_events(recorded: EventRecorder) -> None:
    assert recorded.count_by("InvalidPassword", "Service") == {("AMI",): 2}
    assert recorded.count_by("InvalidAccountID", "Service") == {("AMI",): 2, ("PJSIP",): 4}
    assert recorded.count_by("ChallengeResponseFailed", "Service") == {("PJSIP",): 4}
