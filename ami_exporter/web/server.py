"""The HTTP server: hypercorn in ASGI mode, on our sockets, its event loop in a daemon thread.

Importing this module imports hypercorn, so commands that serve nothing should not.
"""

import asyncio
import logging
import os
import socket
import ssl
import threading
from asyncio import sslproto
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config, Sockets

from ami_exporter.web.app import App, AppLimits
from ami_exporter.web.connections import Connections
from ami_exporter.web.door import ServingLoop
from ami_exporter.web.gate import WebGate
from ami_exporter.web.http import Receive, Scope, Send
from ami_exporter.web.listen import open_sockets, shown, systemd_sockets
from ami_exporter.web.liveconfig import LiveWebConfig
from ami_exporter.web.routes import make_routes
from ami_exporter.web.settings import Bounds, WebSettings
from ami_exporter.web.views import Service

log = logging.getLogger(__name__)

DEFAULT_BOUNDS = Bounds()
# Two TLS records; a request is smaller than one.
TLS_BUFFER_BYTES = 32 * 1024
# Cancelled tasks end in the next turn of the loop; this is for one that would not.
REST_SECONDS = 1.0


class WebServer:
    """Serves until stopped. Made by `make_server`."""

    def __init__(
        self,
        app: App,
        sockets: list[socket.socket],
        pools: tuple[ThreadPoolExecutor, ...],
        bounds: Bounds,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._app = app
        self._sockets = sockets
        self._pools = pools
        self._bounds = bounds
        self._context = context
        self._connections = Connections(bounds.connections)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._thread: threading.Thread | None = None
        self.ended = threading.Event()
        """Set when serving has ended, asked for or not: the main thread can wait for it."""

    def start(self) -> list[str]:
        """Begin to serve; return the bound addresses ("host:port"). Connections are taken from now on."""
        bound = [shown(sock) for sock in self._sockets]
        for sock in self._sockets:
            log.info("listening on %s://%s", "http" if self._context is None else "https", shown(sock))
        self._loop = ServingLoop(self._connections)
        self._thread = threading.Thread(target=self._run, args=[self._loop], name="web", daemon=True)
        self._thread.start()
        return bound

    def stop(self) -> None:
        """Stop: no new connections, a moment for the requests under way, then an end to all of them."""
        for step in (self._stopping.set, self._end_all):
            if self._loop is not None and self._thread is not None:
                with suppress(RuntimeError):  # the loop has ended already
                    self._loop.call_soon_threadsafe(step)
                self._thread.join(self._bounds.grace)
        for sock in self._sockets:
            sock.close()
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def _end_all(self) -> None:
        """End what did not end in its grace time."""
        for task in self._answering:
            task.cancel()
        self._connections.end_all()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.set_exception_handler(_log_loop_error)
        self._sweep(loop)
        if self._context is not None:
            # asyncio gives each TLS connection 256 KiB to read into: 500 silent clients would cost 145 MB.
            sslproto.SSLProtocol.max_size = TLS_BUFFER_BYTES
        config = _Config(self._sockets, self._bounds, self._context)
        try:
            loop.run_until_complete(
                serve(self._guarded, config, shutdown_trigger=self._stopping.wait, mode="asgi")  # type: ignore[arg-type]  # our ASGI types are looser than its
            )
        except asyncio.CancelledError:
            pass  # hypercorn's way to say that its grace period was not enough
        except Exception as error:
            # At the stop it gathers its connections: one that a client broke (TLS alerts, resets) says so only then.
            if not (self._stopping.is_set() and isinstance(error, OSError)):
                log.critical("bug: the web server ended", exc_info=True)
        finally:
            _end_rest(loop)
            loop.close()
            self.ended.set()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """End what the server's own idle timer has lost sight of: HTTP/2 begun without TLS, TLS that is not closed."""
        self._connections.end_idle(2 * self._bounds.idle)
        loop.call_later(self._bounds.idle, self._sweep, loop)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; a reader that was too slow loses its connection, not only its answer."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        key = (scope["client"], scope["server"])
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine always runs in a task
        self._answering.add(task)
        with self._connections.answering(key):
            try:
                await self._app(scope, receive, send)
            except TimeoutError:
                self._connections.end(key)
            finally:
                self._answering.discard(task)


def make_server(
    service: Service, settings: WebSettings, *, environ: Mapping[str, str] = os.environ, bounds: Bounds = DEFAULT_BOUNDS
) -> WebServer:
    """Open the sockets and build the server.

    Raises ListenError (an address cannot be had) or ValueError (a flag is wrong), each with a one-line message, and
    ConfigErrors with every fault of web.config.file.
    """
    routes = make_routes(settings.telemetry_path, settings.route_prefix, settings.external_url)
    live = LiveWebConfig(settings.config_file) if settings.config_file else None
    workers = ThreadPoolExecutor(settings.max_requests or bounds.unlimited_workers, "web-worker")
    reloader, hasher = ThreadPoolExecutor(1, "web-reload"), ThreadPoolExecutor(1, "web-auth")
    gate = WebGate(live, hasher) if live is not None else None
    limits = AppLimits(settings.max_requests, bounds.send)
    app = App(service, routes, workers=workers, reloader=reloader, limits=limits, gate=gate)
    if settings.systemd_socket:
        sockets = systemd_sockets(environ, os.getpid())
    else:
        sockets = open_sockets(settings.listen_addresses)
    return WebServer(app, sockets, (workers, reloader, hasher), bounds, live.context() if live is not None else None)


class _Config(Config):
    """Hypercorn's settings: our sockets and TLS context instead of its own, and bounds."""

    accesslog = None
    include_server_header = False

    def __init__(self, sockets: list[socket.socket], bounds: Bounds, context: ssl.SSLContext | None) -> None:
        self._sockets = sockets
        self._context = context
        self.h11_max_incomplete_size = bounds.header_bytes
        self.keep_alive_timeout = bounds.idle
        self.ssl_handshake_timeout = bounds.idle
        self.graceful_timeout = bounds.grace
        self.alpn_protocols = ["http/1.1"]
        self.errorlog = logging.getLogger("ami_exporter.web.hypercorn")
        self.h2_max_concurrent_streams = 1
        for name in ("h2", "hpack"):  # at DEBUG they write every header into the log, passwords included
            logging.getLogger(name).setLevel(logging.WARNING)
        self.errorlog.setLevel(logging.WARNING)  # at INFO it tells people to press CTRL + C

    @property
    def ssl_enabled(self) -> bool:
        return self._context is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        return self._context

    def create_sockets(self) -> Sockets:
        return Sockets([], self._sockets, []) if self._context is None else Sockets(self._sockets, [], [])


def _end_rest(loop: asyncio.AbstractEventLoop) -> None:
    """End the tasks that the server library does not know of, above all TLS handshakes whose client is silent."""
    rest = asyncio.all_tasks(loop)
    for task in rest:
        task.cancel()
    if rest:
        loop.run_until_complete(asyncio.wait(rest, timeout=REST_SECONDS))


def _log_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what the event loop could not deliver: a client that went away is no news, the rest is a bug."""
    error = context.get("exception")
    # OSError: ssl.SSLError too, broken handshakes. Cancelled: Python 3.11 reports so the connections that `stop` ends.
    if isinstance(error, OSError | asyncio.CancelledError):
        log.debug("connection lost: %s", error)
    else:
        log.error("bug: %s", context.get("message"), exc_info=error)
