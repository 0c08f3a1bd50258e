"""Assigns messages to actions and tells when an answer is complete. Without I/O.

A server works on one action at a time and sends nothing else meanwhile. So within a list, a message without our
ActionID, which nobody can guess, is a piece of an item that a blank line in a value has torn. If the ActionID is an
item's last header (Status, QueueStatus), the piece that has it ends the item. If headers follow it (CoreShowChannels),
the pieces without it belong to the item before them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ami_exporter.ami.actions import AnswerForm
from ami_exporter.ami.answer import Answer, Outcome, Waiting
from ami_exporter.ami.errors import Kind
from ami_exporter.ami.header_orders import Era
from ami_exporter.ami.sift import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ami_exporter.ami.actions import Action
    from ami_exporter.ami.message import Message

    #: Takes the pieces of a torn item, and the ActionID of its list.
    TornItem = Callable[[Sequence[Message], str], None]

#: From this AMI version on, every list begins with an EventList header. Asterisk 13.2 introduced it, and Asterisk 13
#: has AMI 2.5.0 to 2.10.6: versions from 2.10 on certainly send it, for older ones the banner does not tell.
LISTS_ANNOUNCED_FROM = (2, 10)
_TORN = "line ends in a value, such as a caller's name, left in doubt what the server wrote"


class Exchange:
    """Assigns messages to the actions in flight.

    actions: ActionID -> action. on_item: called with each item of a list, and with a single answer itself.
    on_stray: called with each message that belongs to no action in flight. on_torn: called with a torn item's pieces
    and the ActionID of its list, instead of `on_item` with the item that they make.
    """

    def __init__(
        self,
        actions: Mapping[str, Action],
        on_item: Callable[[Action, Message], None],
        on_stray: Callable[[Message], None],
        clock: Callable[[], float],
        *,
        lists_announced: bool,
        era: Era = Era.MODERN,
        on_torn: TornItem | None = None,
    ) -> None:
        self._era = era
        self._on_torn = on_torn
        self._waiting = {action_id: Waiting(action, era) for action_id, action in actions.items()}
        self._on_item = on_item
        self._on_stray = on_stray
        self._clock = clock
        self._lists_announced = lists_announced
        self._last_end = clock()
        self._under_way: Waiting | None = None  # the list whose items are arriving
        #: Kind → number of protocol errors in the answers (ami_exporter_protocol_errors_total).
        self.errors: Counter[Kind] = Counter()
        #: Answers so far.
        self.answers: dict[Action, Answer] = {}

    @property
    def unfinished(self) -> bool:
        """Whether an answer is missing."""
        return bool(self._waiting)

    def take(self, messages: Iterable[Message]) -> None:
        """Pass each message on.

        An item needs both our ActionID and the right event name: the PBX passes on text unescaped, which may contain
        forged headers, and broadcast events share names with items.
        """
        in_flight = self._waiting
        on_item = self._on_item
        for message in messages:
            layout, cells = message.layout, message.cells
            waiting = in_flight.get(cells[layout.action_id])
            if waiting is None or waiting.pieces or not layout.plain or cells[layout.event] not in waiting.listed:
                self._take_other(message)
                continue
            waiting.count += 1
            if layout.open_ended:
                held, waiting.held = waiting.held, message
                if held is not None:
                    on_item(waiting.action, held)
            else:
                on_item(waiting.action, message)

    def _take_other(self, message: Message) -> None:
        """Take what is no item, or one that has to be looked at."""
        action_id = message.cells[message.layout.action_id]
        if action_id not in self._waiting:  # it may have another one
            action_id = next((value for value in message.values_of("actionid") if value in self._waiting), "")
        waiting = self._waiting.get(action_id)
        if waiting is None:
            self._take_piece(message)
            return
        judge(self._era, message)
        if waiting.pieces and not waiting.ends_before:
            waiting.add(message)
            waiting.ends_before = not _ends_with(message, action_id)
            if not waiting.ends_before:
                self._join(action_id, waiting)
            return
        self._release(action_id, waiting)
        event = message.get("event")
        if event in waiting.items:
            self._take_item(action_id, waiting, message)
        elif event is not None:
            self._take_end(action_id, waiting, message)
        else:
            self._take_response(action_id, waiting, message)

    def _take_item(self, action_id: str, waiting: Waiting, message: Message) -> None:
        """Take an item without pieces before it."""
        if not message.layout.plain:
            waiting.begin(message, ends_before=not _ends_with(message, action_id))
            if not waiting.ends_before:
                self._join(action_id, waiting)
        elif message.layout.open_ended and waiting.spec.form is not AnswerForm.EVENT:
            waiting.count += 1
            waiting.held = message
        else:
            waiting.count += 1
            self._on_item(waiting.action, message)
        if waiting.spec.form is AnswerForm.EVENT:
            self._release(action_id, waiting)
            self._end(action_id, Outcome.COMPLETE)

    def _take_piece(self, message: Message) -> None:
        """Take a message without our ActionID: a piece of an item if a list is under way."""
        waiting = self._under_way
        if waiting is None:
            self._on_stray(message)
        elif waiting.held is not None:
            waiting.count -= 1  # it is counted when it is whole
            waiting.begin(waiting.held, ends_before=True)
            waiting.held = None
            waiting.add(message)
        elif waiting.pieces:
            waiting.add(message)
        elif message.get("event") not in waiting.items:
            self._on_stray(message)  # an item begins with its name
        elif waiting.spec.unmarked:
            waiting.count += 1
            self._on_item(waiting.action, message)
        else:
            waiting.begin(message, ends_before=False)

    def _release(self, action_id: str, waiting: Waiting) -> None:
        """Pass on the item that ended before the current message."""
        if waiting.pieces:
            self._join(action_id, waiting)
        elif waiting.held is not None:
            held, waiting.held = waiting.held, None
            self._on_item(waiting.action, held)

    def _join(self, action_id: str, waiting: Waiting) -> None:
        waiting.count += 1
        if not waiting.is_other_version:
            waiting.met_pieces = True
            self.errors[Kind.TORN_ITEM] += 1
            if self._on_torn is not None:
                pieces = waiting.pieces
                waiting.torn |= waiting.joined(action_id) is None
                self._on_torn(pieces, action_id)
                return
        item = waiting.joined(action_id)
        if item is None:
            waiting.torn = True
        else:
            self._on_item(waiting.action, item)

    def give_up(self, outcome: Outcome, message: str) -> None:
        """End every unfinished answer."""
        for action_id in list(self._waiting):
            self._end(action_id, outcome, message)

    def _end(self, action_id: str, outcome: Outcome, message: str = "") -> None:
        waiting = self._waiting.pop(action_id)
        if self._under_way is waiting:
            self._under_way = None
        if waiting.torn and outcome is Outcome.COMPLETE:
            outcome, message = Outcome.TORN, _TORN
        now = self._clock()
        self.answers[waiting.action] = Answer(outcome, message, now - self._last_end, waiting.count)
        self._last_end = now

    def _take_end(self, action_id: str, waiting: Waiting, message: Message) -> None:
        """End the list at its completion event, recognised by EventList or, on old servers, by its name."""
        mark = message.get("eventlist", "").lower()
        if mark == "complete" or message["event"] == waiting.spec.complete:
            self._check_count(waiting, message)
            self._end(action_id, Outcome.COMPLETE, message.get("message", ""))
        elif mark == "cancelled":
            self._end(action_id, Outcome.FAILED, message.get("message", "the server cancelled the list"))
        else:
            self._on_stray(message)

    def _check_count(self, waiting: Waiting, message: Message) -> None:
        """Compare ListItems with the items received. A difference is a failure unless servers are known to miscount."""
        listed = message.get("listitems", "")
        if waiting.spec.counts_items is False or not listed.isdecimal() or listed == str(waiting.count):
            return
        self.errors[Kind.LIST_COUNT] += 1
        if waiting.met_pieces or waiting.spec.counts_items:
            waiting.torn = True

    def _take_response(self, action_id: str, waiting: Waiting, message: Message) -> None:
        text = message.get("message", "").strip()
        if text.lower() in waiting.spec.empty:
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
        elif waiting.spec.form is AnswerForm.LIST:
            self._under_way = waiting


def _ends_with(message: Message, action_id: str) -> bool:
    return message.pairs()[-1] == ("actionid", action_id)


def stray_kind(message: Message, prefix: str) -> Kind | None:
    """Return what is wrong with a message of no action in flight; None for an ordinary broadcast event.

    prefix: the beginning of all ActionIDs of this session.
    """
    if message.get("actionid", "").startswith(prefix):
        repeated = message.get("eventlist", "").lower() == "complete"
        return Kind.REPEATED_COMPLETION if repeated else Kind.UNEXPECTED_ANSWER
    return None if "event" in message else Kind.UNEXPECTED_ANSWER
