"""The lines of a console answer, and what makes it no answer. Bounded, for it is text of another program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Unreadable

MAX_OUTPUT: Final = 1024 * 1024
"""Characters of an answer; `core show taskprocessors` of a PBX with 5,000 of them has 0.8 MB."""
MAX_LINE: Final = 512
"""Characters; longer lines are left out whole: half a number would be a wrong one. The console's tables have 160."""
MAX_ROWS: Final = 20_000
"""Rows of one answer, as many as the codec takes lines."""

Fields = Mapping[str, str]
"""A row: field in lower case → text."""


def lines(message: Message) -> list[str]:
    """The lines of a Command's response; `Output` once a line (14 and later), or one header with all of them.

    Raises Unreadable for what is no answer: an unknown command (13 and older call that a success), its usage, and
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
    """Whether the output says that there is nothing. Raises Unreadable when what it must hold is not there."""
    if empty is not None and any(empty in line for line in text):
        return True
    if expect is not None and not any(expect in line for line in text):
        raise Unreadable(f'the output does not hold "{expect}"')
    return False
