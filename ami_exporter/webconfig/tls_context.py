"""Builds an SSL context from `tls_server_config`."""

import ipaddress
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ami_exporter.webconfig.document import ServerTls

# Certificate, key and CA files have a few kB; anything larger is a mistake, such as a device file.
MAX_PEM_BYTES = 1_000_000

_BEGIN = b"-----BEGIN CERTIFICATE-----"


class TlsError(Exception):
    """A certificate, key or CA is unusable; `key` names its setting."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.key = key


@dataclass(frozen=True, slots=True)
class BuiltContext:
    """A server's context, and the number of certificates in each setting it was built from."""

    context: ssl.SSLContext
    certificates: dict[str, int] = field(default_factory=dict)


def build_context(settings: ServerTls) -> BuiltContext:
    """Build a server context from checked settings; TlsError if a file's content is unusable.

    Each file is read once: if it is just being replaced, loading may fail, but half a file is never served.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = settings.min_version
    context.maximum_version = settings.max_version
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if not settings.prefer_server:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if settings.ciphers:
        context.set_ciphers(":".join(settings.ciphers))
    if settings.curve:
        context.set_ecdh_curve(settings.curve)
    context.set_alpn_protocols(["http/1.1"])
    certificates = {
        "certificate": _load_certificate(context, settings),
        "client CA": _load_client_ca(context, settings),
    }
    return BuiltContext(context, certificates)


def _load_certificate(context: ssl.SSLContext, settings: ServerTls) -> int:
    """Load the server's certificate chain and key; return the length of the chain."""
    cert_name, cert = _pem("cert_file", settings.cert_file, "cert", settings.cert)
    key_name, key = _pem("key_file", settings.key_file, "key", settings.key)
    if _BEGIN not in cert:
        raise TlsError(cert_name, "expected a certificate in PEM format, found none")
    if b"PRIVATE KEY-----" not in key:
        raise TlsError(key_name, "expected a private key in PEM format, found none")
    if b"ENCRYPTED" in key:
        raise TlsError(key_name, "the key is encrypted, expected one without passphrase")
    with _as_file(cert) as cert_path, _as_file(key) as key_path:
        try:
            context.load_cert_chain(cert_path, key_path, password=b"")
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise TlsError(key_name, f"the key does not belong to the certificate in {cert_name}") from None
            raise TlsError(cert_name, f"OpenSSL refuses certificate or key: {error.reason or 'broken PEM'}") from None
    return cert.count(_BEGIN)


def _load_client_ca(context: ssl.SSLContext, settings: ServerTls) -> int:
    """Load the CAs for client certificates; return how many the setting has."""
    if settings.client_auth == ssl.CERT_NONE:
        return 0
    count = 0
    if settings.client_ca_file or settings.client_ca:
        name, ca = _pem("client_ca_file", settings.client_ca_file, "client_ca", settings.client_ca)
        try:
            context.load_verify_locations(cadata=ca.decode("ascii", errors="replace"))
        except (ssl.SSLError, ValueError):
            raise TlsError(name, "expected certificates in PEM format, found none") from None
        count = ca.count(_BEGIN)
    else:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)  # as Go does
    context.verify_mode = settings.client_auth
    # As in Go, trust every certificate in the file, not only roots.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if settings.allowed_sans:
        context.sslsocket_class = _checking(settings.allowed_sans)
    return count


def _pem(file_key: str, path: str, inline_key: str, inline: str) -> tuple[str, bytes]:
    """Return the setting's name and its bytes; a file takes precedence, as in the toolkit."""
    if not path:
        return inline_key, inline.encode()
    try:
        with Path(path).open("rb") as file:
            return file_key, file.read(MAX_PEM_BYTES)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise TlsError(file_key, f'cannot read "{path}": {reason}') from None


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """Yield a path to an in-memory file: ssl loads keys only from files, and keys must not be written to disk."""
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _checking(allowed: frozenset[str]) -> type[ssl.SSLSocket]:
    """Make an SSLSocket whose handshake fails unless the client's certificate has one of these names.

    It is a class because `SSLContext.sslsocket_class` takes one; Python has no hook for certificate verification.
    """

    class CheckedSans(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            certificate = self.getpeercert()
            if certificate is not None and not allowed & set(sans(certificate)):
                raise ssl.SSLCertVerificationError("no name of the client's certificate is in client_allowed_sans")

    return CheckedSans


def sans(certificate: Any) -> Iterator[str]:  # typeshed's own type for it is hardly more precise
    """Yield the subject alternative names (DNS, e-mail, IP address, URI) of a certificate as ssl shows it."""
    for kind, value in certificate.get("subjectAltName", ()):
        if kind == "IP Address":
            with suppress(ValueError):
                yield str(ipaddress.ip_address(value))
        else:
            yield value
