"""Dialled legs of a server before Asterisk 12: derives DialBegin and DialEnd. Pure.

`Dial` names each leg when it begins, but gives a single result for all legs when the application ends, which for an
answered call is after the call. So a leg's result comes from its own channel: Up means answered, the cause of the
Hangup means a failure. If the cause says nothing, the end of the Dial, which follows at once, gives the result. Legs of
a queue have no Dial; a queue with eventwhencalled sends AgentCalled and AgentRingNoAnswer instead. Legs of other queues
and of Originate are not named by any event: if the cause does not give their result, it stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from ami_exporter.ami.concluded import concluded
from ami_exporter.ami.message import Message
from ami_exporter.ami.old.channels import MAX_CHANNELS, UP, Dial, FollowedChannel, Held

HELD_SECONDS: Final = 1.0
"""How long a leg's Hangup waits for the end of its Dial: the server sends them together, unless the call continues with
other legs (a leg that was forwarded)."""

MAX_DIALS: Final = MAX_CHANNELS
"""Maximum Dials remembered, as a channel runs one at a time. Beyond that, the oldest is forgotten."""

RESULT: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("17", "21"), "BUSY"),
        "34": "CONGESTION",
        **dict.fromkeys(("1", "3", "20"), "CHANUNAVAIL"),
        "26": "CANCEL",
    }
)
"""Cause of a Hangup → DialStatus, as in app_dial.c for a single leg."""
_WITHOUT_DIAL: Final[Mapping[str, str]] = MappingProxyType({**RESULT, **dict.fromkeys(("18", "19"), "NOANSWER")})
UNKNOWN: Final = "UNKNOWN"


class DialledLegs:
    """The current legs and their dials, by the Uniqueid that the server uses for the caller."""

    def __init__(self) -> None:
        self._dials: dict[str, Dial] = {}
        self._holding: dict[str, Dial] = {}  # the dials that hold a Hangup back

    def dialled(
        self, raw: str, caller: FollowedChannel | None, leg: FollowedChannel, dial_string: str, event: Message
    ) -> Iterator[Message]:
        """A Dial begins this leg. raw: the caller's Uniqueid."""
        if raw not in self._dials and len(self._dials) >= MAX_DIALS:
            yield from self.caller_hung_up(next(iter(self._dials)))
        leg.dial = self._dials.setdefault(raw, Dial(raw))
        if caller is not None:
            caller.last_dial = ""
        yield from self._begin(caller, leg, dial_string, event)

    def called(
        self, caller: FollowedChannel | None, leg: FollowedChannel, member: str, event: Message
    ) -> Iterator[Message]:
        """A queue calls a member."""
        leg.member = member
        yield from self._begin(caller, leg, "", event)

    def _begin(
        self, caller: FollowedChannel | None, leg: FollowedChannel, dial_string: str, event: Message
    ) -> Iterator[Message]:
        if leg.named:
            return
        leg.named = True
        yield _dial_event("DialBegin", leg, [*_caller(caller, event), ("dialstring", dial_string)])
        if leg.state == UP:  # it answered before the event that names it as dialled
            yield from self.answered(leg)

    def answered(self, leg: FollowedChannel) -> Iterator[Message]:
        if leg.is_leg and not leg.ended and not leg.is_inner_half:
            if leg.dial is not None:
                leg.dial.answered = True
            yield _ended(leg, "ANSWER")

    def rang_unanswered(self, leg: FollowedChannel) -> Iterator[Message]:
        """A queue stopped ringing this member."""
        if not leg.ended:
            yield _ended(leg, "NOANSWER")

    def hung_up(self, leg: FollowedChannel, hangup: Message, now: float, *, lost_place: bool) -> Iterator[Message]:
        """A leg's channel has ended: yield its events, or hold them back until the leg's result is known.

        lost_place: another channel has taken its place.
        """
        if not leg.is_leg or leg.ended or leg.is_inner_half:
            yield hangup
            return
        cause = hangup.get("cause", "")
        result = "CANCEL" if lost_place or (leg.dial and leg.dial.answered) else _by_cause(leg, cause)
        if not result and leg.dial is not None:
            leg.dial.held.append(Held(now, leg, cause, hangup))
            self._holding[leg.dial.raw] = leg.dial
            return
        yield _ended(leg, result or UNKNOWN)
        yield hangup

    def dial_ended(self, raw: str, caller: FollowedChannel | None, status: str) -> Iterator[Message]:
        """A Dial has ended. Its held legs were not answered, whatever the status says."""
        if caller is not None:
            caller.last_dial = status
        self._holding.pop(raw, None)
        dial = self._dials.pop(raw, None)
        if dial is not None:
            dial.result = "CANCEL" if status == "ANSWER" else status
            for held in dial.held:
                yield _ended(held.channel, dial.result)
                yield held.hangup

    def caller_hung_up(self, raw: str) -> Iterator[Message]:
        """The caller has hung up: release the legs held for its Dial."""
        self._dials.pop(raw, None)
        dial = self._holding.pop(raw, None)
        yield from () if dial is None else _released(dial, dial.held)

    def overdue(self, now: float) -> Iterator[Message]:
        """Release legs that have waited too long for their result."""
        for raw, dial in list(self._holding.items()):
            yield from _released(dial, [held for held in dial.held if now - held.since > HELD_SECONDS])
            if not dial.held:
                del self._holding[raw]

    def __len__(self) -> int:
        return len(self._dials)


def _released(dial: Dial, due: list[Held]) -> Iterator[Message]:
    dial.held = [held for held in dial.held if held not in due]
    for held in due:
        yield _ended(held.channel, _WITHOUT_DIAL.get(held.cause, UNKNOWN))
        yield held.hangup


def _by_cause(leg: FollowedChannel, cause: str) -> str:
    """Result of a leg by the cause of its Hangup; empty if the cause does not tell."""
    if leg.dial is not None:
        return RESULT.get(cause, leg.dial.result)
    return _WITHOUT_DIAL.get(cause, "CANCEL" if leg.member else "")


def _ended(leg: FollowedChannel, status: str) -> Message:
    leg.ended = True
    return _dial_event("DialEnd", leg, [("dialstatus", status)])


def _caller(caller: FollowedChannel | None, event: Message) -> list[tuple[str, str]]:
    if caller is None:
        return [("channel", event.get("channel", "")), ("uniqueid", event.get("uniqueid", ""))]
    return [
        ("channel", caller.name),
        ("channelstate", caller.state),
        ("uniqueid", caller.uid),
        ("linkedid", caller.call.id or caller.call.members[0].uid),
    ]


def _dial_event(event: str, leg: FollowedChannel, headers: list[tuple[str, str]]) -> Message:
    return concluded(
        event,
        *headers,
        ("destchannel", leg.name),
        ("destchannelstate", leg.state),
        ("destuniqueid", leg.uid),
        ("destlinkedid", leg.call.id),
    )
