"""What the web server is told: the `--web.*` flags, and the bounds that have no flag."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The `--web.*` flags. `max_requests` 0 means no limit, `route_prefix` None follows `external_url`."""

    listen_addresses: tuple[str, ...] = (":15038",)
    telemetry_path: str = "/metrics"
    config_file: str | None = None
    max_requests: int = 40
    route_prefix: str | None = None
    external_url: str = ""
    systemd_socket: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits against slow, silent and many clients, in seconds where not said otherwise.

    `idle`: what a connection may take until a whole request is there, TLS handshake included.
    `send`: a reader slower than this loses the connection; Prometheus' own timeout is 10 s by default.
    `grace`: what requests under way get to end in when the server stops.
    `connections`: half of the usual limit of 1024 file descriptors, the other half is for the PBX links.
    `header_bytes`: a request line with all its headers.
    `unlimited_workers`: threads where --web.max-requests is 0; further requests wait for one.
    """

    idle: float = 5.0
    send: float = 10.0
    grace: float = 3.0
    connections: int = 512
    header_bytes: int = 16 * 1024
    unlimited_workers: int = 64
