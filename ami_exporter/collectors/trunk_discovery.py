"""Finds the PJSIP endpoints that are trunks, and their outbound registrations. Pure.

A registration belongs to the endpoint that the first of these names: its `endpoint` setting; its section's name; the
outbound authentication that both use; the host it registers at, which is also the host of the endpoint's contact.
The last three need the list of endpoints (write=system).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from heapq import nsmallest
from types import MappingProxyType
from typing import Final

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Trunk
from ami_exporter.collectors.lists import PJSIP_ENDPOINTS, PJSIP_REGISTRATIONS, names

DISCOVERY: Final = (PJSIP_REGISTRATIONS, PJSIP_ENDPOINTS)
"""The lists that show trunks and their registrations."""

NEVER: Final = frozenset({"anonymous", "dpma_endpoint"})
"""Endpoints without authentication that are not trunks: anonymous calls, Digium phone provisioning."""

MAX_TRUNKS: Final = 1000
"""Most trunks of `trunks: auto`, the first by name: on a PBX whose phones need no authentication all of them look like
trunks, and each trunk has about ten counters."""
MAX_REGISTRATIONS: Final = 10_000
"""Most registrations to look at: ten times the trunks of the largest PBX."""

Trunks = Mapping[str, Trunk]

_HOST: Final = re.compile(r"<?sips?:(?:[^@>]*@)?(\[[^\]]+\]|[^:;?>,]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Registration:
    endpoint: str
    auths: frozenset[str]
    host: str


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """An endpoint that looks like a trunk: it authenticates elsewhere, or needs no authentication."""

    auths: frozenset[str]
    hosts: frozenset[str]


@dataclass(slots=True)
class Discovery:
    """Takes one round of the lists in DISCOVERY."""

    _registrations: dict[str, _Registration] = field(default_factory=dict)
    _endpoints: dict[str, _Endpoint] = field(default_factory=dict)
    _namesakes: set[str] = field(default_factory=set)

    def item(self, _action: Action, message: Message) -> None:
        """Take one item of the lists."""
        name, event = message.get("objectname", ""), message.get("event")
        if event == "OutboundRegistrationDetail" and name and len(self._registrations) < MAX_REGISTRATIONS:
            self._registrations[name] = _Registration(
                message.get("endpoint", ""),
                frozenset(names(message.get("outboundauth"))),
                host_of(message.get("serveruri", "")),
            )
        elif event == "EndpointList" and name:
            if message.get("outboundauths") or not message.get("auths"):
                self._endpoints[name] = _Endpoint(
                    frozenset(names(message.get("outboundauths"))), frozenset(_contact_hosts(message))
                )
            elif name in self._registrations:  # they are listed first
                self._namesakes.add(name)

    def found(self, complete: frozenset[Action], known: Trunks) -> Trunks:
        """Return name → trunk, for `trunks: auto`. Facts of incomplete lists stay as they were."""
        links = self._links(complete, known)
        endpoints: Collection[str] = self._endpoints
        if PJSIP_ENDPOINTS not in complete:
            endpoints = {trunk.endpoint for trunk in known.values() if not trunk.registrations}
        taken = nsmallest(MAX_TRUNKS, {*links, *endpoints} - NEVER - {""})
        return MappingProxyType({name: Trunk(name, "PJSIP", name, links.get(name, ())) for name in taken})

    def linked(self, complete: frozenset[Action], configured: Trunks, known: Trunks) -> Trunks:
        """Return the configured trunks, with registrations for those that name none."""
        links = self._links(complete, known)
        return MappingProxyType({name: _linked(trunk, links) for name, trunk in configured.items()})

    def _links(self, complete: frozenset[Action], known: Trunks) -> Mapping[str, tuple[str, ...]]:
        """Endpoint → its registrations in order."""
        before = {trunk.endpoint: trunk.registrations for trunk in known.values() if trunk.registrations}
        if PJSIP_REGISTRATIONS not in complete:
            return before
        links: dict[str, set[str]] = {}
        for name, registration in self._registrations.items():
            owners = self._owners(name, registration)
            if not owners and PJSIP_ENDPOINTS not in complete:
                owners = [endpoint for endpoint, registrations in before.items() if name in registrations]
            for endpoint in owners:
                links.setdefault(endpoint, set()).add(name)
        return {endpoint: tuple(sorted(registrations)) for endpoint, registrations in links.items()}

    def _owners(self, name: str, registration: _Registration) -> list[str]:
        if registration.endpoint:
            return [registration.endpoint]
        if name in self._endpoints or name in self._namesakes:
            return [name]
        endpoints = self._endpoints.items()
        by_auth = [endpoint for endpoint, one in endpoints if one.auths & registration.auths]
        return by_auth or [endpoint for endpoint, one in endpoints if registration.host in one.hosts]


def members(trunk: Trunk, endpoints: Iterable[str]) -> list[str]:
    """Return the endpoints of a trunk: one, or several if the configuration has a pattern."""
    if trunk.is_pattern:
        return [name for name in endpoints if name == trunk.endpoint or fnmatchcase(name, trunk.endpoint)]
    return [trunk.endpoint] if trunk.endpoint in endpoints else []


def host_of(uri: str) -> str:
    """Return the host of a SIP URI in lower case, without port; empty if there is none."""
    found = _HOST.match(uri.strip())
    return "" if found is None else found[1].lower()


def _contact_hosts(message: Message) -> Iterable[str]:
    """Contacts is a comma-separated list of aor/uri."""
    for contact in names(message.get("contacts")):
        host = host_of(contact.partition("/")[2])
        if host:
            yield host


def _linked(trunk: Trunk, links: Mapping[str, tuple[str, ...]]) -> Trunk:
    if trunk.registrations or trunk.technology != "PJSIP":
        return trunk
    found = sorted({name for endpoint in members(trunk, links) for name in links[endpoint]})
    return replace(trunk, registrations=tuple(found)) if found else trunk
