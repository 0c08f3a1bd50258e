"""Recordings, time on hold, and inbound calls by number: literal events in, literal samples out."""

from __future__ import annotations

from types import MappingProxyType

from ami_exporter.ami.message import Message
from ami_exporter.collectors import channels, dids, recordings
from ami_exporter.collectors.declarations import Context, Trunk
from tests.support.collecting import Samples, counted, nonzero, store_of

RECORDED, RUNNING = ("asterisk_recorded_calls_total",), ("asterisk_recordings_in_progress",)
NEW = Context(version=(22, 10, 1))


def event(name: str, unique: str = "1.1", call: str = "1.1", **headers: str) -> Message:
    pairs = {"event": name, "channel": "PJSIP/telco-00000001", "uniqueid": unique, "linkedid": call}
    return Message.of([*(pairs | {key.lower(): value for key, value in headers.items()}).items()])


def test_a_call_that_is_recorded_again_and_on_other_legs_was_recorded_once() -> None:
    store = store_of(recordings.COLLECTOR, context=NEW)
    store.linked()
    assert counted(store) == {RECORDED: 0, RUNNING: 0}
    start, stop = "MixMonitorStart", "MixMonitorStop"
    store.feed([event(start), event(start), event(stop), event(start), event(start, "1.2")], 0.0)
    assert counted(store) == {RECORDED: 1, RUNNING: 3}
    store.feed([event("Hangup", "1.2")], 1.0)
    assert counted(store) == {RECORDED: 1, RUNNING: 2}
    store.feed([event("Hangup"), event(start, "1.3"), event("Hangup", "1.3")], 1.0)
    assert counted(store) == {RECORDED: 1, RUNNING: 0}
    store.feed([event(start, "2.1", "2.1")], 1.0)
    assert counted(store) == {RECORDED: 2, RUNNING: 1}


def test_recordings_in_progress_are_unknown_without_the_link_and_begin_at_zero_with_the_next() -> None:
    store = store_of(recordings.COLLECTOR, context=NEW)
    assert counted(store) == {RECORDED: 0}
    store.linked()
    store.feed([event("MixMonitorStart")], 0.0)
    store.reset_trackers()
    assert counted(store) == {RECORDED: 1}
    store.linked()
    store.feed([event("MixMonitorStop"), event("Hangup"), event("MixMonitorStart")], 0.0)
    assert counted(store) == {RECORDED: 1, RUNNING: 1}


def test_what_was_recorded_for_longer_than_a_day_is_dropped() -> None:
    store = store_of(recordings.COLLECTOR, context=NEW)
    store.linked()
    store.feed([event("MixMonitorStart")], 0.0)
    store.expire(90_000.0)
    assert counted(store) == {RECORDED: 1, RUNNING: 0}


def test_versions_that_send_no_such_event_have_neither() -> None:
    for version in ((11, 25), (13, 38), (16, 16), (17, 9), (18, 2)):
        store = store_of(recordings.COLLECTOR, context=Context(version=version))
        store.linked()
        assert counted(store) == {}
    store = store_of(recordings.COLLECTOR, context=Context(version=(16, 28)))
    store.linked()
    assert set(counted(store)) == {RECORDED, RUNNING}


def held(*events: tuple[float, Message]) -> tuple[float, float]:
    store = store_of(channels.COLLECTOR)
    for at, one in events:
        store.feed([one], at)
    found = counted(store)
    return found["asterisk_hold_seconds_count",], found["asterisk_hold_seconds_sum",]


def test_time_on_hold_ends_with_unhold_or_with_the_channel() -> None:
    assert held((0.0, event("Hold")), (12.0, event("Unhold"))) == (1, 12)
    assert held((0.0, event("Hold")), (5.0, event("Hold")), (12.0, event("Hangup"))) == (1, 12)
    assert held((0.0, event("Unhold")), (1.0, event("Hangup"))) == (0, 0)
    assert held((0.0, event("Hold")), (1.0, event("Unhold", "1.2"))) == (0, 0)


def test_before_asterisk_12_hold_says_on_or_off() -> None:
    assert held((0.0, event("Hold", Status="On")), (7.0, event("Hold", Status="Off"))) == (1, 7)


TELCO = Trunk("telco", "PJSIP", "telco")
NUMBERS = {"4930555123": "Hotline", "+4930555123": "Hotline", "4930555777": "Sales"}
INBOUND = Context(
    trunks=MappingProxyType({"telco": TELCO}),
    trunk_names=MappingProxyType({("PJSIP", "telco"): "telco"}),
    dids=NUMBERS,
)


def called(*events: Message) -> Samples:
    store = store_of(dids.collector(("Hotline", "Sales")), context=INBOUND)
    zeros = counted(store)
    assert len(zeros) == 6
    assert set(zeros.values()) == {0}
    store.feed(events, 0.0)
    return {key[1:]: value for key, value in nonzero(counted(store)).items()}


def test_inbound_calls_count_by_the_name_of_the_number_dialled() -> None:
    up, ring = {"ChannelState": "6"}, {"ChannelState": "4"}
    assert called(event("Newchannel", Exten="4930555123", **ring), event("Newstate", **up), event("Hangup", **up)) == {
        ("Hotline", "answered"): 1
    }
    assert called(event("Newchannel", Exten="+4930555123", **ring), event("Hangup", **ring)) == {
        ("Hotline", "unanswered"): 1
    }
    assert called(event("Newchannel", Exten="49305559999", **ring), event("Hangup", **up)) == {("other", "answered"): 1}


def test_chan_sip_begins_down_and_rings_at_once() -> None:
    down, ring = {"ChannelState": "0"}, {"ChannelState": "4"}
    assert called(
        event("Newchannel", Exten="4930555777", **down), event("Newstate", **ring), event("Hangup", **ring)
    ) == {("Sales", "unanswered"): 1}


def test_outbound_calls_and_phones_do_not_count() -> None:
    assert called(event("Newchannel", Exten="4930555777", ChannelState="0"), event("Hangup", ChannelState="6")) == {}
    phone = {"Channel": "PJSIP/1001-00000001", "ChannelState": "4"}
    assert called(event("Newchannel", Exten="4930555777", **phone), event("Hangup", **phone)) == {}
