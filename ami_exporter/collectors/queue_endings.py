"""Why a queue's caller left unanswered, where the caller's channel has not said that it hangs up. Pure.

Seen on Asterisk 22 and 16 (Local, PJSIP, SIP, IAX2, AudioSocket) and in the sources of chan_dahdi: a caller who hangs
up raises HangupRequest before QueueCallerAbandon, but for drivers that only end the channel (AudioSocket, analogue
lines, SS7). The queue's own timeout, AMI Hangup and an absolute timeout raise none either. What tells them apart:

- Redirect (Asterisk 22): the caller is at another place of the dialplan already when QueueCallerAbandon comes;
- the queue's timeout, where a poll has seen a caller with the same call of Queue(): nobody times out before it;
- leavewhenempty lets callers go when they join, or when members change their state;
- a channel that ends within a second may have been ended from outside, one that goes on was not;
- Hangup's cause: a channel that was ended from outside has none, one that the dialplan ends with Hangup() has 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.fields import technology_of, to_number

Place = tuple[str, str, str, str]
"""Queue, context, extension and priority: one call of Queue() in the dialplan."""

NETWORK_CAUSE: Final = frozenset({"DAHDI"})
"""Technologies that may end a channel without HangupRequest but with the network's cause (SS7)."""

MAX_PLACES: Final = 2_000
"""Calls of Queue() whose timeout is remembered: a dialplan has some for each queue."""
TIMEOUT_ARGUMENT: Final = 4
"""Queue(queue,options,URL,announcement,timeout,…)."""


@dataclass(frozen=True, slots=True)
class Left:
    """A caller who left unanswered: what QueueCallerAbandon said, and how long the queue may keep callers there.

    limit: seconds, infinite where Queue() has no timeout; None: not known. unsettled: the caller joined, or a member of
    the queue changed its state, moments before, so that leavewhenempty may have let the caller go.
    """

    seen: float
    queue: str
    technology: str
    hold: float | None
    limit: float | None
    unsettled: bool

    @property
    def may_be_let_go(self) -> bool:
        """Whether the queue itself may have ended the wait, by its timeout or because it is empty."""
        if self.limit is None or self.hold is None:
            return True
        return self.hold >= self.limit or self.unsettled


class Places:
    """Remembers which timeout Queue() has at a place of the dialplan, from polled channels that wait in it."""

    def __init__(self) -> None:
        self._limits: dict[Place, float] = {}

    def learn(self, message: Message) -> None:
        """Take a Status or CoreShowChannel whose application is Queue."""
        arguments = (message.get("data") or message.get("applicationdata", "")).split(",")
        at = place(arguments[0], message)
        if at is not None and (at in self._limits or len(self._limits) < MAX_PLACES):
            written = arguments[TIMEOUT_ARGUMENT].strip() if len(arguments) > TIMEOUT_ARGUMENT else ""
            self._limits[at] = (to_number(written) or inf) if written else inf

    def limit(self, at: Place | None) -> float | None:
        """Seconds Queue() keeps a caller there; None where no poll has seen one."""
        return None if at is None else self._limits.get(at)


def place(queue: str, message: Message) -> Place | None:
    """Where in the dialplan the channel of an event or list item is; None before Asterisk 12, which does not say."""
    context, exten, priority = message.pick(("context", "exten", "priority"))
    return (queue, context, exten or message.get("extension", ""), priority) if queue and context else None


def outcome_at_once(left: Left, cause: str, *, telling: bool) -> str:
    """Outcome of a caller whose channel ended as it left the queue. cause: Hangup: Cause."""
    if not left.may_be_let_go:
        return "other" if telling else "abandoned"
    if telling or left.limit is not None:
        return "timeout"
    if cause == "0":
        return "abandoned"
    return "other" if left.technology in NETWORK_CAUSE else "timeout"


def outcome_going_on(left: Left) -> str:
    """Outcome of a caller whose channel goes on after the queue: let go by it, or taken out (Redirect, withdrawal)."""
    return "timeout" if left.may_be_let_go else "other"


def technology(message: Message) -> str:
    """Technology of the caller's channel."""
    return technology_of(message.get("channel", "")) or ""
