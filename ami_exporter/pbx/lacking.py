"""Which write= classes an AMI user lacks, judged by ListCommands. Status page and doctor share this. Pure.

ListCommands hides actions that the user has no right to, and actions whose module is not loaded. So a class counts as
missing only if no action that needs it was offered; and only the two classes that gauges need are ever named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ami_exporter.ami.action_versions import is_newer
from ami_exporter.ami.actions import ACTIONS, Action
from ami_exporter.ami.rights import BASE, TIER, held_classes, least_dangerous
from ami_exporter.collectors.sent import asterisk_version

GONE_SINCE: Final = {"SIPpeers": 21, "SIPshowregistry": 21}
"""Action → first major version of Asterisk without its module."""
NOT_EVERYWHERE: Final = frozenset({"DongleShowDevices", "QuectelShowDevices", "PJSIPShowMaintenance", *GONE_SINCE})
"""Actions of third-party modules, or of some versions only: their absence says nothing about rights."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """Missing actions. needed: those of the class that everything needs; further: those of the tier above."""

    needed: tuple[str, ...] = ()
    further: tuple[str, ...] = ()


def lacking(unavailable: Iterable[Action], offered: frozenset[str], version: str) -> Lacking:
    """Judge the actions that were not offered. offered: names of ListCommands, lower case; empty if unknown.

    version: AsteriskVersion, empty if unknown.
    """
    if not offered:
        return Lacking()
    held = held_classes(offered) | proved(offered)
    wanted: dict[str, set[str]] = {BASE: set(), TIER: set()}
    for action in unavailable:
        if right := worth_having(action, held, version):
            wanted[right].add(action.name)
    return Lacking(*(tuple(sorted(wanted[right])) for right in (BASE, TIER)))


def worth_having(action: Action, held: frozenset[str], version: str) -> str:
    """The class that would bring an action and is worth it, BASE or TIER; empty where there is none."""
    known = asterisk_version(version)
    major = next(iter(known), 0)
    gone = major >= GONE_SINCE.get(action.name, major + 1) or is_newer(action.name, known)
    right = least_dangerous(action.spec.rights)
    return right if right in (BASE, TIER) and not held & action.spec.rights and not gone else ""


def proved(offered: frozenset[str]) -> frozenset[str]:
    """Return the classes that are proved by an offered action which no other class permits."""
    alone = [spec.rights for name, spec in ACTIONS.items() if name.lower() in offered and len(spec.rights) == 1]
    return frozenset[str]().union(*alone)
