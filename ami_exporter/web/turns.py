"""Whose password is checked next: those who sent the fewest wrong ones of late go first.

An address that guesses waits behind the others, a connection that guesses behind the others of its address. Of equals
the newest goes first: in a crowd that asks without end the oldest would be served when nobody waits for it any more.
And the answer to a wrong password is held back, the longer the more of them came from the address: so guesses come more
slowly than they can be checked, and one that is right finds the way free.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

# Prometheus waits for 10 s by default.
WAIT_SECONDS = 9.0
# How often one that waits looks whether its client is still there.
LOOK_SECONDS = 0.5
# The answer to a wrong password is held back for as long as its check took, times the wrong ones of late, at most:
HOLD_SECONDS = 9.0
# How long a wrong password counts, and for how many addresses that is remembered.
FORGET_SECONDS = 60.0
MAX_ADDRESSES = 1000


class Claimant(Protocol):
    """A client's connection; `address` stands for the client."""

    @property
    def address(self) -> str:
        """What the client is known by."""

    wrong_passwords: int

    def gone(self) -> bool:
        """Whether nobody waits for the answer any more."""


@dataclass(slots=True, eq=False)
class _Ticket:
    client: Claimant
    number: int
    mine: threading.Event = field(default_factory=threading.Event)


class Turns:
    """Gives one turn at a time."""

    def __init__(self, wait_seconds: float = WAIT_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[_Ticket] = []
        self._current: _Ticket | None = None
        self._issued = 0
        self._wrong: OrderedDict[str, tuple[int, float]] = (
            OrderedDict()
        )  # address: how many, when the last; oldest first

    @contextmanager
    def turn(self, client: Claimant) -> Iterator[bool]:
        """Wait for a turn, and have it until the block ends; False: it did not come, or the client has gone."""
        with self._lock:
            self._issued += 1
            ticket = _Ticket(client, self._issued)
            self._waiting.append(ticket)
            if self._current is None:
                self._call_next()
        try:
            yield self._wait(ticket) and not client.gone()
        finally:
            with self._lock:
                if self._current is ticket:
                    self._call_next()
                else:
                    self._waiting.remove(ticket)

    def note_wrong(self, client: Claimant) -> None:
        """Count a wrong password against the connection and its address."""
        with self._lock:
            client.wrong_passwords += 1
            self._wrong[client.address] = (self._recent(client.address) + 1, self._clock())
            self._wrong.move_to_end(client.address)
            if len(self._wrong) > MAX_ADDRESSES:
                self._wrong.popitem(last=False)

    def hold_back(self, client: Claimant, check_seconds: float) -> None:
        """Wait before the answer to a wrong password, whose check took so long."""
        until = self._clock() + min(HOLD_SECONDS, check_seconds * self._recent(client.address))
        while (left := until - self._clock()) > 0 and not client.gone():
            time.sleep(min(left, LOOK_SECONDS))

    def _wait(self, ticket: _Ticket) -> bool:
        until = self._clock() + self._wait_seconds
        while not ticket.mine.wait(LOOK_SECONDS):
            if ticket.client.gone() or self._clock() >= until:
                return ticket.mine.is_set()
        return True

    def _call_next(self) -> None:
        self._current = min(self._waiting, key=self._rank, default=None)
        if self._current is not None:
            self._waiting.remove(self._current)
            self._current.mine.set()

    def _rank(self, ticket: _Ticket) -> tuple[int, int, int]:
        return self._recent(ticket.client.address), ticket.client.wrong_passwords, -ticket.number

    def _recent(self, address: str) -> int:
        count, last = self._wrong.get(address, (0, 0.0))
        return count if self._clock() - last < FORGET_SECONDS else 0
