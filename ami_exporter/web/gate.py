"""What web.config.file puts before every path: rate limit, headers, passwords."""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from http import HTTPStatus

from ami_exporter.web.auth import BasicAuth, Verdict
from ami_exporter.web.http import Request, Response, plain
from ami_exporter.web.liveconfig import LiveWebConfig

Clock = Callable[[], float]


class TokenBucket:
    """Go's rate limiter: one token every `interval` seconds, at most `burst` saved; full at the start."""

    def __init__(self, interval: float, burst: int, clock: Clock = time.monotonic) -> None:
        self._interval = interval
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._last = clock()

    def take(self) -> bool:
        """Take a token, if there is one."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._last) / self._interval)
        self._last = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class WebGate:
    """The gate in front of the application; follows the file."""

    def __init__(self, live: LiveWebConfig, worker: Executor) -> None:
        self._live = live
        self._auth = BasicAuth(worker)
        self._rate: tuple[float, int] | None = None
        self._bucket: TokenBucket | None = None

    async def refuse(self, request: Request) -> Response | None:
        """Return the refusal, or None to let the request in."""
        config = self._live.config()
        if config.rate != self._rate:
            self._rate = config.rate
            self._bucket = TokenBucket(*config.rate) if config.rate is not None else None
        if self._bucket is not None and not self._bucket.take():
            return plain(HTTPStatus.TOO_MANY_REQUESTS, "too many requests, see rate_limit in web.config.file")
        verdict = await self._auth.check(config.users, request.header("authorization"))
        return _REFUSALS[verdict]

    def extra_headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers the file sets on every response."""
        return self._live.config().headers


_REFUSALS: dict[Verdict, Response | None] = {
    Verdict.GRANTED: None,
    Verdict.DENIED: plain(
        HTTPStatus.UNAUTHORIZED,
        "user name and password are needed, or wrong",
        ("WWW-Authenticate", 'Basic realm="ami-exporter", charset="UTF-8"'),
    ),
    Verdict.BUSY: plain(
        HTTPStatus.SERVICE_UNAVAILABLE, "too many passwords are being checked, try again", ("Retry-After", "5")
    ),
}
