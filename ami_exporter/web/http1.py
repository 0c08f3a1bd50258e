"""HTTP/1.1 on one connection, using h11: reads requests and sends responses, each with a deadline."""

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus

import h11

from ami_exporter.web.capacity import ServerLimits
from ami_exporter.web.connections import WebConnection
from ami_exporter.web.http import Request, Response, plain

# Larger than a usual request; each waiting connection allocates this much.
RECEIVE_BYTES = 4096
# No path uses a request body: a small one is read and discarded, a larger one is refused unread.
MAX_BODY_BYTES = 64 * 1024
# Up to this body size, head and body are sent in one piece.
JOINED_BYTES = 64 * 1024
# After a refusal, read on for this long and this much, so that a client still sending sees the answer, not a reset.
LINGER_SECONDS = 0.5
LINGER_BYTES = 1024 * 1024

HTTP_VERSIONS = (b"1.0", b"1.1")


class RefusedError(Exception):
    """The request is answered with `response` and the connection closed; no handler sees it."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.response = plain(status, message, ("Connection", "close"))


class Http1:
    """The requests of one connection, one by one. All methods raise OSError when the client is gone or too slow."""

    def __init__(self, connection: WebConnection, limits: ServerLimits) -> None:
        self._connection = connection
        self._limits = limits
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.header_bytes)
        self._head_only = False

    def read_request(self) -> Request | None:
        """Return the next request, or None when the client has closed. Raises RefusedError."""
        try:
            event = self._next_event(time.monotonic() + self._limits.idle)
        except h11.RemoteProtocolError as error:
            raise RefusedError(HTTPStatus(error.error_status_hint), "this is not an HTTP/1.1 request") from None
        if not isinstance(event, h11.Request):
            return None
        self._head_only = event.method == b"HEAD"
        request = _request(event)
        _check(request, event.http_version)
        return request

    def send(self, response: Response) -> None:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.all_headers()]
        reason = response.status.phrase.encode()
        head = h11.Response(status_code=response.status, headers=headers, reason=reason)
        pieces = [self._h11.send(head) or b""]
        if response.body and not self._head_only:
            pieces += [bytes(piece) for piece in self._h11.send_with_data_passthrough(h11.Data(response.body)) or ()]
        pieces.append(self._h11.send(h11.EndOfMessage()) or b"")
        if len(response.body) <= JOINED_BYTES:
            pieces = [b"".join(pieces)]
        until = time.monotonic() + self._limits.send
        for piece in pieces:
            self._send_all(piece, until)

    def ready_for_next(self) -> bool:
        """Discard the request's body; return whether another request may follow."""
        if self._h11.they_are_waiting_for_100_continue:
            return False
        until = time.monotonic() + self._limits.idle
        with suppress(h11.RemoteProtocolError):
            while self._h11.their_state is h11.SEND_BODY:
                self._next_event(until)
            if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
                self._h11.start_next_cycle()
                return True
        return False

    def refuse(self, response: Response) -> None:
        """Send a final response, and give a client that is still sending time to read it."""
        if self._h11.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        self.send(response)
        sock = self._connection.sock
        socket.socket.shutdown(sock, socket.SHUT_WR)
        until, left = time.monotonic() + LINGER_SECONDS, LINGER_BYTES
        while left > 0:
            self._wait_until(until)
            received = socket.socket.recv(sock, RECEIVE_BYTES)  # no need to decrypt: it is discarded
            if not received:
                return
            left -= len(received)

    def _next_event(self, until: float) -> h11.Event | type[h11.PAUSED]:
        while True:
            event = self._h11.next_event()
            if not isinstance(event, type) or event is h11.PAUSED:
                return event
            self._wait_until(until)
            self._h11.receive_data(self._connection.sock.recv(RECEIVE_BYTES))

    def _send_all(self, data: bytes, until: float) -> None:
        view = memoryview(data)
        while view:
            self._wait_until(until)
            view = view[self._connection.sock.send(view) :]

    def _wait_until(self, until: float) -> None:
        """Set the socket's timeout to the time that is left."""
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the client is too slow")
        self._connection.sock.settimeout(left)


def _request(event: h11.Request) -> Request:
    target = event.target.decode("latin-1")
    if target.startswith(("http://", "https://")):  # absolute form, as sent to proxies (RFC 9112, 3.2.2)
        target = "/" + target.partition("://")[2].partition("/")[2]
    path, _, query = target.partition("?")
    headers: dict[str, str] = {}
    for raw_name, raw_value in event.headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Request(event.method.decode("ascii"), path, query.encode("latin-1"), headers)


def _check(request: Request, version: bytes) -> None:
    """Refuse what h11 accepts but we do not support: other protocols and large bodies."""
    if version not in HTTP_VERSIONS:
        raise RefusedError(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 is spoken here")
    if "upgrade" in request.headers or request.method == "CONNECT":
        raise RefusedError(HTTPStatus.BAD_REQUEST, "HTTP/1.1 is spoken here, without upgrades and tunnels")
    if not _small_body(request.headers):
        message = f"no path here takes a request body of more than {MAX_BODY_BYTES} bytes"
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)


def _small_body(headers: Mapping[str, str]) -> bool:
    # h11 has already checked that the length is a number.
    return "transfer-encoding" not in headers and int(headers.get("content-length", "0")) <= MAX_BODY_BYTES
