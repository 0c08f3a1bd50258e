"""Conditions on version and drivers for metrics that exist at 0 beforehand.

A counter at 0 says "none happened". If the server never reports it, that is wrong, and the metric is absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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


BANNERS: Final[Mapping[Version, Version]] = {(1, 0): (1, 4), (1, 1): (1, 8), (1, 2): (10,), (1, 3): (11,)}
"""AMI version of the greeting → Asterisk's version, up to 11."""
LAST_OF_12: Final = (2, 4)


def version_by_banner(ami: Version) -> Version:
    """Asterisk's version, as far as the greeting reveals it: up to 13, where what is sent depends on it most."""
    if ami < (2,):
        return BANNERS.get(ami[:2], ())
    return ((12,) if ami[:2] <= LAST_OF_12 else (13,)) if ami < (3,) else ()


def before_12(context: Context) -> bool:
    """Whether events and lists are those of before Asterisk 12, as far as is known."""
    return bool(context.version) and context.version < (12,)


def known_from(first: Version) -> Sent:
    """Sent from this version on; an unknown version counts as a later one."""
    return lambda context, _values: not context.version or context.version >= first


from_12: Final = known_from((12,))


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


dial_state: Final = known_from((14,))
"""DialState is an event of Asterisk 14 and later."""
rtcp_of_channels: Final = from_12
"""RTCP events name their channel from Asterisk 12 on."""
