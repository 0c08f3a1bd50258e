"""A request and a response as plain values."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"

RETRY_AFTER_SECONDS = "5"
# A response that fits into one packet gains nothing from gzip.
GZIP_MIN_BYTES = 1400
# Level 2 output is a seventh larger than level 6, but takes a third of the time: it saves half a millisecond a scrape.
GZIP_LEVEL = 2


@dataclass(frozen=True, slots=True)
class Request:
    """A request, as handlers see it. Header names are in lower case, repeated headers are joined by a comma."""

    method: str
    path: str  # as sent, not decoded: paths must match exactly
    query: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """Return a header's value, "" when absent."""
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response; `headers` are sent in addition to Content-Type and Content-Length."""

    status: HTTPStatus
    body: bytes = b""
    content_type: str = TEXT
    headers: tuple[tuple[str, str], ...] = ()

    def with_headers(self, *headers: tuple[str, str]) -> "Response":
        """Return a copy with these headers added; they replace existing ones of the same name."""
        names = {name.lower() for name, _ in headers}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        return replace(self, headers=(*kept, *headers))

    def all_headers(self) -> list[tuple[str, str]]:
        """Return the headers to send; this response's own headers override the general ones."""
        general = (
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        )
        own = {name.lower() for name, _ in self.headers}
        return [pair for pair in general if pair[0].lower() not in own] + list(self.headers)


def plain(status: HTTPStatus, message: str, *headers: tuple[str, str]) -> Response:
    """Return a plain-text response with one message."""
    return Response(status, f"{message}\n".encode(errors="backslashreplace"), TEXT, headers)


def unavailable(message: str) -> Response:
    """Return a refusal for now (503); Prometheus retries at its next interval, other clients by the header."""
    return plain(HTTPStatus.SERVICE_UNAVAILABLE, message, ("Retry-After", RETRY_AFTER_SECONDS))


def zipped(response: Response) -> Response:
    """Return the response with its body gzipped, unless it is too small to gain from it."""
    if len(response.body) < GZIP_MIN_BYTES:
        return response
    body = gzip.compress(response.body, GZIP_LEVEL, mtime=0)
    return replace(response, body=body).with_headers(("Content-Encoding", "gzip"))
