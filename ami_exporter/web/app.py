"""The ASGI application: checks, admission, hand-over to the worker threads, answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from ami_exporter.web.handlers import answer
from ami_exporter.web.http import Receive, Request, Response, Scope, Send, plain, read_request, send_response
from ami_exporter.web.routes import METHODS, Endpoint, Routes
from ami_exporter.web.views import ReloadOutcome, Service

log = logging.getLogger(__name__)

# The longest path is a prefix and a name; a longer one is somebody's experiment.
MAX_PATH_BYTES = 1024
# The server speaks HTTP/2 to those who insist; nobody here needs it, and it would need bounds of its own.
HTTP_VERSIONS = ("1.0", "1.1")
_OTHER_VERSION = plain(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 is spoken here")
# No path reads a body; a small one is taken and thrown away, anything more is refused unread.
MAX_BODY_BYTES = 64 * 1024
# Prometheus tries again at its next interval anyway; this is for other clients.
RETRY_AFTER_SECONDS = "5"


class Gate(Protocol):
    """What stands before every path: rate limit and passwords."""

    async def refuse(self, request: Request) -> Response | None:
        """Return the refusal, or None to let the request in."""

    def extra_headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers that every response carries."""


@dataclass(slots=True)
class Admission:
    """Counts the requests being answered; `limit` 0 means no limit. Used on the event loop only."""

    limit: int
    busy: int = 0

    def __enter__(self) -> bool:
        """Take a place; False: all are taken (leave anyway)."""
        self.busy += 1
        return not self.limit or self.busy <= self.limit

    def __exit__(self, *_: object) -> None:
        self.busy -= 1


@dataclass(frozen=True, slots=True)
class AppLimits:
    """Requests answered at a time (0: no limit), and the seconds a reader may take for its answer."""

    max_requests: int
    send_seconds: float


class App:
    """The application. `workers` runs the blocking handlers, `reloader` the reload alone, one at a time."""

    def __init__(
        self,
        service: Service,
        routes: Routes,
        *,
        workers: Executor,
        reloader: Executor,
        limits: AppLimits,
        gate: Gate | None = None,
    ) -> None:
        self._service = service
        self._routes = routes
        self._workers = workers
        self._reloader = reloader
        self._admission = Admission(limits.max_requests)
        self._send_seconds = limits.send_seconds
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Somebody has to take what comes in all the time: the server's queue of it is short and blocks for ever when
        # full. No path reads a body; what matters is that the client has gone.
        gone = asyncio.Event()
        listener = asyncio.create_task(_listen(receive, gone))
        try:
            if scope["http_version"] in HTTP_VERSIONS:
                await self._respond(read_request(scope), send, gone)
            else:
                await self._send(send, gone, _OTHER_VERSION)
        finally:
            listener.cancel()
            with suppress(asyncio.CancelledError):
                await listener

    async def _respond(self, request: Request, send: Send, gone: asyncio.Event) -> None:
        endpoint, refusal = await self._check(request)
        if refusal is not None or endpoint is None:
            await self._send(send, gone, refusal or plain(HTTPStatus.NOT_FOUND, "no such path"))
        elif endpoint in _UNCOUNTED:
            await self._send(send, gone, await _UNCOUNTED[endpoint](self, request))
        else:
            with self._admission as admitted:
                response = await self._in_worker(endpoint, request) if admitted else self._busy()
                await self._send(send, gone, response)

    async def _check(self, request: Request) -> tuple[Endpoint | None, Response | None]:
        if len(request.path) > MAX_PATH_BYTES:
            return None, plain(HTTPStatus.REQUEST_URI_TOO_LONG, f"the path is longer than {MAX_PATH_BYTES} bytes")
        if _has_body(request) and not _small_body(request):
            message = f"no path here takes a request body of more than {MAX_BODY_BYTES} bytes"
            return None, plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
        if self._gate is not None and (refusal := await self._gate.refuse(request)) is not None:
            return None, refusal
        endpoint = self._routes.table.get(request.path)
        if endpoint is None:
            return None, plain(HTTPStatus.NOT_FOUND, "no such path")
        allowed = METHODS[endpoint]
        if request.method not in allowed:
            allow = ", ".join(allowed)
            refusal = plain(HTTPStatus.METHOD_NOT_ALLOWED, f"this path takes {allow} only", ("Allow", allow))
            return endpoint, refusal
        return endpoint, None

    async def _in_worker(self, endpoint: Endpoint, request: Request) -> Response:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._workers, answer, endpoint, self._service, self._routes, request)
        except Exception:
            log.exception("bug: %s failed", endpoint.name.lower())
            return plain(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error, see the exporter's log")

    def _busy(self) -> Response:
        limit = self._admission.limit
        message = f"{limit} requests are already being answered; raise --web.max-requests or scrape less often"
        return plain(HTTPStatus.SERVICE_UNAVAILABLE, message, ("Retry-After", RETRY_AFTER_SECONDS))

    async def _send(self, send: Send, gone: asyncio.Event, response: Response) -> None:
        extra = self._gate.extra_headers() if self._gate is not None else ()
        await send_response(send, response.with_headers(*extra), gone, self._send_seconds)

    async def healthy(self, _request: Request) -> Response:
        """Say that the server answers."""
        return plain(HTTPStatus.OK, "ami-exporter is healthy.")

    async def ready(self, _request: Request) -> Response:
        """Say whether scrapes can be answered."""
        if self._service.ready():
            return plain(HTTPStatus.OK, "ami-exporter is ready.")
        return plain(HTTPStatus.SERVICE_UNAVAILABLE, "ami-exporter is not ready.")

    async def reload(self, request: Request) -> Response:
        """Load the configuration again, unless a foreign web page asked for it through somebody's browser."""
        if request.header("sec-fetch-site") == "cross-site":
            return plain(HTTPStatus.FORBIDDEN, "a reload cannot be asked for by another site's page")
        loop = asyncio.get_running_loop()
        try:
            outcome: ReloadOutcome = await loop.run_in_executor(self._reloader, self._service.reload)
        except Exception:
            log.exception("bug: reload failed")
            return plain(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error, see the exporter's log")
        return plain(HTTPStatus.OK if outcome.ok else HTTPStatus.INTERNAL_SERVER_ERROR, outcome.message)

    async def redirect(self, request: Request) -> Response:
        """Send people on to the status page under its prefix."""
        location = self._routes.redirects[request.path]
        return plain(HTTPStatus.FOUND, location, ("Location", location))


# Paths that answer even when all places are taken: they must tell an overloaded exporter from a dead one.
_UNCOUNTED: dict[Endpoint, Callable[[App, Request], Awaitable[Response]]] = {
    Endpoint.HEALTHY: App.healthy,
    Endpoint.READY: App.ready,
    Endpoint.RELOAD: App.reload,
    Endpoint.REDIRECT: App.redirect,
}


def _has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.header("content-length") not in {"", "0"}


def _small_body(request: Request) -> bool:
    length = request.header("content-length")
    return "transfer-encoding" not in request.headers and length.isdigit() and int(length) <= MAX_BODY_BYTES


async def _listen(receive: Receive, gone: asyncio.Event) -> None:
    """Throw the body away until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
