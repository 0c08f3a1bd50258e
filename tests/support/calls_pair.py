"""Two real Asterisks for calls with and without audio, to all kinds of destinations: a PBX and the provider behind it.

What the provider does with a call depends on the last digits of the number
(tests/real/config/calls-peer/extensions.conf); what the PBX dials stands in tests/real/config/calls/extensions.conf.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support import planted
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, Place
from tests.support.phones import phone


@dataclass(frozen=True, slots=True)
class CallsPair:
    """The PBX under test and its provider."""

    server: AsteriskServer
    peer: AsteriskServer


@contextlib.contextmanager
def calls_pair(root: AsteriskRoot, peer_root: AsteriskRoot, folder: Path, sipp: Path) -> Iterator[CallsPair]:
    """Start both, and a phone that holds its call for six seconds; all ends with the context."""
    place, peer_place = Place(), Place()
    values = {
        "PBX": place.address,
        "PEER": peer_place.address,
        "IAX_SECRET": planted.IAX_SECRET,
        "CALLEE": planted.CALLEE_NUMBER,
    }
    pair = CallsPair(
        AsteriskServer(root, folder / "pbx", templates=("base", "calls"), values=values, place=place),
        AsteriskServer(
            peer_root,
            folder / "peer",
            templates=("base", "calls-peer"),
            values={**values, "SYSTEM_NAME": "peer"},
            place=peer_place,
        ),
    )
    with contextlib.ExitStack() as stack:
        stack.enter_context(phone(sipp, folder, "holding_long", peer_place.address, 5071))
        for server in (pair.server, pair.peer):
            stack.callback(server.kill)
            server.start()
        for server in (pair.server, pair.peer):
            server.wait_booted()
        yield pair
