"""What people do during a conversation: hold, blind and attended transfer, park and retrieve."""

from __future__ import annotations

from collections.abc import Generator

from . import blocks
from .dice import Dice
from .engine import Process
from .switch import Switch
from .wire import headers
from .world import UP, Bridge, Channel, Parked, ParkingLot, SimulatedEndpoint

HOLD_SHARE = 0.12
HOLD_SECONDS = 25.0


class Conversation:
    """Parts that every kind of call can have."""

    def __init__(self, switch: Switch, dice: Dice) -> None:
        self.switch, self.dice = switch, dice
        self._parking_bridges: dict[str, Bridge] = {}

    def talk(self, one: Channel, other: Channel, mean: float) -> Process:
        """Two bridged channels talk for about ``mean`` seconds; sometimes ``other``'s phone puts the call on hold."""
        length = self.dice.around(mean, at_least=3.0)
        if not self.dice.chance(HOLD_SHARE):
            yield length
            return
        yield length * 0.4
        self.switch.hold(other, on=True)
        self.switch.call("MusicOnHoldStart", blocks.channel(one), headers(("Class", "default")))
        yield self.dice.around(HOLD_SECONDS, at_least=2.0)
        self.switch.call("MusicOnHoldStop", blocks.channel(one))
        self.switch.hold(other, on=False)
        yield length * 0.6

    def end(self, first: Channel, *others: Channel) -> None:
        """``first`` hangs up, which ends the whole call."""
        self.switch.request_hangup(first)
        for chan in (*others, first):
            self.switch.hangup(chan)

    def ring(self, caller: Channel, phone: SimulatedEndpoint) -> Generator[float, None, Channel]:
        """Dial a phone, which rings and is picked up; return its leg."""
        leg = self.switch.leg(caller, phone, phone.name)
        self.switch.run(caller, "Dial", f"{phone.device},25")
        self.switch.dial_begin(caller, leg)
        yield 0.15
        self.switch.dial_state(caller, leg, "RINGING")
        yield self.dice.around(6.0, at_least=1.5)
        self.answer(caller, leg)
        return leg

    def ring_and_talk(self, caller: Channel, phone: SimulatedEndpoint, mean: float) -> Process:
        """Dial a phone that answers, talk, hang up; the caller's channel always ends here."""
        leg = yield from self.ring(caller, phone)
        yield from self.talk(caller, leg, mean)
        pair = (caller, leg) if self.dice.chance(0.5) else (leg, caller)
        self.end(*pair)

    def answer(self, caller: Channel, leg: Channel) -> None:
        self.switch.dial_end(caller, leg, "ANSWER")
        self.switch.state(caller, UP)
        caller.connected = leg.caller
        self.switch.bridge(caller, leg)

    def blind_transfer(self, transferer: Channel, transferee: Channel, target: SimulatedEndpoint) -> Process:
        """``transferer`` sends the other party to ``target`` and leaves; the call continues to its end."""
        bridge = transferer.bridge
        if bridge is not None:
            self.switch.call(
                "BlindTransfer",
                "Result: Success\r\n",
                blocks.channel(transferer, "Transferer"),
                blocks.channel(transferee, "Transferee"),
                blocks.bridge(bridge),
                headers(("IsExternal", "Yes"), ("Context", "from-internal"), ("Extension", target.name)),
            )
        self.switch.hangup(transferer)
        self.switch.leave(transferee)
        yield from self.ring_and_talk(transferee, target, 70.0)

    def attended_transfer(self, transferer: Channel, transferee: Channel, target: SimulatedEndpoint) -> Process:
        """``transferer`` asks ``target`` first, then connects both; the call continues to its end."""
        self.switch.hold(transferer, on=True)
        own = transferer.endpoint
        consult = self.switch.originate(own, target.name, own.party)
        leg = self.switch.leg(consult, target, target.name)
        self.switch.run(consult, "Dial", f"{target.device},25")
        self.switch.dial_begin(consult, leg)
        self.switch.dial_state(consult, leg, "RINGING")
        yield self.dice.around(5.0, at_least=1.0)
        self.answer(consult, leg)
        yield self.dice.around(12.0, at_least=3.0)
        first, second = transferer.bridge, consult.bridge
        if first is not None and second is not None:
            self._tell_attended(transferer, first, consult, second)
            self.switch.leave(leg)
            self.switch.hangup(transferer)
            self.switch.hangup(consult)
            self.switch.enter(first, leg)
        yield from self.talk(transferee, leg, 60.0)
        self.end(transferee, leg)

    def _tell_attended(self, one: Channel, first: Bridge, two: Channel, second: Bridge) -> None:
        self.switch.call(
            "AttendedTransfer",
            "Result: Success\r\n",
            blocks.channel(one, "OrigTransferer"),
            blocks.bridge(first, "Orig"),
            blocks.channel(two, "SecondTransferer"),
            blocks.bridge(second, "Second"),
            headers(("IsExternal", "Yes"), ("DestType", "Bridge"), ("DestBridgeUniqueid", first.uniqueid)),
        )

    def park(self, lot: ParkingLot, chan: Channel, parker: Channel, fetcher: SimulatedEndpoint | None) -> Process:
        """``parker`` parks ``chan`` and hangs up; the call is retrieved, times out, or the caller gives up."""
        taken = {one.space for one in lot.parked}
        space = next(number for number in range(lot.first, lot.last + 1) if number not in taken)
        parked = Parked(chan, space, self.switch.time.now, parker.endpoint.device)
        self.switch.leave(chan)
        self.switch.hangup(parker)
        self.switch.run(chan, "Park", lot.name)
        lot.parked.append(parked)
        self.switch.enter(self._parking_bridge(lot), chan)
        self._tell_parked("ParkedCall", parked, lot)
        waits, patience = self.dice.expo(28.0), self.dice.expo(150.0) + 5
        yield min(waits, patience, lot.timeout)
        if patience <= min(waits, lot.timeout):
            self.switch.request_hangup(chan)
            self._unpark("ParkedCallGiveUp", parked, lot)
            self.switch.hangup(chan)
        elif waits < lot.timeout and fetcher is not None and fetcher.free:
            yield from self._fetch(parked, lot, fetcher)
        else:
            self._unpark("ParkedCallTimeOut", parked, lot)
            yield from self._back(chan, parker.endpoint)

    def _fetch(self, parked: Parked, lot: ParkingLot, phone: SimulatedEndpoint) -> Process:
        chan = parked.channel
        fetcher = self.switch.originate(phone, str(parked.space), phone.party)
        self.switch.run(fetcher, "ParkedCall", f"{lot.name},{parked.space}")
        self.switch.state(fetcher, UP)
        self._unpark("UnParkedCall", parked, lot, fetcher)
        self.switch.bridge(chan, fetcher)
        yield from self.talk(chan, fetcher, 60.0)
        self.end(chan, fetcher)

    def _back(self, chan: Channel, phone: SimulatedEndpoint) -> Process:
        """After the timeout the call returns to the phone that parked it."""
        if phone.free:
            yield from self.ring_and_talk(chan, phone, 45.0)
        else:
            self.switch.hangup(chan)

    def _unpark(self, name: str, parked: Parked, lot: ParkingLot, fetcher: Channel | None = None) -> None:
        lot.parked.remove(parked)
        self._tell_parked(name, parked, lot, fetcher)
        self.switch.leave(parked.channel)

    def _tell_parked(self, name: str, parked: Parked, lot: ParkingLot, fetcher: Channel | None = None) -> None:
        self.switch.call(name, blocks.parked(parked, lot, self.switch.time.now, fetcher))

    def _parking_bridge(self, lot: ParkingLot) -> Bridge:
        if lot.name not in self._parking_bridges:
            bridge = self.switch.bridge(technology="holding_bridge", kind="parking")
            bridge.creator, bridge.name = "Parking", lot.name
            self._parking_bridges[lot.name] = bridge
        return self._parking_bridges[lot.name]
