"""A PBX configured the way FreePBX writes it: 300 extensions, trunks with spaces and dots in their names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.support import planted
from tests.support.asterisk_root import AsteriskRoot
from tests.support.freepbx_config import REGISTERED, freepbx_files
from tests.support.pbx_pair import RichPbx, Seen, make_pair, peer_files, running, wait_for

_CALLER_ID = f"{planted.PERSON} <{planted.CALLER_NUMBER}>"
_REGISTERED = (
    # Its registered extensions, and the two trunks that answer.
    Seen("pjsip show contacts", r" Avail ", len(REGISTERED) + 2),
    Seen("pjsip show registrations", r"Sip Trunk.Berlin/.* Registered "),
    Seen("pjsip show registrations", r"Backup.Trunk 2/.* (Unregistered|Rejected) "),
)
_FILLED = (
    Seen("core show channels count", r"^11 active channels"),
    Seen("queue show 601", r"\(wait:", 2),
)


@contextlib.contextmanager
def freepbx(root: AsteriskRoot, peer_root: AsteriskRoot, folder: Path) -> Iterator[RichPbx]:
    """Start it with extensions 200-219 registered, two callers waiting in queue 601, and calls over both trunks."""
    pbx = make_pair(
        root, peer_root, folder, template="freepbx", files=freepbx_files(), peer_files=peer_files(REGISTERED)
    )
    with running(pbx):
        wait_for(pbx.server, _REGISTERED)
        with pbx.server.ami() as ami, pbx.peer.ami() as peer:
            for caller in range(2):
                ami.originate(f"Local/{caller}@idle/n", Application="Queue", Data="601", CallerID=_CALLER_ID)
            for number in (f"9{planted.CALLEE_NUMBER}", f"8{planted.CALLEE_NUMBER}"):
                ami.originate(f"Local/{number}@from-internal/n", Application="Wait", Data="3600", CallerID=_CALLER_ID)
            peer.originate(
                f"PJSIP/{planted.CALLEE_NUMBER}@provider",
                Context="talk",
                Exten="tone",
                Priority="1",
                CallerID=_CALLER_ID,
            )
        wait_for(pbx.server, _FILLED)
        yield pbx
