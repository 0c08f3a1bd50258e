"""The smallest AMI user, as a block for manager.conf or FreePBX's manager_custom.conf. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

WRITE_TIMEOUT = 5000
"""Milliseconds: at Asterisk's default of 100 ms, an exporter on a busy machine is cut off in the middle of a list."""


def user_block(username: str, address: str, *, read: str, write: str, filters: Sequence[str] = ()) -> list[str]:
    """Lines of the section. address: our end of the connection, the only host allowed in."""
    return [
        f"[{username}]",
        "secret = a-long-random-one",
        *_permit(address),
        f"read = {read}".rstrip(),
        f"write = {write}",
        f"writetimeout = {WRITE_TIMEOUT}",
        "displayconnects = no",
        *filters,
    ]


#: IP version → all addresses, and the mask of a single one.
_MASKS = {4: ("0.0.0.0/0.0.0.0", "255.255.255.255"), 6: ("::/0", "128")}


def _permit(address: str) -> list[str]:
    try:
        ours = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return []
    if isinstance(ours, ipaddress.IPv6Address) and ours.ipv4_mapped is not None:
        ours = ours.ipv4_mapped
    everybody, one = _MASKS[ours.version]
    return [f"deny = {everybody}", f"permit = {ours}/{one}"]
