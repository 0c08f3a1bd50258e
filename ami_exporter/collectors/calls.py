"""Calls by Linkedid: one count per call, at its last hangup. Pure: no metrics, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from ami_exporter.collectors.legs import too_old

MAX_CALLS = 50_000
"""Most calls to follow at a time; others are not counted. About 50 MB when full."""

MAX_CALLS_COUNTED = 200_000
"""Most Linkedids to hold during a poll (about 25 MB); beyond that the number of calls is not published."""

MAX_CALL_CHANNELS = 200
"""Most channels of a call to follow: a ring-all queue of 200 agents; later ones do not keep the call alive."""

UP = "6"
"""ChannelState of an answered channel."""

RING = "4"
"""ChannelState of a channel whose far end calls us. A channel that we dial out on rings (5) instead."""

_OUTBOUND_STATES = frozenset({"0", "1"})


def trunk_direction(state: str | None) -> str:
    """Direction of a trunk channel by the ChannelState of its Newchannel.

    A channel for dialling out begins Down (DAHDI: Reserved). An incoming one begins in Ring, or has a Newstate Ring at
    once (chan_sip: Down, then Ring; ISDN with overlap dialling: Reserved, then Ring).
    """
    return "outbound" if state in _OUTBOUND_STATES else "inbound"


@dataclass(slots=True)
class _Call:
    seen: float
    first: str
    live: set[str] = field(default_factory=set)
    direction: str = "internal"
    directing: str = ""  # the channel that set the direction
    answered: bool = False


class Calls:
    """Calls from the Newchannel of their first channel to the hangup of their last one.

    A call begins with a channel whose Uniqueid is its Linkedid; a channel belongs to the call of the Linkedid it is
    created with. Asterisk changes Linkedids when calls are joined (transfer, pickup); this is ignored, so each Linkedid
    counts exactly once. Calls whose beginning was missed are not counted. Calls older than legs.MAX_AGE are dropped.
    """

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._channels: dict[str, _Call] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def created(self, uniqueid: str, linkedid: str, direction: str | None, now: float) -> None:
        """Take a Newchannel. direction: of a trunk channel; None for others."""
        call = self._calls.get(linkedid)
        if call is None:
            if not uniqueid or uniqueid != linkedid or len(self._calls) >= MAX_CALLS:
                return
            call = self._calls[linkedid] = _Call(now, uniqueid)
        if len(call.live) >= MAX_CALL_CHANNELS:
            return
        call.live.add(uniqueid)
        self._channels[uniqueid] = call
        # The first trunk channel decides: a call from outside that is forwarded outside is inbound.
        if direction is not None and call.direction == "internal":
            call.direction = direction
            call.directing = uniqueid

    def rings(self, uniqueid: str) -> None:
        """Take a Newstate Ring: this channel is incoming."""
        call = self._channels.get(uniqueid)
        if call is not None and call.directing == uniqueid:
            call.direction = "inbound"

    def hangup(self, uniqueid: str, *, up: bool) -> tuple[str, str] | None:
        """Take a Hangup; return direction and outcome if it ends a call. up: the channel ended in state Up.

        A channel that was answered ends in state Up, and the first channel tells whether the call was answered.
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
        self._calls.clear()
        self._channels.clear()

    def expire(self, now: float) -> None:
        for linkedid in too_old(self._calls, now):
            for uniqueid in self._calls.pop(linkedid).live:
                self._channels.pop(uniqueid, None)
