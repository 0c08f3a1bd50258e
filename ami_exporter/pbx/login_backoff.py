"""The login gate of one target, shared by its two links: a failing login is never hammered.

fail2ban and Asterisk's own security log watch refused logins, so after one the gate closes for 1, 2, 4 … 60 s. Refused
TCP connections do not close it: they reach no login.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0


class LoginBackoff:
    """Says how long to wait before the next login. clock: monotonic seconds; jitter: a number in [0, 1)."""

    def __init__(self, clock: Callable[[], float], jitter: Callable[[], float]) -> None:
        self._clock = clock
        self._jitter = jitter
        self._lock = Lock()
        self._refusals = 0
        self._open_at = 0.0

    def closed_for(self) -> float:
        """Seconds until a login may be tried; 0 when now."""
        with self._lock:
            return max(0.0, self._open_at - self._clock())

    def refused(self) -> float:
        """Close after a refused login and answer for how long."""
        with self._lock:
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**self._refusals)
            self._refusals = min(self._refusals + 1, 10)
            pause *= 1.0 - 0.2 * self._jitter()
            self._open_at = self._clock() + pause
            return pause

    def accepted(self) -> None:
        """Forget earlier refusals: a login went through."""
        self.open()

    def open(self) -> None:
        """Open at once, as a reload does: the secret may have been mended."""
        with self._lock:
            self._refusals = 0
            self._open_at = 0.0


class ReconnectBackoff:
    """Full-jitter back-off of a reconnecting link: a random part of 1, 2, 4, 5 s, begun anew by success."""

    def __init__(self, jitter: Callable[[], float], longest: float = 5.0) -> None:
        self._jitter = jitter
        self._longest = longest
        self._failures = 0

    def failed(self) -> float:
        """Seconds to wait before the next attempt."""
        ceiling = min(self._longest, 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)
        return ceiling * self._jitter()

    def succeeded(self) -> None:
        """Begin anew."""
        self._failures = 0
