"""One AMI packet, decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Message(dict[str, str]):
    """Header name in lower case -> its first value, in wire order.

    AMI spells names differently from version to version (`BridgeID`, `BridgeId`), so names are lower-cased;
    repeated headers (`Variable`, `Output`, `Contacts`) are normal, so the others are kept too. Values are the
    wire's bytes as UTF-8, what is not UTF-8 as backslash escapes. A message with an `event` header is an event,
    even if it has a `response` header as well (OriginateResponse has both).
    """

    __slots__ = ()

    #: None, or all (name, value) pairs of the packet in wire order when a header repeats.
    repeated: list[tuple[str, str]] | None = None

    @staticmethod
    def of(pairs: Sequence[tuple[str, str]]) -> Message:
        """Build a message of (lower-case name, value) pairs in wire order: the first value of a name wins."""
        message = Message(pairs)
        if len(message) == len(pairs):
            return message
        message = _RepeatingMessage()
        for name, value in pairs:
            message.setdefault(name, value)
        message.repeated = list(pairs)
        return message

    def values_of(self, name: str) -> list[str]:
        """All values of a header, in wire order; empty when there is none."""
        if self.repeated is not None:
            return [value for key, value in self.repeated if key == name]
        return [self[name]] if name in self else []


class _RepeatingMessage(Message):
    """A message that owns its `repeated`; others share the None of the class, which costs them nothing."""

    __slots__ = ("__dict__",)
