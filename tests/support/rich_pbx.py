"""A PBX full of life and the world around it: two real Asterisks that register with and call each other.

The server under test has phones, trunks, queues, conferences, parking, voicemail, agents, hints and calls that stay as
they are. The peer, always an Asterisk 22, is its phones, its providers and its IAX2 neighbour.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support import planted
from tests.support.ami_raw import RawAmi
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, Place, own_address, wait_until
from tests.support.phones import Registration, register, slow_phone
from tests.support.rich_config import ANSWERING, NEVER_ANSWERING, peer_files, planted_values, rich_files

# Channels of the rich state, hidden ones not counted.
RICH_CHANNELS = 46
_SETTLE_SECONDS = 30.0
_CALLER_ID = f"{planted.PERSON} <{planted.CALLER_NUMBER}>"


@dataclass(frozen=True, slots=True)
class RichPbx:
    """The server under test, and the peer that plays its phones and providers."""

    server: AsteriskServer
    peer: AsteriskServer
    # Addresses of the peer from which telco-good and telco-ip call.
    provider: str
    carrier: str


@contextlib.contextmanager
def rich_pbx(root: AsteriskRoot, peer_root: AsteriskRoot, folder: Path, sipp: Path) -> Iterator[RichPbx]:
    """Start both servers with nothing going on yet but registrations; everything ends with the context."""
    pbx = _make(root, peer_root, folder)
    with contextlib.ExitStack() as stack:
        for server in (pbx.server, pbx.peer):
            stack.callback(server.stop)
            server.start()
        if pbx.server.major == 16:
            stack.enter_context(slow_phone(sipp, folder, pbx.peer.place.address, 5070))
        pbx.server.wait_booted()
        pbx.peer.wait_booted()
        register(
            sipp,
            folder,
            pbx.peer.place.address,
            f"{pbx.server.place.address}:{pbx.server.place.pjsip}",
            [Registration(user, planted.PHONE_SECRET) for user in NEVER_ANSWERING],
        )
        _wait_registered(pbx)
        yield pbx


def fill(pbx: RichPbx) -> None:
    """Bring the server into the rich state, which then stays as it is: see tests/real/README.md for what it holds."""
    with pbx.server.ami() as ami, pbx.peer.ami() as peer:
        _log_agents_in(ami)
        _staff_queues(ami)
        _let_callers_wait(ami)
        _hold_conferences(ami)
        _park(ami)
        _call(ami, peer)
        _set_lamps(ami)
        wait_until(lambda: _is_filled(pbx.server), _SETTLE_SECONDS, "rich state")
        _lock_conference(ami)
        _occupy_agent(pbx.server, ami)


def _make(root: AsteriskRoot, peer_root: AsteriskRoot, folder: Path) -> RichPbx:
    server, peer = Place(), Place()
    provider, carrier = own_address(), own_address()
    values = {
        "PBX": server.address,
        "PEER_PHONES": peer.address,
        "PROVIDER": provider,
        "CARRIER": carrier,
        **planted_values(),
    }
    return RichPbx(
        AsteriskServer(
            root, folder / "pbx", templates=("base", "rich"), values=values, files=rich_files(), place=server
        ),
        AsteriskServer(
            peer_root,
            folder / "peer",
            templates=("base", "peer"),
            values={**values, "SYSTEM_NAME": "peer"},
            files=peer_files(),
            place=peer,
        ),
        provider,
        carrier,
    )


def _wait_registered(pbx: RichPbx) -> None:
    server = pbx.server

    def settled() -> bool:
        contacts = server.cli("pjsip show contacts")
        registrations = server.cli("pjsip show registrations")
        return (
            # Registered phones that answer, and the good contacts of telco-good and telco-ip.
            len(re.findall(r" Avail ", contacts)) == len(ANSWERING) + 2
            # The phones that never answer, and telco-dead.
            and len(re.findall(r" Unavail ", contacts)) == len(NEVER_ANSWERING) + 1
            and len(re.findall(r"telco-good/.* Registered", registrations)) == 1
            and len(re.findall(r"telco-rejected/.* Rejected", registrations)) == 1
            and len(re.findall(r" Registered", server.cli("iax2 show registry"))) == 1
            and len(re.findall(r"iax-dead/.*UNREACHABLE", server.cli("iax2 show peers"))) == 1
            and (server.major != 16 or _chan_sip_settled(server))
        )

    wait_until(settled, _SETTLE_SECONDS, "phones and trunks in their states")


def _chan_sip_settled(server: AsteriskServer) -> bool:
    peers = server.cli("sip show peers")
    return (
        len(re.findall(r"^2001/2001 .*OK \(", peers, re.MULTILINE)) == 1
        and len(re.findall(r"^2002/2002 .*Unmonitored", peers, re.MULTILINE)) == 1
        and len(re.findall(r"^slow-phone .*LAGGED", peers, re.MULTILINE)) == 1
        and len(re.findall(r"^dead-phone .*UNREACHABLE", peers, re.MULTILINE)) == 1
        and len(re.findall(r" Registered ", server.cli("sip show registry"))) == 1
    )


def _log_agents_in(ami: RawAmi) -> None:
    for agent in ("7001", "7002"):
        ami.originate(f"Local/agent{agent}@idle/n", Application="AgentLogin", Data=f"{agent},s")


def _staff_queues(ami: RawAmi) -> None:
    """A dynamic member, and nobody free: paused with a reason, paused without, not there."""
    ami.action("QueueAdd", Queue="support", Interface="PJSIP/1006", MemberName="Agent Six", Penalty="2")
    for queue, interface, reason in (
        ("support", "PJSIP/1003", "Lunch"),
        ("support", "PJSIP/1004", "Back office"),
        ("support", "PJSIP/1006", ""),
        ("Sales Desk.2", "PJSIP/1005", "Lunch"),
        ("q-waiting", "Local/1@agents/n", ""),
    ):
        headers = {"Reason": reason} if reason else {}
        ami.action("QueuePause", Queue=queue, Interface=interface, Paused="true", **headers)


def _let_callers_wait(ami: RawAmi) -> None:
    for number, queue in enumerate(("support", "support", "support", "Sales Desk.2")):
        ami.originate(f"Local/caller{number}@idle/n", Application="Queue", Data=queue, CallerID=_CALLER_ID)


def _hold_conferences(ami: RawAmi) -> None:
    for number, room in enumerate(("weekly", "weekly", "weekly", "Board Room.1", "Board Room.1")):
        data = f"{room},quiet_bridge,quiet_user"
        ami.originate(f"Local/guest{number}@idle/n", Application="ConfBridge", Data=data, CallerID=_CALLER_ID)


def _park(ami: RawAmi) -> None:
    for number in range(2):
        ami.originate(f"Local/parked{number}@idle/n", Application="Park", Data="default,s", CallerID=_CALLER_ID)


def _call(ami: RawAmi, peer: RawAmi) -> None:
    """Calls over every kind of trunk in both directions, and between phones."""
    for number in (f"9{planted.CALLEE_NUMBER}", "9+9903155598761", f"8{planted.CALLEE_NUMBER}"):
        ami.originate(f"Local/{number}@internal/n", Application="Wait", Data="3600", CallerID=_CALLER_ID)
    ami.originate("IAX2/iax-good/41", Application="Wait", Data="3600", CallerID=_CALLER_ID)
    talk = {"Context": "talk", "Exten": "tone", "Priority": "1"}
    for endpoint in ("provider", "provider", "pbx-ip"):
        peer.originate(f"PJSIP/{planted.CALLEE_NUMBER}@{endpoint}", CallerID=_CALLER_ID, **talk)
    peer.originate("PJSIP/tone@phone-1001", CallerID="1001", **talk)
    peer.originate("PJSIP/1001@phone-1002", CallerID="1002", **talk)


def _set_lamps(ami: RawAmi) -> None:
    for device, state in (("night", "INUSE"), ("lamp", "RINGING")):
        ami.action("Setvar", Variable=f"DEVICE_STATE(Custom:{device})", Value=state)


def _is_filled(server: AsteriskServer) -> bool:
    return server.channels() == RICH_CHANNELS


def _lock_conference(ami: RawAmi) -> None:
    ami.action("ConfbridgeLock", Conference="Board Room.1")


def _occupy_agent(server: AsteriskServer, ami: RawAmi) -> None:
    """Put an agent on a call. For some seconds after the login AgentRequest finds the agent busy, so ask until it works."""

    def on_call() -> bool:
        if "Talking: 1\n" in server.cli("agent show all"):
            return True
        ami.originate("Local/customer@idle/n", Application="AgentRequest", Data="7002", CallerID=_CALLER_ID)
        return False

    wait_until(on_call, _SETTLE_SECONDS, "agent 7002 on a call")
