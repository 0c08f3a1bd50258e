"""Regular expressions over console output, each answer within a bounded time.

Python's own engine can take minutes for one line of an unlucky pattern, and holds the interpreter meanwhile; `regex`
has the same syntax, gives up after a time limit and lets other threads run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ami_exporter.collectors.declarations import Unreadable

SECONDS: Final = 0.5
"""Processor time that the expressions of one answer may take together."""
LATE: Final = f"the expression took more than {SECONDS} s: repetitions within repetitions, as in (a+)+, do that"


class TimedPattern:
    """An expression that has SECONDS for all the lines of one answer. clock: seconds."""

    def __init__(self, pattern: str, clock: Callable[[], float]) -> None:
        import regex  # noqa: PLC0415 - the start of who has no such rule is quicker without

        self._pattern = regex.compile(pattern)
        self._clock = clock
        self._until: float | None = None

    def begin(self) -> None:
        """Start the time of an answer."""
        self._until = self._clock() + SECONDS

    def groups(self, line: str) -> dict[str, str] | None:
        """Named groups of the first match in a line, lower case; a group that took no part is absent.

        None: no match. Raises Unreadable when the time is over.
        """
        left = SECONDS if self._until is None else self._until - self._clock()
        try:
            found = self._pattern.search(line, timeout=max(left, 0.0), concurrent=True)
        except TimeoutError:
            raise Unreadable(LATE) from None
        if left <= 0:
            raise Unreadable(LATE)
        if found is None:
            return None
        return {name.lower(): text for name, text in found.groupdict().items() if text is not None}
