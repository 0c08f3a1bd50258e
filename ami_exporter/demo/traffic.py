"""The calls of the company: who calls whom, how often, and how the calls end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from . import blocks
from .callcentre import QUEUE_PLANS, QueuePlan
from .conversation import Conversation
from .dice import Dice
from .engine import Process
from .queueing import QueueDesk
from .switch import Switch
from .world import UP, Channel, Party, Queue, SimulatedEndpoint

# Calls per second at full traffic; the queues' rates are in callcentre.
OUTBOUND, DIRECT, INTERNAL, EXTRA_QUEUES = 0.15, 0.035, 0.03, 0.05
# The load varies, so that graphs are not straight lines.
SWELL, SWELL_SECONDS = 0.35, 900.0
TRANSFER_SHARE, PARK_SHARE, VOICEMAIL_SHARE, RECORDED_SHARE = 0.05, 0.2, 0.6, 0.9
EXTRA_PLAN = QueuePlan("", "rrmemory", (0, 3), 0.0, 60, 60, 90, 20)


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How an outbound attempt ends: DialStatus, Q.850 cause, SIP code, and seconds of ringing (0: none)."""

    status: str
    cause: int = 16
    code: int = 0
    rings: float = 0.0


# Outcomes of outbound calls with their weights. telco-b is the cheap trunk.
_PEOPLE = (
    (66.0, CallEnd("ANSWER", rings=7.0)),
    (9.0, CallEnd("BUSY", 17, 486)),
    (10.0, CallEnd("NOANSWER", 0, rings=30.0)),
    (8.0, CallEnd("CANCEL", 0, rings=9.0)),
    (2.0, CallEnd("NOANSWER", 1, 404)),
)
OUTCOMES: dict[str, tuple[tuple[float, CallEnd], ...]] = {
    "telco-a": (*_PEOPLE, (1.0, CallEnd("NOANSWER", 21, 403)), (0.5, CallEnd("CONGESTION", 34, 503))),
    "telco-b": (*_PEOPLE, (5.0, CallEnd("NOANSWER", 21, 403)), (9.0, CallEnd("CONGESTION", 34, 503))),
    "4940": (
        *((weight, CallEnd(o.status, o.cause, 0, o.rings)) for weight, o in _PEOPLE),
        (12.0, CallEnd("CHANUNAVAIL", 3)),
    ),
}
# Each trunk's share of the calls, and its post-dial delay in seconds.
SHARES = (("telco-a", 0.55), ("telco-b", 0.35), ("4940", 0.1))
DELAYS = {"telco-a": 1.3, "telco-b": 2.4, "4940": 0.4}


class Traffic:
    """Starts the processes that make calls; ``factor`` multiplies every rate."""

    def __init__(self, switch: Switch, dice: Dice, desk: QueueDesk, talk: Conversation) -> None:
        self.switch, self.dice, self.desk, self.conversation = switch, dice, desk, talk
        self._apart = dice.apart(1)
        self.world = switch.world
        self._trunks = {trunk.name: trunk for trunk in self.world.trunks}

    def begin(self, factor: float) -> None:
        """Start all processes that create calls; none for a factor of 0."""
        if factor <= 0:
            return
        rates: list[tuple[float, Callable[[], Process]]] = [
            (OUTBOUND, self.outbound),
            (DIRECT, self.direct),
            (INTERNAL, self.internal),
        ]
        for queue, plan in zip(self.world.queues, QUEUE_PLANS, strict=False):
            rates.append((plan.arrivals, partial(self.queue_call, queue, plan)))
        extra = self.world.queues[len(QUEUE_PLANS) :]
        if extra:
            rates.append((EXTRA_QUEUES, lambda: self.queue_call(self.dice.pick(extra), EXTRA_PLAN)))
        for rate, call in rates:
            self.switch.time.spawn(self._arrivals(rate * factor, call))

    def _arrivals(self, rate: float, call: Callable[[], Process]) -> Process:
        while True:
            swell = 1 + SWELL * math.sin(2 * math.pi * self.switch.time.now / SWELL_SECONDS)
            yield self.dice.expo(1 / (rate * swell))
            self.switch.time.spawn(call())

    def _trunk(self) -> SimulatedEndpoint:
        name = self.dice.weighted([(share, name) for name, share in SHARES])
        return self._trunks[name]

    def arrive(self, exten: str) -> Channel:
        """Start a call that comes in over one of the trunks."""
        return self.switch.originate(self._trunk(), exten, Party(self.dice.number()))

    def free_phone(self) -> SimulatedEndpoint | None:
        """A free phone, preferably of somebody who is in no queue."""
        free = [phone for phone in self.world.phones if phone.free]
        others = [phone for phone in free if not phone.memberships]
        return self.dice.pick(others or free) if free else None

    def queue_call(self, queue: Queue, plan: QueuePlan) -> Process:
        """A customer calls a queue."""
        caller = self.arrive(queue.name)
        yield 0.2
        self.switch.run(caller, "Answer")
        self.switch.state(caller, UP)
        self.switch.run(caller, "Playback", "welcome")
        yield self.dice.between(2.0, 4.0)
        leg = yield from self.desk.serve(queue, plan, caller)
        if leg is None:
            if caller.alive:  # the queue timed out: the dialplan continues
                yield from self._voicemail(caller)
            return
        if self._apart.chance(RECORDED_SHARE):
            self.switch.call("MixMonitorStart", blocks.channel(caller))
        yield from self.conversation.talk(caller, leg.channel, plan.talk)
        target = self.free_phone() if self.dice.chance(TRANSFER_SHARE) else None
        if target is not None:
            self.desk.complete(queue, caller, leg, "transfer")
            yield from self._transfer(leg.channel, caller, target)
            return
        reason = "caller" if self.dice.chance(0.58) else "agent"
        first, second = (caller, leg.channel) if reason == "caller" else (leg.channel, caller)
        self.switch.request_hangup(first)
        self.switch.leave(caller)
        self.switch.leave(leg.channel)
        self.desk.complete(queue, caller, leg, reason)
        self.switch.hangup(second)
        self.switch.hangup(first)

    def _transfer(self, transferer: Channel, transferee: Channel, target: SimulatedEndpoint) -> Process:
        if self.dice.chance(0.5):
            return self.conversation.blind_transfer(transferer, transferee, target)
        return self.conversation.attended_transfer(transferer, transferee, target)

    def direct(self) -> Process:
        """A call to somebody's own number: answered, or voicemail; some are parked."""
        phones = self.world.phones
        if not phones:
            return
        phone = self.dice.pick(phones)
        caller = self.arrive(phone.name)
        yield 0.2
        if not phone.free or self.dice.chance(0.2):
            yield from self._voicemail(caller)
            return
        leg = yield from self.conversation.ring(caller, phone)
        yield from self.conversation.talk(caller, leg, 70.0)
        lot = self.dice.pick(self.world.lots)
        if self.dice.chance(PARK_SHARE) and len(lot.parked) <= lot.last - lot.first:
            yield from self.conversation.park(lot, caller, leg, self.free_phone())
        else:
            self.conversation.end(caller, leg)

    def _voicemail(self, caller: Channel) -> Process:
        """The mailbox answers; some leave a message."""
        self.switch.state(caller, UP)
        box = self.dice.pick(self.world.mailboxes) if self.world.mailboxes else None
        self.switch.run(caller, "VoiceMail", f"{box.number}@default,u" if box else "operator@default")
        yield self.dice.around(20.0, at_least=3.0)
        self.switch.request_hangup(caller)
        if box and self.dice.chance(VOICEMAIL_SHARE):
            box.new += 1
            self.switch.message_waiting(box)
        self.switch.hangup(caller)

    def internal(self) -> Process:
        """A colleague calls a colleague."""
        phone, other = self.free_phone(), self.free_phone()
        if phone is None or other is None or phone is other:
            return
        caller = self.switch.originate(phone, other.name, phone.party)
        yield from self.conversation.ring_and_talk(caller, other, 55.0)

    def outbound(self) -> Process:
        """Somebody calls out; if the trunk refuses, the call is tried over telco-a."""
        phone, trunk = self.free_phone(), self._trunk()
        if phone is None:
            return
        number = self._apart.dialled(self.dice.number())
        caller = self.switch.originate(phone, number, phone.party)
        yield 0.1
        outcome = self.dice.weighted(OUTCOMES[trunk.name])
        yield from self._attempt(caller, trunk, number, outcome)
        if outcome.status in {"CONGESTION", "CHANUNAVAIL"} and trunk.name != "telco-a":
            outcome = self.dice.weighted(OUTCOMES["telco-a"])
            yield from self._attempt(caller, self._trunks["telco-a"], number, outcome)
        self.switch.hangup(caller, outcome.cause or 16)

    def _attempt(self, caller: Channel, trunk: SimulatedEndpoint, number: str, outcome: CallEnd) -> Process:
        """Run one leg through a trunk to its end; an answered leg ends the caller's channel too."""
        leg = self.switch.leg(caller, trunk, number)
        self.switch.run(caller, "Dial", f"{trunk.tech}/{number}@{trunk.name},60")
        self.switch.dial_begin(caller, leg)
        yield self.dice.around(DELAYS[trunk.name], at_least=0.1)
        if outcome.rings:
            self.switch.dial_state(caller, leg, "PROGRESS" if self.dice.chance(0.3) else "RINGING")
            yield outcome.rings if outcome.status == "NOANSWER" else self.dice.around(outcome.rings, at_least=1.0)
        if outcome.status == "ANSWER":
            self.conversation.answer(caller, leg)
            yield from self.conversation.talk(caller, leg, 95.0)
            self.conversation.end(*((caller, leg) if self.dice.chance(0.6) else (leg, caller)))
            return
        if outcome.status == "CANCEL":
            self.switch.request_hangup(caller)
        self.switch.dial_end(caller, leg, outcome.status)
        self.switch.hangup(leg, outcome.cause, outcome.code if trunk.tech == "PJSIP" else 0)
