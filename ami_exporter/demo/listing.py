"""List answers of today: ``EventList: start``, items, completion with ``EventList: Complete`` and ListItems.

Those of AMI 1.1 are in old_listings.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .wire import ID_MARK, response


class Dialect(StrEnum):
    """Which generation of AMI the simulated PBX speaks."""

    MODERN = "modern"
    OLD = "1.1"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list answer before its framing.

    ``items`` are rendered packets (see ``wire.item``), ``loaded`` more of them as bytes, ``loaded_count`` how many;
    ``reported`` overrides ListItems where Asterisk counts otherwise; ``empty`` is the message sent instead of no
    items, mostly in an error, for voicemail in a Success that no list follows (``empty_kind``).
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
        """The whole answer, ActionID places marked."""
        count = len(self.items) + self.loaded_count
        if self.empty and not count:
            return response(self.empty_kind, self.empty).encode()
        start = f"Response: Success\r\n{ID_MARK}EventList: start\r\nMessage: {self.message}\r\n\r\n"
        listed = count if self.reported is None else self.reported
        marks = f"EventList: Complete\r\nListItems: {listed}\r\n"
        end = f"Event: {self.complete}\r\n{ID_MARK}{marks}{self.tail}\r\n"
        head = (start + "".join(self.items)).encode("utf-8", "surrogateescape")
        return head + self.loaded + end.encode()
