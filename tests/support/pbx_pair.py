"""Two real Asterisks that register with and call each other: a server under test and the world around it.

The peer, always an Asterisk 22, is the server's phones, its two providers and its IAX2 neighbour, each on a loopback
address of its own.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support import planted
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, Place, ServerFailedError, own_address, wait_until
from tests.support.server_pair import started

# A machine that stood still for 14 s had its IAX2 registration rejected ("too much delay in calltoken"), which Asterisk
# tries again after 60 s.
_SETTLE_SECONDS = 90.0

# The phone's two sides at the peer: it registers, and it calls as that extension.
_PEER_PHONE = """
[phone-{number}](world)
transport = transport-phones
aors = phone-{number}
outbound_auth = phone-{number}
from_user = {number}
[phone-{number}]
type = aor
contact = sip:@PBX@:{port}
[phone-{number}]
type = auth
auth_type = userpass
username = {number}
password = @PHONE_SECRET@
[phone-{number}]
type = registration
transport = transport-phones
server_uri = sip:@PBX@:{port}
client_uri = sip:{number}@@PBX@:{port}
contact_user = {number}
outbound_auth = phone-{number}
max_random_initial_delay = 0
retry_interval = 1
fatal_retry_interval = 1
forbidden_retry_interval = 1
auth_rejection_permanent = no
expiration = 300
"""


@dataclass(frozen=True, slots=True)
class RichPbx:
    """The server under test, and the peer that plays its phones and providers."""

    server: AsteriskServer
    peer: AsteriskServer
    # Addresses of the peer from which telco-good and telco-ip call.
    provider: str
    carrier: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A console command's output has this many lines that match the pattern."""

    command: str
    pattern: str
    lines: int = 1

    def holds(self, server: AsteriskServer) -> bool:
        """Whether it is so now."""
        return len(re.findall(self.pattern, server.cli(self.command), re.MULTILINE)) == self.lines


def make_pair(
    root: AsteriskRoot,
    peer_root: AsteriskRoot,
    folder: Path,
    *,
    template: str,
    files: Mapping[str, str],
    peer_files: Mapping[str, str],
) -> RichPbx:
    """Write both servers' configuration; `template` names the folder of tests/real/config for the one under test."""
    server, peer = Place(), Place()
    provider, carrier = own_address(), own_address()
    values = {
        # Up to ten seconds of chance before the first attempt otherwise; Asterisk 16 has no such option.
        "AT_ONCE": "max_random_initial_delay = 0" if root.recipe.major > 16 else "",
        "PBX": server.address,
        "PEER_PHONES": peer.address,
        "PROVIDER": provider,
        "CARRIER": carrier,
        **_planted_values(),
    }
    peer_values = {**values, "SYSTEM_NAME": "peer"}
    return RichPbx(
        AsteriskServer(root, folder / "pbx", templates=("base", template), values=values, files=files, place=server),
        AsteriskServer(
            peer_root, folder / "peer", templates=("base", "peer"), values=peer_values, files=peer_files, place=peer
        ),
        provider,
        carrier,
    )


@contextlib.contextmanager
def running(pbx: RichPbx) -> Iterator[None]:
    """Start both at once and wait until they are booted; everything ends with the context."""
    with started(pbx.server, pbx.peer):
        yield


def wait_for(server: AsteriskServer, states: Sequence[Seen], seconds: float = _SETTLE_SECONDS) -> None:
    """Wait until the console shows each state as often as it should; the error names those it does not."""
    missing = list(states)

    def all_seen() -> bool:
        missing[:] = [state for state in missing if not state.holds(server)]
        return not missing

    try:
        wait_until(all_seen, seconds, "rich state")
    except TimeoutError as error:
        shown = "\n".join(f"{state}\n{server.cli(state.command)}" for state in missing)
        raise ServerFailedError(f"{error}; the console does not show:\n{shown}") from None


def peer_files(phones: Sequence[str], chan_sip_phones: Sequence[str] = ()) -> dict[str, str]:
    """What the peer has beside the templates of tests/real/config/peer: the phones it plays."""
    numbers = [*((number, 5060) for number in phones), *((number, 5061) for number in chan_sip_phones)]
    text = "".join(_PEER_PHONE.format(number=number, port=port) for number, port in numbers)
    return {"etc/generated/phones.conf": text}


def _planted_values() -> dict[str, str]:
    """Template names of the secrets and personal data of tests/support/planted.py."""
    names = ("PHONE_SECRET", "TRUNK_SECRET", "IAX_SECRET", "WRONG_SECRET", "VOICEMAIL_PIN", "AGENT_PIN")
    return {name: getattr(planted, name) for name in (*names, "EMAIL", "PAGER", "PERSON")}
