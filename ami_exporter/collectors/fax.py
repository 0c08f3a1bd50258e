"""Fax sessions and attempts (res_fax)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from ami_exporter.ami.actions import Action
from ami_exporter.collectors.declarations import Collector, Rule, gauge, polled_counter
from ami_exporter.collectors.fields import constant, labels, number

POLL: Final = Action("FAXStats")
ITEM: Final = ("FAXStats",)

SESSIONS = gauge("asterisk_fax_sessions", "Fax sessions under way (AMI FAXStats: CurrentSessions)")
ATTEMPTS = polled_counter(
    "asterisk_fax_attempts_total",
    "Faxes started since res_fax was loaded (AMI FAXStats: TransmitAttempts, ReceiveAttempts)",
    "direction",
    closed=MappingProxyType({"direction": ("send", "receive")}),
)
COMPLETED = polled_counter(
    "asterisk_fax_completed_total", "Faxes completed since res_fax was loaded (AMI FAXStats: CompletedFAXes)"
)
FAILED = polled_counter(
    "asterisk_fax_failed_total", "Faxes that failed since res_fax was loaded (AMI FAXStats: FailedFAXes)"
)

COLLECTOR = Collector(
    name="fax",
    title="Fax sessions and attempts",
    metrics=(SESSIONS, ATTEMPTS, COMPLETED, FAILED),
    polls=((POLL,),),
    rules=(
        Rule(SESSIONS, POLL, ITEM, value=number("CurrentSessions"), reduce="last"),
        Rule(ATTEMPTS, POLL, ITEM, labels(constant("send")), number("TransmitAttempts"), reduce="last"),
        Rule(ATTEMPTS, POLL, ITEM, labels(constant("receive")), number("ReceiveAttempts"), reduce="last"),
        Rule(COMPLETED, POLL, ITEM, value=number("CompletedFAXes"), reduce="last"),
        Rule(FAILED, POLL, ITEM, value=number("FailedFAXes"), reduce="last"),
    ),
)
