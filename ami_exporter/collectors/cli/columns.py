"""Tables for people, cut into cells.

Asterisk prints them with printf: titles and cells have the same widths, cut or padded, and one space between columns.
Two or more spaces separate cells. If that does not give as many cells as titles (a cell fills its column, or is empty),
the line is cut where the titles begin, or where the runs of a ruler of `====` begin, if a space precedes each. A line
that fits neither way is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

_CELLS: Final = re.compile(r"\S+(?: \S+)*")
_RULER: Final = re.compile(r"[=\-+| ]*[=\-]{3,}[=\-+| ]*")
_RUNS: Final = re.compile(r"[=\-]+")


def is_ruler(line: str) -> bool:
    """Whether a line is a ruler: `====== ===`."""
    return _RULER.fullmatch(line) is not None


@dataclass(frozen=True, slots=True)
class Columns:
    """Titles in lower case and their positions. line: the line of titles."""

    titles: tuple[str, ...]
    starts: tuple[int, ...]
    line: str

    @staticmethod
    def of(head: str, named: Sequence[str] = ()) -> Columns:
        """Read the columns of a line of titles. named: the titles in order, if only one space separates some."""
        titles, starts, position = [], [], 0
        for title in named:
            begin = head.find(title, position)
            if begin >= 0:
                titles.append(title.lower())
                starts.append(begin)
                position = begin + len(title)
        if not named:
            for found in _CELLS.finditer(head):
                titles.append(found[0].lower())
                starts.append(found.start())
        return Columns(tuple(titles), tuple(starts), head)

    def ruled(self, ruler: str) -> Columns:
        """Take the positions of a ruler with several runs, which are more reliable than spaces between titles."""
        runs = list(_RUNS.finditer(ruler))
        if len(runs) <= 1:
            return self
        starts = tuple(run.start() for run in runs)
        titles = tuple(cell.lower() for cell in _cut(self.line, starts))
        return replace(self, titles=titles, starts=starts)

    def cells(self, line: str) -> dict[str, str]:
        """Return title → cell of a row; empty if the line is not a row."""
        cells = _CELLS.findall(line)
        if len(cells) != len(self.titles):
            cells = self._by_position(line)
        return {title: cell for title, cell in zip(self.titles, cells, strict=False) if title}

    def _by_position(self, line: str) -> list[str]:
        """Cut where the titles begin, provided the line reaches the last column and no cell crosses a border."""
        if len(self.starts) <= 1 or len(line) <= self.starts[-1]:
            return []
        if any(line[start - 1] != " " for start in self.starts if start > 0):
            return []
        cells = _cut(line, self.starts)
        return cells if cells[0] else []


def _cut(line: str, starts: Sequence[int]) -> list[str]:
    ends = [*starts[1:], max(len(line), starts[-1])]
    return [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
