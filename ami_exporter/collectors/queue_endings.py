"""Why a caller left a queue unanswered without a HangupRequest. Pure.

Observed on Asterisk 22 and 16 (Local, PJSIP, SIP, IAX2; AudioSocket, which Debian's 16 lacks, on 22) and in the source
of chan_dahdi: a caller who hangs up raises HangupRequest before QueueCallerAbandon, except with drivers that only end
the channel (AudioSocket, analogue lines, SS7). The queue's own timeout, AMI Hangup and an absolute timeout raise none
either. They differ in:

- Redirect (Asterisk 22): the caller is already elsewhere in the dialplan when QueueCallerAbandon comes;
- where the dialplan ends (Hangup): beyond Queue() if the queue let the caller go; still there if the channel was ended,
  or if an AGI script that ran the queue hung up; nobody knows if the extension h has run, unless SoftHangupRequest,
  which comes before it, is beyond (16; on 22 it has the last place that was published);
- the queue's timeout, if a poll has seen a caller at the same Queue(): nobody times out earlier;
- leavewhenempty releases callers when they join, or when members change their state;
- a channel that ends within a second may have been ended from outside, one that continues was not;
- Hangup's cause: a channel that was ended from outside has none, one that Hangup() ends has 16.

Of a driver without HangupRequest, AMI Hangup without a cause and an absolute timeout look as if the caller hung up.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.fields import technology_of, to_number

Place = tuple[str, str, str, str]
"""Queue, context, extension and priority: one Queue() in the dialplan."""
EXTEN: Final = 2
"""Which part of it is the extension."""

NETWORK_CAUSE: Final = frozenset({"DAHDI"})
"""Technologies that may end a channel without HangupRequest but with the network's cause (SS7)."""

MAX_PLACES: Final = 2_000
"""Most Queue() whose timeout is remembered: a dialplan has a few for each queue."""
TIMEOUT_ARGUMENT: Final = 4
"""Queue(queue,options,URL,announcement,timeout,…)."""


@dataclass(frozen=True, slots=True)
class Left:
    """A caller who left unanswered: facts of QueueCallerAbandon, and the timeout of Queue().

    limit: seconds, infinite if Queue() has no timeout; None if unknown. unsettled: the caller joined, or a member
    changed its state, moments before, so that leavewhenempty may have released the caller. at: the place of Queue().
    stayed: whether the dialplan ended there; None if unknown.
    """

    seen: float
    queue: str
    technology: str
    hold: float | None
    limit: float | None
    unsettled: bool
    at: Place | None = None
    stayed: bool | None = None

    @property
    def is_over(self) -> bool:
        """Whether the queue's timeout is known, and was over."""
        return self.limit is not None and self.hold is not None and self.hold >= self.limit

    @property
    def may_be_let_go(self) -> bool:
        """Whether the queue may have ended the wait, by its timeout or because it is empty."""
        return self.limit is None or self.hold is None or self.is_over or self.unsettled


class Places:
    """Remembers the timeouts of Queue() by place in the dialplan, from polled channels that wait there."""

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
        """Return the timeout of Queue() there in seconds; None if no poll has seen it."""
        return None if at is None else self._limits.get(at)


def place(queue: str, message: Message) -> Place | None:
    """Return a channel's place in the dialplan; None before Asterisk 12, which does not tell."""
    context, exten, priority = message.pick(("context", "exten", "priority"))
    return (queue, context, exten or message.get("extension", ""), priority) if queue and context else None


def went_on(left: Left, message: Message) -> bool:
    """Whether an event of the channel has a place beyond Queue()."""
    at = place(left.queue, message)
    return None not in (at, left.at) and at != left.at


def stayed(left: Left, message: Message) -> bool | None:
    """Return whether the channel ended at Queue(). message: its Hangup. None if that is not known."""
    at = place(left.queue, message)
    if at is None or left.at is None or at[EXTEN] == "h":
        return None
    return at == left.at


def outcome_at_once(left: Left, cause: str, *, announces: bool) -> str:
    """Return the outcome of a caller whose channel ended as it left the queue. cause: Hangup: Cause.

    announces: whether channels of its technology send HangupRequest when the far end hangs up.
    """
    if left.stayed is False:
        return outcome_going_on(left)
    if left.stayed and not left.is_over:
        silent = not announces and (cause == "0" or left.technology in NETWORK_CAUSE)
        return "abandoned" if silent else "other"
    if not left.may_be_let_go:
        return "other" if announces else "abandoned"
    if announces or left.limit is not None:
        return "timeout"
    if cause == "0":
        return "abandoned"
    return "other" if left.technology in NETWORK_CAUSE else "timeout"


def outcome_going_on(left: Left) -> str:
    """Return the outcome of a caller whose channel continues: timeout, or taken out (Redirect, withdrawal)."""
    return "timeout" if left.may_be_let_go else "other"


def technology(message: Message) -> str:
    return technology_of(message.get("channel", "")) or ""
