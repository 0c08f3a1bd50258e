"""Sticks and modules of chan_dongle and chan_quectel, from answers made after the modules' source."""

from __future__ import annotations

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.collectors import mobile
from tests.support.collecting import Samples, counted, message, nonzero, polled, show, store_of

DONGLES, QUECTELS = Action("DongleShowDevices"), Action("QuectelShowDevices")

#: What must be nowhere: who owns the card, who wrote, and what.
PLANTED = (
    "354369047238739",
    "640050939309334",
    "+255689514544",
    "+255780000004",
    "bbe887e",
    "+4915112345678",
    "secret",
)


def device(name: str, *, driver: str = "Dongle", **changed: str) -> str:
    fields = {
        "Device": name,
        "IMEISetting": PLANTED[0],
        "IMSISetting": "",
        "Context": "from-trunk",
        "Exten": PLANTED[2],
        "State": "Free",
        "IMEIState": PLANTED[0],
        "IMSIState": PLANTED[1],
        "GSMRegistrationStatus": "Registered, home network",
        "RSSI": "11, -91 dBm",
        "Mode": "WCDMA",
        "ProviderName": "Celtel",
        "LocationAreaCode": "50",
        "CellID": PLANTED[4],
        "SubscriberNumber": PLANTED[2],
        "SMSServiceCenter": PLANTED[3],
        "CurrentDeviceState": "start",
        "DesiredDeviceState": "start",
        "CallsChannels": "0",
        **changed,
    }
    return "\n".join([f"Event: {driver}DeviceEntry", *(f"{name}: {value}" for name, value in fields.items())])


def of_one(**changed: str) -> Samples:
    return polled(mobile.COLLECTOR, {DONGLES: [message(device("gsm1", **changed))]})


def test_both_drivers_tell_registration_signal_and_calls() -> None:
    samples = polled(
        mobile.COLLECTOR,
        {
            DONGLES: [message(device("gsm1")), message(device("gsm2", CallsChannels="2", State="Outgoing"))],
            QUECTELS: [message(device("lte", driver="Quectel", GSMRegistrationStatus="Registered, roaming"))],
        },
    )
    assert nonzero(samples) == {
        ("asterisk_mobile_registered", "Dongle", "gsm1"): 1,
        ("asterisk_mobile_registered", "Dongle", "gsm2"): 1,
        ("asterisk_mobile_registered", "Quectel", "lte"): 1,
        ("asterisk_mobile_state", "Dongle", "gsm1", "registered"): 1,
        ("asterisk_mobile_state", "Dongle", "gsm2", "registered"): 1,
        ("asterisk_mobile_state", "Quectel", "lte", "roaming"): 1,
        ("asterisk_mobile_signal_dbm", "Dongle", "gsm1"): -91,
        ("asterisk_mobile_signal_dbm", "Dongle", "gsm2"): -91,
        ("asterisk_mobile_signal_dbm", "Quectel", "lte"): -91,
        ("asterisk_mobile_calls", "Dongle", "gsm2"): 2,
    }
    assert samples["asterisk_mobile_calls", "Dongle", "gsm1"] == 0
    assert not any(secret in part for key in samples for part in key for secret in PLANTED)


@pytest.mark.parametrize(
    ("state", "registration", "word", "registered"),
    [
        ("Free", "Registered, home network", "registered", 1),
        ("Ring", "Registered, roaming", "roaming", 1),
        ("GSM not registered", "Not registered, but searching", "searching", 0),
        ("GSM not registered", "Not registered, not searching", "not_registered", 0),
        ("GSM not registered", "Registration denied", "denied", 0),
        ("GSM not registered", "Unknown", "unknown", 0),
        # what was told of a card that has been pulled since
        ("Not connected", "Registered, home network", "not_connected", 0),
        ("Not initialized", "Unknown", "not_initialized", 0),
        ("Stopped", "Unknown", "stopped", None),
        ("Free", "Registered, SMS only", "other", None),
    ],
)
def test_the_states_of_a_stick(state: str, registration: str, word: str, registered: int | None) -> None:
    samples = of_one(State=state, GSMRegistrationStatus=registration)
    assert samples.get(("asterisk_mobile_registered", "Dongle", "gsm1")) == registered
    assert [key[3] for key in nonzero(samples) if key[0] == "asterisk_mobile_state"] == [word]


@pytest.mark.parametrize(
    ("written", "dbm"),
    [
        ("0, <= -113 dBm", -113),
        ("1, -111 dBm", -111),
        ("30, -53 dBm", -53),
        ("31, >= -51 dBm", -51),
        ("99, unknown or unmeasurable", None),
        ("-1, <= -113 dBm", None),
        ("12", -89),
        ("", None),
        ("garbage", None),
    ],
)
def test_the_signal_in_dbm(written: str, dbm: float | None) -> None:
    assert of_one(RSSI=written).get(("asterisk_mobile_signal_dbm", "Dongle", "gsm1")) == dbm


def test_trap_the_zero_of_a_stick_without_radio_is_no_signal() -> None:
    samples = of_one(State="Not connected", GSMRegistrationStatus="Unknown", RSSI="0, <= -113 dBm")
    assert ("asterisk_mobile_signal_dbm", "Dongle", "gsm1") not in samples


EVENTS = f"""
Event: DongleNewSMS
Device: gsm1
From: {PLANTED[5]}
LineCount: 2
MessageLine0: the secret is
MessageLine1: 4711

Event: DongleNewSMSBase64
Device: gsm1
From: {PLANTED[5]}
Message: dGhlIHNlY3JldCBpcw==

Event: DongleReport
Device: gsm1
Payload: secret
SCTS:
DT:
Success: 1
Type: 0
Report:

Event: DongleReport
Device: gsm1
Payload: secret
SCTS: 2026-09-10 09:30:05 +03:00
DT: 2026-09-10 09:30:07 +03:00
Success: 1
Type: 1
Report: 000,

Event: DongleReport
Device: gsm1
Payload: secret
Success: 0
Type: 2
Report:

Event: DongleReport
Device: gsm1
Payload: secret
Success: 0
Type: 0
Report:

Event: QuectelSMSStatus
Device: lte
ID: 0x7f3c2c0085f0
Status: Sent

Event: QuectelSMSStatus
Device: lte
ID: 0x7f3c2c0085f0
Status: NotSent

Event: QuectelNewSMS
Device: lte
From: {PLANTED[5]}
LineCount: 1
MessageLine0: secret
"""


def test_text_messages_are_counted_once_and_nothing_of_them_is_kept() -> None:
    store = store_of(mobile.COLLECTOR)
    show(store, DONGLES, [message(device("gsm1")), message(device("gsm2"))])
    show(store, QUECTELS, [message(device("lte", driver="Quectel"))])
    assert set(counted(store).values()) == {0}
    store.feed([message(block) for block in EVENTS.strip().split("\n\n")], 0.0)
    samples = counted(store)
    assert nonzero(samples) == {
        ("asterisk_mobile_sms_received_total", "Dongle", "gsm1"): 1,
        ("asterisk_mobile_sms_received_total", "Quectel", "lte"): 1,
        ("asterisk_mobile_sms_sent_total", "Dongle", "gsm1", "success"): 1,
        ("asterisk_mobile_sms_sent_total", "Dongle", "gsm1", "failure"): 1,
        ("asterisk_mobile_sms_sent_total", "Quectel", "lte", "success"): 1,
        ("asterisk_mobile_sms_sent_total", "Quectel", "lte", "failure"): 1,
    }
    assert len(samples) == 9  # the second stick has its zeros
    assert not any(secret in part for key in samples for part in key for secret in PLANTED)
