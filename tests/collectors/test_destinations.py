"""Numbers out of dial strings, and calls counted once for each class of destinations."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.collectors import destinations
from ami_exporter.collectors.declarations import Context, Trunk
from ami_exporter.collectors.dialstrings import Classes, number_of
from ami_exporter.pbx.event_counters import EventCounters
from tests.support.collecting import counted, nonzero, store_of

CLASSES = {
    "emergency": ("112", "911", "110"),
    "international": ("00", "011", "+"),
    "premium": ("0900", "00900"),
}
NAMES = ("telco-a", "telco-b")
CONTEXT = Context(
    trunks=MappingProxyType({name: Trunk(name, "PJSIP", name) for name in NAMES}),
    trunk_names=MappingProxyType({("PJSIP", name): name for name in NAMES} | {("IAX2", "iax"): "telco-b"}),
    destination=Classes(CLASSES).of,
)


@pytest.mark.parametrize(
    ("technology", "dialled", "number"),
    [
        ("PJSIP", "0049301234567@telco", "0049301234567"),
        ("PJSIP", "PJSIP/112@telco", "112"),
        ("PJSIP", "telco/sip:0049301234567@192.0.2.1:5060;transport=tcp", "0049301234567"),
        ("PJSIP", "telco/sip:112;phone-context=x@192.0.2.1", "112"),
        ("PJSIP", "telco/sips:+49301234567@host", "+49301234567"),
        ("PJSIP", "telco/tel:+49-30-1234567", "+49301234567"),
        ("PJSIP", "telco/sip:user:plAnted@host", ""),
        ("PJSIP", "112@telco/sip:192.0.2.1", "112"),
        ("PJSIP", "1001", ""),
        ("PJSIP", "1001/sip:1001@192.0.2.1:5061", "1001"),
        ("PJSIP", "telco/some-aor", ""),
        ("SIP", "112@telco", "112"),
        ("SIP", "telco/0049301234567", "0049301234567"),
        ("SIP", "0049301234567:plAnted:md5@host:5060", "0049301234567"),
        ("SIP", "telco/112!100", "112"),
        ("IAX2", "user:plAnted@host/112", "112"),
        ("IAX2", "user:plAnted@host/0049301234567@context/d", "0049301234567"),
        ("IAX2", "user:112@host", ""),
        ("IAX2", "telco/112", "112"),
        ("IAX2", "user:pl/112/Anted@host/0049", "112"),
        ("DAHDI", "g1/0ww112", "0112"),
        ("DAHDI", "i1/0049301234567/x", "0049301234567"),
        ("Dongle", "dongle0/+49301234567", "+49301234567"),
        ("PJSIP", "alice@telco", ""),
        ("PJSIP", "", ""),
        ("PJSIP", "/", ""),
        ("PJSIP", "@", ""),
        ("PJSIP", "(030) 123-45 67@telco", "0301234567"),
        ("PJSIP", "1" * 100_000 + "@telco", ""),
    ],
)
def test_the_number_of_a_dial_string_without_its_password(technology: str, dialled: str, number: str) -> None:
    assert number_of(dialled, technology) == number


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("112", "emergency"),
        ("0112", "emergency"),
        ("9911", "emergency"),
        ("1120", None),
        ("00112", "international"),
        ("+112", "international"),
        ("0049301234567", "international"),
        ("0900123456", "premium"),
        ("00900123456", "premium"),
        ("030123456", None),
        ("0", None),
        ("", None),
    ],
)
def test_the_longest_prefix_wins_and_emergency_numbers_are_whole(number: str, name: str | None) -> None:
    assert Classes(CLASSES).of(number) == name


def store() -> EventCounters:
    return store_of(destinations.collector(tuple(CLASSES)), context=CONTEXT)


def leg(name: str, unique: str, channel: str, call: str = "1.1", **headers: str) -> Message:
    pairs = {"event": name, "uniqueid": "1.2", "linkedid": call, "destchannel": f"{channel}-00000001"}
    more = {"destuniqueid": unique, "destlinkedid": call, **headers}
    return Message.of([*pairs.items(), *((key.lower(), value) for key, value in more.items())])


def begin(unique: str, channel: str, dialled: str, call: str = "1.1") -> Message:
    return leg("DialBegin", unique, channel, call, DialString=dialled)


def end(unique: str, channel: str, status: str, call: str = "1.1") -> Message:
    return leg("DialEnd", unique, channel, call, DialStatus=status)


def hangup(unique: str, cause: str = "16") -> Message:
    return Message.of([("event", "Hangup"), ("uniqueid", unique), ("linkedid", "1.1"), ("cause", cause)])


A, B = "PJSIP/telco-a", "PJSIP/telco-b"
CALLS, TALK = "asterisk_destination_calls_total", "asterisk_destination_talk_seconds_total"


def test_all_exist_at_zero_from_the_start_for_each_trunk_and_for_endpoints_that_are_none() -> None:
    found = counted(store())
    assert set(found.values()) == {0}
    assert {key[1] for key in found} == {"telco-a", "telco-b", "other"}
    assert {key[2] for key in found if key[0] == TALK} == set(CLASSES)
    assert len(found) == 3 * 3 * 7 + 3 * 3


def test_a_forked_emergency_call_counts_once_at_the_answer() -> None:
    one = store()
    one.feed([begin("1.3", A, "112@telco-a"), begin("1.4", "IAX2/iax", "u:plAnted@iax/112")], 0.0)
    assert nonzero(counted(one)) == {}
    one.feed([end("1.3", A, "CANCEL"), end("1.4", "IAX2/iax", "ANSWER")], 5.0)
    assert nonzero(counted(one)) == {(CALLS, "telco-b", "emergency", "answered"): 1}
    one.feed([hangup("1.3"), hangup("1.4"), hangup("1.1")], 35.0)
    assert nonzero(counted(one)) == {
        (CALLS, "telco-b", "emergency", "answered"): 1,
        (TALK, "telco-b", "emergency"): 30,
    }


def test_legs_behind_local_channels_are_one_call() -> None:
    one = store()
    one.feed([begin("1.3", "Local/112@out", "112@out/n"), begin("1.5", "Local/911@out", "911@out/n")], 0.0)
    one.feed([begin("1.7", A, "112@telco-a"), begin("1.8", B, "911@telco-b")], 0.0)
    one.feed([end("1.7", A, "ANSWER"), end("1.3", "Local/112@out", "ANSWER"), end("1.8", B, "CANCEL")], 1.0)
    one.feed([hangup(unique) for unique in ("1.3", "1.5", "1.7", "1.8", "1.1")], 2.0)
    assert nonzero(counted(one)) == {
        (CALLS, "telco-a", "emergency", "answered"): 1,
        (TALK, "telco-a", "emergency"): 1,
    }


def test_a_call_that_goes_through_at_the_second_trunk_was_answered() -> None:
    one = store()
    one.feed([begin("1.3", A, "0044@telco-a"), end("1.3", A, "CONGESTION"), hangup("1.3")], 0.0)
    one.feed([begin("1.4", B, "0044@telco-b"), end("1.4", B, "ANSWER"), hangup("1.4"), hangup("1.1")], 10.0)
    assert nonzero(counted(one)) == {(CALLS, "telco-b", "international", "answered"): 1}


def test_a_call_that_nobody_answered_counts_by_its_last_attempt_when_it_ends() -> None:
    one = store()
    one.feed([begin("1.3", A, "0044@telco-a"), end("1.3", A, "BUSY"), hangup("1.3")], 0.0)
    one.feed([begin("1.4", B, "0044@telco-b"), end("1.4", B, "NOANSWER"), hangup("1.4")], 10.0)
    assert nonzero(counted(one)) == {}
    one.feed([hangup("1.1")], 11.0)
    assert nonzero(counted(one)) == {(CALLS, "telco-b", "international", "no_answer"): 1}


def test_it_counts_a_minute_after_its_last_attempt_though_the_caller_listens_to_a_message() -> None:
    one = store()
    one.feed([begin("1.3", A, "112@telco-a"), end("1.3", A, "CONGESTION"), hangup("1.3")], 0.0)
    one.expire(59.0)
    assert nonzero(counted(one)) == {}
    one.expire(61.0)
    one.feed([hangup("1.1")], 300.0)
    assert nonzero(counted(one)) == {(CALLS, "telco-a", "emergency", "congestion"): 1}


def test_talk_counts_while_the_call_lasts() -> None:
    one = store()
    one.feed([begin("1.3", A, "0900123@telco-a"), end("1.3", A, "ANSWER")], 0.0)
    one.expire(600.0)
    assert counted(one)[TALK, "telco-a", "premium"] == 600
    one.feed([hangup("1.3")], 610.0)
    assert counted(one)[TALK, "telco-a", "premium"] == 610


def test_an_originated_leg_without_caller_and_without_dial_end_counts() -> None:
    one = store()
    message = Message.of(
        [
            *(("event", "DialBegin"), ("destchannel", f"{A}-00000001"), ("destuniqueid", "1.3")),
            *(("destlinkedid", "1.3"), ("dialstring", "0044@telco-a")),
        ]
    )
    one.feed([message, hangup("1.3", "19")], 0.0)
    assert nonzero(counted(one)) == {(CALLS, "telco-a", "international", "no_answer"): 1}


def test_an_emergency_call_over_an_endpoint_that_is_no_trunk_is_not_lost() -> None:
    one = store()
    one.feed([begin("1.3", "PJSIP/unknown", "112@unknown"), end("1.3", "PJSIP/unknown", "ANSWER")], 0.0)
    assert nonzero(counted(one)) == {(CALLS, "other", "emergency", "answered"): 1}


def test_calls_to_no_class_and_to_phones_count_nowhere() -> None:
    one = store()
    for number, dialled in enumerate(("112", "0301234567@telco-a", "alice@telco-a")):
        unique = f"1.{number + 3}"
        one.feed([begin(unique, A, dialled), end(unique, A, "ANSWER"), hangup(unique)], 0.0)
    assert nonzero(counted(one)) == {}


def test_a_lost_link_forgets_calls_in_flight_and_nothing_is_left_of_ended_ones() -> None:
    one = store()
    one.feed([begin("1.3", A, "0044@telco-a"), end("1.3", A, "ANSWER")], 0.0)
    one.reset_trackers()
    one.feed([hangup("1.3")], 50.0)
    assert counted(one)[TALK, "telco-a", "international"] == 0
    tracker = one._live[0].tracker
    assert isinstance(tracker, destinations.DestinationTracker)
    for order in (("2.3", "2.1"), ("2.1", "2.3")):
        one.feed([begin("2.3", A, "0044@telco-a", "2.1"), end("2.3", A, "ANSWER", "2.1")], 0.0)
        one.feed([hangup(unique) for unique in order], 1.0)
        assert (tracker._calls, tracker._legs) == ({}, {})


def test_the_cap_takes_or_leaves_whole_trunks() -> None:
    """21 series of calls for each trunk: of three, two fit."""
    one = store_of(destinations.collector(tuple(CLASSES)), context=CONTEXT, limit=50)
    one.feed([begin("1.3", "PJSIP/unknown", "112@unknown"), end("1.3", "PJSIP/unknown", "ANSWER")], 0.0)
    calls = {key for key in counted(one) if key[0] == CALLS}
    assert len(calls) == 2 * 21
    assert len({key[1] for key in calls}) == 2


def test_equal_classes_keep_their_counts_over_a_reload() -> None:
    assert destinations.collector(("a", "b")) is destinations.collector(("a", "b"))
