"""Translates the simulation's events into those of Asterisk 1.8 (AMI 1.1), which differ in more than their names.

There is no Linkedid; bridges are only Link and Unlink; a Dial has one end for all its legs, when the application ends;
and masquerades give a parked or transferred channel another Uniqueid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from . import old_events as old
from .old_events import Fields, OldEvent
from .switch import Tell
from .world import DOWN, RING, World

SILENT_QUEUES = frozenset({"6003"})
"""Queues without eventwhencalled=yes: they send no events about their members."""
NEVER_SENT = frozenset(
    {
        *("DeviceStateChange", "DialState", "BridgeCreate", "BridgeDestroy", "HangupRequest", "MixMonitorStart"),
        *("ContactStatus", "ChallengeSent", "SuccessfulAuth", "InvalidPassword", "InvalidAccountID"),
        *("ChallengeResponseFailed", "RequestNotAllowed", "RequestBadFormat", "Reload", "ReceiveFAX"),
        *("ConfbridgeStart", "ConfbridgeEnd", "ConfbridgeJoin", "ConfbridgeLeave", "SpanAlarm", "SpanAlarmClear"),
    }
)
"""Events that Asterisk 1.8 does not have."""
STATUS_BY_CAUSE = {
    **dict.fromkeys(("1", "3", "20"), "CHANUNAVAIL"),
    **dict.fromkeys(("17", "21"), "BUSY"),
}
"""Hangup cause → DialStatus: chan_sip distinguishes more failures than chan_pjsip."""
QUEUE_LEG_CAUSES = {"26": "16"}


@dataclass(slots=True, eq=False)
class _Leg:
    """A dialled leg of the Dial application. held: the caller's Hangup, which comes after the leg's."""

    caller: Fields
    status: str = ""
    held: list[OldEvent] = field(default_factory=list)


class OldDialect:
    """Takes the events of the switch and passes on what Asterisk 1.8 would have sent. Satisfies `Tell`."""

    def __init__(self, world: World, tell: Tell) -> None:
        self._world, self._tell = world, tell
        self._legs: dict[str, _Leg] = {}  # by Uniqueid, like all below
        self._dialling: dict[str, str] = {}  # caller → leg
        self._queue_legs: set[str] = set()
        self._asked: set[str] = set()  # hung up by their far end
        self._answered: set[str] = set()  # callers of an answered Dial
        self._bridges: dict[str, list[Fields]] = {}
        self._moving: set[str] = set()  # moved between bridges by a masquerade, which sends no Unlink
        self._zombies: dict[str, str] = {}  # channel that lost its place → its name since then
        self._replaced: dict[str, tuple[str, Fields]] = {}  # such a channel → its bridge, and who returns there
        self._kinds: dict[str, Callable[[Fields], Iterable[OldEvent]]] = {
            "Newchannel": self._newchannel,
            "Newstate": lambda one: [old.newstate(one, self.raw)],
            "Newexten": lambda one: [old.newexten(one, self.raw)],
            "DialBegin": self._dial_begin,
            "DialEnd": self._dial_end,
            "BridgeEnter": self._enter,
            "BridgeLeave": self._leave,
            "Hangup": self._hangup,
            "Hold": lambda one: [old.hold(one, self.raw, "On")],
            "Unhold": lambda one: [old.hold(one, self.raw, "Off")],
            "MusicOnHoldStart": lambda one: [old.music(one, self.raw, "Start")],
            "MusicOnHoldStop": lambda one: [old.music(one, self.raw, "Stop")],
            "QueueCallerJoin": lambda one: [old.join(one, self.raw)],
            "QueueCallerLeave": lambda one: [old.leave(one, self.raw)],
            "QueueCallerAbandon": lambda one: [old.abandon(one, self.raw)],
            "AgentCalled": self._agent_called,
            "BlindTransfer": self._blind_transfer,
            "AttendedTransfer": self._attended_transfer,
            "Registry": old.registry,
            "PeerStatus": lambda one: [old.peer_status(one)],
            "ExtensionStatus": lambda one: [old.extension_status(one)],
            "AgentLogin": lambda one: [old.agent_login(one, self.raw)],
            "AgentLogoff": lambda one: [old.agent_logoff(one, self.raw)],
        }

    def __call__(self, name: str, privilege: str, body: str) -> None:
        one = old.fields_of(body)
        if name == "HangupRequest":
            self._asked.add(one["Uniqueid"])
        if name in NEVER_SENT:
            return
        for event in self._events(name, one, privilege, body):
            self._tell(event.name, event.privilege, event.body)

    def _events(self, name: str, one: Fields, privilege: str, body: str) -> Iterable[OldEvent]:
        if name in self._kinds:
            return self._kinds[name](one)
        if name in ("AgentConnect", "AgentComplete", "AgentRingNoAnswer"):
            return [] if one["Queue"] in SILENT_QUEUES else [old.agent_event(one, self.raw, name)]
        if name.startswith("QueueMember"):
            return [old.member_event(one, name)]
        if name in ("ParkedCall", "UnParkedCall", "ParkedCallGiveUp", "ParkedCallTimeOut"):
            return self._parking(one, name)
        if name.startswith("RTCP"):
            return [old.rtcp(one, name)]
        return [OldEvent(name, privilege, body)]  # the same in both versions

    def raw(self, uniqueid: str) -> str:
        """The Uniqueid that Asterisk 1.8 uses for this channel now."""
        return self._world.places.get(uniqueid, uniqueid)

    def _newchannel(self, one: Fields) -> Iterable[OldEvent]:
        """A call over chan_sip begins in state Down, and changes to Ring at once."""
        state = int(one["ChannelState"])
        if state != RING or not one["Channel"].startswith("SIP/"):
            return [old.newchannel(one, self.raw, state)]
        return [old.newchannel(one, self.raw, DOWN), old.newstate(one, self.raw)]

    def _dial_begin(self, one: Fields) -> Iterable[OldEvent]:
        if "Uniqueid" not in one or one["DestUniqueid"] in self._queue_legs:
            return []  # Originate and queues send no Dial event
        self._legs[one["DestUniqueid"]] = _Leg(one)
        self._dialling[one["Uniqueid"]] = one["DestUniqueid"]
        return [old.dial_begin(one, self.raw)]

    def _dial_end(self, one: Fields) -> Iterable[OldEvent]:
        """Remember the result: Asterisk 1.8 sends nothing before the application ends."""
        leg = self._legs.get(one["DestUniqueid"])
        if leg is not None:
            leg.status = one["DialStatus"]
            if leg.status == "ANSWER":
                self._answered.add(one["Uniqueid"])
        return []

    def _agent_called(self, one: Fields) -> Iterable[OldEvent]:
        self._queue_legs.add(one["DestUniqueid"])
        return [] if one["Queue"] in SILENT_QUEUES else [old.agent_called(one, self.raw)]

    def _enter(self, one: Fields) -> Iterable[OldEvent]:
        inside = self._bridges.setdefault(one["BridgeUniqueid"], [])
        inside.append(one)
        moved = one["Uniqueid"] in self._moving
        self._moving.discard(one["Uniqueid"])
        if one["BridgeType"] != "basic" or len(inside) < 2 or moved:  # noqa: PLR2004 - a link has two ends
            return []
        return [old.link(inside[-2], one, self.raw)]

    def _leave(self, one: Fields) -> Iterable[OldEvent]:
        inside = self._bridges.get(one["BridgeUniqueid"], [])
        before = list(inside)
        inside[:] = [other for other in inside if other["Uniqueid"] != one["Uniqueid"]]
        if not inside:
            self._bridges.pop(one["BridgeUniqueid"], None)
        if one["BridgeType"] != "basic" or len(before) < 2 or one["Uniqueid"] in self._moving:  # noqa: PLR2004 - as above
            return []
        first, second = before[-2:]
        return [old.unlink(self._now(first), self._now(second), self.raw)]

    def _now(self, one: Fields) -> Fields:
        """A channel's headers with its current name."""
        chan = self._world.channels.get(one["Uniqueid"])
        return one if chan is None else {**one, "Channel": chan.name}

    def _hangup(self, one: Fields) -> Iterator[OldEvent]:
        uid = one["Uniqueid"]
        hangup = old.hangup(one, self.raw, self._cause(one), self._zombie(uid))
        leg = self._legs.get(self._dialling.get(uid, ""))
        own = self._legs.pop(uid, None)
        if own is not None and own.status not in ("ANSWER", "CANCEL"):
            own.status = STATUS_BY_CAUSE.get(one["Cause"], own.status)
        if leg is not None:  # the caller's Hangup follows the leg's
            leg.held.append(hangup)
        else:
            yield hangup
        if own is not None:
            caller = own.caller["Uniqueid"]
            self._dialling.pop(caller, None)
            yield old.dial_end(self._zombie(caller) or own.caller["Channel"], self.raw(caller), own.status or "CANCEL")
            yield from own.held
            if own.held:
                self._forget(caller, dialling=False)
        self._forget(uid, dialling=leg is not None)

    def _forget(self, uid: str, *, dialling: bool) -> None:
        """Forget a channel that has ended; a caller's names are kept until its leg ends."""
        for known in (self._queue_legs, self._asked, self._answered):
            known.discard(uid)
        if not dialling:
            self._world.places.pop(uid, None)
            self._zombies.pop(uid, None)
        bridge, back = self._replaced.pop(uid, ("", {}))
        if bridge in self._bridges:
            self._bridges[bridge] = [back if one["Uniqueid"] == uid else one for one in self._bridges[bridge]]

    def _cause(self, one: Fields) -> str:
        """The cause of a Hangup: none for a caller who hangs up in an application or before an answer."""
        uid, cause = one["Uniqueid"], one["Cause"]
        if uid in self._queue_legs:
            return QUEUE_LEG_CAUSES.get(cause, cause)
        in_application = uid in self._asked and uid not in self._answered and uid not in self._legs
        return "0" if cause == "16" and in_application else cause

    def _zombie(self, uid: str) -> str:
        """The name of a channel that lost its place in a masquerade; empty for all others."""
        return self._zombies.get(uid, "")

    def _blind_transfer(self, one: Fields) -> Iterable[OldEvent]:
        who = {"Channel": one["TransfererChannel"], "Uniqueid": one["TransfererUniqueid"]}
        target = {"Channel": one["TransfereeChannel"], "Uniqueid": one["TransfereeUniqueid"]}
        return [old.transfer(who, target, self.raw, "Blind", one["Extension"])]

    def _attended_transfer(self, one: Fields) -> Iterator[OldEvent]:
        """The party of the first call takes the place of the transferer's channel in the second."""
        first, second = one["OrigBridgeUniqueid"], one["SecondBridgeUniqueid"]
        who = {"Channel": one["OrigTransfererChannel"], "Uniqueid": one["OrigTransfererUniqueid"]}
        asked = {"Channel": one["SecondTransfererChannel"], "Uniqueid": one["SecondTransfererUniqueid"]}
        party = self._partner(first, who["Uniqueid"])
        leg = self._partner(second, asked["Uniqueid"])
        yield old.transfer(who, asked, self.raw, "Attended")
        if party is None or leg is None:
            return
        yield from self._swap(party, asked)
        zombie = {**asked, "Channel": self._zombies[asked["Uniqueid"]], "CallerIDNum": party["CallerIDNum"]}
        self._bridges[first] = [zombie if in_it is party else in_it for in_it in self._bridges[first]]
        self._replaced[asked["Uniqueid"]] = (first, party)
        self._moving.add(leg["Uniqueid"])
        dialled = self._legs.get(self._dialling.pop(asked["Uniqueid"], ""))
        if dialled is not None:  # that Dial continues for another channel
            dialled.caller = party
            self._dialling[party["Uniqueid"]] = leg["Uniqueid"]
            self._answered.add(party["Uniqueid"])

    def _partner(self, bridge: str, uid: str) -> Fields | None:
        return next((one for one in self._bridges.get(bridge, ()) if one["Uniqueid"] != uid), None)

    def _swap(self, clone: Fields, original: Fields) -> list[OldEvent]:
        one, other = clone["Uniqueid"], original["Uniqueid"]
        steps = old.masquerade(clone["Channel"], original["Channel"], self.raw(one), self.raw(other))
        self._world.places[one], self._world.places[other] = self.raw(other), self.raw(one)
        self._zombies[other] = f"{original['Channel']}<ZOMBIE>"
        return steps

    def _parking(self, one: Fields, name: str) -> Iterator[OldEvent]:
        """A parked call moves to a channel created for it, and leaves a zombie behind."""
        if name == "ParkedCall":
            parked = {"Channel": one["ParkeeChannel"], "Uniqueid": one["ParkeeUniqueid"]}
            chan = self._world.channels[parked["Uniqueid"]]
            uid = f"{chan.uniqueid.partition('.')[0]}.{next(self._world.serial)}"
            helper = {
                **{key.removeprefix("Parkee"): value for key, value in one.items() if key.startswith("Parkee")},
                "Channel": f"Parked/{chan.name}",
                "Uniqueid": uid,
            }
            self._answered.discard(parked["Uniqueid"])
            yield old.newchannel(helper, self.raw, DOWN)
            yield from self._swap(parked, helper)
            yield old.parking(one, self.raw, name)
            yield old.hangup(
                {**helper, "Cause": "16", "Cause-txt": "Normal Clearing"}, self.raw, "16", self._zombie(uid)
            )
            self._forget(uid, dialling=False)
            return
        yield old.parking(one, self.raw, name)
