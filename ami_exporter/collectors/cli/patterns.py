"""Regular expressions over console output, each answer within a bounded time.

Python's own engine may take minutes for one line of an unlucky pattern, and blocks the interpreter; `regex`
has the same syntax, gives up after a time limit and lets other threads run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ami_exporter.collectors.declarations import Unreadable

SECONDS: Final = 0.5
"""Processor seconds for all expressions of one answer."""
LATE: Final = f"the expression took more than {SECONDS} s: repetitions within repetitions, as in (a+)+, do that"


class TimedPattern:
    """An expression with SECONDS for all lines of an answer. clock: seconds."""

    def __init__(self, pattern: str, clock: Callable[[], float]) -> None:
        import regex  # noqa: PLC0415 - starting is faster where no rule needs it

        self._pattern = regex.compile(pattern)
        self._clock = clock
        self._until: float | None = None

    def begin(self) -> None:
        """Restart the time limit, for a new answer."""
        self._until = self._clock() + SECONDS

    def groups(self, line: str) -> dict[str, str] | None:
        """Return the named groups (lower case) of the first match in a line, without groups that did not match.

        None without a match. Raises Unreadable when the time limit is exceeded.
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
