"""Which paths exist, under which prefix, and what may be done to them."""

from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit


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


# Paths under the prefix; the telemetry path joins them from the settings.
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

    `telemetry` is the metrics path without prefix and leading slash: a link relative to the status page. `redirects`
    leads from the paths of Endpoint.REDIRECT to the status page, relatively too: true behind any reverse proxy.
    """

    table: dict[str, Endpoint]
    telemetry: str
    redirects: dict[str, str]


def make_routes(telemetry_path: str = "/metrics", route_prefix: str | None = None, external_url: str = "") -> Routes:
    """Build the path table as Prometheus does; ValueError, naming the flag, on a path that cannot be served.

    `external_url` is the URL people use from outside; its path is the default of `route_prefix`, the prefix requests
    carry when they arrive here. Links and redirects are relative, so nothing else needs the external URL.
    """
    outside = _prefix("--web.external-url", _external_path(external_url))
    inside = outside if route_prefix is None else _prefix("--web.route-prefix", route_prefix)
    if not telemetry_path.startswith("/") or not _plain(telemetry_path):
        raise ValueError(
            f'--web.telemetry-path: expected a path such as "/metrics" of letters, digits and -._~/, '
            f"found {telemetry_path!r}"
        )
    if telemetry_path != "/" and telemetry_path in FIXED:
        raise ValueError(f"--web.telemetry-path: {telemetry_path} already has another use here; choose another path")
    under_prefix = FIXED | {telemetry_path: Endpoint.METRICS}
    table = {inside + path: endpoint for path, endpoint in under_prefix.items()}
    redirects = {"/": f"{inside[1:]}/", inside: f"{inside.rpartition('/')[2]}/"} if inside else {}
    table |= dict.fromkeys(redirects, Endpoint.REDIRECT)
    return Routes(table, telemetry_path.removeprefix("/"), redirects)


def _external_path(url: str) -> str:
    if not url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket without its other half
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"--web.external-url: expected http(s)://host[:port][/path], found {url!r}")
    return parts.path


def _prefix(flag: str, path: str) -> str:
    """Return the prefix with a leading and without a trailing slash; the root is empty."""
    if not _plain(path):
        raise ValueError(f"{flag}: expected a path of letters, digits and -._~/, found {path!r}")
    trimmed = path.strip("/")
    return f"/{trimmed}" if trimmed else ""


def _plain(path: str) -> bool:
    safe = path.isascii() and all(c.isalnum() or c in "-._~/" for c in path)
    return safe and "//" not in path and not {".", ".."} & set(path.split("/"))
