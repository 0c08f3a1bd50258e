"""Tells which security events of AMI come from this exporter's own sessions.

Asterisk names the address that a login comes from. That is our end of the connection, unless a relay is in between
(stunnel, HAProxy, NAT). Then only the account is known, and each login of ours explains one event of that account.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from ami_exporter.ami.errors import LoginRefused
from ami_exporter.pbx.login_backoff import LoginPaused

#: Own sessions that a late security event may still name: two links, and some reconnections of each.
REMEMBERED_SESSIONS = 16
#: Seconds after a login in which its security event arrives; Asterisk sends it before the login's answer.
CLAIM_SECONDS = 10.0
SUCCESS = "SuccessfulAuth"


class LoginSession(Protocol):
    """A connection that logs in."""

    @property
    def local_address(self) -> tuple[str, int] | None:
        """Our end of the connection; None before it is connected."""


@dataclass(slots=True, eq=False)
class _Claim:
    """A login whose event has not arrived. accepted: its outcome; None if unknown."""

    account: str
    until: float = math.inf
    accepted: bool | None = None

    def covers(self, event: str, account: str, now: float) -> bool:
        fits = self.accepted is None or self.accepted == (event == SUCCESS)
        return fits and account == self.account and now < self.until


class _Own:
    """One of our sessions: itself while it logs in, later only its address, because closed links hold much."""

    __slots__ = ("_address", "_session")

    def __init__(self, session: LoginSession) -> None:
        self._session: LoginSession | None = session
        self._address: tuple[str, int] | None = None

    @property
    def address(self) -> tuple[str, int] | None:
        """Our end of the connection; None if it was not connected."""
        session = self._session  # another thread may settle
        return self._address if session is None else session.local_address

    def settle(self) -> None:
        """Note that the login is over: the address no longer changes."""
        self._address, self._session = self.address, None


class OwnLogins:
    """Logins of one target's links. clock: monotonic seconds. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._sessions: deque[_Own] = deque(maxlen=REMEMBERED_SESSIONS)
        self._claims: deque[_Claim] = deque(maxlen=REMEMBERED_SESSIONS)
        self._relayed = True  # until an event names one of our addresses

    @contextmanager
    def login(self, session: LoginSession, account: str) -> Iterator[None]:
        """Wrap connecting and logging in: the security event may come before the answer."""
        claim, own = _Claim(account), _Own(session)
        with self._lock:
            self._sessions.append(own)
            self._claims.append(claim)
        tried = True
        try:
            yield
            claim.accepted = True
        except LoginRefused:
            claim.accepted = False
            raise
        except LoginPaused:
            tried = False
            raise
        finally:
            own.settle()
            tried = tried and own.address is not None
            claim.until = self._clock() + CLAIM_SECONDS if tried else -math.inf

    def caused(self, event: str, account: str, address: tuple[str, int] | None) -> bool:
        """Whether one of our sessions caused this security event of AMI. Call it once for each event.

        address: host and port that the event names; None when it cannot be read.
        """
        with self._lock:
            if address is not None and any(own.address == address for own in self._sessions):
                self._relayed = False
                return True
            now = self._clock()
            claim = next((one for one in self._claims if one.covers(event, account, now)), None)
            if claim is None or not self._relayed:
                return False
            self._claims.remove(claim)
            return True
