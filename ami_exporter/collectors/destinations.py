"""Outbound calls by class of destination: emergency, international, premium, or any that the configuration names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.callevents import dial_outcome
from ami_exporter.collectors.declarations import Collector, Context, Metric, Sample, Tracked, counter
from ami_exporter.collectors.dialstrings import number_of
from ami_exporter.collectors.fields import OTHER, technology_of, trunk_of
from ami_exporter.collectors.legs import MAX_LEGS, too_old
from ami_exporter.collectors.vocabulary import CAUSES, OUTCOMES

EVENTS: Final = ("DialBegin", "DialEnd", "Hangup")
LOCAL: Final = "Local"
"""Its legs lead to legs of other technologies, which are counted."""
MAX_CALLS: Final = MAX_LEGS
LINGER_SECONDS: Final = 60.0
"""An unanswered call counts so many seconds after its last attempt, even if its caller is still there."""
ANSWERED: Final = "answered"
_NO_ANSWER: Final = frozenset({"no_answer", "no_user_response"})


@dataclass(slots=True)
class _Call:
    """A call that dialled classified numbers. unanswered: class → trunk and outcome of the last attempt so far."""

    seen: float
    counted: set[str] = field(default_factory=set)
    unanswered: dict[str, tuple[str, str]] = field(default_factory=dict)
    legs: int = 0
    idle_since: float = 0.0
    over: bool = False


@dataclass(slots=True)
class _Leg:
    seen: float
    call: str
    trunk: str
    destination: str
    ended: bool = False
    talked_to: float | None = None  # talk is counted until this time


class DestinationTracker:
    """Counts a call once for each class that it dials, and the talk of each answered leg while it lasts.

    A call is a Linkedid: forked legs, successive attempts and legs behind Local channels are one call. It counts when a
    leg is answered, otherwise when its first channel ends or a minute after its last attempt.
    """

    def __init__(self, calls: Metric, talk: Metric) -> None:
        self._calls_metric, self._talk_metric = calls, talk
        self._calls: dict[str, _Call] = {}
        self._legs: dict[str, _Leg] = {}
        self._kinds: Mapping[str, Callable[[Message, Context, float], Iterable[Sample]]] = {
            "DialBegin": self._begin,
            "DialEnd": self._end,
            "Hangup": self._hangup,
        }

    def event(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        """Take one of EVENTS."""
        take = self._kinds.get(message.get("event", ""))
        return () if take is None else take(message, context, now)

    def _begin(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        leg_id, channel = message.get("destuniqueid", ""), message.get("destchannel", "")
        technology = technology_of(channel)
        if not leg_id or leg_id in self._legs or technology in (None, LOCAL) or len(self._legs) >= MAX_LEGS:
            return ()
        destination = context.destination(number_of(message.get("dialstring", ""), channel.partition("/")[0]))
        if destination is None:
            return ()
        call_id = message.get("linkedid") or message.get("destlinkedid") or leg_id
        call = self._calls.get(call_id)
        if call is None:
            if len(self._calls) >= MAX_CALLS:
                return ()
            call = self._calls[call_id] = _Call(now)
        call.legs += 1
        self._legs[leg_id] = _Leg(now, call_id, trunk_of(context, channel) or OTHER, destination)
        return ()

    def _end(self, message: Message, _context: Context, now: float) -> Iterable[Sample]:
        leg = self._legs.get(message.get("destuniqueid", ""))
        if leg is None or leg.ended:
            return ()
        outcome = dial_outcome(message)
        leg.ended = True
        if outcome == ANSWERED:
            leg.talked_to = now
            return self._count(leg, outcome)
        return self._failed(leg, outcome)

    def _failed(self, leg: _Leg, outcome: str) -> Iterable[Sample]:
        call = self._calls.get(leg.call)
        if call is not None and leg.destination not in call.counted:
            call.unanswered[leg.destination] = (leg.trunk, outcome)
        return ()

    def _count(self, leg: _Leg, outcome: str) -> Iterator[Sample]:
        call = self._calls.get(leg.call)
        if call is None or leg.destination in call.counted:
            return
        call.counted.add(leg.destination)
        call.unanswered.pop(leg.destination, None)
        yield self._calls_metric, (leg.trunk, leg.destination, outcome), 1.0

    def _hangup(self, message: Message, _context: Context, now: float) -> Iterator[Sample]:
        uniqueid = message.get("uniqueid", "")
        leg = self._legs.pop(uniqueid, None)
        if leg is not None:
            yield from self._talked(leg, now)
            if not leg.ended:  # an Originate that its own timeout ends has no DialEnd
                cause = CAUSES.get(message.get("cause", ""), OTHER)
                self._failed(leg, "no_answer" if cause in _NO_ANSWER else OTHER)
            call = self._calls.get(leg.call)
            if call is not None:
                call.legs -= 1
                call.idle_since = now
                yield from self._over(leg.call, call)
        ended = self._calls.get(uniqueid)
        if ended is not None:
            ended.over = True
            yield from self._over(uniqueid, ended)

    def _over(self, call_id: str, call: _Call) -> Iterator[Sample]:
        """Note that the first channel has ended; without legs the call has ended, too."""
        if call.over and not call.legs:
            del self._calls[call_id]
            yield from self._given_up(call)

    def _given_up(self, call: _Call) -> Iterator[Sample]:
        """Count an unanswered call by the outcome of its last attempt."""
        for destination, (trunk, outcome) in call.unanswered.items():
            call.counted.add(destination)
            yield self._calls_metric, (trunk, destination, outcome), 1.0
        call.unanswered.clear()

    def _talked(self, leg: _Leg, now: float) -> Iterator[Sample]:
        if leg.talked_to is not None:
            talked, leg.talked_to = now - leg.talked_to, now
            yield self._talk_metric, (leg.trunk, leg.destination), talked

    def reset(self) -> None:
        self._calls.clear()
        self._legs.clear()

    def expire(self, now: float) -> Iterable[Sample]:
        """Count talk in progress and unanswered calls; drop entries that are too old."""
        samples: list[Sample] = []
        for leg_id in too_old(self._legs, now):
            del self._legs[leg_id]
        for leg in self._legs.values():
            samples.extend(self._talked(leg, now))
        for call_id in too_old(self._calls, now):
            del self._calls[call_id]
        for call in self._calls.values():
            if call.unanswered and not call.legs and now - call.idle_since > LINGER_SECONDS:
                samples.extend(self._given_up(call))
        return samples


@lru_cache(maxsize=64)
def collector(classes: tuple[str, ...]) -> Collector:
    """Build the collector for these classes; equal ones give the same object, so that counts outlive a reload."""
    named = {"destination": classes} if classes else {}
    calls = counter(
        "asterisk_destination_calls_total",
        "Calls to numbers of the class, each once, however often it is tried, when answered or given up; trunk "
        "other: over an endpoint that is no known trunk. A Dial that fails before there is a channel sends no event "
        "and is not counted (AMI events DialBegin: DialString; DialEnd, Hangup; configuration: destinations)",
        "trunk",
        "destination",
        "outcome",
        closed={**named, "outcome": OUTCOMES},
        beforehand=(OTHER,) if classes else (),
    )
    talk = counter(
        "asterisk_destination_talk_seconds_total",
        "Time talked to numbers of the class, counted while the call lasts (AMI events DialBegin: DialString; DialEnd, "
        "Hangup; configuration: destinations)",
        "trunk",
        "destination",
        closed=named,
        beforehand=(OTHER,) if classes else (),
    )
    return Collector(
        name="destinations",
        title="Calls by classes of destinations",
        metrics=(calls, talk),
        tracked=(Tracked(EVENTS, lambda: DestinationTracker(calls, talk)),),
    )


COLLECTOR = collector(())
"""Enabled if the target has destinations."""
