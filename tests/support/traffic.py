"""Traffic on a rich PBX: thousands of short calls of every kind, and refused logins and registrations.

What each kind does is dialplan: tests/real/config/rich/traffic.conf on the server under test, peer/extensions.conf on
the far side. Kinds are interleaved without chance, so that two runs start the same calls in the same order.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.ami_raw import RawAmi
from tests.support.asterisk_server import wait_until
from tests.support.pbx_pair import RichPbx
from tests.support.phones import Registration, register
from tests.support.planted import CALLER_NUMBER, PERSON, WRONG_SECRET

# Calls a second: what two servers, a listener and an exporter carry on two cores without queueing for CPU.
RATE = 30.0
_END_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of call: how often beside the others, the channel to originate, and what its first half then does."""

    name: str
    weight: int
    channel: str
    context: str
    exten: str
    # Milliseconds; an Originate not answered by then hangs up, as a caller who gives up does.
    timeout: int = 30000
    by_peer: bool = False


def _out(name: str, weight: int, timeout: int = 30000) -> Kind:
    return Kind(name, weight, f"Local/{name}@out/n", "talk", "short", timeout)


def _caller(name: str, weight: int, caller: str, exten: str) -> Kind:
    return Kind(name, weight, f"Local/{caller}@caller/n", "app", exten)


KINDS: tuple[Kind, ...] = (
    # Calls out, answered and not.
    _out("answer-good", 8),
    _out("answer-ip", 6),
    Kind("answer-long", 1, "Local/answer-good@out/n", "talk", "long"),
    _out("early-media", 3),
    _out("peer-hangs-up", 4),
    _out("phone", 3),
    _out("fork", 3),
    _out("busy", 4),
    _out("congestion", 3),
    _out("unallocated", 3),
    _out("rejected", 3),
    _out("unavailable", 2),
    _out("no-answer", 3),
    _out("cancel", 4, timeout=400),
    _out("unregistered", 2),
    _out("transferred", 2),
    Kind("asked-back", 1, "Local/asked-back@out/n", "talk", "ask-back"),
    _out("held", 1),
    # Calls that start in one instant over IAX2 fail now and then: these are few.
    _out("iax", 1),
    _out("iax-busy", 1),
    # A call that rings until another picks it up.
    _out("picked-up", 2),
    _caller("pick-up", 2, "hasty", "pick-up"),
    # Calls in.
    Kind("in-answered", 4, "PJSIP/in-short@provider", "talk", "tone", by_peer=True),
    Kind("in-peer-hangs-up", 3, "PJSIP/answer@pbx-ip", "talk", "short", by_peer=True),
    Kind("in-busy", 2, "PJSIP/in-busy@provider", "talk", "tone", by_peer=True),
    Kind("in-missed", 2, "PJSIP/in-missed@pbx-ip", "talk", "tone", by_peer=True),
    # Queues.
    _caller("queue-answered", 14, "patient", "answered"),
    _caller("queue-caller-hangs-up", 3, "hasty", "answered"),
    _caller("queue-abandoned", 5, "impatient", "abandoned"),
    _caller("queue-timed-out", 5, "patient", "timed-out"),
    _caller("queue-left-by-key", 3, "key", "key"),
    _caller("queue-ringing", 3, "patient", "ringing"),
    _caller("queue-left-empty", 3, "patient", "leaving"),
    # The rest of the house.
    _caller("conference", 3, "hasty", "conference"),
    _caller("park-timed-out", 2, "patient", "parked"),
    _caller("park-given-up", 2, "impatient", "parked"),
    _caller("park-retrieved", 1, "hasty", "retrieve"),
    _caller("user-event", 1, "impatient", "event"),
    Kind("no-such-extension", 1, "Local/nobody@out/n", "talk", "short"),
)


@dataclass(slots=True)
class Traffic:
    """Runs calls on a rich PBX. `started` counts the Originates by kind."""

    pbx: RichPbx
    started: Counter[str] = field(default_factory=Counter)

    def run(self, calls: int, rate: float = RATE) -> None:
        """Start this many calls at this rate and wait until the last has ended (calls / rate, and some seconds)."""
        server = self.pbx.server
        before = server.channels()
        with server.ami() as ami, self.pbx.peer.ami() as peer:
            for queue, interface in (("q-waiting", "Local/1@agents/n"), ("q-leaving", "Local/1@agents/n")):
                ami.action("QueuePause", Queue=queue, Interface=interface, Paused="true")
            start = time.monotonic()
            for number, kind in enumerate(_interleaved(calls)):
                # Paces real time on real servers; nothing is asserted about it.
                time.sleep(max(0.0, start + number / rate - time.monotonic()))
                self._start(peer if kind.by_peer else ami, kind)
        wait_until(lambda: server.channels() == before, _END_SECONDS, f"back to {before} channels")

    def _start(self, ami: RawAmi, kind: Kind) -> None:
        ami.originate(
            kind.channel,
            Context=kind.context,
            Exten=kind.exten,
            Priority="1",
            Timeout=str(kind.timeout),
            CallerID=f"{PERSON} <{CALLER_NUMBER}>",
        )
        self.started[kind.name] += 1


def refuse_ami_logins(pbx: RichPbx, attempts: int) -> None:
    """Log in with a wrong secret and as nobody, in turn."""

    def attempt(number: int) -> None:
        with contextlib.suppress(PermissionError):
            RawAmi(pbx.server.ami_port, ("all", "nobody")[number % 2], WRONG_SECRET)

    # All at once: Asterisk lets each wait a second for its refusal.
    with ThreadPoolExecutor(attempts) as pool:
        list(pool.map(attempt, range(attempts)))


def refuse_registrations(pbx: RichPbx, attempts: int, sipp: Path, folder: Path) -> None:
    """Register phone 1001 with a wrong password, and phones that do not exist, in turn (PJSIP)."""
    users = ("1001", "4711")
    register(
        sipp,
        folder,
        pbx.peer.place.address,
        f"{pbx.server.place.address}:{pbx.server.place.pjsip}",
        [Registration(users[number % 2], WRONG_SECRET) for number in range(attempts)],
    )


def _interleaved(calls: int) -> Iterator[Kind]:
    """Smooth weighted round robin: each kind as often as its weight says, spread evenly."""
    total = sum(kind.weight for kind in KINDS)
    credit: dict[Kind, int] = dict.fromkeys(KINDS, 0)
    for _ in range(calls):
        for kind in KINDS:
            credit[kind] += kind.weight
        chosen = max(KINDS, key=credit.__getitem__)
        credit[chosen] -= total
        yield chosen
