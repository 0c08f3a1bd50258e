"""One handler per path: a function from request to response. It may block until the PBX has answered."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus

from ami_exporter.exposition.formats import Format
from ami_exporter.web.http import JSON, TEXT, Request, Response, plain, unavailable, zipped
from ami_exporter.web.negotiate import accepts_gzip, choose_format
from ami_exporter.web.params import BadRequestError, ScrapeParams, page_parameters, scrape_params, valid_names
from ami_exporter.web.routes import Endpoint, Routes
from ami_exporter.web.status.page import status_page
from ami_exporter.web.views import Busy, Service

TIMEOUT_HEADER = "x-prometheus-scrape-timeout-seconds"

Handler = Callable[[Service, Routes, Request], Response]


def metrics(service: Service, _routes: Routes, request: Request) -> Response:
    """Return the exporter's own metrics, plus the PBX's if exactly one target is configured."""
    return _scrape(service, request, scrape_params(request.query, targets=None, collectors=service.collector_names()))


def probe(service: Service, _routes: Routes, request: Request) -> Response:
    """Return one configured target's metrics."""
    targets, collectors = service.target_names(), service.collector_names()
    return _scrape(service, request, scrape_params(request.query, targets=targets, collectors=collectors))


def _scrape(service: Service, request: Request, params: ScrapeParams) -> Response:
    fmt: Format = choose_format(request.header("accept"))
    timeout = request.headers.get(TIMEOUT_HEADER)
    try:
        body = service.scrape(params.target, params.select, timeout, fmt)
    except Busy as busy:
        return unavailable(str(busy))
    except LookupError:
        # A reload may remove the target between the check and the scrape; anything else is a bug.
        if params.target is None or params.target in service.target_names():
            raise
        raise BadRequestError(
            f'target "{params.target}" was just removed; {valid_names("target", service.target_names())}'
        ) from None
    return Response(HTTPStatus.OK, body, fmt.content_type, (("Vary", "Accept, Accept-Encoding"),))


def discovery(service: Service, _routes: Routes, _request: Request) -> Response:
    """List the targets in Prometheus' http_sd format: always the full list, one group per target."""
    groups = [{"targets": [target.name], "labels": dict(target.labels)} for target in service.discovery()]
    return Response(HTTPStatus.OK, json.dumps(groups, ensure_ascii=False).encode(), JSON)


def config(service: Service, _routes: Routes, _request: Request) -> Response:
    """Show the effective configuration."""
    return Response(HTTPStatus.OK, service.config_text().encode(errors="backslashreplace"), TEXT)


def status(service: Service, routes: Routes, request: Request) -> Response:
    """Render the status page: all targets, or one in detail."""
    chosen, wanted = page_parameters(request.query, service.target_names())
    return status_page(service.status(), routes.telemetry, chosen, wanted)


def healthy(_service: Service, _routes: Routes, _request: Request) -> Response:
    """Report that the server is running."""
    return plain(HTTPStatus.OK, "ami-exporter is healthy.")


def ready(service: Service, _routes: Routes, _request: Request) -> Response:
    """Report whether scrapes can be answered."""
    if service.ready():
        return plain(HTTPStatus.OK, "ami-exporter is ready.")
    return plain(HTTPStatus.SERVICE_UNAVAILABLE, "ami-exporter is not ready.")


def reload(service: Service, routes: Routes, request: Request) -> Response:
    """Reload the configuration, unless another site's page sent the request through a user's browser (CSRF)."""
    if _from_foreign_page(request, routes.external_host):
        return plain(HTTPStatus.FORBIDDEN, "another site's page cannot ask for a reload")
    outcome = service.reload()
    return plain(HTTPStatus.OK if outcome.ok else HTTPStatus.INTERNAL_SERVER_ERROR, outcome.message)


def _from_foreign_page(request: Request, external_host: str) -> bool:
    """Check `Sec-Fetch-Site`, which browsers send to trustworthy hosts only, and `Origin`, sent with every POST."""
    if request.header("sec-fetch-site") not in {"", "none", "same-origin"}:
        return True
    origin = request.header("origin")
    host = origin.partition("://")[2].lower()
    return bool(origin) and host not in {request.header("host").lower(), external_host.lower()} - {""}


def redirect(_service: Service, routes: Routes, request: Request) -> Response:
    """Redirect to the status page under its prefix."""
    location = routes.redirects[request.path]
    return plain(HTTPStatus.FOUND, location, ("Location", location))


HANDLERS: Mapping[Endpoint, Handler] = {
    Endpoint.METRICS: metrics,
    Endpoint.PROBE: probe,
    Endpoint.DISCOVERY: discovery,
    Endpoint.CONFIG: config,
    Endpoint.STATUS: status,
    Endpoint.HEALTHY: healthy,
    Endpoint.READY: ready,
    Endpoint.RELOAD: reload,
    Endpoint.REDIRECT: redirect,
}


def answer(endpoint: Endpoint, service: Service, routes: Routes, request: Request) -> Response:
    """Run the path's handler; a bad request becomes a 400. Compress the response if the client accepts gzip."""
    try:
        response = HANDLERS[endpoint](service, routes, request)
    except BadRequestError as error:
        return plain(HTTPStatus.BAD_REQUEST, str(error))
    return zipped(response) if accepts_gzip(request.header("accept-encoding")) else response
