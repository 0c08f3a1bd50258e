"""A server that answers each request with one text, in its own process: `python -m benchmarks.web_subject KIND`."""

from __future__ import annotations

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ami_exporter.web.flags import WebFlags
from ami_exporter.web.webserver import make_server
from tests.support.web import FakeService

BODY = b"asterisk_up 1\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Forgetful(FakeService):
    """Does not remember what it was asked."""

    def scrape(self, *_: object) -> bytes:
        """Answer at once."""
        return self.body


def ours() -> int:
    """Our web room, with a service that answers at once."""
    server = make_server(Forgetful(body=BODY), WebFlags(("127.0.0.1:0",)))
    return int(server.start()[0].rpartition(":")[2])


def bare_socket() -> int:
    """A thread for each connection that answers whatever it reads: what Python and the kernel cost at least."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)

    def answer(sock: socket.socket) -> None:
        with sock:
            while sock.recv(4096):
                sock.sendall(ANSWER)

    def accept() -> None:
        while True:
            threading.Thread(target=answer, args=[listener.accept()[0]], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listener.getsockname()[1])


def standard_library() -> int:
    """`http.server`, a thread for each connection."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


KINDS = {"ours": ours, "bare_socket": bare_socket, "standard_library": standard_library}

if __name__ == "__main__":
    sys.stdout.write(f"{KINDS[sys.argv[1]]()}\n")
    sys.stdout.flush()
    sys.stdin.read()
