from __future__ import annotations

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.collectors import channels
from ami_exporter.collectors.calls import MAX_CALLS_COUNTED
from ami_exporter.collectors.declarations import Context
from ami_exporter.collectors.lists import CORE_SHOW_CHANNELS, STATUS, clock_seconds
from ami_exporter.collectors.vocabulary import CHANNEL_STATES
from tests.support.collecting import Samples, message, nonzero, polled

CALLER = message(
    """
    Event: Status
    Channel: PJSIP/telco-a-00000001
    ChannelState: 6
    Uniqueid: 1700000000.1
    Linkedid: 1700000000.1
    Application: Queue
    Nativeformats: (alaw|ulaw)
    Readtrans: (alaw@8000)->(slin@8000)
    Writetrans:
    Seconds: 75
    """
)
AGENT = message(
    """
    Event: Status
    Channel: PJSIP/101-00000002
    ChannelState: 5
    Uniqueid: 1700000000.2
    Linkedid: 1700000000.1
    Application: AppQueue
    Nativeformats: (ulaw)
    Readtrans:
    Writetrans:
    Seconds: 9
    """
)
LOCAL = message(
    """
    Event: Status
    Channel: Local/600@from-internal-00000003;1
    ChannelState: 6
    Uniqueid: 1700000000.3
    Linkedid: 1700000000.3
    Application:
    Nativeformats: (nothing)
    Seconds: 300
    """
)
BRIEF = message(
    """
    Event: CoreShowChannel
    Channel: PJSIP/telco-a-00000001
    ChannelState: 6
    Uniqueid: 1700000000.1
    Linkedid: 1700000000.1
    Application: Queue
    Duration: 100:01:15
    """
)


def test_status_is_folded_into_channels_calls_applications_codecs_and_ages() -> None:
    samples = polled(channels.COLLECTOR, {STATUS: [CALLER, AGENT, LOCAL]})
    assert nonzero(samples) == {
        ("asterisk_active_channels", "PJSIP", "up"): 1,
        ("asterisk_active_channels", "PJSIP", "ringing"): 1,
        ("asterisk_active_channels", "Local", "up"): 1,
        ("asterisk_active_calls",): 2,
        ("asterisk_application_channels", "Queue"): 1,
        ("asterisk_application_channels", "AppQueue"): 1,
        ("asterisk_codec_channels", "alaw"): 1,
        ("asterisk_codec_channels", "ulaw"): 1,
        ("asterisk_transcoding_channels",): 1,
        ("asterisk_oldest_channel_age_seconds", "PJSIP"): 75,
        ("asterisk_oldest_channel_age_seconds", "Local"): 300,
    }


def test_core_show_channels_serves_as_well_but_knows_no_codecs() -> None:
    samples = polled(channels.COLLECTOR, {CORE_SHOW_CHANNELS: [BRIEF]})
    assert nonzero(samples) == {
        ("asterisk_active_channels", "PJSIP", "up"): 1,
        ("asterisk_active_calls",): 1,
        ("asterisk_application_channels", "Queue"): 1,
        ("asterisk_oldest_channel_age_seconds", "PJSIP"): 360_075,
    }
    assert ("asterisk_transcoding_channels",) not in samples


@pytest.mark.parametrize("application", ["AgentLogin", "Park", "Parked Call", "Page"])
def test_channels_that_stay_by_design_are_not_the_oldest_and_count_everywhere_else(application: str) -> None:
    waiting = message(
        f"""
        Event: Status
        Channel: SIP/204-00000009
        ChannelState: 6
        Uniqueid: 1700000000.9
        Linkedid: 1700000000.9
        Application: {application}
        Nativeformats: (alaw)
        Seconds: 28800
        """
    )
    samples = polled(channels.COLLECTOR, {STATUS: [waiting, CALLER, waiting]})
    assert samples["asterisk_oldest_channel_age_seconds", "PJSIP"] == 75
    assert ("asterisk_oldest_channel_age_seconds", "SIP") not in samples
    assert samples["asterisk_application_channels", application] == 2
    assert samples["asterisk_active_channels", "SIP", "up"] == 2


def test_a_parked_call_that_was_taken_back_is_a_call_and_ages() -> None:
    taken = message(
        """
        Event: CoreShowChannel
        Channel: SIP/204-00000009
        ChannelState: 6
        Application: ParkedCall
        Duration: 05:00:00
        """
    )
    samples = polled(channels.COLLECTOR, {CORE_SHOW_CHANNELS: [taken]})
    assert samples["asterisk_oldest_channel_age_seconds", "SIP"] == 18_000


def test_a_channel_in_its_first_second_has_an_age() -> None:
    new = Message.of([(key, "0" if key == "seconds" else value) for key, value in CALLER.items()])
    assert polled(channels.COLLECTOR, {STATUS: [new]})["asterisk_oldest_channel_age_seconds", "PJSIP"] == 0


def test_a_silent_pbx_has_zero_channels_of_every_technology_it_has_loaded() -> None:
    samples = polled(channels.COLLECTOR, {STATUS: []}, Context(technologies=("Local", "PJSIP")))
    expected: Samples = {
        ("asterisk_active_channels", tech, state): 0 for tech in ("Local", "PJSIP") for state in CHANNEL_STATES
    }
    assert samples == {**expected, ("asterisk_active_calls",): 0, ("asterisk_transcoding_channels",): 0}


def test_a_list_that_was_cut_publishes_nothing() -> None:
    assert polled(channels.COLLECTOR, {STATUS: [CALLER]}, cut=[STATUS]) == {}


def test_trap_calls_are_distinct_linkedids_not_channels() -> None:
    assert polled(channels.COLLECTOR, {STATUS: [CALLER, AGENT]})["asterisk_active_calls",] == 1


def test_calls_are_unknown_where_channels_have_no_linkedid() -> None:
    old = message("Event: Status\nChannel: SIP/101-00000001\nChannelState: 6")
    assert ("asterisk_active_calls",) not in polled(channels.COLLECTOR, {STATUS: [old]})


@pytest.mark.slow
def test_more_calls_than_the_bound_are_not_published_as_fewer() -> None:
    fold = channels.ChannelFold(Context())
    for number in range(MAX_CALLS_COUNTED + 10):
        fold.item(STATUS, Message.of([("channel", "Local/x-1;1"), ("channelstate", "6"), ("linkedid", str(number))]))
    names = {metric.name for metric, _, _ in fold.finish(frozenset({STATUS}))}
    assert "asterisk_active_calls" not in names
    assert "asterisk_active_channels" in names


def test_trap_no_identity_of_a_call_is_a_label() -> None:
    for name, *labels in polled(channels.COLLECTOR, {STATUS: [CALLER, AGENT, LOCAL]}):
        assert not [label for label in labels if "0000" in label or "telco" in label or "600" in label], name


def test_durations_may_have_more_than_two_digits_of_hours() -> None:
    assert clock_seconds("00:01:30") == 90
    assert clock_seconds("123:00:00") == 442_800
    assert clock_seconds("1:2") is None
    assert clock_seconds("1:2:3:4") is None
    assert clock_seconds("9" * 5000 + ":00:00") is None
    assert clock_seconds("-1:00:00") is None
