"""The HTTP server: one thread per connection.

A scrape blocks until the PBX has answered, so each connection needs its own thread anyway. A request is one plain call
stack: accept, TLS, h11, check, admit, handler, send. The socket's timeout enforces the deadline of each step.
"""

import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from ami_exporter.web.acceptor import Acceptor
from ami_exporter.web.admission import FileRules, RequestSlots
from ami_exporter.web.app import App
from ami_exporter.web.capacity import ServerLimits, max_connections, max_requests
from ami_exporter.web.connections import ConnectionTable, Phase, WebConnection
from ami_exporter.web.flags import WebFlags
from ami_exporter.web.http1 import Http1, RefusedError
from ami_exporter.web.listen import open_sockets, shown, systemd_sockets
from ami_exporter.web.routes import make_routes
from ami_exporter.web.threads import ReusedThreads
from ami_exporter.web.views import Service
from ami_exporter.webconfig.live import LiveWebConfig

log = logging.getLogger(__name__)

DEFAULT_LIMITS = ServerLimits()
# How often `stop` checks whether running requests have finished.
STOP_CHECK_SECONDS = 0.01

CurrentContext = Callable[[], ssl.SSLContext]


class WebServer:
    """Serves until stopped. Create it with `make_server`."""

    def __init__(
        self,
        app: App,
        listeners: list[socket.socket],
        limits: ServerLimits,
        table: ConnectionTable,
        context: CurrentContext | None,
    ) -> None:
        self._app = app
        self._listeners = listeners
        self._limits = limits
        self._context = context
        self._connections = table
        self._threads = ReusedThreads("web")
        self._acceptor = Acceptor(listeners, self._take, self._connections.make_room)
        self._accepting = threading.Thread(target=self._accept, name="web-accept", daemon=True)
        self.ended = threading.Event()
        """Set when serving has ended for any reason; the main thread waits for it."""

    def start(self) -> list[str]:
        """Start accepting connections; return the bound addresses ("host:port")."""
        bound = [shown(listener) for listener in self._listeners]
        for address in bound:
            log.info("listening on %s://%s", "http" if self._context is None else "https", address)
        self._accepting.start()
        return bound

    def stop(self) -> None:
        """Stop accepting, let running requests finish within `grace`, then close every connection."""
        if self._accepting.is_alive():
            self._acceptor.stop()
            self._accepting.join()
        self._acceptor.close()
        self._connections.end_all(waiting_only=True)
        until = time.monotonic() + self._limits.grace
        while len(self._connections) and time.monotonic() < until:
            time.sleep(STOP_CHECK_SECONDS)
        self._connections.end_all()
        self._threads.stop()

    def _accept(self) -> None:
        try:
            self._acceptor.run()
        except Exception:
            log.critical("bug: the web server ended", exc_info=True)
        finally:
            self._acceptor.close()
            self.ended.set()

    def _take(self, sock: socket.socket, peer: str) -> None:
        connection = WebConnection(sock, peer)
        if not self._connections.add(connection):
            sock.close()
            return
        try:
            self._threads.run(partial(self._serve, connection))
        except RuntimeError:
            self._connections.close(connection)
            raise

    def _serve(self, connection: WebConnection) -> None:
        try:
            if self._context is not None:
                connection.secure(self._context(), self._limits.idle)
            self._answer_all(connection)
        except OSError as error:  # including TimeoutError and ssl.SSLError
            log.debug("connection lost: %s", error)
        except Exception:
            log.exception("bug: a connection failed")
        finally:
            self._connections.close(connection)

    def _answer_all(self, connection: WebConnection) -> None:
        http = Http1(connection, self._limits)
        try:
            while (request := http.read_request()) is not None:
                response = self._app.refuse(request, connection)
                if response is None:
                    self._connections.note(connection, Phase.HANDLING)
                    response = self._app.respond(request)
                self._connections.note(connection, Phase.SENDING)
                http.send(response)
                self._connections.note(connection, Phase.WAITING)
                if self.ended.is_set() or not http.ready_for_next():
                    return
        except RefusedError as refusal:
            http.refuse(refusal.response)


def make_server(
    service: Service,
    flags: WebFlags,
    environ: Mapping[str, str] = os.environ,
    limits: ServerLimits = DEFAULT_LIMITS,
) -> WebServer:
    """Bind the sockets and return the server, without starting it.

    Raises ListenError if a socket cannot be bound, ConfigErrors if web.config.file has faults.
    """
    live = LiveWebConfig(flags.config_file) if flags.config_file else None

    def requests() -> int:
        return max_requests(len(service.target_names())) if flags.max_requests is None else flags.max_requests

    def connections() -> int:
        return limits.connections or max_connections(len(service.target_names()), requests())

    app = App(
        service,
        make_routes(flags),
        RequestSlots(requests),
        FileRules(live) if live is not None else None,
    )
    table = ConnectionTable(connections)
    listeners = systemd_sockets(environ, os.getpid()) if flags.systemd_socket else open_sockets(flags.listen_addresses)
    return WebServer(app, listeners, limits, table, live.tls() if live is not None else None)
