from __future__ import annotations

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.collectors import channels, legs
from ami_exporter.collectors.calls import MAX_CALL_CHANNELS, Calls
from ami_exporter.collectors.declarations import Context, Trunk
from ami_exporter.pbx.event_counters import EventCounters
from tests.support.collecting import Samples, counted, nonzero, store_of

TELCO = Context(
    trunks={"telco": Trunk("telco", "PJSIP", "telco")},
    trunk_names={("PJSIP", "telco"): "telco"},
    technologies=("Local", "PJSIP"),
)
DOWN, RING, RINGING, UP = "0", "4", "5", "6"


def event(name: str, **headers: str) -> Message:
    return Message.of([("event", name), *((key.lower(), value) for key, value in headers.items())])


def new(uniqueid: str, channel: str = "PJSIP/101-01", state: str = RING, linkedid: str = "") -> Message:
    return event("Newchannel", Channel=channel, ChannelState=state, Uniqueid=uniqueid, Linkedid=linkedid or uniqueid)


def hangup(uniqueid: str, cause: str = "16", channel: str = "PJSIP/101-01", state: str = "4") -> Message:
    return event("Hangup", Channel=channel, ChannelState=state, Uniqueid=uniqueid, Linkedid="any", Cause=cause)


def dial(name: str, leg: str = "2", status: str = "", channel: str = "PJSIP/102-02") -> Message:
    return event(name, DestChannel=channel, DestUniqueid=leg, DialStatus=status)


def store_after(*messages: Message) -> EventCounters:
    store = store_of(channels.COLLECTOR, context=TELCO)
    store.feed(messages, 0.0)
    return store


def calls(samples: Samples) -> dict[tuple[str, ...], float]:
    return {key[1:]: value for key, value in samples.items() if key[0] == "asterisk_calls_total" and value}


def after(*messages: Message) -> Samples:
    return nonzero(counted(store_after(*messages)))


def test_closed_counters_exist_at_zero_before_the_first_event() -> None:
    samples = counted(store_after())
    assert samples["asterisk_calls_total", "inbound", "answered"] == 0
    assert samples["asterisk_dials_total", "PJSIP", "no_answer"] == 0
    assert samples["asterisk_hangups_total", "PJSIP", "normal_clearing"] == 0
    assert samples["asterisk_channels_created_total", "Local"] == 0
    assert samples["asterisk_transfers_total", "blind", "success"] == 0
    assert samples["asterisk_originates_total", "failure"] == 0
    assert samples["asterisk_holds_total",] == 0


def test_a_call_counts_once_at_its_last_hangup() -> None:
    begun = [new("1"), new("2", "PJSIP/102-02", DOWN, linkedid="1"), hangup("2", state=UP)]
    assert calls(after(*begun)) == {}
    assert calls(after(*begun, hangup("1", state=UP))) == {("internal", "answered"): 1}


def test_channels_are_created_and_hung_up_by_technology_and_cause() -> None:
    samples = after(
        new("1"), hangup("1", cause="17"), new("2", "Local/600@x-1;1"), hangup("2", "200", "Local/600@x-1;1")
    )
    assert samples == {
        ("asterisk_channels_created_total", "PJSIP"): 1,
        ("asterisk_channels_created_total", "Local"): 1,
        ("asterisk_hangups_total", "PJSIP", "user_busy"): 1,
        ("asterisk_hangups_total", "Local", "other"): 1,
        ("asterisk_calls_total", "internal", "unanswered"): 2,
    }


def test_a_call_is_answered_when_its_first_channel_was_up_not_a_dialled_one() -> None:
    confirm = [new("1"), new("2", "Local/101@x-1;2", RING, "1"), hangup("2", state=UP), hangup("1")]
    assert calls(after(*confirm)) == {("internal", "unanswered"): 1}


def test_a_call_whose_first_channel_left_early_was_answered_all_the_same() -> None:
    events = [new("1"), new("2", linkedid="1"), hangup("1", state=UP), hangup("2", state=UP)]
    assert calls(after(*events)) == {("internal", "answered"): 1}


@pytest.mark.parametrize(
    ("state", "direction"), [(RING, "inbound"), ("9", "inbound"), (DOWN, "outbound"), ("1", "outbound")]
)
def test_a_trunk_channel_gives_the_call_its_direction(state: str, direction: str) -> None:
    assert calls(after(new("1", "PJSIP/telco-01", state), hangup("1"))) == {(direction, "unanswered"): 1}


def test_a_call_from_outside_that_is_forwarded_outside_is_inbound() -> None:
    events = [new("1", "PJSIP/telco-01"), new("2", "PJSIP/telco-02", DOWN, "1"), hangup("2"), hangup("1")]
    assert calls(after(*events)) == {("inbound", "unanswered"): 1}


def test_a_phone_that_calls_out_makes_an_outbound_call() -> None:
    events = [new("1"), new("2", "PJSIP/telco-02", DOWN, "1"), hangup("2"), hangup("1", state=UP)]
    assert calls(after(*events)) == {("outbound", "answered"): 1}


def test_calls_joined_by_a_transfer_count_each_whatever_linkedid_they_end_with() -> None:
    first = [new("1"), new("2", linkedid="1")]
    second = [new("3"), new("4", linkedid="3")]
    # 2 and 3 leave; from now on 4 carries the Linkedid of the older call, and rings a third phone for it.
    left = [hangup("2", state=UP), hangup("3", state=UP)]
    joined = [*left, new("5", linkedid="1"), hangup("1", state=UP), hangup("5"), hangup("4", state=UP)]
    assert calls(after(*first, *second, *joined)) == {("internal", "answered"): 2}


def test_a_leg_of_a_call_that_has_ended_does_not_begin_it_anew() -> None:
    assert calls(after(new("1"), hangup("1"), new("5", linkedid="1"), hangup("5"))) == {("internal", "unanswered"): 1}


def test_calls_begun_before_the_link_are_not_counted() -> None:
    assert calls(after(new("2", linkedid="1"), hangup("2"), hangup("1"))) == {}


def test_a_reset_forgets_calls_and_legs_in_flight() -> None:
    store = store_after(new("1"), dial("DialBegin"))
    store.reset_trackers()
    store.feed([dial("DialState", status="RINGING"), dial("DialEnd", status="ANSWER"), hangup("2"), hangup("1")], 9.0)
    samples = nonzero(counted(store))
    assert calls(samples) == {}
    assert samples["asterisk_dials_total", "PJSIP", "answered"] == 1
    assert ("asterisk_dial_time_to_answer_seconds_count", "PJSIP") not in samples


def test_what_never_ended_is_dropped_after_a_day() -> None:
    store = store_after(new("1"), dial("DialBegin"))
    store.expire(legs.MAX_AGE + 1)
    store.feed([hangup("1"), dial("DialState", status="RINGING")], legs.MAX_AGE + 2)
    assert nonzero(counted(store)).keys() == {
        ("asterisk_channels_created_total", "PJSIP"),
        ("asterisk_hangups_total", "PJSIP", "normal_clearing"),
    }


def test_the_channels_followed_of_one_call_are_bounded() -> None:
    followed = Calls()
    followed.created("1", "1", None, 0.0)
    for number in range(2, 10 * MAX_CALL_CHANNELS):
        followed.created(str(number), "1", None, 0.0)
    ended = [followed.hangup(str(number), up=False) for number in range(1, 10 * MAX_CALL_CHANNELS)]
    assert [call for call in ended if call] == [("internal", "unanswered")]
    assert len(followed) == 0


def test_calls_and_legs_in_flight_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ami_exporter.collectors.calls.MAX_CALLS", 3)
    monkeypatch.setattr("ami_exporter.collectors.legs.MAX_LEGS", 3)
    calls_followed, legs_followed = Calls(), legs.Legs()
    for number in range(10):
        calls_followed.created(str(number), str(number), None, 0.0)
        legs_followed.begin(str(number), "PJSIP", 0.0)
        legs_followed.end(f"late {number}", "PJSIP", answered=False, now=0.0)
    assert (len(calls_followed), len(legs_followed)) == (3, 3)


def timed(*steps: tuple[float, Message]) -> Samples:
    store = store_of(channels.COLLECTOR, context=TELCO)
    for now, step in steps:
        store.feed([step], now)
    return {key: value for key, value in nonzero(counted(store)).items() if "dial" in key[0]}


def test_a_dialled_leg_is_timed_to_ringing_to_answer_and_to_its_end() -> None:
    assert timed(
        (100.0, dial("DialBegin")),
        (101.5, dial("DialState", status="PROCEEDING")),
        (102.0, dial("DialState", status="RINGING")),
        (108.0, dial("DialEnd", status="ANSWER")),
        (168.0, hangup("2")),
    ) == {
        ("asterisk_dial_post_dial_delay_seconds_count", "PJSIP"): 1,
        ("asterisk_dial_post_dial_delay_seconds_sum", "PJSIP"): 1.5,
        ("asterisk_dial_time_to_answer_seconds_count", "PJSIP"): 1,
        ("asterisk_dial_time_to_answer_seconds_sum", "PJSIP"): 8,
        ("asterisk_dials_total", "PJSIP", "answered"): 1,
        ("asterisk_dial_talk_seconds_count", "PJSIP"): 1,
        ("asterisk_dial_talk_seconds_sum", "PJSIP"): 60,
    }


def test_trap_the_dial_end_of_a_losing_queue_member_comes_twice_and_counts_once() -> None:
    cancel = dial("DialEnd", status="CANCEL")
    assert timed((0.0, dial("DialBegin")), (1.0, cancel), (1.0, cancel), (2.0, hangup("2"))) == {
        ("asterisk_dials_total", "PJSIP", "cancelled"): 1
    }


def test_a_second_end_after_the_answer_changes_nothing() -> None:
    samples = timed(
        (0.0, dial("DialBegin")),
        (1.0, dial("DialEnd", status="ANSWER")),
        (2.0, dial("DialEnd", status="CANCEL")),
        (11.0, hangup("2")),
    )
    assert samples["asterisk_dials_total", "PJSIP", "answered"] == 1
    assert ("asterisk_dials_total", "PJSIP", "cancelled") not in samples
    assert samples["asterisk_dial_talk_seconds_sum", "PJSIP"] == 10


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("ANSWER", "answered"),
        ("BUSY", "busy"),
        ("NOANSWER", "no_answer"),
        ("CANCEL", "cancelled"),
        ("CONGESTION", "congestion"),
        ("CHANUNAVAIL", "unavailable"),
        ("GOTO:ctx^ext^1", "other"),
        ("", "other"),
    ],
)
def test_dial_statuses_become_outcomes(status: str, outcome: str) -> None:
    assert ("asterisk_dials_total", "PJSIP", outcome) in timed((0.0, dial("DialEnd", status=status)))


def test_transfers_holds_and_pickups_are_counted() -> None:
    samples = after(
        event("BlindTransfer", Result="Success"),
        event("AttendedTransfer", Result="Not Permitted"),
        event("AttendedTransfer", Result="Fail"),
        event("Hold"),
        event("Unhold"),
        event("Hold", Status="On"),
        event("Hold", Status="Off"),
        event("Pickup"),
    )
    assert samples == {
        ("asterisk_transfers_total", "blind", "success"): 1,
        ("asterisk_transfers_total", "attended", "not_permitted"): 1,
        ("asterisk_transfers_total", "attended", "failure"): 1,
        ("asterisk_holds_total",): 2,
        ("asterisk_pickups_total",): 1,
    }


def test_an_originate_response_is_an_event_though_it_has_a_response() -> None:
    assert after(event("OriginateResponse", Response="Failure"), event("OriginateResponse", Response="Success")) == {
        ("asterisk_originates_total", "failure"): 1,
        ("asterisk_originates_total", "success"): 1,
    }


def test_trap_gauges_are_not_counted_from_events() -> None:
    names = {metric.name for metric in channels.COLLECTOR.metrics if metric.type == "gauge"}
    assert not names & {key[0] for key in counted(store_after(new("1")))}
