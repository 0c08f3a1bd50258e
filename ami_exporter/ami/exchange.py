"""Which message belongs to which action, and when an answer is complete. Without I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ami_exporter.ami.actions import AnswerForm
from ami_exporter.ami.errors import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ami_exporter.ami.actions import Action
    from ami_exporter.ami.message import Message

#: From this AMI version on, every list answer announces itself by an EventList header. That came with Asterisk
#: 13.2, and 13 runs from AMI 2.5.0 to 2.10.6: 2.10 is certainly later, below it the banner alone cannot tell.
LISTS_ANNOUNCED_FROM = (2, 10)


class Outcome(StrEnum):
    """How an answer ended."""

    COMPLETE = "complete"
    EMPTY = "empty"  # the server said that there are none
    REFUSED = "refused"  # permission denied
    FAILED = "failed"  # any other error
    CUT = "cut"  # the connection ended first
    DEADLINE = "deadline"  # not complete in time


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one action's answer.

    message: the server's text (or ours, for `cut` and `deadline`). seconds: from the end of the answer before,
    or the sending, to this one's end: what this answer took, as a server works on one action at a time.
    items: messages handed to the fold.
    """

    outcome: Outcome
    message: str
    seconds: float
    items: int

    @property
    def full(self) -> bool:
        """Whether all there is to know has arrived."""
        return self.outcome in (Outcome.COMPLETE, Outcome.EMPTY)

    @property
    def unsupported(self) -> bool:
        """Whether the server does not know the action (or hides it from this user: it says the same)."""
        return self.outcome is Outcome.FAILED and self.message.lower().startswith("invalid/unknown command")


class _Waiting:
    """One action whose answer is not complete."""

    __slots__ = ("action", "count", "items", "spec")

    def __init__(self, action: Action) -> None:
        self.action = action
        self.spec = action.spec
        self.items = frozenset(self.spec.items)
        self.count = 0


class Exchange:
    """Joins messages to the actions in flight.

    actions: ActionID -> action. on_item: called with each item of a list, and with a single answer itself.
    on_stray: called with each message that belongs to no action in flight.
    """

    def __init__(
        self,
        actions: Mapping[str, Action],
        on_item: Callable[[Action, Message], None],
        on_stray: Callable[[Message], None],
        clock: Callable[[], float],
        *,
        lists_announced: bool,
    ) -> None:
        self._waiting = {action_id: _Waiting(action) for action_id, action in actions.items()}
        self._on_item = on_item
        self._on_stray = on_stray
        self._clock = clock
        self._lists_announced = lists_announced
        self._last_end = clock()
        #: What has been answered so far.
        self.answers: dict[Action, Answer] = {}

    @property
    def unfinished(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._waiting)

    def take(self, messages: Iterable[Message]) -> None:
        """Hand each message on.

        An item is one only by both our ActionID and its event's name: text that the PBX passes on unescaped can
        hold forged headers, and broadcast events share names with items.
        """
        in_flight = self._waiting
        on_item = self._on_item
        for message in messages:
            action_id = message.get("actionid", "")
            waiting = in_flight.get(action_id)
            if waiting is None:
                self._on_stray(message)
            elif message.get("event") in waiting.items:
                waiting.count += 1
                on_item(waiting.action, message)
                if waiting.spec.form is AnswerForm.EVENT:
                    self._end(action_id, Outcome.COMPLETE)
            elif "event" in message:
                self._take_end(action_id, waiting, message)
            else:
                self._take_response(action_id, waiting, message)

    def give_up(self, outcome: Outcome, message: str) -> None:
        """End every unfinished answer."""
        for action_id in list(self._waiting):
            self._end(action_id, outcome, message)

    def _end(self, action_id: str, outcome: Outcome, message: str = "") -> None:
        waiting = self._waiting.pop(action_id)
        now = self._clock()
        self.answers[waiting.action] = Answer(outcome, message, now - self._last_end, waiting.count)
        self._last_end = now

    def _take_end(self, action_id: str, waiting: _Waiting, message: Message) -> None:
        """End the list by its completion event, known by EventList or, on old servers, by its name."""
        mark = message.get("eventlist", "").lower()
        if mark == "complete" or message["event"] == waiting.spec.complete:
            self._end(action_id, Outcome.COMPLETE, message.get("message", ""))
        elif mark == "cancelled":
            self._end(action_id, Outcome.FAILED, message.get("message", "the server cancelled the list"))
        else:
            self._on_stray(message)

    def _take_response(self, action_id: str, waiting: _Waiting, message: Message) -> None:
        text = message.get("message", "").strip()
        if text.lower() in (known.lower() for known in waiting.spec.empty):
            self._end(action_id, Outcome.EMPTY, text)
        elif message.get("response", "").lower() == "error":
            if text.lower() == "permission denied":
                self._end(action_id, Outcome.REFUSED, text)
            else:
                self._end(action_id, Outcome.FAILED, message.get("output", text))
        elif waiting.spec.form in (AnswerForm.SINGLE, AnswerForm.COMMAND):
            waiting.count = 1
            self._on_item(waiting.action, message)
            self._end(action_id, Outcome.COMPLETE, text)
        elif waiting.spec.form is AnswerForm.LIST and self._lists_announced and "eventlist" not in message:
            self._end(action_id, Outcome.EMPTY, text)


def stray_kind(message: Message, prefix: str) -> Kind | None:
    """Say what is wrong with a message that belongs to no action in flight; None: an ordinary broadcast event.

    prefix: what all ActionIDs of this session begin with.
    """
    if message.get("actionid", "").startswith(prefix):
        repeated = message.get("eventlist", "").lower() == "complete"
        return Kind.REPEATED_COMPLETION if repeated else Kind.UNEXPECTED_ANSWER
    return None if "event" in message else Kind.UNEXPECTED_ANSWER
