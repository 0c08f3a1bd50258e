from __future__ import annotations

import pytest

from ami_exporter.collectors import bridges, dahdi, devices
from ami_exporter.collectors.lists import DEVICES
from tests.support.collecting import counted, message, messages, nonzero, polled, store_of


def test_bridges_and_their_channels_are_added_up() -> None:
    items = messages(
        """
        Event: BridgeListItem
        BridgeUniqueid: a
        BridgeType: basic
        BridgeTechnology: simple_bridge
        BridgeNumChannels: 2

        Event: BridgeListItem
        BridgeUniqueid: b
        BridgeType: basic
        BridgeTechnology: simple_bridge
        BridgeNumChannels: 2

        Event: BridgeListItem
        BridgeUniqueid: c
        BridgeType: base
        BridgeTechnology: softmix
        BridgeNumChannels: 5
        """
    )
    assert nonzero(polled(bridges.COLLECTOR, {bridges.LIST: items})) == {
        ("asterisk_bridges", "simple_bridge", "basic"): 2,
        ("asterisk_bridge_channels", "simple_bridge", "basic"): 4,
        ("asterisk_bridges", "softmix", "base"): 1,
        ("asterisk_bridge_channels", "softmix", "base"): 5,
    }


def test_no_bridges_is_zero() -> None:
    samples = polled(bridges.COLLECTOR, {bridges.LIST: []})
    assert samples["asterisk_bridges", "simple_bridge", "basic"] == 0
    assert not nonzero(samples)


def device(name: str, state: str) -> str:
    return f"Event: DeviceStateChange\nDevice: {name}\nState: {state}"


def test_devices_are_counted_by_technology_and_state() -> None:
    items = messages(
        "\n\n".join([device("PJSIP/101", "INUSE"), device("PJSIP/102", "RINGINUSE"), device("SIP/1", "?")])
    )
    assert nonzero(polled(devices.COLLECTOR, {DEVICES: items})) == {
        ("asterisk_device_states", "PJSIP", "in_use"): 1,
        ("asterisk_device_states", "PJSIP", "ring_in_use"): 1,
        ("asterisk_device_states", "SIP", "unknown"): 1,
    }


@pytest.mark.parametrize(
    "name",
    [
        "Queue:600",
        "Queue:600_avail",
        "Queue:600_pause_PJSIP/101",
        "Agent:1001",
        "Custom:night",
        "confbridge:7/8",
        "park:701@parkedcalls",
        "",
    ],
)
def test_trap_pseudo_devices_are_no_endpoints(name: str) -> None:
    assert polled(devices.COLLECTOR, {DEVICES: [message(device(name, "INUSE"))]}) == {}


@pytest.mark.parametrize(
    ("bits", "state"),
    [
        ("0", "not_in_use"),
        ("1", "in_use"),
        ("2", "busy"),
        ("4", "unavailable"),
        ("8", "ringing"),
        ("9", "ring_in_use"),
        ("16", "on_hold"),
        ("17", "in_use"),
        ("-1", "invalid"),
        ("-2", "invalid"),
        ("64", "unknown"),
    ],
)
def test_hints_are_counted_by_the_sum_of_their_bits(bits: str, state: str) -> None:
    item = message(f"Event: ExtensionStatus\nExten: 101\nContext: from-internal\nHint: PJSIP/101\nStatus: {bits}")
    samples = polled(devices.COLLECTOR, {devices.HINTS: [item]})
    assert nonzero(samples) == {("asterisk_hints", state): 1}
    assert len(samples) == 9


def test_dahdi_channels_spans_and_isdn() -> None:
    answers = {
        dahdi.CHANNELS: messages(
            """
            Event: DAHDIShowChannels
            DAHDIChannel: 1
            Alarm: No Alarm

            Event: DAHDIShowChannels
            DAHDIChannel: 2
            Alarm: Red Alarm

            Event: DAHDIShowChannels
            DAHDIChannel: 3
            Alarm: Unknown Alarm
            """
        ),
        dahdi.SPANS: messages(
            """
            Event: DAHDIShowStatus
            Span: 1
            Alarms: OK

            Event: DAHDIShowStatus
            Span: 2
            Alarms: YEL/RED

            Event: DAHDIShowStatus
            Span: 3
            Alarms: UNCONFIGURED
            """
        ),
        dahdi.PRI_SPANS: messages(
            """
            Event: PRIShowSpans
            Span: 1
            DChannel: 16
            Up: No

            Event: PRIShowSpans
            Span: 1
            DChannel: 47
            Up: Yes

            Event: PRIShowSpans
            Span: 2
            DChannel: 78
            Up: No
            """
        ),
    }
    samples = polled(dahdi.COLLECTOR, answers)
    assert {key: value for key, value in samples.items() if key[0] != "asterisk_dahdi_channels"} == {
        ("asterisk_dahdi_span_alarm", "1"): 0,
        ("asterisk_dahdi_span_alarm", "2"): 1,
        ("asterisk_pri_span_up", "1"): 1,
        ("asterisk_pri_span_up", "2"): 0,
    }
    assert {key[1]: value for key, value in samples.items() if key[0] == "asterisk_dahdi_channels"} == {
        "none": 1,
        "red": 1,
        "yellow": 0,
        "blue": 0,
        "recovering": 0,
        "loopback": 0,
        "not_open": 0,
        "other": 1,
    }


def test_alarms_are_counted_as_raised_and_cleared() -> None:
    store = store_of(dahdi.COLLECTOR)
    assert counted(store)["asterisk_alarms_total", "span", "raised"] == 0
    store.feed(messages("Event: Alarm\n\nEvent: AlarmClear\n\nEvent: SpanAlarm\n\nEvent: SpanAlarm"), 0.0)
    assert counted(store) == {
        ("asterisk_alarms_total", "channel", "raised"): 1,
        ("asterisk_alarms_total", "channel", "cleared"): 1,
        ("asterisk_alarms_total", "span", "raised"): 2,
        ("asterisk_alarms_total", "span", "cleared"): 0,
    }
