"""Conferences of ConfBridge."""

from __future__ import annotations

from typing import Final

from ami_exporter.ami.actions import Action
from ami_exporter.collectors.declarations import Collector, Rule, counter, gauge
from ami_exporter.collectors.fields import labels, mapped, number, text
from ami_exporter.collectors.sent import known_from

POLL: Final = Action("ConfbridgeListRooms")
ROOM: Final = ("ConfbridgeListRooms",)

CONFERENCES = gauge("asterisk_conferences", "Conferences that someone is in (AMI ConfbridgeListRooms)")
PARTICIPANTS = gauge(
    "asterisk_conference_participants",
    "Participants of all conferences, waiting ones included (AMI ConfbridgeListRooms: Parties)",
)
ROOM_PARTICIPANTS = gauge(
    "asterisk_conference_room_participants",
    "Participants of a conference, waiting ones included (AMI ConfbridgeListRooms: Parties)",
    "conference",
)
ROOM_LOCKED = gauge(
    "asterisk_conference_room_locked",
    "1: nobody else may join the conference (AMI ConfbridgeListRooms: Locked)",
    "conference",
)
JOINS = counter(
    "asterisk_conference_joins_total",
    "Participants who joined a conference; absent on Asterisk 1.8 (AMI ConfbridgeJoin)",
    sent=known_from((10,)),
)

_conference = labels(text("Conference"))

COLLECTOR = Collector(
    name="conferences",
    title="ConfBridge conferences",
    metrics=(CONFERENCES, PARTICIPANTS, ROOM_PARTICIPANTS, ROOM_LOCKED, JOINS),
    polls=((POLL,),),
    rules=(
        Rule(CONFERENCES, POLL, ROOM),
        Rule(PARTICIPANTS, POLL, ROOM, value=number("Parties")),
        Rule(ROOM_PARTICIPANTS, POLL, ROOM, _conference, number("Parties"), reduce="last"),
        Rule(ROOM_LOCKED, POLL, ROOM, _conference, mapped("Locked", {"yes": 1.0, "no": 0.0}), reduce="last"),
        Rule(JOINS, None, ("ConfbridgeJoin",)),
    ),
    filter_label="conference",
)
