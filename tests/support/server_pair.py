"""Two real Asterisks that call each other: a PBX under test and the provider behind it, with templates of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support import planted
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, Place
from tests.support.phones import phone


@dataclass(frozen=True, slots=True)
class ServerPair:
    """The PBX under test and its provider."""

    server: AsteriskServer
    peer: AsteriskServer


@contextlib.contextmanager
def server_pair(
    root: AsteriskRoot, peer_root: AsteriskRoot, folder: Path, template: str, values: Mapping[str, str] | None = None
) -> Iterator[ServerPair]:
    """Start both and wait until they are booted; all ends with the context.

    template: the folder of tests/real/config for the PBX; the provider's has that name with `-peer`, and what it does
    with a call depends on the number (`extensions.conf` there). values: what templates may name beside both addresses.
    """
    place, peer_place = Place(), Place()
    told = {"PBX": place.address, "PEER": peer_place.address, **(values or {})}
    pair = ServerPair(
        AsteriskServer(root, folder / "pbx", templates=("base", template), values=told, place=place),
        AsteriskServer(
            peer_root,
            folder / "peer",
            templates=("base", f"{template}-peer"),
            values={**told, "SYSTEM_NAME": "peer"},
            place=peer_place,
        ),
    )
    with started(pair.server, pair.peer):
        yield pair


@contextlib.contextmanager
def calls_pair(root: AsteriskRoot, peer_root: AsteriskRoot, folder: Path, sipp: Path) -> Iterator[ServerPair]:
    """A pair for calls of all kinds, and a phone at the provider that holds its call for six seconds."""
    values = {"IAX_SECRET": planted.IAX_SECRET, "CALLEE": planted.CALLEE_NUMBER}
    with (
        server_pair(root, peer_root, folder, "calls", values) as pair,
        phone(sipp, folder, "holding_long", pair.peer.place.address, 5071),
    ):
        yield pair


@contextlib.contextmanager
def started(*servers: AsteriskServer) -> Iterator[None]:
    """Start servers at once and wait until they are booted."""
    with contextlib.ExitStack() as stack:
        for server in servers:
            # By force: an orderly end waits seconds for the channels.
            stack.callback(server.kill)
            server.start()
        for server in servers:
            server.wait_booted()
        yield
