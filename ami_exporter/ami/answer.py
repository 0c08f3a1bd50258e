"""Answers: how one ended, and one that is incomplete. Without I/O."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ami_exporter.ami.actions import AnswerForm
from ami_exporter.ami.sift import Look, item_of, look

if TYPE_CHECKING:
    from ami_exporter.ami.actions import Action
    from ami_exporter.ami.header_orders import Era
    from ami_exporter.ami.message import Message

#: Most headers of a torn item to join: ten values of 4,000 characters that are all line ends and colons.
MAX_TORN_HEADERS = 8_000


class Outcome(StrEnum):
    """How an answer ended."""

    COMPLETE = "complete"
    EMPTY = "empty"  # the server said that there are none
    REFUSED = "refused"  # permission denied
    FAILED = "failed"  # any other error
    CUT = "cut"  # the connection ended first
    DEADLINE = "deadline"  # not complete in time
    TORN = "torn"  # line ends in a value make it unclear what is an item and what is text from outside


class Answer(NamedTuple):
    """The end of one action's answer.

    message: the server's text, or ours for `cut` and `deadline`. seconds: from the end of the previous answer, or from
    sending, to the end of this one: a server works on one action at a time.
    items: messages handed to the fold.
    """

    outcome: Outcome
    message: str
    seconds: float
    items: int

    @property
    def full(self) -> bool:
        """Whether the answer is complete."""
        return self.outcome in (Outcome.COMPLETE, Outcome.EMPTY)

    @property
    def unsupported(self) -> bool:
        """Whether the server does not know the action, or hides it from this user; its answer is the same."""
        return self.outcome is Outcome.FAILED and self.message.lower().startswith("invalid/unknown command")


class Waiting:
    """One action whose answer is not complete.

    items: names of its items; listed: the same, of an action that has more than one. count: items seen. held: an item
    that may have a continuation. pieces: a torn item so far; ends_before: it ends before the next message with our
    ActionID, not with it. met_pieces: an item was torn. torn: a torn item is in doubt.
    """

    __slots__ = (
        "action",
        "count",
        "ends_before",
        "era",
        "headers",
        "held",
        "items",
        "listed",
        "met_pieces",
        "pieces",
        "spec",
        "torn",
    )

    def __init__(self, action: Action, era: Era) -> None:
        self.action = action
        self.era = era
        self.spec = action.spec
        self.items = frozenset(self.spec.items)
        self.listed = frozenset[str]() if self.spec.form is AnswerForm.EVENT else self.items
        self.count = 0
        self.held: Message | None = None
        self.pieces: list[Message] = []
        self.ends_before = False
        self.headers = 0
        self.met_pieces = False
        self.torn = False

    def begin(self, piece: Message, *, ends_before: bool) -> None:
        """Begin a torn item."""
        self.pieces = [piece]
        self.headers = len(piece.layout.names)
        self.ends_before = ends_before

    def add(self, piece: Message) -> None:
        """Keep another piece, up to the bound."""
        self.headers += len(piece.layout.names)
        if self.headers <= MAX_TORN_HEADERS:
            self.pieces.append(piece)

    @property
    def is_other_version(self) -> bool:
        """Whether the pieces are one whole item with headers that its kind does not have in the table."""
        if len(self.pieces) > 1:
            return False
        (whole,) = self.pieces
        return look(self.era, whole.get("event", "").lower(), whole.layout.names) is Look.OTHER

    def joined(self, action_id: str) -> Message | None:
        """Return the item that the pieces make; None if that is in doubt."""
        pieces, self.pieces = self.pieces, []
        return None if self.headers > MAX_TORN_HEADERS else item_of(self.era, pieces, action_id)
