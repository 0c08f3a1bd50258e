"""Finds what a new web.config.file would remove, compared with the one in force.

While a file is being written it may be empty or cut short, and a failed write may leave it so. What is missing then was
not removed on purpose. So each setting is a claim. A missing or changed claim is a loss, which the caller delays. To
remove a lock (users, client certificates, TLS), the file must say so explicitly; leaving it out is not enough.
"""

import ssl
from dataclasses import fields

from ami_exporter.webconfig.document import ServerTls, WebConfig

Claim = tuple[str, object]

# New hashes and certificates take effect at once: that they exist is a claim, their content is not.
_MATERIAL = {"cert_file", "key_file", "cert", "key", "client_ca_file", "client_ca", "allowed_sans", "places"}
_STRICTNESS = (ssl.CERT_NONE, ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED)

NO_USERS = "basic_auth_users: {}"
NO_CLIENT_CERTIFICATES = "client_auth_type: NoClientCert"
OPTIONAL_CLIENT_CERTIFICATES = "client_auth_type: VerifyClientCertIfGiven"
ANY_CLIENT_NAME = "client_allowed_sans: []"


def claims(config: WebConfig, certificates: dict[str, int]) -> frozenset[Claim]:
    """Return the claims of a file; `certificates` counts those in each PEM setting."""
    found: set[Claim] = {("user", name) for name in config.users}
    found |= {("header", pair) for pair in config.headers}
    found |= {(setting, number) for setting, count in certificates.items() for number in range(count)}
    if config.rate is not None:
        found.add(("rate", config.rate))
    if config.tls is not None:
        found |= _tls_claims(config.tls)
    return frozenset(found)


def _tls_claims(tls: ServerTls) -> set[Claim]:
    plain = ServerTls()
    names = [field.name for field in fields(tls) if field.name not in _MATERIAL]
    set_to = {(name, getattr(tls, name)) for name in names if getattr(tls, name) != getattr(plain, name)}
    return {("tls", True), *set_to, *(("client name", name) for name in tls.allowed_sans)}


def locks_lost(old: WebConfig, new: WebConfig) -> list[str]:
    """Describe each lock that the new file drops without saying so, and how to drop it: explicitly or by a restart."""
    lost = []
    if old.users and not new.users and NO_USERS not in new.waived:
        lost.append(f"it has no users any more; to serve without passwords write `{NO_USERS}`, or restart")
    if old.tls is None:
        return lost
    if new.tls is None:
        return [*lost, "it has no certificate any more; TLS can be switched off only by a restart"]
    return lost + _client_locks_lost(old.tls, new.tls, new.waived)


def _client_locks_lost(old: ServerTls, new: ServerTls, waived: frozenset[str]) -> list[str]:
    if _STRICTNESS.index(new.client_auth) < _STRICTNESS.index(old.client_auth):
        accepted = {ssl.CERT_NONE: NO_CLIENT_CERTIFICATES, ssl.CERT_OPTIONAL: OPTIONAL_CLIENT_CERTIFICATES}
        wanted = accepted[new.client_auth]
        if wanted not in waived:
            return [f"it no longer asks for client certificates; if that is meant write `{wanted}`, or restart"]
    if new.client_auth == ssl.CERT_NONE:
        return []
    lost = []
    if (old.client_ca_file or old.client_ca) and not (new.client_ca_file or new.client_ca):
        lost.append("it has no client_ca_file any more; the system's authorities are taken only after a restart")
    if old.allowed_sans and not new.allowed_sans and ANY_CLIENT_NAME not in waived:
        lost.append(f"it has no client_allowed_sans any more; to let in any name write `{ANY_CLIENT_NAME}`, or restart")
    return lost
