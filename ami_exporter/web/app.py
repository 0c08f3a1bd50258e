"""Turns a request into a response: checks, admission, handler. Each connection's thread calls it."""

import logging
from http import HTTPStatus

from ami_exporter.web.admission import FileRules, RequestSlots
from ami_exporter.web.handlers import answer
from ami_exporter.web.http import Request, Response, plain, unavailable
from ami_exporter.web.routes import METHODS, Endpoint, Routes
from ami_exporter.web.turns import Claimant
from ami_exporter.web.views import Service

log = logging.getLogger(__name__)

# Far longer than any real path, which is a prefix and a name.
MAX_PATH_BYTES = 1024
# Reloads admitted at a time: one runs, the others wait.
MAX_RELOADS = 4
# These paths answer even without a free slot: a health check must not mistake an overloaded exporter for a dead one.
WITHOUT_SLOT = (Endpoint.HEALTHY, Endpoint.READY, Endpoint.REDIRECT)


class App:
    """The application. Call `refuse` first, which may block while a password is checked, then `respond`."""

    def __init__(self, service: Service, routes: Routes, slots: RequestSlots, rules: FileRules | None = None) -> None:
        self._service = service
        self._routes = routes
        self._slots = slots
        self._reload_slots = RequestSlots(lambda: MAX_RELOADS)
        self._rules = rules

    def refuse(self, request: Request, client: Claimant) -> Response | None:
        """Return a refusal, or None to admit the request."""
        if len(request.path) > MAX_PATH_BYTES:
            return plain(HTTPStatus.REQUEST_URI_TOO_LONG, f"the path is longer than {MAX_PATH_BYTES} bytes")
        refusal = self._rules.refuse(request, client) if self._rules is not None else None
        return self._with_headers(refusal) if refusal is not None else None

    def respond(self, request: Request) -> Response:
        """Answer an admitted request; never raises."""
        endpoint = self._routes.table.get(request.path)
        if endpoint is None:
            return self._with_headers(_not_found(self._routes))
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


def _not_found(routes: Routes) -> Response:
    page = f"{routes.prefix}/"
    message = f"no such path; metrics are on {page}{routes.telemetry}, the status page with all links on {page}"
    return plain(HTTPStatus.NOT_FOUND, message)


def _busy(endpoint: Endpoint, limit: int) -> Response:
    if endpoint is Endpoint.RELOAD:
        message = f"{limit} reloads are already asked for"
    else:
        message = f"{limit} requests are already being answered; raise --web.max-requests or scrape less often"
    return unavailable(message)
