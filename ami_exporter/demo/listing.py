"""Modern list answers: ``EventList: start``, items, completion with ``EventList: Complete`` and ListItems.

Those of AMI 1.1 are in old_listings.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .wire import ID_MARK, response


class Dialect(StrEnum):
    """The generation of AMI that the simulated PBX speaks."""

    MODERN = "modern"
    OLD = "1.1"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list answer before its framing.

    ``items`` are rendered packets (see ``wire.item``), ``loaded`` is more of them as bytes, ``loaded_count`` their
    number. ``reported`` overrides ListItems if Asterisk counts differently. ``empty`` is the message sent if there are
    no items: mostly an error, for voicemail a Success without a list (``empty_kind``).
    """

    message: str
    complete: str
    items: list[str]
    tail: str = ""
    empty: str = ""
    empty_kind: str = "Error"
    loaded: bytes = b""
    loaded_count: int = 0
    reported: int | None = None

    def render(self) -> bytes:
        """The whole answer, with marks in place of the ActionID."""
        count = len(self.items) + self.loaded_count
        if self.empty and not count:
            return response(self.empty_kind, self.empty).encode()
        start = f"Response: Success\r\n{ID_MARK}EventList: start\r\nMessage: {self.message}\r\n\r\n"
        listed = count if self.reported is None else self.reported
        marks = f"EventList: Complete\r\nListItems: {listed}\r\n"
        end = f"Event: {self.complete}\r\n{ID_MARK}{marks}{self.tail}\r\n"
        head = (start + "".join(self.items)).encode("utf-8", "surrogateescape")
        return head + self.loaded + end.encode()
