"""Originate, as canary calls use it: a call to a trunk that rings, is answered or refused, and ends by itself.

Events and their order as in Asterisk 22 for an asynchronous Originate (main/dial.c, manager.c:
fast_originate): no caller in DialBegin, no DialEnd when the caller's Timeout ends it, OriginateResponse with the
ActionID.
"""

from __future__ import annotations

import re

from . import blocks
from .dice import Dice
from .engine import Process
from .switch import Switch
from .traffic import DELAYS, CallEnd
from .wire import AmiRequest, headers, response
from .world import RINGING, UP, Channel, SimulatedEndpoint

_SECONDS = re.compile(r"S\((\d+)\)|^(\d+)$")
# Outcomes of canary calls with their weights, by trunk; telco-b is the cheap one.
_GOOD, _BUSY = CallEnd("ANSWER", rings=2.0), CallEnd("BUSY", 17, 486)
ENDS: dict[str, tuple[tuple[float, CallEnd], ...]] = {
    "telco-a": ((60.0, _GOOD), (1.0, _BUSY)),
    "telco-b": ((12.0, _GOOD), (1.0, _BUSY), (2.0, CallEnd("CONGESTION", 34, 503)), (1.0, CallEnd("", rings=90.0))),
}


class Originator:
    """Makes the calls that clients request."""

    def __init__(self, switch: Switch, dice: Dice) -> None:
        self.switch, self.dice = switch, dice

    def take(self, request: AmiRequest) -> bytes:
        """Answer one Originate; only asynchronous ones are supported."""
        if not request.get("Channel"):
            return response("Error", "Channel not specified").encode()
        if request.get("Async").lower() != "true":
            return response("Error", "The simulated PBX originates asynchronously only").encode()
        self.switch.time.spawn(self._call(request), 0.05)
        return response("Success", "Originate successfully queued").encode()

    def _call(self, request: AmiRequest) -> Process:
        technology, _, rest = request.get("Channel").partition("/")
        number, _, name = rest.rpartition("@")
        known = {(one.tech, one.name): one for one in self.switch.world.endpoints}
        endpoint = known.get((technology, name))
        if endpoint is None or request.get("ChannelId") in self.switch.world.channels:
            self._respond(request, None, "Failure", 0)
            return
        chan = self.switch.originated(endpoint, number, request.get("ChannelId"))
        chan.application, chan.data = "AppDial2", "(Outgoing Line)"
        self._dial("DialBegin", chan, "DialString", rest)
        yield DELAYS.get(endpoint.name, 0.5) * self.dice.between(0.7, 1.4)
        yield from self._answered_or_not(request, chan, self._end(endpoint))

    def _end(self, endpoint: SimulatedEndpoint) -> CallEnd:
        return self.dice.weighted(ENDS.get(endpoint.name, ((1.0, _GOOD),)))

    def _answered_or_not(self, request: AmiRequest, chan: Channel, end: CallEnd) -> Process:
        patience = float(request.get("Timeout") or 30_000) / 1000
        if end.rings:
            self.switch.state(chan, RINGING)
            self._dial("DialState", chan, "DialStatus", "RINGING")
            yield min(end.rings * self.dice.between(0.6, 1.5), patience)
        if end.rings >= patience:
            self.switch.hangup(chan, 19, 480)
            self._respond(request, chan, "Failure", 3)
        elif end.status != "ANSWER":
            self.switch.request_hangup(chan, end.cause)
            self._dial("DialEnd", chan, "DialStatus", end.status)
            self.switch.hangup(chan, end.cause, end.code)
            self._respond(request, chan, "Failure", 0)
        else:
            self.switch.state(chan, UP)
            self._dial("DialEnd", chan, "DialStatus", "ANSWER")
            self._respond(request, chan, "Success", 4)
            self.switch.run(chan, request.get("Application"), request.get("Data"))
            seconds = _SECONDS.search(request.get("Data"))
            yield float(seconds[1] or seconds[2]) if seconds else 10.0
            self.switch.hangup(chan, 16)

    def _dial(self, name: str, chan: Channel, key: str, value: str) -> None:
        self.switch.call(name, blocks.channel(chan, "Dest"), headers((key, value)))

    def _respond(self, request: AmiRequest, chan: Channel | None, what: str, reason: int) -> None:
        body = headers(
            ("ActionID", request.get("ActionID")),
            ("Response", what),
            ("Channel", request.get("Channel") if chan is None else chan.name),
            ("Application", request.get("Application")),
            ("Data", request.get("Data")),
            ("Reason", reason),
            ("Uniqueid", request.get("ChannelId") if chan is None else chan.uniqueid),
            ("CallerIDNum", blocks.UNKNOWN),
            ("CallerIDName", blocks.UNKNOWN),
        )
        self.switch.call("OriginateResponse", body)
