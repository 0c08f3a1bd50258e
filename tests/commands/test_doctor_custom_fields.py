"""The doctor names fields of `custom:` that no item, event or row has."""

from __future__ import annotations

from pathlib import Path

import pytest

from ami_exporter.ami.header_orders import Era
from ami_exporter.ami.message import Message
from ami_exporter.commands.doctor.customfields import strange_fields
from ami_exporter.config.custom_settings import (
    CommandSettings,
    CustomLabel,
    CustomMetric,
    CustomMetricsSettings,
    CustomValue,
    MatchRead,
)
from ami_exporter.demo import DemoSettings, SimulatedPbx
from tests.support.exporter_process import run

QUEUE = {("QueueStatus", "queueparams"): frozenset({"event", "queue", "holdtime", "vendorfield"})}


def entry(
    action: str | None = None, item: str | None = None, event: str | None = None, where: str = "queue", value: str = ""
) -> CustomMetricsSettings:
    metric = CustomMetric(
        "asterisk_custom_x", "gauge", "X.", CustomValue(value) if value else None, (CustomLabel("queue", "queue"),)
    )
    return CustomMetricsSettings(action=action, item=item, event=event, where={where: ("x",)}, metrics=(metric,))


def found(one: CustomMetricsSettings, outputs: dict[str, Message] | None = None) -> list[str]:
    return list(strange_fields([one], QUEUE, outputs or {}, Era.MODERN))


def test_a_field_that_no_item_has_is_named_with_the_nearest() -> None:
    assert found(entry("QueueStatus", "QueueParams", value="holdtimee")) == [
        'custom: no item QueueParams of QueueStatus has the field holdtimee; did you mean "holdtime"?'
    ]
    assert found(entry("QueueStatus", "QueueParams", where="colour")) == [
        "custom: no item QueueParams of QueueStatus has the field colour"
    ]


@pytest.mark.parametrize("field", ["holdtime", "vendorfield", "abandoned"])
def test_a_field_that_an_item_had_or_that_asterisk_is_known_to_send_is_none(field: str) -> None:
    assert found(entry("QueueStatus", "QueueParams", value=field)) == []


def test_of_an_empty_list_asterisks_known_fields_count() -> None:
    assert found(entry("QueueStatus", "QueueEntry", value="wait")) == []
    assert found(entry("QueueStatus", "QueueEntry", value="waitt")) == [
        'custom: no item QueueEntry of QueueStatus has the field waitt; did you mean "wait"?'
    ]


def test_of_an_event_only_a_near_miss_is_named_as_newer_servers_send_more() -> None:
    assert found(entry(event="QueueCallerAbandon", value="holdtimee")) == [
        'custom: no event QueueCallerAbandon has the field holdtimee; did you mean "holdtime"?'
    ]
    assert found(entry(event="QueueCallerAbandon", value="zzz")) == []
    assert found(entry(event="UserEvent", value="holdtimee")) == []
    assert found(entry(event="OfAnotherModule", value="holdtimee")) == []


def test_the_columns_of_a_command_are_those_of_its_reader() -> None:
    how = CommandSettings("odbc show", MatchRead(r"(?P<used>[0-9]+) of (?P<all>[0-9]+)"))
    metric = CustomMetric("asterisk_custom_x", "gauge", "X.", CustomValue("usedd"))
    one = CustomMetricsSettings(metrics=(metric,), command=how)
    outputs = {"odbc show": Message.of([("output", "3 of 5")])}
    assert found(one, outputs) == ['custom: no row of `odbc show` has the field usedd; did you mean "used"?']
    assert found(one) == []


def test_doctor_tells_of_it_and_ends_with_1(tmp_path: Path) -> None:
    with SimulatedPbx(DemoSettings()) as pbx:
        config = tmp_path / "c.yml"
        config.write_text(
            f"targets: {{demo: {{address: '{pbx.address}', username: demo, secret: demo}}}}\n"
            "custom:\n"
            "  - action: QueueStatus\n"
            "    item: QueueParams\n"
            "    metrics:\n"
            "      - {name: asterisk_custom_hold, type: gauge, help: X., value: Holdtimee, labels: {queue: Queue}}\n"
        )
        done = run("doctor", "--config.file", str(config))
        assert done.returncode == 1
        to_fix = " ".join(done.stdout.partition("To fix:\n")[2].split())
        told = 'custom: no item QueueParams of QueueStatus has the field holdtimee; did you mean "holdtime"?'
        assert to_fix == f"- {told}"
        config.write_text(config.read_text().replace("Holdtimee", "Holdtime"))
        assert run("doctor", "--config.file", str(config)).returncode == 0
