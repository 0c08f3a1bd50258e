"""A PBX full of life: phones, trunks, queues, conferences, parking, voicemail, agents, hints, and calls that stay."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.support import planted
from tests.support.ami_raw import RawAmi
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.pbx_pair import RichPbx, Seen, make_pair, peer_files, running, wait_for
from tests.support.phones import Registration, phone, register
from tests.support.rich_config import ANSWERING, NEVER_ANSWERING, REGISTERED, SIP_REGISTERED, rich_files

_SETTLE_SECONDS = 30.0
_CALLER_ID = f"{planted.PERSON} <{planted.CALLER_NUMBER}>"


_REGISTERED = (
    # Phones that answer, telco-good and telco-ip; phones that never answer, and telco-dead.
    Seen("pjsip show contacts", r" Avail ", len(ANSWERING) + 2),
    Seen("pjsip show contacts", r" Unavail ", len(NEVER_ANSWERING) + 1),
    Seen("pjsip show registrations", r"telco-good/.* Registered "),
    Seen("pjsip show registrations", r"telco-rejected/.* Rejected "),
    Seen("pjsip show registrations", r"telco-dead/.* (Unregistered|Rejected) "),
    Seen("iax2 show registry", r" Registered$"),
    Seen("iax2 show registry", r" Rejected$"),
    Seen("iax2 show peers", r"^iax-good/.* OK \("),
    Seen("iax2 show peers", r"^iax-dead/.* UNREACHABLE"),
)
_CHAN_SIP_REGISTERED = (
    Seen("sip show peers", r"^2001/2001 .* OK \("),
    Seen("sip show peers", r"^2002/2002 .* Unmonitored"),
    Seen("sip show peers", r"^slow-phone .* LAGGED"),
    Seen("sip show peers", r"^dead-phone .* UNREACHABLE"),
    Seen("sip show peers", r"^sip-trunk .* OK \("),
    Seen("sip show registry", r" Registered "),
)
_FILLED = (
    # Two of them for each conference are hidden: CoreShowChannels and Status leave them out.
    Seen("core show channels count", r"^46 active channels"),
    Seen("queue show support", r"\(wait:", 3),
    Seen("queue show support", r"\(paused", 3),
    Seen('queue show "Sales Desk.2"', r"\(wait:"),
    Seen("confbridge list", r"^weekly +3 .* No "),
    Seen("confbridge list", r"^Board Room.1 +2 "),
    Seen("parking show default", r"^ +Channel +:", 2),
    Seen("voicemail show users", r" 3$"),
    Seen("agent show all", r"^700[12] .* NOT_INUSE ", 2),
)


@contextlib.contextmanager
def rich_pbx(root: AsteriskRoot, peer_root: AsteriskRoot, folder: Path, sipp: Path) -> Iterator[RichPbx]:
    """Start both servers, with nothing going on yet but registrations and two agents; all ends with the context."""
    chan_sip = root.recipe.major == 16
    phones = peer_files(REGISTERED, SIP_REGISTERED if chan_sip else ())
    pbx = make_pair(root, peer_root, folder, template="rich", files=rich_files(), peer_files=phones)
    with contextlib.ExitStack() as stack:
        for scenario, port in (("slow_options", 5070), ("holding", 5071)):
            stack.enter_context(phone(sipp, folder, scenario, pbx.peer.place.address, port))
        stack.enter_context(running(pbx))
        with pbx.server.ami() as ami:
            _log_agents_in(ami)
        register(
            sipp,
            folder,
            pbx.peer.place.address,
            f"{pbx.server.place.address}:{pbx.server.place.pjsip}",
            [Registration(user, planted.PHONE_SECRET) for user in NEVER_ANSWERING],
        )
        wait_for(pbx.server, _REGISTERED + (_CHAN_SIP_REGISTERED if chan_sip else ()))
        yield pbx


def fill(pbx: RichPbx) -> None:
    """Bring the server into the rich state, which then stays as it is: see tests/real/README.md for what it holds."""
    with pbx.server.ami() as ami, pbx.peer.ami() as peer:
        _staff_queues(ami)
        _let_callers_wait(ami)
        _hold_conferences(ami)
        _park(ami)
        _call(ami, peer)
        _set_lamps(ami)
        wait_for(pbx.server, _FILLED)
        ami.action("ConfbridgeLock", Conference="Board Room.1")
        _occupy_agent(pbx.server, ami)


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


def _occupy_agent(server: AsteriskServer, ami: RawAmi) -> None:
    """Put an agent on a call; for some seconds after the login AgentRequest finds the agent busy."""

    def on_call() -> bool:
        if "Talking: 1\n" in server.cli("agent show all"):
            return True
        if server.channels() == 46:
            ami.originate("Local/customer@idle/n", Application="AgentRequest", Data="7002", CallerID=_CALLER_ID)
        return False

    wait_until(on_call, _SETTLE_SECONDS, "agent 7002 on a call")
