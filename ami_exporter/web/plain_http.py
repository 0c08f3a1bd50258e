"""Answers `http://` requests to a TLS port with an explanation, instead of just closing the connection."""

import socket
import ssl
import time
from typing import Final

SENTENCE: Final = b"this port speaks TLS: write https:// instead of http://\n"
ANSWER: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
    b"Connection: close\r\n\r\n%b"
) % (len(SENTENCE), SENTENCE)
# Read this much of the request, so that a TCP reset does not discard the answer.
DRAIN_BYTES: Final = 64 * 1024
DRAIN_SECONDS: Final = 1.0


def is_plain_http(error: OSError) -> bool:
    """Whether the handshake failed because the client sent a plain HTTP request."""
    return isinstance(error, ssl.SSLError) and error.reason == "HTTP_REQUEST"


def answer(sock: socket.socket) -> None:
    """Send the answer unencrypted, and give the client time to read it. Raises OSError if the client has gone."""
    raw = socket.socket  # SSLSocket's own methods would encrypt
    sock.settimeout(DRAIN_SECONDS)
    raw.sendall(sock, ANSWER)
    raw.shutdown(sock, socket.SHUT_WR)
    until, left = time.monotonic() + DRAIN_SECONDS, DRAIN_BYTES
    while left > 0 and time.monotonic() < until:
        received = raw.recv(sock, left)
        if not received:
            return
        left -= len(received)
