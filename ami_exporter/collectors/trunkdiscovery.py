"""Which endpoints are trunks: `trunks: auto`, and the registrations of configured ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.model import Trunk

NEVER: Final = frozenset({"anonymous", "dpma_endpoint"})
"""Endpoints without authentication that are no trunks: anonymous calls, Digium phone provisioning."""


def discover(
    registrations: Iterable[Message],
    endpoints: Iterable[Message] = (),
    configured: Sequence[Trunk] | None = None,
) -> Mapping[str, Trunk]:
    """Name → trunk, from items of PJSIPShowRegistrationsOutbound and, with write=system, of PJSIPShowEndpoints.

    Trunks are the endpoints that an outbound registration names, those that authenticate themselves elsewhere
    (OutboundAuths), and those that nobody has to authenticate to (no Auths: known by address). With configured trunks
    there are no others; one that names no registration gets the one that names its endpoint.
    """
    named: dict[str, str] = {}
    for message in registrations:
        endpoint, name = message.get("endpoint"), message.get("objectname")
        # AuthDetail items stand in the same list.
        if message.get("event") == "OutboundRegistrationDetail" and endpoint and name:
            named.setdefault(endpoint, name)
    if configured is not None:
        return {trunk.name: _registered(trunk, named) for trunk in configured}
    found = [*named, *(message["objectname"] for message in endpoints if _is_trunk(message))]
    return {name: Trunk(name, "PJSIP", name, named.get(name, "")) for name in sorted(set(found) - NEVER)}


def _is_trunk(endpoint: Message) -> bool:
    if endpoint.get("event") != "EndpointList" or not endpoint.get("objectname"):
        return False
    return bool(endpoint.get("outboundauths")) or not endpoint.get("auths")


def _registered(trunk: Trunk, named: Mapping[str, str]) -> Trunk:
    if trunk.registration or trunk.technology != "PJSIP":
        return trunk
    return replace(trunk, registration=named.get(trunk.endpoint, ""))
