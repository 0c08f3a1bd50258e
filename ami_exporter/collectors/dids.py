"""Inbound calls by dialled number, under names of the configuration: no number is served."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.calls import RING, UP, trunk_direction
from ami_exporter.collectors.declarations import Collector, Context, Metric, Sample, Tracked, counter
from ami_exporter.collectors.fields import OTHER, trunk_of
from ami_exporter.collectors.legs import MAX_LEGS, too_old

EVENTS: Final = ("Newchannel", "Newstate", "Hangup")
OUTCOMES: Final = ("answered", "unanswered")


@dataclass(slots=True)
class _Inbound:
    seen: float
    name: str
    inbound: bool
    answered: bool = False


class DidTracker:
    """Follows incoming trunk channels; looks at the number once and keeps only its name."""

    def __init__(self, calls: Metric) -> None:
        self._metric = calls
        self._channels: dict[str, _Inbound] = {}

    def event(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        """Take one of EVENTS."""
        uniqueid, kind = message.get("uniqueid", ""), message["event"]
        if kind == "Newchannel":
            self._created(uniqueid, message, context, now)
            return ()
        channel = self._channels.get(uniqueid)
        if channel is None:
            return ()
        state = message.get("channelstate")
        channel.inbound = channel.inbound or state == RING
        channel.answered = channel.answered or state == UP
        if kind == "Newstate":
            return ()
        del self._channels[uniqueid]
        if not channel.inbound:
            return ()
        return ((self._metric, (channel.name, OUTCOMES[not channel.answered]), 1.0),)

    def _created(self, uniqueid: str, message: Message, context: Context, now: float) -> None:
        if uniqueid and len(self._channels) < MAX_LEGS and trunk_of(context, message.get("channel", "")):
            name, state = context.dids.get(message.get("exten", ""), OTHER), message.get("channelstate")
            self._channels[uniqueid] = _Inbound(now, name, trunk_direction(state) == "inbound", state == UP)

    def reset(self) -> None:
        self._channels.clear()

    def expire(self, now: float) -> Iterable[Sample]:
        for uniqueid in too_old(self._channels, now):
            del self._channels[uniqueid]
        return ()


@lru_cache(maxsize=64)
def collector(names: tuple[str, ...]) -> Collector:
    """Build the collector for these names; equal ones give the same object, so that counts outlive a reload."""
    named = {"did": tuple(dict.fromkeys((*names, OTHER)))} if names else {}
    calls = counter(
        "asterisk_did_calls_total",
        "Inbound trunk channels ended, by the name that the configuration gives to the number dialled; did other: a "
        "number without a name (AMI events Newchannel: Exten; Newstate, Hangup; configuration: dids)",
        "did",
        "outcome",
        closed={**named, "outcome": OUTCOMES},
    )
    return Collector(
        name="dids",
        title="Inbound calls by number dialled",
        metrics=(calls,),
        tracked=(Tracked(EVENTS, lambda: DidTracker(calls)),),
    )


COLLECTOR = collector(())
"""Enabled if the target has dids."""
