"""Faults in a file, a flag or a variable: where, what was found, what was expected."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NEARNESS = 0.6
"""How similar (difflib ratio) a name must be to be suggested; at 0.5 suggestions become silly."""


Path = tuple[str | int, ...]
"""Keys and indices from the root of a document to a value."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault. Line and column count from 1; 0 means none (a flag, a whole file)."""

    file: str
    line: int
    column: int
    message: str

    @property
    def place(self) -> str:
        """Where it is: FILE:LINE:COLUMN, or the flag."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class ConfigErrors(Exception):  # noqa: N818 - it is all faults at once, not one error
    """All faults of one reading, sorted by place; its text has one line for each."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def nearest(name: str, valid: Iterable[str], most: int = 1) -> list[str]:
    """Find the valid names most like `name`, ignoring case, the nearest first; empty when none is near."""
    folded = {option.casefold(): option for option in sorted(valid)}
    return [folded[hit] for hit in difflib.get_close_matches(name.casefold(), folded, n=most, cutoff=NEARNESS)]


def either(names: Sequence[str]) -> str:
    """Write a choice: `a`; `a or b`; `a, b or c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def suggest(name: str, valid: Iterable[str], most: int = 1) -> str:
    """End a message: `; did you mean "x"?` for a near miss, else nothing."""
    hits = [f'"{hit}"' for hit in nearest(name, valid, most)]
    return f"; did you mean {either(hits)}?" if hits else ""


def counted(number: int, one: str) -> str:
    """Write a number with its word: "1 target", "2 targets"."""
    return f"{number} {one}{'s' * (number != 1)}"


def shorten(text: str, limit: int = 60) -> str:
    """Make text from outside fit into one line of a message."""
    shown = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
