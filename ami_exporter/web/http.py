"""A request and a response as plain values, and how a response goes out: in pieces, under a deadline."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

Scope = Mapping[str, Any]  # ASGI gives open dictionaries; only `read_request` looks inside
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"

# One write of the server's: what a reader that stops can hold in our memory at most.
PIECE_BYTES = 64 * 1024
# Below one packet gzip saves nothing.
GZIP_MIN_BYTES = 1400
# Level 4 is within 5 % of level 6's size on metrics text, at half its time.
GZIP_LEVEL = 4


@dataclass(frozen=True, slots=True)
class Request:
    """What a handler may know of a request. Header names are in lower case, repeated headers joined by a comma."""

    method: str
    path: str  # as sent, not decoded: only exact paths exist
    query: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """Return a header's value, empty when absent."""
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response; `headers` go beside Content-Type and Content-Length."""

    status: HTTPStatus
    body: bytes = b""
    content_type: str = TEXT
    headers: tuple[tuple[str, str], ...] = ()

    def with_headers(self, *headers: tuple[str, str]) -> "Response":
        """Return the same response with these headers added or, where the name is already there, replaced."""
        names = {name.lower() for name, _ in headers}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        return replace(self, headers=(*kept, *headers))


def plain(status: HTTPStatus, message: str, *headers: tuple[str, str]) -> Response:
    """Return a text response of one message."""
    return Response(status, f"{message}\n".encode(errors="backslashreplace"), TEXT, headers)


def zipped(response: Response) -> Response:
    """Return the response with its body compressed, where that pays."""
    if len(response.body) < GZIP_MIN_BYTES:
        return response
    body = gzip.compress(response.body, GZIP_LEVEL, mtime=0)
    return replace(response, body=body).with_headers(("Content-Encoding", "gzip"))


def read_request(scope: Scope) -> Request:
    """Return the ASGI scope as a Request."""
    path = scope["raw_path"].decode("latin-1")
    if path.startswith(("http://", "https://")):  # as a proxy asks (RFC 9112, 3.2.2)
        path = "/" + path.partition("://")[2].partition("/")[2]
    return Request(scope["method"], path, scope["query_string"], _joined(scope["headers"]))


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


async def send_response(send: Send, response: Response, gone: asyncio.Event, seconds: float) -> None:
    """Send the response, until the client has `gone`; the server omits the body where HEAD asked.

    Raises TimeoutError when the reader takes longer than `seconds`.
    """
    headers = [
        ("Content-Type", response.content_type),
        ("Content-Length", str(len(response.body))),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
    ]
    named = {name.lower() for name, _ in response.headers}
    headers = [pair for pair in headers if pair[0].lower() not in named] + list(response.headers)
    async with asyncio.timeout(seconds):
        await send(
            {
                "type": "http.response.start",
                "status": int(response.status),
                "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            }
        )
        for start in range(0, len(response.body), PIECE_BYTES):
            await asyncio.sleep(0)  # others' turn: `send` to a lost connection returns without ever waiting
            if gone.is_set():
                return
            piece = response.body[start : start + PIECE_BYTES]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
