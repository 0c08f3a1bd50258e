"""From a request to a response: checks, admission, the path's handler. Called from the threads of all connections."""

import logging
from http import HTTPStatus

from ami_exporter.web.admission import FileRules, RequestSlots
from ami_exporter.web.handlers import answer
from ami_exporter.web.http import Request, Response, plain
from ami_exporter.web.routes import METHODS, Endpoint, Routes
from ami_exporter.web.turns import Claimant
from ami_exporter.web.views import Service

log = logging.getLogger(__name__)

# The longest path is a prefix and a name; a longer one is somebody's experiment.
MAX_PATH_BYTES = 1024
# Prometheus tries again at its next interval anyway; this is for other clients.
RETRY_AFTER_SECONDS = "5"
# Reloads at a time, one of which runs.
MAX_RELOADS = 4
# Paths that answer even when all slots are taken: they must tell an overloaded exporter from a dead one.
WITHOUT_SLOT = (Endpoint.HEALTHY, Endpoint.READY, Endpoint.REDIRECT)

_NOT_FOUND = plain(HTTPStatus.NOT_FOUND, "no such path")


class App:
    """The application. First `refuse`, which may wait for the check of a password; then `respond`."""

    def __init__(self, service: Service, routes: Routes, slots: RequestSlots, rules: FileRules | None = None) -> None:
        self._service = service
        self._routes = routes
        self._slots = slots
        self._reload_slots = RequestSlots(lambda: MAX_RELOADS)
        self._rules = rules

    def refuse(self, request: Request, client: Claimant) -> Response | None:
        """Return a refusal, or None to let the request in."""
        if len(request.path) > MAX_PATH_BYTES:
            return plain(HTTPStatus.REQUEST_URI_TOO_LONG, f"the path is longer than {MAX_PATH_BYTES} bytes")
        refusal = self._rules.refuse(request, client) if self._rules is not None else None
        return self._with_headers(refusal) if refusal is not None else None

    def respond(self, request: Request) -> Response:
        """Answer a request that was let in; never raises."""
        endpoint = self._routes.table.get(request.path)
        if endpoint is None:
            return self._with_headers(_NOT_FOUND)
        try:
            response = self._respond(endpoint, request)
        except Exception:
            log.exception("bug: %s failed", endpoint.name.lower())
            response = plain(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error, see the exporter's log")
        return self._with_headers(response)

    def _respond(self, endpoint: Endpoint, request: Request) -> Response:
        if request.method not in METHODS[endpoint]:
            allow = ", ".join(METHODS[endpoint])
            return plain(HTTPStatus.METHOD_NOT_ALLOWED, f"this path takes {allow} only", ("Allow", allow))
        if endpoint in WITHOUT_SLOT:
            return answer(endpoint, self._service, self._routes, request)
        slots = self._reload_slots if endpoint is Endpoint.RELOAD else self._slots
        with slots.taken() as free:
            return answer(endpoint, self._service, self._routes, request) if free else _busy(endpoint, slots.limit())

    def _with_headers(self, response: Response) -> Response:
        return response.with_headers(*self._rules.headers()) if self._rules is not None else response


def _busy(endpoint: Endpoint, limit: int) -> Response:
    if endpoint is Endpoint.RELOAD:
        message = f"{limit} reloads are already asked for"
    else:
        message = f"{limit} requests are already being answered; raise --web.max-requests or scrape less often"
    return plain(HTTPStatus.SERVICE_UNAVAILABLE, message, ("Retry-After", RETRY_AFTER_SECONDS))
