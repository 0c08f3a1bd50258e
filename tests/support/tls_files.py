"""The certificate files of a server on loopback, and a client that asks for none."""

from __future__ import annotations

import ssl
from pathlib import Path

from tests.support.certificates import Authority


def write_server_certificate(folder: Path) -> None:
    """Write ca.pem, server.pem and server.key: an authority and its certificate for localhost and 127.0.0.1."""
    authority = Authority()
    pair = authority.issue("localhost")
    (folder / "ca.pem").write_text(authority.pem)
    (folder / "server.pem").write_text(pair.cert)
    (folder / "server.key").write_text(pair.key)


def unverified() -> ssl.SSLContext:
    """A client's context that accepts any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
