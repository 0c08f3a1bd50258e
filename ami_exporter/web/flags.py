"""The `--web.*` flags: a check for each, and the class that holds them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

HIGHEST_PORT = 65535
# Paths that the telemetry path cannot use. It may use the root, and then there is no status page.
RESERVED_PATHS = ("/probe", "/sd", "/config", "/-/healthy", "/-/ready", "/-/reload")

_PATH = re.compile(r"/[A-Za-z0-9._~/-]*")


@dataclass(frozen=True, slots=True)
class WebFlags:
    """The checked flags. `max_requests`: None derives it from the number of targets, 0 means no limit.

    `route_prefix` is "" or "/x"; None takes the path of `external_url`.
    """

    listen_addresses: tuple[str, ...] = (":15038",)
    telemetry_path: str = "/metrics"
    config_file: str | None = None
    max_requests: int | None = None
    route_prefix: str | None = None
    external_url: str = ""
    systemd_socket: bool = False

    @property
    def prefix(self) -> str:
        """The prefix of request paths as they arrive here: "" or "/x"."""
        return path_prefix(self.route_prefix, self.external_url)


def path_prefix(route_prefix: str | None, external_url: str) -> str:
    """Return the prefix of all paths: from the flag, else from the external URL."""
    return _trimmed(urlsplit(external_url).path) if route_prefix is None else route_prefix


def listen_address(written: str) -> str:
    """Check "host:port"; the ValueError says what was expected."""
    split_address(written)
    return written


def split_address(written: str) -> tuple[str, int]:
    """Split "host:port" as Go's net package does: an empty host means every address, IPv6 is in brackets."""
    host, colon, port = written.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not (port.isascii() and port.isdigit()) or int(port[:6]) > HIGHEST_PORT:
        raise ValueError("expected [HOST]:PORT such as :15038")
    if ":" in host and not bracketed:
        raise ValueError("expected an IPv6 address in brackets such as [::1]:15038")
    return (host[1:-1] if bracketed else host), int(port)


def telemetry_path(written: str) -> str:
    path = _plain_path(written).rstrip("/") or "/"
    if path in RESERVED_PATHS:
        raise ValueError("found a path that has another use, expected a path such as /metrics")
    return path


def route_prefix(written: str) -> str:
    """Check the prefix; "/" becomes ""."""
    return _trimmed(_plain_path(written))


def external_url(written: str) -> str:
    """Check the URL under which users reach the exporter."""
    try:
        parts = urlsplit(written)
        whole = parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment
        _ = parts.port
    except ValueError:  # an unmatched bracket or an invalid port
        whole = False
    if not whole:
        raise ValueError("expected a URL such as https://host/asterisk/")
    _plain_path(parts.path or "/")
    return written


def _trimmed(path: str) -> str:
    inner = path.strip("/")
    return f"/{inner}" if inner else ""


def _plain_path(written: str) -> str:
    if not written.startswith("/"):
        raise ValueError("expected a path that begins with /")
    if not _PATH.fullmatch(written) or "//" in written or {".", ".."} & set(written.split("/")):
        raise ValueError("expected a path of letters, digits and -._~/")
    return written
