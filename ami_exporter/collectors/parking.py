"""Parking lots and parked calls."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Rule, ZeroSeries, counter, gauge
from ami_exporter.collectors.fields import either, labels, number, text, word

LOTS: Final = Action("Parkinglots")
PARKED: Final = Action("ParkedCalls")

EVENTS: Final = MappingProxyType(
    {
        "parkedcall": "parked",
        "unparkedcall": "retrieved",
        "parkedcalltimeout": "timeout",
        "parkedcallgiveup": "giveup",
    }
)
"""Event → what happened. ParkedCallSwap changes who is parked, not how many."""
EVENT_NAMES: Final = ("ParkedCall", "UnParkedCall", "ParkedCallTimeOut", "ParkedCallGiveUp")

SPACES = gauge("asterisk_parking_spaces", "Spaces of a parking lot (AMI Parkinglots: StartSpace, StopSpace)", "lot")
PARKED_CALLS = gauge("asterisk_parked_calls", "Calls parked in a lot (AMI ParkedCalls)", "lot")
LONGEST = gauge(
    "asterisk_parked_longest_seconds",
    "How long the longest parked call of a lot waits; absent when none is parked, and on Asterisk 1.8 "
    "(AMI ParkedCalls: ParkingDuration)",
    "lot",
)
PARKING_EVENTS = counter(
    "asterisk_parking_events_total",
    "Calls parked, retrieved, returned by timeout, and callers who hung up while parked "
    "(AMI ParkedCall, UnParkedCall, ParkedCallTimeOut, ParkedCallGiveUp)",
    "lot",
    "event",
    closed=MappingProxyType({"event": tuple(EVENTS.values())}),
)


def _spaces(message: Message) -> float | None:
    first, last = _first(message), _last(message)
    return last - first + 1 if first is not None and last is not None and last >= first else None


def _broadcast(message: Message) -> bool:
    """Whether this is an event: list items have the same name, but an ActionID."""
    return "actionid" not in message


_first = either(number("StartSpace"), number("StartExten"))
_last = either(number("StopSpace"), number("StopExten"))
"""StartExten and StopExten are the names before Asterisk 12."""
_lot = labels(text("Parkinglot"))
_lot_name = labels(text("Name"))

COLLECTOR = Collector(
    name="parking",
    title="Parking lots and parked calls",
    metrics=(SPACES, PARKED_CALLS, LONGEST, PARKING_EVENTS),
    polls=((LOTS,), (PARKED,)),
    rules=(
        Rule(SPACES, LOTS, ("Parkinglot",), _lot_name, _spaces, reduce="last"),
        Rule(PARKED_CALLS, PARKED, ("ParkedCall",), _lot),
        Rule(
            LONGEST, PARKED, ("ParkedCall",), _lot, either(number("ParkingDuration"), number("Duration")), reduce="max"
        ),
        Rule(
            PARKING_EVENTS,
            None,
            EVENT_NAMES,
            labels(text("Parkinglot"), word("Event", EVENTS, None)),
            where=_broadcast,
        ),
    ),
    zero_series=(
        ZeroSeries((PARKED_CALLS, PARKING_EVENTS), LOTS, ("Parkinglot",), _lot_name),
        ZeroSeries((PARKING_EVENTS,), PARKED, ("ParkedCall",), _lot),
    ),
    filter_label="lot",
)
