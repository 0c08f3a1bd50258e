"""Which fields may not be labels: what is new with each call, or tells of a person or an address."""

import pytest

from ami_exporter.config.faults import ConfigErrors
from ami_exporter.config.load import load
from tests.support.config_catalogue import catalogue


def entry(field: str) -> str:
    metric = f"{{name: asterisk_custom_x_total, type: counter, help: X., labels: {{x: {field}}}}}"
    return f"targets: {{a: {{address: a, username: u, secret: s}}}}\ncustom: [{{event: E, metrics: [{metric}]}}]\n"


@pytest.mark.parametrize(
    "field",
    [
        "Channel", "DestChannel", "BridgeUniqueid", "Uniqueid", "DestUniqueid", "Linkedid", "CallerIDNum",
        "DestCallerIDName", "ConnectedLineNum", "DNID", "CallerIDani", "RemoteAddress", "IPaddress", "SessionID",
        "AccountID", "AccountCode", "Email", "Uri", "SIPCallID", "DialString", "AppData",
    ],
)  # fmt: skip
def test_fields_of_calls_and_persons_are_refused(field: str) -> None:
    with pytest.raises(ConfigErrors, match="new with each call or tells of a person"):
        load("c.yml", entry(field), catalogue())


@pytest.mark.parametrize("field", ["Queue", "State", "Cause-txt", "Application", "ParkingLot", "Status", "ChanType"])
def test_fields_of_few_values_are_allowed(field: str) -> None:
    assert load("c.yml", entry(field), catalogue()).custom[0].metrics[0].labels[0].field == field.lower()


def test_a_map_closes_any_field() -> None:
    mapped = entry("{field: Channel, map: {Console/dsp: console}}")
    assert load("c.yml", mapped, catalogue()).custom[0].metrics[0].labels[0].values == {"console/dsp": "console"}
