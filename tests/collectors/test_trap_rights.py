"""Trap: actions are gated by write=, events by read=; a good default asks for no more than is harmless."""

from __future__ import annotations

import pytest

from ami_exporter.ami.actions import ACTIONS
from ami_exporter.collectors.declarations import Collector
from ami_exporter.collectors.registry import builtin

ON = [collector for collector in builtin() if collector.enabled]
DANGEROUS = {"command", "config", "originate", "agi", "user", "dialplan", "dtmf", "message"}


@pytest.mark.parametrize("collector", ON, ids=[collector.name for collector in ON])
def test_trap_no_collector_that_is_on_by_default_needs_a_dangerous_right(collector: Collector) -> None:
    for alternatives in collector.polls:
        for action in alternatives:
            assert not action.spec.rights or action.spec.rights - DANGEROUS


def test_trap_reporting_alone_brings_most_lists() -> None:
    names = {action.name for collector in ON for choice in collector.polls for action in choice}
    without = {name for name in names if ACTIONS[name].rights and "reporting" not in ACTIONS[name].rights}
    assert without == {
        "PJSIPShowEndpoints",
        "PJSIPShowContacts",
        "PJSIPShowAors",
        "PJSIPShowRegistrationInboundContactStatuses",
        "Agents",
        "Parkinglots",
        "ParkedCalls",
    }


def test_trap_endpoints_of_pjsip_have_a_way_that_needs_no_more_than_reporting() -> None:
    endpoints = next(collector for collector in ON if collector.name == "endpoints")
    first, second = endpoints.polls[0]
    assert (first.name, second.name) == ("PJSIPShowEndpoints", "DeviceStateList")
    assert "reporting" in second.spec.rights
