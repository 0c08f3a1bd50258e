"""Labels of custom metrics: an allow-list of fields; a map or an explicit wish for whatever else."""

import re
from pathlib import Path

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.cli import main
from ami_exporter.collectors import custom
from ami_exporter.collectors.declarations import Context
from ami_exporter.collectors.fields import is_number_or_address
from ami_exporter.config import labelfields, unsafe_labels
from ami_exporter.config.faults import ConfigErrors
from ami_exporter.config.load import load
from ami_exporter.config.target_settings import Settings
from tests.support.config_catalogue import catalogue

HEAD = "targets: {a: {address: a, username: u, secret: s}}\n"
CODEC = re.compile(r"\([a-z0-9]+@[0-9]+\)")  # ReadTrans: (ulaw@8000)->(slin@8000)
CAPTURES = sorted((Path(__file__).parents[1] / "captures").glob("*.txt"))


def entry(field: str, event: str = "E", more: str = "") -> str:
    metric = f"{{name: asterisk_custom_x_total, type: counter, help: X., labels: {{x: {field}}}}}"
    return f"{HEAD}custom: [{{event: {event}, {more}metrics: [{metric}]}}]\n"


def loaded(field: str, event: str = "E", more: str = "") -> Settings:
    return load("c.yml", entry(field, event, more), catalogue())


def label(settings: Settings, **headers: str) -> str | None:
    (rule,) = custom.collector(settings.custom).rules
    found = rule.labels(Message.of({name.lower(): value for name, value in headers.items()}), Context())
    assert found is None or len(found) == 1
    return found[0] if found else None


@pytest.mark.parametrize(
    "field",
    [
        "Channel", "DestChannel", "BridgeUniqueid", "Uniqueid", "DestUniqueid", "Linkedid", "CallerIDNum",
        "DestCallerIDName", "ConnectedLineNum", "DNID", "CallerIDani", "RemoteAddress", "IPaddress", "SessionID",
        "AccountID", "AccountCode", "Email", "Uri", "SIPCallID", "DialString", "AppData", "Source",
        "Destination", "CLID",
        "Exten", "Extension", "DestExten", "Interface", "MemberName", "StateInterface", "From", "To",
        "Location", "Name",
        "AgentName", "Agent", "User", "Username", "FullName", "Fullname", "Peer", "Address", "Host",
        "Contact", "ViaAddr",
        "UserAgent", "Mailbox", "VoiceMailbox", "Reason", "PausedReason", "Message", "Value", "Variable", "LastData",
        "UserField", "DestinationChannel", "CallID", "TransferExten", "TransfererCallerIDNum",
        "OrigTransfererChannel",
        "ParkeeCallerIDNum", "ParkerDialString", "Key", "Val", "Family", "Hint2", "Digits", "Ringtime", "anything",
    ],
)  # fmt: skip
def test_fields_outside_the_allow_list_are_refused(field: str) -> None:
    for event in ("Cdr", "Newchannel", "QueueMember", "UserEvent"):
        with pytest.raises(ConfigErrors, match="one of the allow-list"):
            loaded(field, event)


@pytest.mark.parametrize("field", ["Queue", "State", "Cause-txt", "Application", "ParkingLot", "Status", "ChanType"])
def test_fields_of_closed_words_and_configured_names_are_allowed(field: str) -> None:
    assert loaded(field).custom[0].metrics[0].labels[0].field == field.lower()


def test_a_name_is_allowed_where_it_is_a_parking_lot_and_not_where_it_is_a_queue_member() -> None:
    assert loaded("Name", "Parkinglot")
    with pytest.raises(ConfigErrors):
        loaded("Name", "QueueMember")


def test_a_map_closes_any_field() -> None:
    settings = loaded("{field: Channel, map: {Console/dsp: console}}")
    assert settings.custom[0].metrics[0].labels[0].values == {"console/dsp": "console"}
    assert not list(unsafe_labels.warnings(settings.custom))


def test_unsafe_labels_let_any_field_in_with_a_warning_that_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = entry("Source", "Cdr", "unsafe_labels: true, ")
    settings = load("c.yml", text, catalogue())
    assert label(settings, Source="+49 30 1234567") == "+49 30 1234567"
    (warning,) = unsafe_labels.warnings(settings.custom)
    assert warning.startswith("custom[0].metrics[0].labels.x: the field source may hold")
    file = tmp_path / "c.yml"
    file.write_text(text)
    assert main(["check", "--config.file", str(file)], {}) == 0
    assert warning in capsys.readouterr().out


def test_no_warning_where_unsafe_labels_were_not_needed() -> None:
    assert not list(unsafe_labels.warnings(loaded("Queue", "Cdr", "unsafe_labels: true, ").custom))


ADDRESSES = [
    "+49 30 1234567", "0301234567", "030/123-4567", "(030) 1234567", "x 493012345678", "sip:1001@198.18.0.1", "tel:110",
    "alice@example.com", "198.18.0.1", "198.18.0.1:5060", "2001:db8::1", "00:11:22:33:44:55", "00-11-22-33-44-55",
    "https://x.example", "PJSIP/1001-0000001f", "Local/9001@w48-00000010;1", "1795409609.123",
]  # fmt: skip
NAMES = ["sales", "600", "1001", "PJSIP/1001", "PJSIP/telco-a", "Custom:night", "asterisk 22.10.1", "Köln-Süd", "w3 w4"]


@pytest.mark.parametrize("value", ADDRESSES)
def test_a_number_or_an_address_in_a_field_that_the_dialplan_fills_is_other(value: str) -> None:
    assert is_number_or_address(value)
    assert label(loaded("Queue", "UserEvent"), Queue=value) == "other"
    assert label(loaded("Device", "DeviceStateChange"), Device=value) == "other"


@pytest.mark.parametrize("value", NAMES)
def test_a_name_in_such_a_field_is_itself(value: str) -> None:
    assert not is_number_or_address(value)
    assert label(loaded("Queue", "UserEvent"), Queue=value) == value


COMMAND_HEAD = "targets: {a: {address: a, username: u, secret: s, command_user: {username: c, secret: s}}}\n"


def of_command(field: str, more: str = "") -> Settings:
    metric = f"{{name: asterisk_custom_x, type: gauge, help: X., labels: {{x: {field}}}}}"
    rule = f"command: dongle show devices, read: {{fields: {{}}}}, {more}metrics: [{metric}]"
    return load("c.yml", f"{COMMAND_HEAD}custom: [{{{rule}}}]\n", catalogue())


@pytest.mark.parametrize("value", [*ADDRESSES, "262011234567890"])
def test_a_number_or_an_address_in_a_column_of_a_command_is_other(value: str) -> None:
    for settings, shown in ((of_command("Model"), "other"), (of_command("Model", "unsafe_labels: true, "), value)):
        (written,) = settings.custom[0].metrics[0].labels
        assert custom._label(written)(Message.of({"model": value}), Context()) == shown


@pytest.mark.parametrize("column", ["ID", "Provider Name", "Number of active connections", "Conference Bridge Name"])
def test_a_column_that_the_operator_names_is_a_label(column: str) -> None:
    (written,) = of_command(column).custom[0].metrics[0].labels
    assert custom._label(written)(Message.of({column.lower(): "asterisk"}), Context()) == "asterisk"


@pytest.mark.parametrize("column", ["IMEI", "imsi", "Number"])
def test_columns_of_a_persons_number_or_card_are_refused(column: str) -> None:
    with pytest.raises(ConfigErrors, match="a person's number or card"):
        of_command(column)
    assert of_command(f"{{field: {column}, map: {{Unknown: unknown}}}}")
    (warning,) = unsafe_labels.warnings(of_command(column, "unsafe_labels: true, ").custom)
    assert column.lower() in warning


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_no_allowed_field_of_a_recorded_list_holds_a_number_or_an_address(path: Path) -> None:
    """Captures keep the form of what they hide: a number is another number, an address another address."""
    seen = set()
    for packet in re.split(r"\r?\n\r?\n", path.read_text()):
        headers = dict(line.partition(": ")[::2] for line in packet.splitlines() if ": " in line)
        event = headers.get("event")
        for field, value in headers.items():
            if (
                event
                and labelfields.may_be_label(event, field.lower())
                and not labelfields.is_checked(event, field.lower())
            ):
                seen.add(field)
                assert not is_number_or_address(CODEC.sub("", value)), f"{event} {field}: {value}"
    assert len(seen) > 50
