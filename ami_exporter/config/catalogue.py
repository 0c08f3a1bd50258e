"""Facts of other rooms that the configuration is checked against, passed in so that this room imports none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ReadFile = Callable[[Path, int], bytes]
"""(path, bound) → at most `bound` bytes; raises OSError."""


def read_file(path: Path, bound: int) -> bytes:
    """Read a file's first bytes. Raises OSError."""
    with path.open("rb") as file:
        return file.read(bound)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Existing names, and access to files and environment.

    collectors: name → the sources it can be polled from (empty: no choice). metrics: built-in metric names.
    actions: safe list actions → the items of their lists. unheard: events (lower case) that are never requested.
    refused_command: why a console command is never sent; empty if it may be. refused_destination: the same for a canary
    call, by channel and `internal`.
    """

    collectors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    metrics: frozenset[str] = frozenset()
    actions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unheard: frozenset[str] = frozenset()
    environ: Mapping[str, str] = field(default_factory=dict)
    read_file: ReadFile = read_file
    refused_destination: Callable[[str, bool], str] = lambda _channel, _internal: ""
    refused_command: Callable[[str], str] = lambda _command: ""
