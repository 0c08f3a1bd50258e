"""The paths, their prefix, and the methods each path allows."""

from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

from ami_exporter.web.flags import WebFlags


class Endpoint(Enum):
    """What a path does."""

    METRICS = auto()
    PROBE = auto()
    DISCOVERY = auto()
    STATUS = auto()
    CONFIG = auto()
    HEALTHY = auto()
    READY = auto()
    RELOAD = auto()
    REDIRECT = auto()  # to the status page under its prefix


# Paths under the prefix; the telemetry path is added from the flags.
FIXED: dict[str, Endpoint] = {
    "/": Endpoint.STATUS,
    "/probe": Endpoint.PROBE,
    "/sd": Endpoint.DISCOVERY,
    "/config": Endpoint.CONFIG,
    "/-/healthy": Endpoint.HEALTHY,
    "/-/ready": Endpoint.READY,
    "/-/reload": Endpoint.RELOAD,
}

READ = ("GET", "HEAD")
METHODS: dict[Endpoint, tuple[str, ...]] = {
    endpoint: ("POST",) if endpoint is Endpoint.RELOAD else READ for endpoint in Endpoint
}


@dataclass(frozen=True, slots=True)
class Routes:
    """The path table.

    `telemetry` is the metrics path relative to the status page: without prefix and leading slash. `redirects` maps the
    paths of Endpoint.REDIRECT to the status page's relative URL. `external_host` is the "host[:port]" of
    --web.external-url, if set.
    """

    table: dict[str, Endpoint]
    telemetry: str
    redirects: dict[str, str]
    external_host: str = ""
    prefix: str = ""


def make_routes(flags: WebFlags) -> Routes:
    """Build the path table as Prometheus does. Links and redirects are relative, so they work behind any proxy."""
    prefix = flags.prefix
    table = {prefix + path: endpoint for path, endpoint in (FIXED | {flags.telemetry_path: Endpoint.METRICS}).items()}
    redirects = {"/": f"{prefix[1:]}/", prefix: f"{prefix.rpartition('/')[2]}/"} if prefix else {}
    table |= dict.fromkeys(redirects, Endpoint.REDIRECT)
    return Routes(table, flags.telemetry_path.removeprefix("/"), redirects, urlsplit(flags.external_url).netloc, prefix)
