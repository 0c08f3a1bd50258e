"""GSM and 3G sticks and modules: chan_dongle and chan_quectel, whose lists and events differ only in name.

Facts from both modules' source (manager.c, helpers.c, at_response.c): `…ShowDevices` answers with one
`…DeviceEntry` for each configured device, plugged in or not. An entry also holds IMEI, IMSI and numbers, and events
hold texts and senders; none of that is read here.
"""

from __future__ import annotations

from typing import Final

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Rule, ZeroSeries, counter, gauge
from ami_exporter.collectors.fields import OTHER, constant, labels, number, text, to_whole, word

_DRIVERS: Final = ("Dongle", "Quectel")
"""Prefix of the names of actions and events; also the technology in channel names."""

# helpers.c, GSM_regstate2str: the answers to AT+CREG
_REGISTRATION = {
    "registered, home network": "registered",
    "registered, roaming": "roaming",
    "not registered, but searching": "searching",
    "not registered, not searching": "not_registered",
    "registration denied": "denied",
    "unknown": "unknown",
}
# chan_dongle.c, pvt_state_base: without these states there is no radio
_WITHOUT_RADIO = {"stopped": "stopped", "not connected": "not_connected", "not initialized": "not_initialized"}
STATES = (*_REGISTRATION.values(), *_WITHOUT_RADIO.values(), OTHER)

_STRONGEST = 31
"""RSSI of AT+CSQ: 0 (-113 dBm or less) to 31 (-51 dBm or more), 99 if unknown."""

REGISTERED = gauge(
    "asterisk_mobile_registered",
    "1 while the stick or module is registered in a mobile network, at home or roaming, else 0; absent when it was "
    "stopped by hand (AMI DongleShowDevices, QuectelShowDevices: GSMRegistrationStatus, State)",
    "technology",
    "device",
)
STATE = gauge(
    "asterisk_mobile_state",
    "1 for the state the stick or module is in, 0 for the others "
    "(AMI DongleShowDevices, QuectelShowDevices: GSMRegistrationStatus, State)",
    "technology",
    "device",
    "state",
    closed={"state": STATES},
)
SIGNAL = gauge(
    "asterisk_mobile_signal_dbm",
    "Signal that the stick or module receives, -113 (or less) to -51 (or more) dBm in steps of 2; absent where it is "
    "not known (AMI DongleShowDevices, QuectelShowDevices: RSSI)",
    "technology",
    "device",
)
CALLS = gauge(
    "asterisk_mobile_calls",
    "Calls on the stick or module (AMI DongleShowDevices, QuectelShowDevices: CallsChannels)",
    "technology",
    "device",
)
RECEIVED = counter(
    "asterisk_mobile_sms_received_total",
    "Text messages received, each once however many parts it had (AMI events DongleNewSMS, QuectelNewSMS)",
    "technology",
    "device",
)
_RESULTS = {"1": "success", "0": "failure"}
SENT = counter(
    "asterisk_mobile_sms_sent_total",
    "Text messages handed to the network, by what it said at once; delivery to the phone is not counted "
    "(AMI events DongleReport, QuectelReport: Type 0; DongleSMSStatus, QuectelSMSStatus of older modules)",
    "technology",
    "device",
    "result",
    closed={"result": tuple(_RESULTS.values())},
)


def _state_of(message: Message) -> str:
    """Return the state of the registration, or why there is none; `other` for words that only forks have."""
    without = _WITHOUT_RADIO.get(message.get("state", "").strip().lower())
    return without or _REGISTRATION.get(message.get("gsmregistrationstatus", "").strip().lower(), OTHER)


def _state(message: Message, _context: Context) -> str | None:
    return _state_of(message) if "state" in message or "gsmregistrationstatus" in message else None


def _registered(message: Message) -> float | None:
    state = _state_of(message)
    if state in (OTHER, "stopped"):
        return None
    return float(state in ("registered", "roaming"))


def _dbm(message: Message) -> float | None:
    """Return the dBm of `11, -91 dBm`; None for a device without radio, which writes 0."""
    steps = to_whole(message.get("rssi", "").partition(",")[0].strip())
    if steps is None or steps > _STRONGEST or (steps == 0 and _registered(message) != 1.0):
        return None
    return 2.0 * steps - 113


def _is_first_report(message: Message) -> bool:
    """Whether this is the report of type 0 (accepted or refused by the network); delivery and expiry follow it."""
    return message.get("type") == "0"


def _polled(driver: str) -> tuple[Rule, ...]:
    action, items = Action(f"{driver}ShowDevices"), (f"{driver}DeviceEntry",)
    name = (constant(driver), text("Device"))
    return (
        Rule(REGISTERED, action, items, labels(*name), _registered, reduce="min"),
        Rule(STATE, action, items, labels(*name, _state), reduce="max"),
        Rule(SIGNAL, action, items, labels(*name), _dbm, reduce="last"),
        Rule(CALLS, action, items, labels(*name), number("CallsChannels")),
    )


def _counted(driver: str) -> tuple[Rule, ...]:
    name = (constant(driver), text("Device"))
    statuses = {"sent": "success", "notsent": "failure"}
    return (
        Rule(RECEIVED, None, (f"{driver}NewSMS",), labels(*name)),
        Rule(SENT, None, (f"{driver}Report",), labels(*name, word("Success", _RESULTS, None)), where=_is_first_report),
        Rule(SENT, None, (f"{driver}SMSStatus",), labels(*name, word("Status", statuses, None))),
    )


def _named(driver: str) -> ZeroSeries:
    name = (constant(driver), text("Device"))
    return ZeroSeries((RECEIVED, SENT), Action(f"{driver}ShowDevices"), (f"{driver}DeviceEntry",), labels(*name))


COLLECTOR = Collector(
    name="mobile",
    title="GSM and 3G sticks: registration, signal, text messages",
    metrics=(REGISTERED, STATE, SIGNAL, CALLS, RECEIVED, SENT),
    polls=tuple((Action(f"{driver}ShowDevices"),) for driver in _DRIVERS),
    rules=tuple(rule for driver in _DRIVERS for rule in (*_polled(driver), *_counted(driver))),
    zero_series=tuple(map(_named, _DRIVERS)),
    filter_label="device",
)
