from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors import custom
from ami_exporter.collectors.declarations import Context
from ami_exporter.config.custom_settings import CustomLabel, CustomMetric, CustomMetricsSettings, CustomValue
from ami_exporter.exposition.caps import Caps
from ami_exporter.exposition.writer import Writer
from ami_exporter.pbx.event_counters import EventCounters
from tests.support.collecting import counted, messages, nonzero, polled, store_of

DEVICES = Action("DeviceStateList")
STATES = CustomMetricsSettings(
    action="DeviceStateList",
    item="DeviceStateChange",
    event=None,
    where=MappingProxyType({}),
    metrics=(
        CustomMetric("asterisk_custom_device_states", "gauge", "Devices", labels=(CustomLabel("state", "state"),)),
    ),
)
CALLBACKS = CustomMetricsSettings(
    action=None,
    item=None,
    event="UserEvent",
    where=MappingProxyType({"userevent": ("callbackrequested",)}),
    metrics=(
        CustomMetric(
            "asterisk_custom_callbacks_total", "counter", "Callbacks", labels=(CustomLabel("queue", "queue"),)
        ),
    ),
)

ITEMS = """
    Event: DeviceStateChange
    Device: PJSIP/201
    State: INUSE

    Event: DeviceStateChange
    Device: PJSIP/202
    State: INUSE

    Event: DeviceStateChange
    Device: PJSIP/203
    State: NOT_INUSE
"""


def user_event(**headers: str) -> Message:
    return Message.of([("event", "UserEvent"), *((name.lower(), value) for name, value in headers.items())])


def with_value(value: CustomValue, *labels: CustomLabel, kind: str = "gauge") -> CustomMetricsSettings:
    metric = replace(STATES.metrics[0], name="asterisk_custom_x", type=kind, value=value, labels=labels)  # type: ignore[arg-type] # one of the three words
    return replace(STATES, metrics=(metric,))


def test_items_are_counted_by_label() -> None:
    collector = custom.collector([STATES])
    assert collector.polls == ((DEVICES,),)
    assert polled(collector, {DEVICES: messages(ITEMS)}) == {
        ("asterisk_custom_device_states", "INUSE"): 2,
        ("asterisk_custom_device_states", "NOT_INUSE"): 1,
    }


def test_a_mapped_label_is_closed_and_its_values_exist_at_0() -> None:
    label = CustomLabel("busy", "state", MappingProxyType({"inuse": "yes", "busy": "yes", "onhold": "hold"}), "no")
    entry = replace(STATES, metrics=(replace(STATES.metrics[0], labels=(label,)),))
    assert polled(custom.collector([entry]), {DEVICES: messages(ITEMS)}) == {
        ("asterisk_custom_device_states", "yes"): 2,
        ("asterisk_custom_device_states", "hold"): 0,
        ("asterisk_custom_device_states", "no"): 1,
    }


def test_where_reads_text_whatever_its_case() -> None:
    entry = replace(STATES, where=MappingProxyType({"state": ("inuse", "busy")}))
    assert polled(custom.collector([entry]), {DEVICES: messages(ITEMS)}) == {
        ("asterisk_custom_device_states", "INUSE"): 2
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (CustomValue("size"), 5),
        (CustomValue("size", reduce="max"), 4),
        (CustomValue("size", reduce="min"), 1),
        (CustomValue("size", reduce="last"), 4),
        (CustomValue("size", scale=0.001), 0.005),
        (CustomValue("word", values=MappingProxyType({"registered": 1.0})), 1),
        (CustomValue("word", values=MappingProxyType({"registered": 1.0}), other=10.0), 21),
        (CustomValue("size", scale=-1.0), -5),
    ],
)
def test_values_of_fields(value: CustomValue, expected: float) -> None:
    items = messages("""
        Event: DeviceStateChange
        Size: 1
        Word: Registered

        Event: DeviceStateChange
        Size: 4
        Word: Rejected

        Event: DeviceStateChange
        Size: many
        Word: Unknown
    """)
    assert polled(custom.collector([with_value(value)]), {DEVICES: items}) == {("asterisk_custom_x",): expected}


def test_without_item_the_only_item_of_the_action_is_meant() -> None:
    assert custom.collector([replace(STATES, item=None)]).rules[0].items == ("DeviceStateChange",)


def test_events_are_counted_where_the_condition_holds() -> None:
    store = store_of(custom.collector([CALLBACKS]))
    assert store.events == {"userevent"}
    store.feed(
        [
            user_event(UserEvent="CallbackRequested", Queue="600"),
            user_event(UserEvent="callbackrequested", Queue="600"),
            user_event(UserEvent="Other", Queue="600"),
            user_event(UserEvent="CallbackRequested"),
        ],
        0.0,
    )
    assert counted(store) == {("asterisk_custom_callbacks_total", "600"): 2}


def test_a_histogram_of_a_field_with_scale_and_a_counter_that_never_falls() -> None:
    seconds = CustomMetric(
        "asterisk_custom_wait_seconds", "histogram", "Wait", CustomValue("wait", scale=0.001), buckets=(1.0, 5.0)
    )
    total = CustomMetric("asterisk_custom_paid_total", "counter", "Paid", CustomValue("paid"))
    store = store_of(custom.collector([replace(CALLBACKS, where=MappingProxyType({}), metrics=(seconds, total))]))
    store.feed([user_event(Wait="2500", Paid="3"), user_event(Wait="x", Paid="-3"), user_event(Paid="1")], 0.0)
    assert nonzero(counted(store)) == {
        ("asterisk_custom_wait_seconds_count",): 1,
        ("asterisk_custom_wait_seconds_sum",): 2.5,
        ("asterisk_custom_paid_total",): 4,
    }


def test_two_entries_of_one_name_feed_one_metric() -> None:
    contacts = replace(STATES, action="IAXpeerlist", item="PeerEntry")
    collector = custom.collector([STATES, contacts])
    assert len(collector.metrics) == 1
    assert polled(
        collector, {DEVICES: messages(ITEMS), Action("IAXpeerlist"): messages("Event: PeerEntry\nState: INUSE")}
    ) == {("asterisk_custom_device_states", "INUSE"): 3, ("asterisk_custom_device_states", "NOT_INUSE"): 1}


def test_entries_of_one_name_that_differ_are_refused() -> None:
    other = replace(CALLBACKS, metrics=(replace(CALLBACKS.metrics[0], labels=()),))
    with pytest.raises(ValueError, match="asterisk_custom_callbacks_total is written twice with another"):
        custom.collector([CALLBACKS, other])


def test_an_unchanged_metric_is_the_same_object_after_a_reload_and_a_changed_one_is_not() -> None:
    before = custom.collector([STATES, CALLBACKS]).metrics
    again = custom.collector([replace(STATES, where=MappingProxyType({"state": ("busy",)})), CALLBACKS]).metrics
    assert again[0] is not before[0]
    assert again[1] is before[1]


def test_a_labels_own_limit_stands_in_the_metric() -> None:
    entry = replace(STATES, metrics=(replace(STATES.metrics[0], labels=(CustomLabel("state", "state", limit=2),)),))
    assert custom.collector([entry]).metrics[0].limits == {"state": 2}


def test_the_first_values_of_a_limited_label_are_kept_and_the_rest_is_dropped() -> None:
    dropped: list[tuple[str, ...]] = []
    caps = Caps(1000, lambda _metric, labels: dropped.append(labels), lambda _metric, _labels: True)
    label = CustomLabel("queue", "queue", limit=2)
    entry = replace(CALLBACKS, where=MappingProxyType({}), metrics=(replace(CALLBACKS.metrics[0], labels=(label,)),))
    store = EventCounters([custom.collector([entry])], Context(), caps)
    store.feed([user_event(Queue=queue) for queue in ("a", "b", "c", "a", "c")], 0.0)
    assert counted(store) == {
        ("asterisk_custom_callbacks_total", "a"): 2,
        ("asterisk_custom_callbacks_total", "b"): 1,
    }
    assert dropped == [("c",), ("c",)]


def test_a_limited_label_of_a_list_keeps_what_it_served() -> None:
    label = CustomLabel("state", "state", limit=2)
    metric = custom.collector([replace(STATES, metrics=(replace(STATES.metrics[0], labels=(label,)),))]).metrics[0]
    dropped: list[tuple[str, ...]] = []
    writer = Writer(Caps(1000, lambda _metric, labels: dropped.append(labels), lambda _metric, _labels: True))
    for states in (("b", "c"), ("a", "b", "c")):
        families = writer.families((metric, (state,), 1.0) for state in states)
        assert [labels for family in families for labels in family.values] == [("b",), ("c",)]
    assert dropped == [("a",)]
