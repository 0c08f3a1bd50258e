"""Makes the trunk facts of a Context from settings, offered actions and discovery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ami_exporter.collectors.declarations import Trunk
from ami_exporter.config.target_settings import TrunkSettings

ALWAYS = "Local"
_TECHNOLOGY_OF_ACTION = {
    "pjsipshowregistrationsoutbound": "PJSIP",
    "pjsipshowendpoints": "PJSIP",
    "sippeers": "SIP",
    "iaxpeerlist": "IAX2",
    "dahdishowchannels": "DAHDI",
}


def technologies(offered: Iterable[str]) -> tuple[str, ...]:
    """Return the channel technologies that the offered actions (lower case) prove to be loaded, and Local."""
    return tuple(sorted({ALWAYS} | {_TECHNOLOGY_OF_ACTION[name] for name in offered if name in _TECHNOLOGY_OF_ACTION}))


def configured_trunks(settings: Iterable[TrunkSettings]) -> Mapping[str, Trunk]:
    """Return the configured trunks by name."""
    found = {}
    for trunk in settings:
        technology, _, endpoint = trunk.match.partition("/")
        registrations = (trunk.registration,) if trunk.registration else ()
        found[trunk.name] = Trunk(trunk.name, technology, endpoint, registrations, trunk.channel_limit)
    return MappingProxyType(found)


def trunk_names(trunks: Mapping[str, Trunk]) -> Mapping[tuple[str, str], str]:
    """Map (technology, endpoint) to the trunk, for endpoints without wildcards."""
    return MappingProxyType(
        {(trunk.technology, trunk.endpoint): trunk.name for trunk in trunks.values() if not trunk.is_pattern}
    )


def trunk_patterns(trunks: Mapping[str, Trunk]) -> tuple[tuple[str, str], ...]:
    """Map patterns over TECHNOLOGY/endpoint to the trunk, for endpoints with wildcards."""
    return tuple((f"{trunk.technology}/{trunk.endpoint}", trunk.name) for trunk in trunks.values() if trunk.is_pattern)
