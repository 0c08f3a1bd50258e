"""The write= classes of an AMI user: which it has, what each permits, which one a missing action needs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

RISKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "reporting": (
            "can also rotate the logs, send OPTIONS, (un)register PJSIP trunks, read Asterisk's database, and secrets"
            " by Getvar"
        ),
        "system": "can reload and unload modules, write Asterisk's database, hang up calls and record them",
        "call": "can hang up, redirect and park calls, and set variables",
        "agent": "can add, remove and pause queue members, and log agents off",
        "command": "can run every console command, `core stop now` and `channel originate` among them",
        "config": "can read and change Asterisk's configuration files, secrets included",
        "originate": "can start calls, at your cost",
        "user": "can send events in the name of others, and move or remove voicemail",
        "message": "can send messages",
        "agi": "can run AGI commands on calls",
        "aoc": "can send advice of charge",
    }
)
"""Write class → what a thief of the secret could do (main/manager.c, Asterisk 16 to 22), least harmful first."""

BASE: Final = "reporting"
TIER: Final = "system"
"""The only class beyond BASE that is worth its risk for gauges; the others never are."""

_MARKERS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "reporting": frozenset({"confbridgelistrooms", "faxstats"}),
        "system": frozenset({"moduleload", "filter", "dbput"}),
        "call": frozenset({"setvar", "redirect"}),
        "agent": frozenset({"queueadd", "agents"}),
        "command": frozenset({"command"}),
        "config": frozenset({"updateconfig", "createconfig"}),
        "originate": frozenset({"originate"}),
        "user": frozenset({"userevent"}),
        "message": frozenset({"messagesend"}),
        "agi": frozenset({"agi"}),
        "aoc": frozenset({"aocmessage"}),
    }
)
"""Write class → actions that no other class permits: ListCommands names them only to users with that class."""

_REPORTING_OR: Final = (("corestatus", "system"), ("extensionstate", "call"))
"""Actions that reporting or one other class permits: without the other class they prove reporting."""


def held_classes(commands: frozenset[str]) -> frozenset[str]:
    """Return the write classes that the offered commands (lower case) prove."""
    held = {name for name, markers in _MARKERS.items() if markers & commands}
    if any(action in commands and other not in held for action, other in _REPORTING_OR):
        held.add(BASE)
    return frozenset(held)


def least_dangerous(rights: frozenset[str]) -> str:
    """Return the least dangerous of the classes that permit an action; empty if none is needed."""
    return next((name for name in RISKS if name in rights), "")
