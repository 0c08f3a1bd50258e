"""Which write= classes an AMI user lacks, as far as ListCommands tells: one judgement for page and doctor. Pure.

ListCommands hides actions without a right and actions of modules that are not loaded alike. So a class is missing only
where nothing that needs it was offered; and only the two classes that gauges are worth are ever named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ami_exporter.ami.action_versions import is_newer
from ami_exporter.ami.actions import ACTIONS, Action
from ami_exporter.ami.rights import BASE, TIER, held_classes, mending_class
from ami_exporter.collectors.sent import asterisk_version

GONE_SINCE: Final = {"SIPpeers": 21, "SIPshowregistry": 21}
"""Action → major version of Asterisk that no longer has its module."""
NOT_EVERYWHERE: Final = frozenset({"DongleShowDevices", "QuectelShowDevices", "PJSIPShowMaintenance", *GONE_SINCE})
"""Actions of modules by others, or of some versions only: to a user without rights their absence tells nothing."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """Actions by what would bring them. needed: of the class everything needs; further: of the tier above it."""

    needed: tuple[str, ...] = ()
    further: tuple[str, ...] = ()


def lacking(unavailable: Iterable[Action], offered: frozenset[str], version: str) -> Lacking:
    """Judge the actions that were not offered. offered: names of ListCommands, lower case; none: nothing is known.

    version: AsteriskVersion, empty where it is not known.
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
    right = mending_class(action.spec.rights)
    return right if right in (BASE, TIER) and not held & action.spec.rights and not gone else ""


def proved(offered: frozenset[str]) -> frozenset[str]:
    """The classes by which actions were offered that no other class permits."""
    alone = [spec.rights for name, spec in ACTIONS.items() if name.lower() in offered and len(spec.rights) == 1]
    return frozenset[str]().union(*alone)
