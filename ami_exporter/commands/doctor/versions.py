"""What an old server cannot tell: the doctor reports it, and advises nothing that such a server lacks. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ami_exporter.ami.event_classes import EVENT_CLASSES
from ami_exporter.ami.old.translator import TRANSLATED
from ami_exporter.collectors.sent import Version, asterisk_version, version_by_banner
from ami_exporter.commands.doctor.examine import Examination
from ami_exporter.config.target_settings import TargetSettings

COLLECTOR_SINCE: Final[dict[str, Version]] = {"security": (12,), "rtcp": (12,), "recordings": (16, 17)}
"""Collector that only counts events → the first version that sends them."""

_UNTOLD: Final[tuple[tuple[Version, str], ...]] = (
    ((10,), "conferences"),
    ((11,), "parking lots and how long calls are parked"),
    ((12,), "the number of calls now, codecs, translation and voice quality"),
    ((12,), "security events, reloads, refused registrations of chan_sip, transfers that fail"),
    ((12,), "calls of an Originate that nobody answered"),
    ((14,), "post-dial delay, start time and last reload"),
)
_SETTINGS: Final = (
    "Worth setting there: eventwhencalled=yes in queues.conf (else queues tell nothing of rings and talk times), "
    "callevents=yes in sip.conf (else there are no holds)."
)
_NEWER_EVENTS: Final = frozenset(
    {
        *("AttendedTransfer", "BlindTransfer", "ContactStatus", "DialBegin", "DialEnd", "DialState", "MixMonitorStart"),
        *("MixMonitorStop", "QueueCallerJoin", "QueueCallerLeave", "QueueMemberPause", "Reload", "Unhold"),
        *("RTCPReceived", "RTCPSent"),
    }
)


def version_of(found: Examination) -> Version:
    """Asterisk's version, from CoreSettings or the greeting; empty if neither says."""
    return asterisk_version(found.version) or version_by_banner(found.ami)


def is_newer_collector(name: str, version: Version) -> bool:
    """Whether everything a collector counts was introduced after this version."""
    return bool(version) and version < COLLECTOR_SINCE.get(name, ())


def written(version: Version) -> str:
    """A version in its usual form: 1.8, 11, 16."""
    return ".".join(map(str, version[: 2 if version < (10,) else 1]))


def events_of_version(names: Iterable[str], version: Version) -> list[str]:
    """The events that a filter must let through, under their names in this version."""
    if not version or version >= (12,):
        return sorted(names)
    security = {name for name in names if EVENT_CLASSES.get(name.lower(), frozenset()) == {"security"}}
    return sorted({*names, *TRANSLATED} - security - _NEWER_EVENTS)


def impossible(settings: TargetSettings, found: Examination) -> list[str]:
    """What the configuration asks for but this version cannot do."""
    version = version_of(found)
    if not settings.canaries or not version or version >= (12,):
        return []
    return [f"canaries: Asterisk {written(version)} gives calls no identifier of ours, so none is called"]


def not_sent(version: Version) -> str:
    """A sentence about what this version does not tell; empty if nothing is missing."""
    missing = [what for since, what in _UNTOLD if version and version < since]
    if not missing:
        return ""
    text = (
        f"Asterisk {written(version)} does not tell these, so they are absent: {'; '.join(missing)} (docs/versions.md)."
    )
    return f"{text} {_SETTINGS}" if version < (12,) else text
