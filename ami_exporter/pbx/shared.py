"""What all targets of one process share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from ami_exporter.ami.shapes import ShapeLibrary


class Overloaded(Exception):  # noqa: N818 - a state, named as one
    """More scrapes are requested than this process can compute."""


@dataclass(frozen=True, slots=True)
class Shared:
    """library: packet shapes that all links have learned.

    turn: held while a scrape computes (decodes, folds, renders), never while it waits for a PBX or a client. Python
    computes in one thread at a time anyhow. Without it, a hundred scrapes that are due at once compete with the thread
    that reads events, which gives Python's lock away with each read and then waits behind all of them.

    door: held by the one new scrape that waits for its first turn, so that those already begun are finished first.
    """

    library: ShapeLibrary = field(default_factory=ShapeLibrary)
    turn: Lock = field(default_factory=Lock)
    door: Lock = field(default_factory=Lock)

    @contextmanager
    def first_turn(self, seconds: float) -> Iterator[None]:
        """Hold the turn for a scrape's first computation. Raises Overloaded if it does not come within `seconds`."""
        if not self.door.acquire(timeout=max(0.0, seconds)):
            raise Overloaded
        try:
            with self.turn:
                yield
        finally:
            self.door.release()
