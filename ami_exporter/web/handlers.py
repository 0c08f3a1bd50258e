"""What each path answers: functions from a request to a response; they block for as long as the PBX takes."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus

from ami_exporter.exposition.formats import Format
from ami_exporter.web.http import JSON, TEXT, Request, Response, plain, zipped
from ami_exporter.web.negotiate import accepts_gzip, choose_format
from ami_exporter.web.params import BadRequestError, ScrapeParams, page_parameters, scrape_params, valid_names
from ami_exporter.web.routes import Endpoint, Routes
from ami_exporter.web.status.page import status_page
from ami_exporter.web.views import Service

TIMEOUT_HEADER = "x-prometheus-scrape-timeout-seconds"

Handler = Callable[[Service, Routes, Request], Response]


def metrics(service: Service, _routes: Routes, request: Request) -> Response:
    """Answer with the exporter's own metrics, and the PBX's where one target is configured."""
    return _scrape(service, request, scrape_params(request.query, targets=None, collectors=service.collector_names()))


def probe(service: Service, _routes: Routes, request: Request) -> Response:
    """Answer with one configured target's metrics."""
    targets, collectors = service.target_names(), service.collector_names()
    return _scrape(service, request, scrape_params(request.query, targets=targets, collectors=collectors))


def _scrape(service: Service, request: Request, params: ScrapeParams) -> Response:
    fmt: Format = choose_format(request.header("accept"))
    timeout = request.headers.get(TIMEOUT_HEADER)
    try:
        body = service.scrape(params.target, params.select, timeout, fmt)
    except LookupError:
        # Only a reload between the check and the scrape takes a target away; anything else is a bug.
        if params.target is None or params.target in service.target_names():
            raise
        raise BadRequestError(
            f'target "{params.target}" was just removed; {valid_names("target", service.target_names())}'
        ) from None
    return Response(HTTPStatus.OK, body, fmt.content_type, (("Vary", "Accept, Accept-Encoding"),))


def discovery(service: Service, _routes: Routes, _request: Request) -> Response:
    """List the targets in Prometheus' http_sd format: always the full list, a group for each target."""
    groups = [{"targets": [target.name], "labels": dict(target.labels)} for target in service.discovery()]
    return Response(HTTPStatus.OK, json.dumps(groups, ensure_ascii=False).encode(), JSON)


def config(service: Service, _routes: Routes, _request: Request) -> Response:
    """Show the effective configuration."""
    return Response(HTTPStatus.OK, service.config_text().encode(errors="backslashreplace"), TEXT)


def status(service: Service, routes: Routes, request: Request) -> Response:
    """Draw the page for people: everything, or one target whole."""
    chosen, wanted = page_parameters(request.query, service.target_names())
    return status_page(service.status(), routes.telemetry, chosen, wanted)


def healthy(_service: Service, _routes: Routes, _request: Request) -> Response:
    """Say that the server answers."""
    return plain(HTTPStatus.OK, "ami-exporter is healthy.")


def ready(service: Service, _routes: Routes, _request: Request) -> Response:
    """Say whether scrapes can be answered."""
    if service.ready():
        return plain(HTTPStatus.OK, "ami-exporter is ready.")
    return plain(HTTPStatus.SERVICE_UNAVAILABLE, "ami-exporter is not ready.")


def reload(service: Service, routes: Routes, request: Request) -> Response:
    """Load the configuration again, unless a foreign web page asks for it through somebody's browser."""
    if _from_foreign_page(request, routes.external_host):
        return plain(HTTPStatus.FORBIDDEN, "another site's page cannot ask for a reload")
    outcome = service.reload()
    return plain(HTTPStatus.OK if outcome.ok else HTTPStatus.INTERNAL_SERVER_ERROR, outcome.message)


def _from_foreign_page(request: Request, external_host: str) -> bool:
    """Whether a browser says so: `Sec-Fetch-Site` goes to trustworthy hosts only, `Origin` comes with every POST."""
    if request.header("sec-fetch-site") not in {"", "none", "same-origin"}:
        return True
    origin = request.header("origin")
    host = origin.partition("://")[2].lower()
    return bool(origin) and host not in {request.header("host").lower(), external_host.lower()} - {""}


def redirect(_service: Service, routes: Routes, request: Request) -> Response:
    """Send people on to the status page under its prefix."""
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
    """Run the path's handler; what the request has wrong becomes a 400. Compressed where the client takes it."""
    try:
        response = HANDLERS[endpoint](service, routes, request)
    except BadRequestError as error:
        return plain(HTTPStatus.BAD_REQUEST, str(error))
    return zipped(response) if accepts_gzip(request.header("accept-encoding")) else response
