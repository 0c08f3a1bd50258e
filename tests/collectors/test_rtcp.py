from __future__ import annotations

from types import MappingProxyType

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.collectors import rtcp
from ami_exporter.collectors.declarations import Context, Trunk
from ami_exporter.pbx.event_counters import EventCounters
from tests.support.collecting import counted, message, nonzero, show, store_of

CHANNEL = "PJSIP/telco-00000001"
UNIQUE = "1700000000.1"


def report(name: str, *blocks: tuple[int, int], **headers: str) -> Message:
    pairs = [("event", name), ("channel", CHANNEL), ("uniqueid", UNIQUE), ("reportcount", str(len(blocks)))]
    for number, (lost, jitter) in enumerate(blocks):
        pairs += [(f"report{number}fractionlost", str(lost)), (f"report{number}iajitter", str(jitter))]
    return Message.of([*pairs, *((key.lower(), value) for key, value in headers.items())])


def status(formats: str, unique: str = UNIQUE) -> Message:
    return message(f"Event: Status\nChannel: {CHANNEL}\nUniqueid: {unique}\nNativeformats: {formats}")


def listening(formats: str = "(ulaw)", context: Context | None = None) -> EventCounters:
    """A store that has seen a report and then a poll."""
    store = store_of(rtcp.COLLECTOR, context=context)
    store.feed([report("RTCPSent")], 0.0)
    show(store, rtcp.STATUS, [status(formats)])
    return store


def test_what_we_received_is_in_rtcp_sent_what_they_received_in_rtcp_received() -> None:
    store = listening()
    store.feed([report("RTCPSent", (64, 80)), report("RTCPReceived", (0, 160), RTT="0.0420", MES="87.9")], 0.0)
    assert nonzero(counted(store)) == {
        ("asterisk_rtcp_jitter_seconds_count", "inbound", "PJSIP"): 1,
        ("asterisk_rtcp_jitter_seconds_sum", "inbound", "PJSIP"): 0.01,
        ("asterisk_rtcp_loss_ratio_count", "inbound", "PJSIP"): 1,
        ("asterisk_rtcp_loss_ratio_sum", "inbound", "PJSIP"): 0.25,
        ("asterisk_rtcp_jitter_seconds_count", "outbound", "PJSIP"): 1,
        ("asterisk_rtcp_jitter_seconds_sum", "outbound", "PJSIP"): 0.02,
        ("asterisk_rtcp_loss_ratio_count", "outbound", "PJSIP"): 1,
        ("asterisk_rtcp_rtt_seconds_count", "PJSIP"): 1,
        ("asterisk_rtcp_rtt_seconds_sum", "PJSIP"): 0.042,
        ("asterisk_rtcp_mes_count", "PJSIP"): 1,
        ("asterisk_rtcp_mes_sum", "PJSIP"): 87.9,
    }


def test_every_report_block_counts() -> None:
    store = listening()
    store.feed([report("RTCPReceived", (128, 8), (0, 8), (128, 8))], 0.0)
    found = counted(store)
    assert found["asterisk_rtcp_loss_ratio_count", "outbound", "PJSIP"] == 3
    assert found["asterisk_rtcp_loss_ratio_sum", "outbound", "PJSIP"] == 1.0
    assert found["asterisk_rtcp_jitter_seconds_count", "outbound", "PJSIP"] == 3


@pytest.mark.parametrize("formats", ["(opus)", "(slin16)", "(siren14)", "(silk16)", "(ulaw|h264)", "(ulaw|opus)", ""])
def test_trap_jitter_ticks_of_another_clock_are_skipped_and_loss_is_not(formats: str) -> None:
    store = listening(formats)
    store.feed([report("RTCPSent", (64, 480))], 0.0)
    found = nonzero(counted(store))
    assert found["asterisk_rtcp_loss_ratio_count", "inbound", "PJSIP"] == 1
    assert not any("jitter" in key[0] for key in found)


@pytest.mark.parametrize("formats", ["(ulaw)", "(alaw|ulaw)", "(g722)", "(g729)"])
def test_g722_has_an_rtp_clock_of_8_khz_too(formats: str) -> None:
    store = listening(formats)
    store.feed([report("RTCPSent", (0, 8))], 0.0)
    assert counted(store)["asterisk_rtcp_jitter_seconds_sum", "inbound", "PJSIP"] == 0.001


def test_jitter_of_a_channel_that_no_poll_has_shown_is_skipped() -> None:
    store = store_of(rtcp.COLLECTOR)
    store.feed([report("RTCPSent", (0, 8))], 0.0)
    assert not any("jitter" in key[0] for key in nonzero(counted(store)))


def test_a_channel_that_changes_its_codec_is_skipped_from_the_next_poll() -> None:
    store = listening()
    show(store, rtcp.STATUS, [status("(opus)")])
    store.feed([report("RTCPSent", (0, 480))], 0.0)
    assert not any("jitter" in key[0] for key in nonzero(counted(store)))


def test_a_channel_fades_when_polls_no_longer_show_it() -> None:
    store = listening()
    for now, known in ((700.0, 1), (1400.0, 1), (2100.0, 1)):
        store.expire(now)
        store.feed([report("RTCPSent", (0, 8))], now)
        assert counted(store).get(("asterisk_rtcp_jitter_seconds_count", "inbound", "PJSIP"), 0) == known


def test_a_report_without_channel_counts_loss_under_other() -> None:
    store = store_of(rtcp.COLLECTOR)
    store.feed([message("Event: RTCPReceived\nReportCount: 1\nReport0FractionLost: 128\nReport0IAJitter: 8")], 0.0)
    assert nonzero(counted(store)) == {
        ("asterisk_rtcp_loss_ratio_count", "outbound", "other"): 1,
        ("asterisk_rtcp_loss_ratio_sum", "outbound", "other"): 0.5,
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"RTT": "0.0000"},
        {"RTT": "65535.9999"},
        {"RTT": "-1"},
        {"MES": "0.0"},
        {"MES": "101"},
        {"Report0FractionLost": "256", "Report0IAJitter": "8"},
        {"Report0FractionLost": "-1", "Report0IAJitter": "4294967295"},
    ],
)
def test_absurd_or_unknown_figures_are_left_out(headers: dict[str, str]) -> None:
    store = listening()
    store.feed([report("RTCPReceived", **headers)], 0.0)
    found = nonzero(counted(store))
    assert not any("jitter" not in key[0] for key in found)


def test_trunks_have_series_of_their_own() -> None:
    context = Context(
        trunks=MappingProxyType({"telco": Trunk("telco", "PJSIP", "telco")}),
        trunk_names=MappingProxyType({("PJSIP", "telco"): "telco"}),
    )
    store = listening(context=context)
    store.feed([report("RTCPSent", (64, 80))], 0.0)
    found = counted(store)
    assert found["asterisk_trunk_rtcp_jitter_seconds_sum", "telco", "inbound"] == 0.01
    assert found["asterisk_trunk_rtcp_loss_ratio_sum", "telco", "inbound"] == 0.25


def test_channels_are_learnt_only_while_reports_arrive_and_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtcp, "MAX_CHANNELS", 2)
    tracker = rtcp.MediaReports()
    tracker.learn(status("(ulaw)", "1.1"))
    assert tracker._young == set()
    tracker.event(report("RTCPSent"), Context(), 0.0)
    for number in range(5):
        tracker.learn(status("(ulaw)", f"1.{number}"))
    assert tracker._young == {"1.0", "1.1"}
    tracker.reset()
    assert tracker._young == set()
