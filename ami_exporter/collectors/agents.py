"""Agents of app_agent_pool (not queue members)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from ami_exporter.ami.actions import Action
from ami_exporter.collectors.declarations import Collector, Rule, gauge
from ami_exporter.collectors.fields import labels, word

POLL: Final = Action("Agents")

STATES: Final = MappingProxyType(
    {
        "agent_loggedoff": "logged_off",
        "agent_idle": "idle",
        "agent_oncall": "on_call",
        "agent_unknown": "unknown",
    }
)

AGENTS = gauge(
    "asterisk_agents",
    "Agents of the agent pool, by state (AMI Agents: Status)",
    "state",
    closed=MappingProxyType({"state": tuple(STATES.values())}),
)

COLLECTOR = Collector(
    name="agents",
    title="Agents of the agent pool",
    metrics=(AGENTS,),
    polls=((POLL,),),
    rules=(Rule(AGENTS, POLL, ("Agents",), labels(word("Status", STATES, "unknown"))),),
)
