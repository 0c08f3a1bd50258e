"""Decides which requests to admit: rate limit and passwords (web.config.file), and requests at a time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from ami_exporter.web.http import Request, Response, plain, unavailable
from ami_exporter.web.passwords import BasicAuth, PasswordVerdict
from ami_exporter.web.turns import Claimant
from ami_exporter.webconfig.live import LiveWebConfig

Clock = Callable[[], float]


class TokenBucket:
    """Like Go's rate limiter: one token every `interval` seconds, up to `burst` saved; starts full."""

    def __init__(self, interval: float, burst: int, clock: Clock = time.monotonic) -> None:
        self.rate = (interval, burst)
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = float(burst)
        self._last = clock()

    def take(self) -> bool:
        """Take a token; False if there is none."""
        interval, burst = self.rate
        with self._lock:
            now = self._clock()
            self._tokens = min(burst, self._tokens + (now - self._last) / interval)
            self._last = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


class FileRules:
    """The checks and headers that the current web.config.file applies to every path."""

    def __init__(self, live: LiveWebConfig) -> None:
        self._live = live
        self._auth = BasicAuth()
        self._bucket: TokenBucket | None = None

    def refuse(self, request: Request, client: Claimant) -> Response | None:
        """Return the refusal, or None to admit the request. May block while a password is checked."""
        config = self._live.config()
        bucket = self._bucket
        if config.rate != (bucket.rate if bucket is not None else None):
            self._bucket = bucket = TokenBucket(*config.rate) if config.rate is not None else None
        if bucket is not None and not bucket.take():
            return plain(HTTPStatus.TOO_MANY_REQUESTS, "too many requests, see rate_limit in web.config.file")
        return _REFUSALS[self._auth.check(config.users, request.header("authorization"), client)]

    def headers(self) -> tuple[tuple[str, str], ...]:
        return self._live.config().headers


_REFUSALS: dict[PasswordVerdict, Response | None] = {
    PasswordVerdict.GRANTED: None,
    PasswordVerdict.DENIED: plain(
        HTTPStatus.UNAUTHORIZED,
        "user name and password are needed, or wrong",
        ("WWW-Authenticate", 'Basic realm="ami-exporter", charset="UTF-8"'),
    ),
    PasswordVerdict.BUSY: unavailable("too many passwords are being checked, try again"),
}


class RequestSlots:
    """Limits concurrent requests; `limit` returns the maximum, 0 means no limit."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._taken = 0

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Hold a slot for the block; yields False if none is free."""
        with self._lock:
            limit = self.limit()
            free = not limit or self._taken < limit
            self._taken += free
        try:
            yield free
        finally:
            with self._lock:
                self._taken -= free
