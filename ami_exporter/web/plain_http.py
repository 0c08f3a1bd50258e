"""The answer to `http://` on a port that speaks TLS: one sentence instead of a connection that breaks."""

import socket
import ssl
import time
from typing import Final

SENTENCE: Final = b"this port speaks TLS: write https:// instead of http://\n"
ANSWER: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
    b"Connection: close\r\n\r\n%b"
) % (len(SENTENCE), SENTENCE)
# What is read of the request, so that the answer is not lost in a reset: a few headers.
DRAIN_BYTES: Final = 64 * 1024
DRAIN_SECONDS: Final = 1.0


def is_plain_http(error: OSError) -> bool:
    """Tell whether a handshake failed because the client wrote an HTTP request."""
    return isinstance(error, ssl.SSLError) and error.reason == "HTTP_REQUEST"


def answer(sock: socket.socket) -> None:
    """Say it in plain text, past TLS, and let the client read it. Raises OSError when it has gone."""
    raw = socket.socket  # not SSLSocket's own methods: those would encrypt
    sock.settimeout(DRAIN_SECONDS)
    raw.sendall(sock, ANSWER)
    raw.shutdown(sock, socket.SHUT_WR)
    until, left = time.monotonic() + DRAIN_SECONDS, DRAIN_BYTES
    while left > 0 and time.monotonic() < until:
        received = raw.recv(sock, left)
        if not received:
            return
        left -= len(received)
