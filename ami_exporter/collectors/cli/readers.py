"""Turns the lines of an answer into rows by `fields`, `match` or `table`, with the section of each line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from ami_exporter.collectors.cli import output
from ami_exporter.collectors.cli.columns import Columns, is_ruler
from ami_exporter.collectors.cli.output import Fields
from ami_exporter.collectors.cli.patterns import TimedPattern
from ami_exporter.collectors.declarations import Unreadable
from ami_exporter.config.custom_settings import CommandSettings, FieldsRead, MatchRead

_BULLETS: Final = " \t*-|"
NO_FIELDS: Final[Fields] = {}

Sections = Iterator[tuple[Fields, str]]
"""Each line with the fields of its section's heading."""


class Read(Protocol):
    """Makes rows of lines."""

    def __call__(self, lines: Sections) -> Iterator[Fields]:
        """Yield the rows, in order."""


def fields(begin: str | None) -> Read:
    """Read `Key: value` lines. A record begins with each `begin` and each section; without `begin` all is one."""
    first = None if begin is None else begin.lower()

    def read(lines: Sections) -> Iterator[Fields]:
        record: dict[str, str] | None = {} if first is None else None
        section: Fields = NO_FIELDS
        for here, line in lines:
            if here is not section:
                section = here
                if record:
                    yield record
                record = dict(here) if first is None else None
            name, colon, value = line.partition(":")
            key = name.strip(_BULLETS).lower()
            if not colon or not key:
                continue
            if key == first:
                if record:
                    yield record
                record = dict(here)
            if record is not None:
                record.setdefault(key, value.strip())
        if record:
            yield record

    return read


def match(pattern: TimedPattern) -> Read:
    """Make a row of the named groups of each matching line."""

    def read(lines: Sections) -> Iterator[Fields]:
        pattern.begin()
        for section, line in lines:
            found = pattern.groups(line)
            if found is not None:
                yield {**section, **found}

    return read


def table(head: str, end: str | None, titles: Sequence[str]) -> Read:
    """Cut the lines between `head` and the line that contains `end` into cells.

    Raises Unreadable without a head, which even an empty table has.
    """

    def read(lines: Sections) -> Iterator[Fields]:
        columns: Columns | None = None
        for section, line in lines:
            if line.strip().startswith(head):
                columns = Columns.of(line, titles)
            elif columns is not None and end is not None and end in line:
                return
            elif columns is not None and is_ruler(line):
                columns = columns.ruled(line)
            elif columns is not None and (cells := columns.cells(line)):
                yield {**section, **cells}
        if columns is None:
            raise Unreadable(f'no line of the output begins with "{head}"')

    return read


@dataclass(frozen=True, slots=True)
class Reader:
    """How one rule reads its command's output. Equal settings make equal rows."""

    settings: CommandSettings
    read: Read
    within: TimedPattern | None

    @staticmethod
    def of(settings: CommandSettings, clock: Callable[[], float]) -> Reader:
        """Compile a rule. clock: seconds of processor time, for the limit of expressions."""
        how = settings.read
        if isinstance(how, FieldsRead):
            read = fields(how.begin)
        elif isinstance(how, MatchRead):
            read = match(TimedPattern(how.pattern, clock))
        else:
            read = table(how.head, how.end, how.titles)
        return Reader(settings, read, None if settings.within is None else TimedPattern(settings.within, clock))

    def rows(self, text: Sequence[str]) -> list[Fields]:
        """Return the rows of an answer, at most output.MAX_ROWS. Raises Unreadable."""
        if output.is_empty(text, self.settings.expect, self.settings.empty):
            return []
        return list(islice(self.read(self._sections(text)), output.MAX_ROWS))

    def _sections(self, text: Iterable[str]) -> Sections:
        """Yield lines with the groups of the last heading above them, without the headings."""
        if self.within is not None:
            self.within.begin()
        section: Fields = NO_FIELDS
        for line in text:
            heading = None if self.within is None else self.within.groups(line)
            if heading is None:
                yield section, line
            else:
                section = heading
