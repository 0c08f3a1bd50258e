"""How to verify the server over TLS, and what TLS errors mean."""

from __future__ import annotations

import ssl
import threading
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from ami_exporter.ami.errors import TlsFailed

#: Contexts to cache: one for each CA file in use. A context holds no secret.
CONTEXTS = 64
_making = threading.Lock()


class Tls(Protocol):
    """How to verify the server. `config.target_settings.AmiTlsSettings` is one."""

    @property
    def ca_file(self) -> str | None:
        """Authorities to trust; None: the system's."""

    @property
    def server_name(self) -> str | None:
        """The name in the server's certificate; None: the host."""

    @property
    def verify(self) -> bool:
        """False accepts any certificate and so any man in the middle; only an explicit wish may set it."""


def client_context(tls: Tls) -> ssl.SSLContext:
    """Return the client side's context; raises TlsFailed for a CA file that cannot be used.

    Reading the system's CAs takes up to 80 ms of CPU, so connections share a context until its files change.
    """
    reads_files = tls.verify or tls.ca_file is not None
    with _making:  # five hundred simultaneous connections must not each make their own
        return _made(tls.ca_file, tls.verify, _state(tls.ca_file) if reads_files else ())


def _state(ca_file: str | None) -> tuple[object, ...]:
    """Return a value that changes when the CA files change."""
    system = ssl.get_default_verify_paths()
    paths = (system.cafile, system.capath) if ca_file is None else (ca_file,)
    return tuple(_stamp(path) for path in paths if path)


def _stamp(path: str) -> tuple[int, ...]:
    try:
        found = Path(path).stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@lru_cache(CONTEXTS)
def _made(ca_file: str | None, verify: bool, _files: tuple[object, ...]) -> ssl.SSLContext:
    if not verify and ca_file is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise TlsFailed(f"CA file {ca_file}: {error}; expected a readable PEM file") from error
    # Python 3.13 refuses certificates without key identifiers, which private authorities often make and other
    # clients accept. Chain, dates and name are still checked.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def advice(error: OSError) -> str:
    """Explain an error of a handshake and say what to do."""
    text = str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the server's certificate was not accepted: {error.verify_message}; set ca_file to the CA that"
            " signed it and server_name to the name in it"
        )
    if "WRONG_VERSION_NUMBER" in text or "UNKNOWN_PROTOCOL" in text:
        return "the server does not speak TLS on this port; AMI over TLS is tlsbindaddr in manager.conf (5039)"
    if "CERTIFICATE_REQUIRED" in text or "HANDSHAKE_FAILURE" in text:
        return (
            f"the server ended the TLS handshake: {text}; the server wants a certificate of its clients, which this one"
            " has not, or has no protocol version or cipher in common with it"
        )
    return f"the TLS handshake failed: {text}; check tlscertfile in manager.conf and the port"
