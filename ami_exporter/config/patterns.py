"""Checks regular expressions for lines of console output."""

from __future__ import annotations

import warnings
from typing import Final

from ami_exporter.config.scalars import found, text

MAX_PATTERN: Final = 512
_REPEATS: Final = frozenset("*+{")


def line_pattern(value: object) -> str:
    """Check an expression that lines are searched for. Its syntax is Python's; it runs with a time limit."""
    import regex  # noqa: PLC0415 - only for who has such a rule

    written = text(value)
    if len(written) > MAX_PATTERN:
        raise ValueError(f"found {len(written)} characters, expected a regular expression of at most {MAX_PATTERN}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled = regex.compile(written)
    except (regex.error, Warning, OverflowError, RecursionError) as error:
        # The error's text may quote the pattern; its position does not.
        at = getattr(error, "pos", None)
        place = "" if at is None else f" (at character {at + 1})"
        raise ValueError(f"found text that is not a regular expression{place}, expected one") from None
    if repeats_repetition(written):
        raise ValueError(
            f"found {found(value)}, where a repeated group holds a repetition, as in (a+)+, "
            "expected none: one unlucky line would take minutes"
        )
    if not compiled.groupindex:
        raise ValueError(f"found {found(value)}, expected a named group for each field, as in (?P<used>[0-9]+)")
    return written


def repeats_repetition(pattern: str) -> bool:
    """Whether a group that holds an unbounded repetition is itself repeated without bound: (a+)+, (?:x*y)*, (a+){2,}.

    Works on a pattern that compiles. Classes and escapes are passed over.
    """
    held = [False]
    place, in_class = 0, False
    while place < len(pattern):
        character = pattern[place]
        following = pattern[place + 1 : place + 2]
        if character == "\\":
            place += 1
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
            place += following == "^"
            place += pattern[place + 1 : place + 2] == "]"
        elif character == "(":
            held.append(False)
        elif character == ")" and len(held) > 1:
            inner = held.pop()
            if inner and following in _REPEATS and following:
                return True
            held[-1] = held[-1] or inner
        elif character in _REPEATS and not pattern.startswith("(*", place - 1):
            held[-1] = True
        place += 1
    return False
