"""What all targets of one process share."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from ami_exporter.ami.shapes import ShapeLibrary


@dataclass(frozen=True, slots=True)
class Shared:
    """library: packet shapes that all links have learned.

    turn: held while a scrape computes (decodes, folds, renders), never while it waits for a PBX or a client. Python
    computes in one thread at a time anyhow. Without it, a hundred scrapes that are due at once compete with the thread
    that reads events, which gives Python's lock away with each read and then waits behind all of them.
    """

    library: ShapeLibrary = field(default_factory=ShapeLibrary)
    turn: Lock = field(default_factory=Lock)
