"""Security events: failed and successful logins of every service, by event and service only.

An attacker chooses account names, addresses and sessions, so they are never labels.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Rule, ZeroSeries, counter
from ami_exporter.collectors.fields import OTHER
from ami_exporter.collectors.sent import from_12

EVENTS: Final = (
    "AuthMethodNotAllowed",
    "ChallengeResponseFailed",
    "ChallengeSent",
    "FailedACL",
    "InvalidAccountID",
    "InvalidPassword",
    "InvalidTransport",
    "LoadAverageLimit",
    "MemoryLimit",
    "RequestBadFormat",
    "RequestNotAllowed",
    "RequestNotSupported",
    "SessionLimit",
    "SuccessfulAuth",
    "UnexpectedAddress",
)
_NAMES: Final = MappingProxyType({name.lower(): name for name in EVENTS})
_SERVICE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_/-]{0,31}")
"""Services of Asterisk's modules (AMI, PJSIP, SIP, IAX2, …); others become `other`."""

_PORT: Final = re.compile(r"[0-9]{1,5}")

SECURITY_EVENTS = counter(
    "asterisk_security_events_total",
    "Security events, without those of this exporter's own sessions. One attempt may raise several: a wrong SIP "
    "password is a ChallengeSent and a ChallengeResponseFailed. Behind a relay or NAT, which hides this exporter's "
    "address, one event of its AMI account is left out for each of its logins. None before "
    "Asterisk 12 (AMI class security: Event, Service)",
    "event",
    "service",
    closed=MappingProxyType({"event": EVENTS}),
    sent=from_12,
)


def _service(message: Message) -> str:
    service = message.get("service", "")
    return service if _SERVICE.fullmatch(service) else OTHER


def _is_own(message: Message, context: Context) -> bool:
    """Whether the event comes from one of our sessions: RemoteAddress is FAMILY/TRANSPORT/ADDRESS/PORT."""
    if message.get("service") != "AMI" or context.own_logins is None:
        return False
    _, _, address_and_port = message.get("remoteaddress", "").partition("/")[2].partition("/")
    address, _, port = address_and_port.rpartition("/")
    named = (address, int(port)) if _PORT.fullmatch(port) else None
    return context.own_logins.caused(_NAMES[message["event"].lower()], message.get("accountid", ""), named)


def _service_named(message: Message, _context: Context) -> tuple[str, ...]:
    return (_service(message),)


def _manager(_message: Message, _context: Context) -> tuple[str, ...]:
    return ("AMI",)


def _event_and_service(message: Message, context: Context) -> tuple[str, ...] | None:
    if _is_own(message, context):
        return None
    return _NAMES[message["event"].lower()], _service(message)


COLLECTOR = Collector(
    name="security",
    title="Security events",
    metrics=(SECURITY_EVENTS,),
    rules=(Rule(SECURITY_EVENTS, None, EVENTS, _event_and_service),),
    # The first event of a service, usually a ChallengeSent or our own login, creates all its events at 0.
    # FullyBooted after our login creates AMI's, so that its first refused login is an increase.
    zero_series=(
        ZeroSeries((SECURITY_EVENTS,), None, EVENTS, _service_named),
        ZeroSeries((SECURITY_EVENTS,), None, ("FullyBooted",), _manager),
    ),
)
