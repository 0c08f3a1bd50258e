"""From `tls_server_config` to an SSL context, and a context that follows its files."""

import ipaddress
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from ami_exporter.web.webconfig import TlsSettings

# Certificate, key and CA files hold some kB; more is a mistake such as a device file.
MAX_PEM_BYTES = 1_000_000


class TlsError(Exception):
    """A certificate, key or CA cannot be used; `key` names the setting it came from."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.key = key


def build_context(settings: TlsSettings) -> ssl.SSLContext:
    """Build a server context from settings that were checked; TlsError when a file's content does not fit.

    Files are read here, once: a certificate that is just being replaced can fail, but never be served half.
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
    _load_certificate(context, settings)
    _load_client_ca(context, settings)
    return context


def _load_certificate(context: ssl.SSLContext, settings: TlsSettings) -> None:
    cert_name, cert = _pem("cert_file", settings.cert_file, "cert", settings.cert)
    key_name, key = _pem("key_file", settings.key_file, "key", settings.key)
    if b"-----BEGIN CERTIFICATE-----" not in cert:
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


def _load_client_ca(context: ssl.SSLContext, settings: TlsSettings) -> None:
    if settings.client_auth == ssl.CERT_NONE:
        return
    if settings.client_ca_file or settings.client_ca:
        name, ca = _pem("client_ca_file", settings.client_ca_file, "client_ca", settings.client_ca)
        try:
            context.load_verify_locations(cadata=ca.decode("ascii", errors="replace"))
        except (ssl.SSLError, ValueError):
            raise TlsError(name, "expected certificates in PEM format, found none") from None
    else:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)  # Go takes the system's CAs too
    context.verify_mode = settings.client_auth
    # Go trusts whatever certificate stands in the file, not only roots.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if settings.allowed_sans:
        context.sslobject_class = _checking(settings.allowed_sans)


def _pem(file_key: str, path: str, inline_key: str, inline: str) -> tuple[str, bytes]:
    """Return the setting's name and its bytes; the file wins, as in the toolkit."""
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
    """Give a path to bytes that live in memory only: ssl loads keys from files alone, and keys belong on no disk."""
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _checking(allowed: frozenset[str]) -> type[ssl.SSLObject]:
    """Make an SSLObject whose handshake fails unless the client's certificate has one of these names.

    A class, since that is what a context takes; Python has no hook for a certificate's verification.
    """

    class CheckedSans(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            certificate = self.getpeercert()
            if certificate is not None and not allowed & set(sans(certificate)):
                raise ssl.SSLCertVerificationError("no name of the client's certificate is in client_allowed_sans")

    return CheckedSans


def sans(certificate: Any) -> Iterator[str]:  # ssl's own type is a dictionary of everything
    """Yield the subject alternative names (DNS, e-mail, IP address, URI) of a certificate as ssl shows it."""
    for kind, value in certificate.get("subjectAltName", ()):
        if kind == "IP Address":
            with suppress(ValueError):
                yield str(ipaddress.ip_address(value))
        else:
            yield value


class LiveContext(ssl.SSLContext):
    """The context the server holds: each new connection asks `current` for the real one.

    So everything, client CAs taken away included, changes at once and only as a whole; connections that are open keep
    what they began with.
    """

    current: Callable[[], ssl.SSLContext]

    def __new__(cls, current: Callable[[], ssl.SSLContext]) -> Self:
        """Make a context that is never used for a handshake itself."""
        context = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        context.current = current
        return context

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:  # passed on as they are
        """Begin a connection with the context of now."""
        return self.current().wrap_bio(*args, **kwargs)
