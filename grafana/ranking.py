"""Which of many series a panel shows: those that have most, or were worst, in the time shown."""

from __future__ import annotations

NOW = "5m:1m"
SHOWN = "$__range:5m"


def most(expression: str, count: int = 10, *, how: str = "topk", over: str = "last", window: str = NOW) -> str:
    """Lines of the series that have most (or with how="bottomk" least) at the end, or over a window that ends there.

    `@ end()` chooses once for the whole panel; a plain topk chooses anew at each step and shows dozens of series.
    """
    return f"{expression} and {how}({count}, {over}_over_time(({expression})[{window}] @ end()))"


def that_was_down(state: str, count: int = 12, step: str = "1m") -> str:
    """States of 1 or 0, only of those that were 0 at some moment of the time shown, and of them the longest down."""
    return f"{state} and bottomk({count}, avg_over_time(({state})[$__range:{step}] @ end()) < 1)"
