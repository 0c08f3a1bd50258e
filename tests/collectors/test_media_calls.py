"""Calls without audio, from recorded report blocks: literal events in, literal counts out."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.collectors import rtcp
from ami_exporter.collectors.declarations import Context, Trunk
from ami_exporter.pbx.event_counters import EventCounters
from tests.support.collecting import Samples, counted, nonzero, store_of

CHANNEL = "PJSIP/telco-a-00000001"
TELCO = Trunk("telco-a", "PJSIP", "telco-a")
CONTEXT = Context(
    trunks=MappingProxyType({"telco-a": TELCO}), trunk_names=MappingProxyType({("PJSIP", "telco-a"): "telco-a"})
)


def event(name: str, unique: str = "1.1", **headers: str) -> Message:
    pairs = {"event": name, "channel": CHANNEL, "uniqueid": unique, "linkedid": "1.1"}
    return Message.of([*(pairs | {key.lower(): value for key, value in headers.items()}).items()])


def report(name: str, sequence: int | None, kind: str = "200(SR)", **headers: str) -> Message:
    """A report; without a sequence number it has no block."""
    if sequence is None:
        return event(name, PT=kind, ReportCount="0", MES="88.1", **headers)
    block = {"Report0SourceSSRC": "0x1", "Report0FractionLost": "0", "Report0SequenceNumberCycles": "0"}
    return event(
        name,
        **{"PT": kind, "ReportCount": "1", "MES": "88.1", "Report0HighestSequence": str(sequence)} | block | headers,
    )


def begun(answered: float = 0.0) -> EventCounters:
    store = store_of(rtcp.COLLECTOR, context=CONTEXT)
    store.feed([event("Newchannel", ChannelState="0")], 0.0)
    store.feed([event("Newstate", ChannelState="6")], answered)
    return store


def every_five(store: EventCounters, name: str, sequences: Iterable[int | None], kind: str = "200(SR)") -> float:
    """A report every five seconds; returns the time of the last."""
    at = 0.0
    for sequence in sequences:
        at += 5.0
        store.feed([report(name, sequence, kind)], at)
    return at


def ended(store: EventCounters, at: float) -> Samples:
    store.feed([event("Hangup", ChannelState="6", Cause="16")], at)
    return nonzero(counted(store))


def results(found: Samples) -> dict[str, str]:
    """Direction → result; each call is counted once by technology and once by trunk, and they agree."""
    by_technology = {key[2]: key[3] for key in found if key[0] == "asterisk_media_calls_total"}
    by_trunk = {key[2]: key[3] for key in found if key[0] == "asterisk_trunk_media_calls_total"}
    assert by_technology == by_trunk
    assert all(value == 1 for key, value in found.items() if "media_calls" in key[0])
    return by_technology


@pytest.mark.parametrize(
    ("sequences", "result"),
    [
        ([100, 350, 600], "heard"),
        ([65400, 100, 350], "heard"),
        ([None, None, None], "silent"),
        ([100, 100, 100], "stopped"),
        # A short silence at the end is no dead call: people say goodbye.
        ([100, 350, 600, 850, 1100, 1350, 1350], "heard"),
        ([100, 350, 600, 850, 850, 850], "stopped"),
        # Audio that came back.
        ([100, 100, 100, 350], "heard"),
        ([None, None, 100, 350], "heard"),
        ([100], "unknown"),
    ],
)
def test_a_call_is_judged_by_packets_that_arrived_here(sequences: list[int | None], result: str) -> None:
    store = begun()
    last = every_five(store, "RTCPSent", sequences)
    assert results(ended(store, max(last, 10.0) + 1)) == {"inbound": result, "outbound": "unknown"}


def test_the_far_end_tells_what_it_received() -> None:
    store = begun()
    every_five(store, "RTCPSent", [100, 350, 600])
    last = every_five(store, "RTCPReceived", [None, None, None], "201(RR)")
    assert results(ended(store, last)) == {"inbound": "heard", "outbound": "silent"}


def test_media_that_goes_past_the_pbx_and_fax_are_unknown() -> None:
    """Receiver's reports of ours: nothing came in, and nothing went out either."""
    store = begun()
    last = every_five(store, "RTCPSent", [100, 100, 100, 100], "201(RR)")
    assert results(ended(store, last))["inbound"] == "unknown"
    store = begun()
    store.feed([report("RTCPSent", 100), report("RTCPSent", 350)], 6.0)
    for at in (11.0, 16.0, 21.0):
        store.feed([report("RTCPSent", 350, "201(RR)")], at)
    assert results(ended(store, 22.0))["inbound"] == "unknown"


def test_a_caller_who_leaves_a_message_is_not_cut_off() -> None:
    """While it records, the PBX sends nothing: that the far end receives nothing is no fault."""
    store = begun()
    for at in range(5, 60, 5):
        kind = "200(SR)" if at < 20 else "201(RR)"
        store.feed([report("RTCPSent", at, kind), report("RTCPReceived", min(at, 15))], at)
    assert results(ended(store, 60.0)) == {"inbound": "heard", "outbound": "unknown"}


def test_calls_under_ten_seconds_unanswered_ones_and_those_begun_unseen_do_not_count() -> None:
    store = begun()
    store.feed([report("RTCPSent", None)], 4.0)
    assert ended(store, 9.9) == {}
    store = store_of(rtcp.COLLECTOR, context=CONTEXT)
    store.feed([event("Newchannel", ChannelState="0"), report("RTCPSent", None)], 0.0)
    assert ended(store, 60.0) == {}
    store = store_of(rtcp.COLLECTOR, context=CONTEXT)
    store.feed([report("RTCPSent", None)], 0.0)
    assert ended(store, 60.0) == {}


def test_a_call_without_reports_is_unknown_and_so_is_one_whose_reports_ended() -> None:
    assert results(ended(begun(), 30.0)) == {"inbound": "unknown", "outbound": "unknown"}
    store = begun()
    every_five(store, "RTCPReceived", [100, 350, 600])
    assert results(ended(store, 120.0))["outbound"] == "unknown"


def test_ringing_is_not_judged() -> None:
    store = begun(answered=40.0)
    for at, sequence in ((5.0, None), (20.0, None), (45.0, 100), (50.0, 350), (55.0, 600)):
        store.feed([report("RTCPSent", sequence)], at)
    assert results(ended(store, 56.0))["inbound"] == "heard"


@pytest.mark.parametrize("holder", ["1.1", "1.2"])
def test_hold_is_left_out_whichever_end_holds(holder: str) -> None:
    store = begun()
    store.feed([report("RTCPSent", 100)], 5.0)
    store.feed([report("RTCPSent", 350)], 10.0)
    store.feed([event("Hold", holder)], 11.0)
    for at in (15.0, 20.0, 25.0, 30.0, 35.0):
        store.feed([report("RTCPSent", 400)], at)
    store.feed([event("Unhold", holder)], 36.0)
    store.feed([report("RTCPSent", 400)], 40.0)
    store.feed([report("RTCPSent", 600)], 45.0)
    assert results(ended(store, 46.0))["inbound"] == "heard"


def test_a_caller_who_hangs_up_while_on_hold_was_heard() -> None:
    store = begun()
    last = every_five(store, "RTCPSent", [100, 350])
    store.feed([event("Hold", "1.2")], last + 1)
    for at in (15.0, 20.0, 25.0):
        store.feed([report("RTCPSent", 400)], at)
    assert results(ended(store, 60.0))["inbound"] == "heard"


def test_audio_that_stays_away_after_a_hold_has_stopped() -> None:
    store = begun()
    last = every_five(store, "RTCPSent", [100, 350])
    store.feed([event("Hold")], last + 0.1)
    store.feed([event("Unhold")], last + 2)
    for at in (15.0, 20.0, 25.0, 30.0):
        store.feed([report("RTCPSent", 350)], at)
    assert results(ended(store, 31.0))["inbound"] == "stopped"


def test_audio_and_video_of_one_call_are_not_told_apart() -> None:
    store = begun()
    for at in (5.0, 10.0, 15.0):
        store.feed([report("RTCPSent", 100), report("RTCPSent", int(at), Report0SourceSSRC="0x2")], at)
    assert results(ended(store, 16.0))["inbound"] == "unknown"


def test_a_source_that_changes_within_a_call_is_no_second_stream() -> None:
    store = begun()
    for at, source in ((5.0, "0x1"), (10.0, "0x2"), (15.0, "0x3")):
        store.feed([report("RTCPSent", 7, Report0SourceSSRC=source)], at)
    assert results(ended(store, 16.0))["inbound"] == "heard"


def test_a_report_that_tells_of_no_packets_is_no_sample_of_loss_or_score() -> None:
    store = begun()
    every_five(store, "RTCPSent", [None, 100, 350, 350, 350])
    found = nonzero(counted(store))
    assert found["asterisk_rtcp_mes_count", "PJSIP"] == 2
    assert counted(store)["asterisk_rtcp_loss_ratio_count", "inbound", "PJSIP"] == 2
    assert counted(store)["asterisk_trunk_rtcp_loss_ratio_count", "telco-a", "inbound"] == 2


def test_a_channel_whose_beginning_was_not_seen_has_samples_while_its_packets_move() -> None:
    store = store_of(rtcp.COLLECTOR, context=CONTEXT)
    every_five(store, "RTCPSent", [100, 350, 350, 350])
    assert counted(store)["asterisk_rtcp_loss_ratio_count", "inbound", "PJSIP"] == 2


def test_channels_without_rtp_are_not_followed_and_a_lost_link_forgets_calls() -> None:
    store = store_of(rtcp.COLLECTOR, context=CONTEXT)
    for channel in ("IAX2/telco-1", "Local/1@x-00000001;1", "DAHDI/1-1"):
        store.feed([event("Newchannel", ChannelState="6", Channel=channel), event("Hangup", Channel=channel)], 0.0)
    store = begun()
    store.reset_trackers()
    assert ended(store, 60.0) == {}
