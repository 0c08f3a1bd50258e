"""web.config.file, the format every Prometheus exporter shares (exporter-toolkit, version 1): reads and checks it."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from ami_exporter.config.access import why_unreadable
from ami_exporter.config.faults import ConfigErrors, Fault, either, suggest
from ami_exporter.config.yamlnodes import parse
from ami_exporter.webconfig import tls_names
from ami_exporter.webconfig.section import Section

T = TypeVar("T")

# Enough for a file with several inline certificates.
MAX_FILE_BYTES = 1_000_000

SECTIONS = ("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit")
TLS_KEYS = (
    "cert",
    "key",
    "client_ca",
    "cert_file",
    "key_file",
    "client_auth_type",
    "client_ca_file",
    "client_allowed_sans",
    "min_version",
    "max_version",
    "cipher_suites",
    "prefer_server_cipher_suites",
    "curve_preferences",
)
# Any of these enables TLS, as in the toolkit.
ENABLING = ("cert", "key", "client_ca", "cert_file", "key_file", "client_ca_file", "client_auth_type")

# Modular crypt format: variant, cost 4 to 31, 22 characters of salt and 31 of hash.
_BCRYPT = re.compile(r"\$2[abxy]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")


@dataclass(frozen=True, slots=True)
class ServerTls:
    """`tls_server_config`, in OpenSSL's terms. A file takes precedence over inline text; paths are resolved.

    `places` has the line and column of each key, for faults found only when certificates are loaded.
    """

    cert_file: str = ""
    key_file: str = ""
    cert: str = ""
    key: str = field(default="", repr=False)
    client_auth: ssl.VerifyMode = ssl.CERT_NONE
    client_ca_file: str = ""
    client_ca: str = ""
    allowed_sans: frozenset[str] = frozenset()
    min_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    max_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ciphers: tuple[str, ...] = ()
    prefer_server: bool = True
    curve: str = ""
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def files(self) -> tuple[str, ...]:
        """The certificate, key and CA files, to be watched for changes."""
        return tuple(name for name in (self.cert_file, self.key_file, self.client_ca_file) if name)


@dataclass(frozen=True, slots=True)
class WebConfig:
    """The whole file. `tls` None: plain HTTP. `rate`: seconds between requests, and burst; None: no limit.

    `notes`: settings that are accepted but have less effect than in Go, each logged in one line. `waived`: locks that
    the file explicitly gives up, as written there (`protection.py`).
    """

    tls: ServerTls | None = None
    headers: tuple[tuple[str, str], ...] = ()
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    rate: tuple[float, int] | None = None
    notes: tuple[str, ...] = ()
    waived: frozenset[str] = frozenset()


def read_web_config(file: str, text: str) -> WebConfig:
    """Parse the file's text; raise ConfigErrors with every fault. Does not load certificates."""
    root = parse(file, text)
    if root.value is None:
        return WebConfig()
    if not isinstance(root.value, dict):
        raise ConfigErrors([Fault(file, root.line, root.column, f"expected {either(SECTIONS)}, found other text")])
    top = Section(file, "", root)
    top.known(SECTIONS)
    notes: list[str] = []
    config = WebConfig(
        tls=_tls(top.section("tls_server_config"), notes),
        headers=_http(top.section("http_server_config"), notes, explicit="http_server_config" in root.children),
        users=_users(top.section("basic_auth_users")),
        rate=_rate(top.section("rate_limit")),
        notes=tuple(notes),
        waived=_waived(top),
    )
    if top.faults:
        raise ConfigErrors(set(top.faults))  # reading a key twice reports its fault twice
    return config


def _waived(top: Section) -> frozenset[str]:
    """Return the locks that the file explicitly gives up. A key without a value does not: the file may be cut short."""
    tls = top.section("tls_server_config")
    found = {f"client_auth_type: {tls.text('client_auth_type')}"}
    found |= {"client_allowed_sans: []"} if tls.written("client_allowed_sans") == [] else set()
    found |= {"basic_auth_users: {}"} if top.written("basic_auth_users") == {} else set()
    return frozenset(found)


def load_text(path: str) -> str:
    """Return the file's text; ConfigErrors if it is unreadable, not UTF-8 or far too long."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            raise ConfigErrors([Fault(path, 0, 0, f"longer than {MAX_FILE_BYTES} bytes: this is no web.config.file")])
        return raw.decode()
    except OSError as error:
        raise ConfigErrors([Fault(path, 0, 0, f"cannot be read: {why_unreadable(error, Path(path))}")]) from None
    except UnicodeDecodeError as error:
        raise ConfigErrors([Fault(path, 0, 0, f"not UTF-8 at byte {error.start + 1}")]) from None


def _tls(section: Section, notes: list[str]) -> ServerTls | None:
    section.known(TLS_KEYS)
    if not any(section.text(key) for key in ENABLING):
        return None
    for what, keys in (("certificate", ("cert_file", "cert")), ("private key", ("key_file", "key"))):
        if not any(section.text(key) for key in keys):
            section.fault(keys[0], f"expected {either(keys)} with the server's {what}, found neither")
    settings = ServerTls(
        cert_file=_path(section, "cert_file"),
        key_file=_path(section, "key_file"),
        cert=section.text("cert"),
        key=section.text("key"),
        client_auth=_client_auth(section),
        client_ca_file=_path(section, "client_ca_file"),
        client_ca=section.text("client_ca"),
        allowed_sans=frozenset(section.texts("client_allowed_sans")),
        min_version=_min_version(section, notes),
        max_version=_choice(section, "max_version", tls_names.VERSIONS, "TLS13"),
        ciphers=_ciphers(section),
        prefer_server=section.flag("prefer_server_cipher_suites", default=True),
        curve=_curve(section, notes),
        places={key: section.place(key) for key in section.node.keys},
    )
    _check_together(section, settings)
    return settings


def _check_together(section: Section, settings: ServerTls) -> None:
    """Report faults that only show when keys are combined."""
    if settings.max_version < ssl.TLSVersion.TLSv1_2:
        section.fault("max_version", "expected TLS12 or TLS13: OpenSSL no longer serves older versions")
    elif settings.min_version > settings.max_version:
        section.fault("min_version", "it is above max_version: no client could connect")
    if section.text("client_auth_type") in {"", "NoClientCert"}:
        for key in ("client_ca_file", "client_ca", "client_allowed_sans"):
            if section.text(key) if key != "client_allowed_sans" else section.texts(key):
                section.fault(key, "it has no effect without client_auth_type: RequireAndVerifyClientCert")


def _path(section: Section, key: str) -> str:
    written = section.text(key)
    return str(Path(section.file).parent / written) if written else ""


def _choice(section: Section, key: str, table: Mapping[str, T], default: str) -> T:
    found = section.text(key)
    if found and found not in table:
        names = [name for name in table if name]
        section.fault(key, f'expected {either(names)}, found "{found}"{suggest(found, names)}')
    return table[found if found in table and found else default]


def _client_auth(section: Section) -> ssl.VerifyMode:
    key = "client_auth_type"
    found = section.text(key)
    if found in tls_names.CLIENT_AUTH_REFUSED:
        message = (
            f"{found} asks for a certificate without verifying it, which Python's TLS cannot do; use "
            "RequireAndVerifyClientCert or VerifyClientCertIfGiven with client_ca_file"
        )
        section.fault(key, message)
        return ssl.CERT_NONE
    return _choice(section, key, tls_names.CLIENT_AUTH, "")


def _min_version(section: Section, notes: list[str]) -> ssl.TLSVersion:
    version: ssl.TLSVersion = _choice(section, "min_version", tls_names.VERSIONS, "TLS12")
    if version < ssl.TLSVersion.TLSv1_2:
        notes.append("min_version below TLS12 is taken as TLS12: OpenSSL no longer serves older versions")
        return ssl.TLSVersion.TLSv1_2
    return version


def _ciphers(section: Section) -> tuple[str, ...]:
    key = "cipher_suites"
    names = section.texts(key)
    valid = (*tls_names.CIPHERS, *tls_names.CIPHERS_TLS13)
    for name in names:
        if name not in valid:
            section.fault(key, f'unknown cipher "{name}"{suggest(name, valid)}')
    chosen = tuple(tls_names.CIPHERS[name] for name in names if name in tls_names.CIPHERS)
    if names and all(name in tls_names.CIPHERS_TLS13 for name in names):
        section.fault(
            key,
            "it lists TLS 1.3 suites only, among which Python's TLS cannot choose (all three are always offered); "
            "leave the list out and set min_version: TLS13",
        )
    return chosen


def _curve(section: Section, notes: list[str]) -> str:
    key = "curve_preferences"
    names = section.texts(key)
    for name in names:
        if name not in tls_names.CURVES:
            section.fault(key, f'unknown curve "{name}", expected {either(list(tls_names.CURVES))}')
    if len(names) > 1:
        notes.append("curve_preferences with several curves has no effect: Python's TLS can be held to one only")
        return ""
    return tls_names.CURVES.get(names[0], "") if names else ""


def _http(section: Section, notes: list[str], *, explicit: bool) -> tuple[tuple[str, str], ...]:
    section.known(("http2", "headers"))
    if section.flag("http2", default=True) and explicit and "http2" in section.node.children:
        notes.append("http2: true is accepted, HTTP/1.1 is served")
    headers = section.section("headers")
    for name, (line, column) in headers.node.keys.items():
        if name not in tls_names.HEADERS:
            message = f'header "{name}" cannot be configured, expected {either(list(tls_names.HEADERS))}'
            headers.faults.append(Fault(headers.file, line, column, message))
    return tuple((name, _header(headers, name)) for name in tls_names.HEADERS if headers.text(name))


def _header(headers: Section, name: str) -> str:
    value, allowed = headers.text(name), tls_names.HEADERS[name]
    if allowed and value not in allowed:
        headers.fault(name, f'expected {either(allowed)}, found "{value}"')
    elif not (value.isascii() and value.isprintable()):
        headers.fault(name, "expected printable ASCII on one line")
    return value


def _users(section: Section) -> dict[str, str]:
    users = {name: section.text(name) for name in section.node.keys}
    for name, written in users.items():
        if not _BCRYPT.fullmatch(written):
            section.fault(name, "expected a bcrypt hash of 60 characters, as `htpasswd -nBC 10 NAME` prints it")
    if users and find_spec("bcrypt") is None:
        line, column = section.node.line, section.node.column
        message = "basic_auth_users needs the package bcrypt: pip install 'ami-exporter[auth]'"
        section.faults.append(Fault(section.file, line, column, message))
    return users


def _rate(section: Section) -> tuple[float, int] | None:
    section.known(("interval", "burst"))
    interval, burst = section.seconds("interval"), section.whole("burst")
    return (interval, burst) if interval else None
