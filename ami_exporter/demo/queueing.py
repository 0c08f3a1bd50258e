"""Queue calls: join, wait, ring members, talk or give up. Events and order as in ``app_queue.c`` of Asterisk 22."""

from __future__ import annotations

from dataclasses import dataclass

from . import blocks
from .callcentre import QueuePlan
from .dice import Dice
from .engine import Step
from .switch import Switch
from .wire import headers
from .world import Channel, Member, Queue, QueuedCaller

RING_SECONDS = 15.0
RETRY_SECONDS = 5.0
# app_queue checks once a second whether it is a caller's turn.
LOOK_SECONDS = 1.0
ANSWER_SHARE = 0.9
AUTOPAUSE_SHARE = 0.12
RING_ALL_AT_MOST = 4
SECONDS_TO_MS = 1000


@dataclass(slots=True, eq=False)
class Leg:
    """A member's phone that rings for a caller, and the simulated time at which the member would pick up."""

    member: Member
    channel: Channel
    answers_at: float
    held: int = 0


class QueueDesk:
    """Runs the calls of queues."""

    def __init__(self, switch: Switch, dice: Dice) -> None:
        self.switch, self.dice = switch, dice

    def serve(self, queue: Queue, plan: QueuePlan, caller: Channel) -> Step[Leg | None]:
        """Take a caller who is Up through the queue. Return the bridged leg that answered, or None if the caller left.

        A caller who gave up is hung up; after a timeout the caller is still up, for the dialplan to continue.
        """
        time = self.switch.time
        waiting = self._join(queue, caller)
        gives_up = time.now + self.dice.around(plan.patience, at_least=5.0)
        timeout = time.now + plan.timeout
        last_call = min(gives_up, timeout)
        while time.now < last_call:
            if not self._turn(queue, waiting):
                yield min(LOOK_SECONDS, last_call - time.now)
                continue
            legs = self._call_members(queue, waiting)
            winner = yield from self._ring(queue, waiting, legs, last_call)
            if winner is not None:
                self._connect(queue, waiting, winner)
                return winner
            if time.now < last_call:
                yield min(RETRY_SECONDS, last_call - time.now)
        self._give_up(queue, waiting, hung_up=gives_up <= timeout)
        return None

    def _join(self, queue: Queue, caller: Channel) -> QueuedCaller:
        self.switch.run(caller, "Queue", queue.name)
        waiting = QueuedCaller(caller, self.switch.time.now, len(queue.waiting) + 1)
        queue.waiting.append(waiting)
        place = ("Position", waiting.entered_as), ("Count", len(queue.waiting))
        self._tell("QueueCallerJoin", caller, headers(("Queue", queue.name), *place))
        self.switch.call("MusicOnHoldStart", blocks.channel(caller), headers(("Class", "default")))
        return waiting

    def _leave(self, queue: Queue, waiting: QueuedCaller) -> None:
        position = queue.waiting.index(waiting) + 1
        queue.waiting.remove(waiting)
        body = headers(("Queue", queue.name), ("Position", position), ("Count", len(queue.waiting)))
        self._tell("QueueCallerLeave", waiting.channel, body)
        self.switch.call("MusicOnHoldStop", blocks.channel(waiting.channel))

    def _give_up(self, queue: Queue, waiting: QueuedCaller, *, hung_up: bool) -> None:
        caller = waiting.channel
        held = int(self.switch.time.now - waiting.since)
        if hung_up:
            self.switch.request_hangup(caller)
        queue.abandoned += 1
        queue.abandoned_in_level += held <= queue.service_level
        body = headers(
            ("Queue", queue.name),
            ("Position", queue.waiting.index(waiting) + 1),
            ("OriginalPosition", waiting.entered_as),
            ("HoldTime", held),
        )
        self._tell("QueueCallerAbandon", caller, body)
        self._leave(queue, waiting)
        if hung_up:
            self.switch.hangup(caller)

    def _tell(self, name: str, caller: Channel, body: str, leg: Channel | None = None) -> None:
        dest = blocks.channel(leg, "Dest") if leg else ""
        self.switch.tell(name, "agent", blocks.channel(caller) + dest + body)

    def _free(self, queue: Queue) -> list[Member]:
        now = self.switch.time.now
        return [m for m in queue.members if m.endpoint.free and not m.paused and m.free_at <= now]

    def _turn(self, queue: Queue, waiting: QueuedCaller) -> bool:
        """Whether it is this caller's turn: with autofill, if enough members are free for everyone up to here."""
        return queue.waiting.index(waiting) < len(self._free(queue))

    def _call_members(self, queue: Queue, waiting: QueuedCaller) -> list[Leg]:
        free = self._free(queue)
        match queue.strategy:
            case "ringall":
                chosen = free[:RING_ALL_AT_MOST]
            case "leastrecent":
                chosen = [min(free, key=lambda member: member.last_call or float("-inf"))]
            case "rrmemory":
                queue.turn += 1
                ring = queue.members[queue.turn % len(queue.members) :] + queue.members
                chosen = [next(member for member in ring if member in free)]
            case _:
                chosen = free[:1]
        return [self._call(queue, waiting.channel, member) for member in chosen]

    def _call(self, queue: Queue, caller: Channel, member: Member) -> Leg:
        leg = self.switch.leg(caller, member.endpoint, caller.exten)
        leg.application = "AppQueue"
        interface = ("Interface", member.endpoint.device), ("MemberName", member.name)
        self._tell("AgentCalled", caller, headers(("Queue", queue.name), *interface), leg)
        self.switch.dial_begin(caller, leg)
        self.switch.dial_state(caller, leg, "RINGING")
        answers = self.dice.chance(ANSWER_SHARE)
        after = self.dice.around(5.0, at_least=1.0) if answers else float("inf")
        return Leg(member, leg, self.switch.time.now + after)

    def _ring(self, queue: Queue, waiting: QueuedCaller, legs: list[Leg], last_call: float) -> Step[Leg | None]:
        began = self.switch.time.now
        first = min(legs, key=lambda leg: leg.answers_at)
        yield min(first.answers_at, began + RING_SECONDS, last_call) - began
        now, caller = self.switch.time.now, waiting.channel
        winner = first if now >= first.answers_at else None
        if winner:
            self.switch.dial_end(caller, winner.channel, "ANSWER")
        unanswered = "CANCEL" if winner or now >= last_call else "NOANSWER"
        for leg in legs:
            if leg is winner:
                continue
            self.switch.dial_end(caller, leg.channel, unanswered)
            if winner:  # app_queue sends it twice for the legs that did not answer
                self.switch.dial_end(caller, leg.channel, unanswered)
            if unanswered == "NOANSWER":
                self._no_answer(queue, caller, leg, now - began)
            self.switch.hangup(leg.channel, 26 if winner else 0)
        return winner

    def _no_answer(self, queue: Queue, caller: Channel, leg: Leg, rang: float) -> None:
        member = leg.member
        interface = ("Interface", member.endpoint.device), ("MemberName", member.name)
        body = headers(("Queue", queue.name), *interface, ("RingTime", int(rang * SECONDS_TO_MS)))
        self._tell("AgentRingNoAnswer", caller, body, leg.channel)
        if self.dice.chance(AUTOPAUSE_SHARE):
            self.pause(member, "Auto-Pause")

    def _connect(self, queue: Queue, waiting: QueuedCaller, leg: Leg) -> None:
        now, caller, member = self.switch.time.now, waiting.channel, leg.member
        held = int(now - waiting.since)
        queue.hold_time = (3 * queue.hold_time + held) // 4
        leg.held = held
        self._leave(queue, waiting)
        caller.connected, leg.channel.connected = leg.channel.caller, caller.caller
        member.in_call = True
        interface = ("Interface", member.endpoint.device), ("MemberName", member.name)
        rang = int(now - leg.channel.created)
        times = ("HoldTime", held), ("RingTime", rang)
        self._tell("AgentConnect", caller, headers(("Queue", queue.name), *interface, *times), leg.channel)
        self.switch.bridge(caller, leg.channel)

    def complete(self, queue: Queue, caller: Channel, leg: Leg, reason: str) -> None:
        """End the conversation: update the statistics, send AgentComplete. ``reason``: caller, agent or transfer."""
        now, member = self.switch.time.now, leg.member
        talked = int(now - leg.answers_at)
        queue.completed += 1
        queue.completed_in_level += leg.held <= queue.service_level
        queue.talk_time = (3 * queue.talk_time + talked) // 4
        member.calls += 1
        member.last_call, member.in_call = now, False
        member.free_at = now + member.wrapup
        interface = ("Interface", member.endpoint.device), ("MemberName", member.name)
        times = ("HoldTime", leg.held), ("TalkTime", talked)
        body = headers(("Queue", queue.name), *interface, *times, ("Reason", reason))
        self._tell("AgentComplete", caller, body, leg.channel)
        self._tell_member("QueueMemberStatus", member)

    def pause(self, member: Member, reason: str) -> None:
        """Pause a member in one queue; with an empty reason, end the pause."""
        member.paused, member.reason = bool(reason), reason
        if reason:
            member.last_pause = self.switch.time.now
        self._tell_member("QueueMemberPause", member)

    def add(self, member: Member) -> None:
        """A dynamic member logs in with fresh statistics: app_queue forgets removed members."""
        member.calls, member.last_call, member.last_pause = 0, None, None
        member.queue.members.append(member)
        member.endpoint.memberships.append(member)
        member.login = self.switch.time.now
        self._tell_member("QueueMemberAdded", member)

    def remove(self, member: Member) -> None:
        """A dynamic member logs out."""
        member.queue.members.remove(member)
        member.endpoint.memberships.remove(member)
        self._tell_member("QueueMemberRemoved", member)

    def _tell_member(self, name: str, member: Member) -> None:
        self.switch.tell(name, "agent", blocks.member(member, self.switch.world, listed=False))
