"""Conditions on version and drivers for metrics that exist at 0 beforehand.

A counter at 0 says "none happened". If the server never reports it, that is wrong, and the metric is absent.
"""

from __future__ import annotations

import re
from typing import Final

from ami_exporter.collectors.declarations import Context, Sent

Version = tuple[int, ...]

_NUMBERS: Final = re.compile(r"\d{1,4}(?:\.\d{1,4})+")
MASTER: Final[Version] = (9999,)
"""Asterisk's development branch has no number and is later than all releases."""

RTP: Final = ("PJSIP", "SIP")
"""Technologies whose channels report by RTCP; IAX2 and DAHDI have none."""


def asterisk_version(written: str) -> Version:
    """Return the numbers of an AsteriskVersion: "22.10.1~dfsg", "certified-18.9-cert4", "GIT-master-1a2b3c"."""
    found = _NUMBERS.search(written)
    if found is not None:
        return tuple(int(part) for part in found[0].split("."))
    return MASTER if "master" in written.lower() else ()


def at_least(version: Version, *firsts: Version) -> bool:
    """Whether a version has a feature. firsts: the first version with it in each branch.

    A branch between two named ones lacks the feature, a branch after the last one has it.
    """
    if not version:
        return False
    branch = next((first for first in firsts if first[0] == version[0]), None)
    return version >= branch if branch is not None else version > max(firsts)


def since(*firsts: Version) -> Sent:
    """Sent from these versions on, one for each branch; not if the version is unknown."""
    return lambda context, _values: at_least(context.version, *firsts)


def by_technology(*technologies: str) -> Sent:
    """Sent for channels of these technologies; the metric's one open label is the technology."""
    return lambda _context, values: values[0] in technologies


def by_trunk(*technologies: str) -> Sent:
    """Sent for channels of trunks of these technologies; the metric's one open label is the trunk."""
    return lambda context, values: values[0] in context.trunks and context.trunks[values[0]].technology in technologies


def both(one: Sent, other: Sent) -> Sent:
    """Sent if both conditions hold."""
    return lambda context, values: one(context, values) and other(context, values)


def dial_state(context: Context, _values: tuple[str, ...]) -> bool:
    """DialState exists since Asterisk 14; an unknown version counts as newer."""
    return not context.version or at_least(context.version, (14,))


def rtcp_of_channels(context: Context, _values: tuple[str, ...]) -> bool:
    """RTCP events name their channel since Asterisk 12; an unknown version counts as newer."""
    return not context.version or at_least(context.version, (12,))
