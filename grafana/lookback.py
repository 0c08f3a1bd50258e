"""Looking back in steps of minutes, so that a fleet and six hours stay cheap.

Prometheus puts such steps on whole minutes of the clock: what began since the last one would not be seen for up to a
step, and the panel would say that there is nothing. So what is there now is taken where the steps have nothing.
"""

from __future__ import annotations

SHOWN = "$__range:5m"


def over(how: str, expression: str, window: str) -> str:
    """The mean (avg), highest (max) and so on of a window that ends at each moment."""
    return f"({how}_over_time(({expression})[{window}]) or {expression})"


def over_before_the_end(how: str, expression: str, window: str) -> str:
    """The same of the window before the end of the time shown, at every moment of it."""
    return f"({how}_over_time(({expression})[{window}] @ end()) or last_over_time(({expression})[10s:10s] @ end()))"


def counted(rate: str, minutes: int = 5) -> str:
    """How much happened in the time shown, from a rate a second."""
    return f"{over('sum', rate, f'$__range:{minutes}m')} * {minutes * 60}"
