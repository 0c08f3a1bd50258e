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
#: Objects made and not yet freed before garbage is looked for: Python's own number, more for each target, and at most.
#: Every thread stops meanwhile, for as long as it takes to look at what is young: with 200 targets at 50,000 that is a
#: quarter of a second twice a minute, at 2,000 some 8 ms once a second, and at 700 so much is called old that all of it
#: is looked through, a third of a second, every ten.
GARBAGE = 700
GARBAGE_A_TARGET = 250
GARBAGE_MOST = 2_000
#: Rounds of young garbage before older is looked at: Python's own.
ROUNDS = (10, 10)


def tune(targets: int) -> None:
    """Set what suits so many targets."""
    sys.setswitchinterval(switch_seconds(targets))
    gc.set_threshold(garbage(targets), *ROUNDS)


def switch_seconds(targets: int) -> float:
    """How long a thread may keep the others waiting where there are so many targets."""
    return min(max(SWITCH_SECONDS, SWITCH_A_TARGET * targets), SWITCH_SECONDS_MOST)


def garbage(targets: int) -> int:
    """How many objects may be made and not freed before garbage is looked for where there are so many targets."""
    return min(max(GARBAGE, GARBAGE_A_TARGET * targets), GARBAGE_MOST)
