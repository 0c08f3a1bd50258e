"""Calls by Linkedid: one count per call, at its last hangup. Pure: no metrics, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from ami_exporter.collectors.legs import too_old

MAX_CALLS = 50_000
"""Calls followed at a time; more are not counted. About 50 MB when full."""

MAX_CALLS_COUNTED = 200_000
"""Distinct Linkedids held during one poll (about 25 MB); beyond, the number of calls is not published at all."""

MAX_CALL_CHANNELS = 200
"""Channels followed of one call: a ring-all queue of 200 agents; later ones do not keep the call alive."""

UP = "6"
"""ChannelState of an answered channel."""

RING = "4"
"""ChannelState of a channel whose far end calls us: never of one that we dial out on, which rings (5)."""

_OUTBOUND_STATES = frozenset({"0", "1"})


def trunk_direction(state: str | None) -> str:
    """Direction of a trunk channel by the ChannelState of its Newchannel.

    What the PBX creates to dial out begins Down (DAHDI: Reserved); what comes in begins in Ring, or has a Newstate Ring
    at once (chan_sip: Down, then Ring; ISDN with overlap dialling: Reserved, then Ring).
    """
    return "outbound" if state in _OUTBOUND_STATES else "inbound"


@dataclass(slots=True)
class _Call:
    seen: float
    first: str
    live: set[str] = field(default_factory=set)
    direction: str = "internal"
    directing: str = ""  # the channel that gave the direction
    answered: bool = False


class Calls:
    """Calls from the Newchannel of their first channel to the hangup of their last one.

    A call begins with a channel whose Uniqueid is its Linkedid; a channel belongs to the call of the Linkedid it is
    created with. Asterisk changes Linkedids when calls are joined (transfer, pickup): that moves nothing here, so each
    Linkedid counts exactly once. Calls whose beginning was not seen are not counted. What is older than legs.MAX_AGE
    is dropped.
    """

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._channels: dict[str, _Call] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def created(self, uniqueid: str, linkedid: str, direction: str | None, now: float) -> None:
        """Newchannel; direction of a trunk channel, None for all others."""
        call = self._calls.get(linkedid)
        if call is None:
            if not uniqueid or uniqueid != linkedid or len(self._calls) >= MAX_CALLS:
                return
            call = self._calls[linkedid] = _Call(now, uniqueid)
        if len(call.live) >= MAX_CALL_CHANNELS:
            return
        call.live.add(uniqueid)
        self._channels[uniqueid] = call
        # The first trunk channel tells: a call from outside that is forwarded outside is inbound.
        if direction is not None and call.direction == "internal":
            call.direction = direction
            call.directing = uniqueid

    def rings(self, uniqueid: str) -> None:
        """Newstate Ring: this channel came in."""
        call = self._channels.get(uniqueid)
        if call is not None and call.directing == uniqueid:
            call.direction = "inbound"

    def hangup(self, uniqueid: str, *, up: bool) -> tuple[str, str] | None:
        """Hangup: direction and outcome when it ended a call, else None. up: the channel ended in state Up.

        A channel that was Up ends so, and the first one of its call tells whether that was answered.
        """
        call = self._channels.pop(uniqueid, None)
        if call is None:
            return None
        if up and call.first == uniqueid:
            call.answered = True
        call.live.discard(uniqueid)
        if call.live:
            return None
        self._calls.pop(call.first, None)
        return call.direction, "answered" if call.answered else "unanswered"

    def reset(self) -> None:
        """Forget all calls."""
        self._calls.clear()
        self._channels.clear()

    def expire(self, now: float) -> None:
        """Drop calls that are too old to be true."""
        for linkedid in too_old(self._calls, now):
            for uniqueid in self._calls.pop(linkedid).live:
                self._channels.pop(uniqueid, None)
