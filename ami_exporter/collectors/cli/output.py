"""The lines of a console answer, and checks whether it is one. Bounded, because it is text of another program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Unreadable

MAX_OUTPUT: Final = 1024 * 1024
"""Characters of an answer; `core show taskprocessors` of a PBX with 5,000 of them has 0.8 MB."""
MAX_LINE: Final = 512
"""Characters; longer lines are skipped, because half a number would be wrong. The console's tables have 160."""
MAX_ROWS: Final = 20_000
"""Most rows of an answer, as many as the codec accepts lines."""

Fields = Mapping[str, str]
"""A row: field in lower case → text."""


def lines(message: Message) -> list[str]:
    """Return the lines of a Command's response: one `Output` a line (14 and later), or one header with all lines.

    Raises Unreadable for an unknown command (a success to 13 and older), for its usage, and for
    more than MAX_OUTPUT characters.
    """
    found = [line.rstrip() for output in message.values_of("output") for line in output.splitlines() or [""]]
    if sum(map(len, found)) > MAX_OUTPUT:
        raise Unreadable(f"the output has more than {MAX_OUTPUT} characters")
    first = next((line for line in found if line.strip()), "")
    if first.startswith("No such command"):
        raise Unreadable("the server has no such command: the module that brings it is not loaded")
    if first.startswith("Usage:"):
        raise Unreadable("the server answered with the command's usage: a word is missing or too many")
    return [line for line in found if len(line) <= MAX_LINE]


def is_empty(text: Sequence[str], expect: str | None, empty: str | None) -> bool:
    """Whether the output says that there is nothing. Raises Unreadable if the expected text is missing."""
    if empty is not None and any(empty in line for line in text):
        return True
    if expect is not None and not any(expect in line for line in text):
        raise Unreadable(f'the output does not hold "{expect}"')
    return False
