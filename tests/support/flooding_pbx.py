"""The simulated PBX under load: a flood of events at any rate, rendered before it is played. Benchmarks use it, too."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from ami_exporter.demo.dice import Dice
from ami_exporter.demo.engine import Timeline
from ami_exporter.demo.simulated_pbx import SimulatedPbx
from ami_exporter.demo.switch import Switch
from ami_exporter.demo.wire import event
from ami_exporter.demo.world import UP, Contact, Party, SimulatedEndpoint, World

# Naps between two portions of a flood: short at a high rate, and some events at once at a low one, because waking up
# costs more than an event.
FLOOD_TICK, FLOOD_PORTION, LONGEST_TICK = 0.004, 10, 0.2


@dataclass(slots=True)
class Flood:
    """Replays ``corpus`` (name, class, bytes of each event) at ``rate`` per real second, ``total`` in all.

    ``sent`` counts the events played, by name, whoever listened. ``ahead``: bytes that may wait for a reader before the
    flood does, too; None: it never waits, and a reader that stays behind is cut off as by any PBX.
    """

    corpus: list[tuple[str, str, bytes]]
    rate: float
    total: int
    began: float
    ahead: int | None = None
    played: int = 0
    sent: Counter[str] = field(default_factory=Counter)

    @property
    def finished(self) -> bool:
        """Whether everything was played."""
        return self.played >= self.total

    def hold(self, now: float) -> None:
        """Play nothing for now, and go on from here at the same rate: what was held back comes in no burst."""
        self.began = now - self.played / self.rate

    def play(self, now: float) -> list[tuple[str, str, bytes]]:
        """The events due by the monotonic time ``now``."""
        upto = max(self.played, min(self.total, int((now - self.began) * self.rate)))
        size = len(self.corpus)
        due = [self.corpus[number % size] for number in range(self.played, upto)]
        self.sent.update([name for name, _privilege, _data in due])
        self.played = upto
        return due


def flood_corpus(calls: int = 64) -> list[tuple[str, str, bytes]]:
    """Events of ``calls`` answered calls through a trunk, each complete from Newchannel to Hangup."""
    corpus: list[tuple[str, str, bytes]] = []

    def tell(name: str, privilege: str, body: str) -> None:
        corpus.append((name, privilege, event(name, privilege, body)))

    switch = Switch(World(1_700_000_000.0), Timeline(0.0), Dice(1), tell)
    for number in range(calls):
        phone, trunk = (
            SimulatedEndpoint("PJSIP", name, Party(name, "Flood")) for name in (f"flood-{number}", "telco-a")
        )
        trunk.trunk = True
        for endpoint in (phone, trunk):
            endpoint.contacts.append(Contact("192.0.2.1:5060"))
        caller = switch.originate(phone, "15550100", phone.party)
        callee = switch.leg(caller, trunk, "15550100")
        switch.dial_begin(caller, callee)
        switch.dial_state(caller, callee, "RINGING")
        switch.dial_end(caller, callee, "ANSWER")
        switch.state(caller, UP)
        switch.bridge(caller, callee)
        switch.request_hangup(caller)
        switch.hangup(callee)
        switch.hangup(caller)
    return corpus


class FloodingPbx(SimulatedPbx):
    """A simulated PBX that can play a flood."""

    _flood: Flood | None = None

    def flood(self, rate: float, total: int, ahead: int | None = None) -> Flood:
        """Play ``total`` events at ``rate`` per second to whoever may read them; watch ``finished`` and ``sent``.

        ``ahead``: bytes that may wait unread before the flood pauses; None: it never does.
        """
        flood = Flood(flood_corpus(), rate, total, time.monotonic(), ahead)

        def begin() -> None:
            self._flood = flood

        self._do(begin)
        return flood

    def _turn(self) -> None:
        if self._flood is not None and not self._flood.finished:
            self._play(self._flood, time.monotonic())
        super()._turn()

    def _nap(self) -> float:
        if self._flood is None or self._flood.finished:
            return super()._nap()
        return max(FLOOD_TICK, min(LONGEST_TICK, FLOOD_PORTION / self._flood.rate))

    def _play(self, flood: Flood, now: float) -> None:
        if flood.ahead is not None and any(one.waiting > flood.ahead for one in self._connections.values()):
            flood.hold(now)
            return
        played = flood.play(now)
        for connection in self._connections.values():
            mask = connection.session.mask
            if data := b"".join(one for _name, privilege, one in played if privilege in mask):
                connection.put(data)
