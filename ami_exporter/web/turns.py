"""Decides whose password is checked next: clients with the fewest recent wrong passwords go first.

Addresses that guess wait behind other addresses; connections that guess wait behind others of the same address. If
tied, the newest goes first: under constant overload, the oldest would be served only after its client has given up.
The answer to a wrong password is delayed, longer with each recent wrong one from that address. So guesses arrive more
slowly than they can be checked, and a right password does not have to queue behind them.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

# The longest wait for a turn. Prometheus' scrape timeout is 10 s by default.
WAIT_SECONDS = 9.0
# How often a waiting thread checks whether its client is still connected.
LOOK_SECONDS = 0.5
# The longest delay of the answer to a wrong password: the check's duration times the number of recent wrong ones.
HOLD_SECONDS = 9.0
# How long a wrong password counts as recent, and how many addresses are tracked.
FORGET_SECONDS = 60.0
MAX_ADDRESSES = 1000


class Claimant(Protocol):
    """A client's connection; `address` identifies the client."""

    @property
    def address(self) -> str:
        """The client's identity, shared by all its connections."""

    wrong_passwords: int

    def gone(self) -> bool:
        """Whether the client has disconnected."""


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
        # address: (recent wrong passwords, time of the last one), oldest first
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @contextmanager
    def turn(self, client: Claimant) -> Iterator[bool]:
        """Wait for a turn and hold it for the block; yields False if none came in time or the client has gone."""
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
        """Delay the answer to a wrong password whose check took `check_seconds`."""
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
