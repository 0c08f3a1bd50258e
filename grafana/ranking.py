"""Which of many series a panel shows: those that have most, or are worst, at the end of the time shown.

A plain topk chooses anew at each step and shows dozens of series; `@ end()` chooses once. Prometheus counts what that
reads at each step all the same, so the windows are short.
"""

from __future__ import annotations

from grafana.lookback import over_before_the_end

NOW = "5m:1m"
LAST_HOUR = "1h:5m"


def most(expression: str, count: int = 10, *, how: str = "topk", over: str = "last", window: str = NOW) -> str:
    """Lines of the series that have most, or with how="bottomk" least, in a window before the end."""
    return f"{expression} and {how}({count}, {over_before_the_end(over, expression, window)})"


def that_was_down(state: str) -> str:
    """States of 1 or 0 of one PBX, only of what was 0 at some moment of the time shown."""
    return f"{state} and {over_before_the_end('min', state, '$__range:1m')} == 0"


def down(state: str) -> str:
    """The moments at which a state of 1 or 0 was 0, however short. Draw them as columns: bands would run on."""
    return f"min_over_time({state}[$__rate_interval]) == 0"
