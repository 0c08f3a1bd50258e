"""Our registrations at providers: PJSIP, chan_sip and IAX2 in one family."""

from __future__ import annotations

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Rule, Value, counter, gauge
from ami_exporter.collectors.fields import OTHER, Label, constant, labels, technology, text, word
from ami_exporter.collectors.lists import (
    IAX_REGISTRATIONS,
    PJSIP_REGISTRATIONS,
    REGISTRATION_STATE,
    SIP_REGISTRATIONS,
    is_registered,
    registration_account,
)
from ami_exporter.collectors.sent import from_12

STATES = ("registered", "unregistered", "rejected", "pending", "timeout", "failed", OTHER)

UP = gauge(
    "asterisk_registration_up",
    "1 while Asterisk is registered at its provider, else 0, also in an unknown state "
    "(AMI PJSIPShowRegistrationsOutbound: Status; SIPshowregistry, IAXregistry: State)",
    "technology",
    "registration",
)
STATE = gauge(
    "asterisk_registration_state",
    "1 for the state the registration is in, 0 for the others; failed: chan_sip has given up for good "
    "(AMI PJSIPShowRegistrationsOutbound: Status; SIPshowregistry, IAXregistry: State)",
    "technology",
    "registration",
    "state",
    closed={"state": STATES},
)
EVENTS = counter(
    "asterisk_registration_events_total",
    "Results of registration attempts; every refresh is one. Before Asterisk 12 refusals of chan_sip are not "
    "among them (AMI event Registry: Status)",
    "technology",
    "status",
    closed={"status": STATES},
    sent=from_12,
)


def _up(header: str) -> Value:
    key = header.lower()

    def up(message: Message) -> float | None:
        written = message.get(key)
        return float(is_registered(written)) if written else None

    return up


def _rows(action: Action, item: str, tech: str, name: Label, header: str) -> tuple[Rule, Rule]:
    return (
        Rule(UP, action, (item,), labels(constant(tech), name), _up(header), reduce="min"),
        Rule(STATE, action, (item,), labels(constant(tech), name, word(header, REGISTRATION_STATE)), reduce="max"),
    )


COLLECTOR = Collector(
    name="registrations",
    title="Outbound registrations",
    metrics=(UP, STATE, EVENTS),
    polls=((PJSIP_REGISTRATIONS,), (SIP_REGISTRATIONS,), (IAX_REGISTRATIONS,)),
    rules=(
        *_rows(PJSIP_REGISTRATIONS, "OutboundRegistrationDetail", "PJSIP", text("ObjectName"), "Status"),
        *_rows(SIP_REGISTRATIONS, "RegistryEntry", "SIP", registration_account, "State"),
        *_rows(IAX_REGISTRATIONS, "RegistryEntry", "IAX2", registration_account, "State"),
        Rule(EVENTS, None, ("Registry",), labels(technology("ChannelType"), word("Status", REGISTRATION_STATE))),
    ),
    filter_label="registration",
)
