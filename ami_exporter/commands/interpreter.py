"""How one Python interpreter is shared by the threads of few or of many targets, and how often it looks for garbage."""

from __future__ import annotations

import gc
import sys

#: How long a thread may keep the others waiting. With few targets at Python's 5 ms, a scrape's work starves the event
#: links, and Asterisk cuts off whoever reads too slowly.
SWITCH_SECONDS = 0.001
#: With many, each thread that waits is woken after this time only to wait on: at 1 ms two hundred event links took two
#: cores for nothing, and scrapes a minute.
SWITCH_A_TARGET = 0.0001
SWITCH_SECONDS_MOST = 0.02
#: Objects made and not yet freed, then rounds, before garbage is looked for. A scrape makes thousands, which live until
#: it is answered, and next to none in cycles; at Python's 700 a fleet looked through all targets' state every second.
GARBAGE = (50_000, 50, 100)


def tune(targets: int) -> None:
    """Set what suits so many targets."""
    sys.setswitchinterval(switch_seconds(targets))
    gc.set_threshold(*GARBAGE)


def switch_seconds(targets: int) -> float:
    """How long a thread may keep the others waiting where there are so many targets."""
    return min(max(SWITCH_SECONDS, SWITCH_A_TARGET * targets), SWITCH_SECONDS_MOST)
