"""The `--web.*` flags as one value."""

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
