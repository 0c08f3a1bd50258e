from __future__ import annotations

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.collectors import channels, trunks
from ami_exporter.collectors.declarations import Context, Trunk
from ami_exporter.collectors.legs import MAX_AGE
from ami_exporter.pbx.event_counters import EventCounters
from tests.support.collecting import Samples, counted, nonzero, store_of

CONTEXT = Context(
    trunks={"telco": Trunk("telco", "PJSIP", "telco-a")},
    trunk_names={("PJSIP", "telco-a"): "telco"},
)
TRUNK_CHANNEL = "PJSIP/telco-a-00000001"
DOWN, RING, UP = "0", "4", "6"


def event(name: str, **headers: str) -> Message:
    return Message.of([("event", name), *((key.lower(), value) for key, value in headers.items())])


def new(uniqueid: str, state: str, channel: str = TRUNK_CHANNEL) -> Message:
    return event("Newchannel", Channel=channel, ChannelState=state, Uniqueid=uniqueid, Linkedid=uniqueid)


def hangup(uniqueid: str, cause: str, linkedid: str = "", **headers: str) -> Message:
    linkedid = linkedid or uniqueid
    return event("Hangup", Channel=TRUNK_CHANNEL, Uniqueid=uniqueid, Linkedid=linkedid, Cause=cause, **headers)


def dial(name: str, status: str = "", channel: str = TRUNK_CHANNEL) -> Message:
    return event(name, DestChannel=channel, DestUniqueid="2", DialStatus=status)


def timed(*steps: tuple[float, Message], counters: EventCounters | None = None) -> Samples:
    counters = counters or store_of(trunks.COLLECTOR, context=CONTEXT)
    for now, step in steps:
        counters.feed([step], now)
    return nonzero(counted(counters))


def test_counters_of_known_trunks_exist_at_zero() -> None:
    samples = counted(store_of(trunks.COLLECTOR, context=CONTEXT))
    assert samples["asterisk_trunk_calls_total", "telco", "outbound", "answered"] == 0
    assert samples["asterisk_trunk_hangups_total", "telco", "inbound", "user_busy"] == 0


def test_an_outbound_call_is_counted_timed_and_ended() -> None:
    assert timed(
        (0.0, new("2", DOWN)),
        (0.0, dial("DialBegin")),
        (1.5, dial("DialState", "PROGRESS")),
        (9.0, dial("DialEnd", "ANSWER")),
        (9.0, event("Newstate", ChannelState=UP, Uniqueid="2")),
        (69.0, hangup("2", "16")),
    ) == {
        ("asterisk_trunk_post_dial_delay_seconds_count", "telco"): 1,
        ("asterisk_trunk_post_dial_delay_seconds_sum", "telco"): 1.5,
        ("asterisk_trunk_calls_total", "telco", "outbound", "answered"): 1,
        ("asterisk_trunk_hangups_total", "telco", "outbound", "normal_clearing"): 1,
        ("asterisk_trunk_talk_seconds_count", "telco", "outbound"): 1,
        ("asterisk_trunk_talk_seconds_sum", "telco", "outbound"): 60,
    }


def test_a_provider_that_answers_403_shows_in_cause_and_code_not_in_dial_status() -> None:
    assert timed(
        (0.0, new("2", DOWN)),
        (0.0, dial("DialBegin")),
        (0.1, dial("DialEnd", "NOANSWER")),
        (0.1, dial("DialEnd", "CANCEL")),
        (0.2, hangup("2", "21", TechCause="403")),
    ) == {
        ("asterisk_trunk_calls_total", "telco", "outbound", "no_answer"): 1,
        ("asterisk_trunk_hangups_total", "telco", "outbound", "call_rejected"): 1,
        ("asterisk_trunk_sip_failures_total", "telco", "403"): 1,
    }


def test_an_inbound_call_is_answered_when_it_was_up() -> None:
    assert timed(
        (0.0, new("1", RING)),
        (4.0, event("Newstate", ChannelState=UP, Uniqueid="1")),
        (5.0, event("Newstate", ChannelState=UP, Uniqueid="1")),
        (34.0, hangup("1", "16", ChannelState=UP)),
    ) == {
        ("asterisk_trunk_calls_total", "telco", "inbound", "answered"): 1,
        ("asterisk_trunk_hangups_total", "telco", "inbound", "normal_clearing"): 1,
        ("asterisk_trunk_talk_seconds_count", "telco", "inbound"): 1,
        ("asterisk_trunk_talk_seconds_sum", "telco", "inbound"): 30,
    }


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        ("17", "busy"),
        ("19", "no_answer"),
        ("16", "cancelled"),
        ("127", "cancelled"),
        ("34", "congestion"),
        ("20", "unavailable"),
        ("1", "unavailable"),
        ("21", "other"),
        ("0", "other"),
        ("999", "other"),
    ],
)
def test_an_unanswered_inbound_call_goes_by_its_cause(cause: str, outcome: str) -> None:
    samples = timed((0.0, new("1", RING)), (3.0, hangup("1", cause)))
    assert {key[3] for key in samples if key[0] == "asterisk_trunk_calls_total"} == {outcome}


@pytest.mark.parametrize(
    ("code", "label"), [("404", "404"), ("608", "608"), ("499", "other"), ("999", "other"), ("300", "300")]
)
def test_sip_codes_are_a_closed_set(code: str, label: str) -> None:
    samples = timed((0.0, hangup("1", "16", TechCause=code)))
    assert samples["asterisk_trunk_sip_failures_total", "telco", label] == 1


@pytest.mark.parametrize("code", ["", "200", "-1", "SIP 404", "²", "4" * 5000])
def test_what_is_no_sip_failure_is_not_counted_as_one(code: str) -> None:
    samples = timed((0.0, hangup("1", "16", TechCause=code)))
    assert not [key for key in samples if key[0] == "asterisk_trunk_sip_failures_total"]


def test_trunk_channels_that_began_before_the_link_still_count_at_their_end() -> None:
    samples = timed((0.0, hangup("1", "16", ChannelState=UP)), (0.0, hangup("5", "17", linkedid="4")))
    assert samples == {
        ("asterisk_trunk_hangups_total", "telco", "inbound", "normal_clearing"): 1,
        ("asterisk_trunk_calls_total", "telco", "inbound", "answered"): 1,
        ("asterisk_trunk_hangups_total", "telco", "outbound", "user_busy"): 1,
    }


def test_phones_are_no_trunks() -> None:
    phone = "PJSIP/101-00000001"
    steps = [new("2", RING, phone), dial("DialBegin", channel=phone), dial("DialEnd", "ANSWER", phone)]
    ended = event("Hangup", Channel=phone, Uniqueid="2", Linkedid="2", Cause="16", TechCause="404")
    assert timed(*((0.0, step) for step in [*steps, ended])) == {}


def test_a_renamed_channel_still_belongs_to_the_trunk_it_began_on() -> None:
    ended = event("Hangup", Channel="AsyncGoto/PJSIP/telco-a-00000001", Uniqueid="1", Linkedid="1", Cause="16")
    samples = timed((0.0, new("1", RING)), (1.0, ended))
    assert samples["asterisk_trunk_hangups_total", "telco", "inbound", "normal_clearing"] == 1


def test_after_a_reset_or_a_day_times_of_calls_in_flight_are_not_measured() -> None:
    for forget in (EventCounters.reset_trackers, lambda counters: counters.expire(MAX_AGE + 1)):
        counters = store_of(trunks.COLLECTOR, context=CONTEXT)
        timed((0.0, new("1", RING)), (1.0, event("Newstate", ChannelState=UP, Uniqueid="1")), counters=counters)
        forget(counters)
        samples = timed((MAX_AGE + 2, hangup("1", "16", ChannelState=UP)), counters=counters)
        assert samples["asterisk_trunk_calls_total", "telco", "inbound", "answered"] == 1
        assert ("asterisk_trunk_talk_seconds_count", "telco", "inbound") not in samples


def test_channels_in_flight_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ami_exporter.collectors.trunkevents.MAX_CHANNELS", 1)
    samples = timed(
        (0.0, new("1", RING)),
        (0.0, new("2", RING)),
        (1.0, event("Newstate", ChannelState=UP, Uniqueid="1")),
        (1.0, event("Newstate", ChannelState=UP, Uniqueid="2")),
        (2.0, hangup("1", "16", ChannelState=UP)),
        (2.0, hangup("2", "16", ChannelState=UP)),
    )
    assert samples["asterisk_trunk_calls_total", "telco", "inbound", "answered"] == 2
    assert samples["asterisk_trunk_talk_seconds_count", "telco", "inbound"] == 1


def state(uniqueid: str, number: str) -> Message:
    return event("Newstate", ChannelState=number, Uniqueid=uniqueid)


@pytest.mark.parametrize("first", ["1", "0"], ids=["ISDN with overlap dialling", "chan_sip"])
def test_a_channel_that_begins_reserved_or_down_and_then_rings_came_in(first: str) -> None:
    counters = store_of(trunks.COLLECTOR, channels.COLLECTOR, context=CONTEXT)
    samples = timed((0.0, new("2", first)), (0.1, state("2", RING)), counters=counters)
    assert counters.seen_direction("2") == "inbound"
    samples = timed((5.0, state("2", UP)), (9.0, hangup("2", "16", ChannelState=UP)), counters=counters)
    assert samples["asterisk_trunk_calls_total", "telco", "inbound", "answered"] == 1
    assert samples["asterisk_trunk_hangups_total", "telco", "inbound", "normal_clearing"] == 1
    assert samples["asterisk_calls_total", "inbound", "answered"] == 1
    assert counters.seen_direction("2") is None


def test_a_channel_that_we_dial_rings_without_becoming_inbound() -> None:
    counters = store_of(trunks.COLLECTOR, channels.COLLECTOR, context=CONTEXT)
    timed((0.0, new("2", DOWN)), (0.1, state("2", "5")), counters=counters)
    assert counters.seen_direction("2") == "outbound"
    assert timed((9.0, hangup("2", "16")), counters=counters)["asterisk_calls_total", "outbound", "unanswered"] == 1


@pytest.mark.parametrize(
    ("asked", "cause", "technology", "outcome"),
    [
        # Seen on 22, 16 and 13: who asks first has ended it, whatever the cause.
        (["HangupRequest", "SoftHangupRequest"], "127", "PJSIP", "cancelled"),
        (["HangupRequest", "SoftHangupRequest"], "0", "PJSIP", "cancelled"),
        (["HangupRequest", "SoftHangupRequest", "HangupRequest"], "0", "IAX2", "cancelled"),
        (["SoftHangupRequest"], "16", "PJSIP", "no_answer"),
        (["SoftHangupRequest", "HangupRequest"], "0", "IAX2", "no_answer"),
        (["SoftHangupRequest"], "17", "PJSIP", "busy"),
        (["SoftHangupRequest"], "21", "PJSIP", "other"),
        # A driver that says nothing of the far end.
        (["SoftHangupRequest"], "16", "DAHDI", "cancelled"),
        ([], "16", "PJSIP", "cancelled"),
    ],
)
def test_who_ended_an_unanswered_inbound_call_is_told_by_who_asked_first(
    asked: list[str], cause: str, technology: str, outcome: str
) -> None:
    name = f"{technology}/telco-a-00000001"
    context = Context(trunks=CONTEXT.trunks, trunk_names={(technology, "telco-a"): "telco"})
    counters = store_of(trunks.COLLECTOR, context=context)
    ending = [event(kind, Uniqueid="2") for kind in asked]
    end = event("Hangup", Channel=name, Uniqueid="2", Linkedid="2", Cause=cause, ChannelState=RING)
    counters.feed([new("2", RING, name), *ending, end], 0.0)
    assert nonzero(counted(counters))["asterisk_trunk_calls_total", "telco", "inbound", outcome] == 1
