"""Two real Asterisks for canary calls: a PBX with three trunks, and the provider behind them.

What the provider does with a call depends on the number (tests/real/config/canary-peer/extensions.conf) and on the
trunk: `telco-a` works, `telco-deaf` never receives audio, behind `telco-dead` there is nobody.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, Place


@dataclass(frozen=True, slots=True)
class CanaryPair:
    """The PBX under test and its provider."""

    server: AsteriskServer
    peer: AsteriskServer


@contextlib.contextmanager
def canary_pair(root: AsteriskRoot, peer_root: AsteriskRoot, folder: Path) -> Iterator[CanaryPair]:
    """Start both and wait until they are booted; all ends with the context."""
    place, peer_place = Place(), Place()
    values = {"PBX": place.address, "PEER": peer_place.address}
    pair = CanaryPair(
        AsteriskServer(root, folder / "pbx", templates=("base", "canary"), values=values, place=place),
        AsteriskServer(
            peer_root,
            folder / "peer",
            templates=("base", "canary-peer"),
            values={**values, "SYSTEM_NAME": "peer"},
            place=peer_place,
        ),
    )
    with contextlib.ExitStack() as stack:
        for server in (pair.server, pair.peer):
            stack.callback(server.kill)
            server.start()
        for server in (pair.server, pair.peer):
            server.wait_booted()
        yield pair
