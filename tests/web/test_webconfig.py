"""exporter-toolkit's good and bad cases (under its names, where it has them), and ours."""

import shutil
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from ami_exporter.webconfig.document import WebConfig, read_web_config
from ami_exporter.webconfig.live import check_web_config
from tests.support.certificates import Authority

CASES = Path(__file__).parent / "webyml"
AUTHORITY = Authority()
SERVER = AUTHORITY.issue("localhost")
OTHER = AUTHORITY.issue("localhost")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The cases beside the certificates they name."""
    shutil.copytree(CASES, tmp_path, dirs_exist_ok=True)
    SERVER.write(tmp_path, "server")
    OTHER.write(tmp_path, "other")
    (tmp_path / "ca.pem").write_text(AUTHORITY.pem)
    return tmp_path


def names(kind: str) -> list[str]:
    return sorted(path.name.removesuffix(f".{kind}.yml") for path in CASES.glob(f"*.{kind}.yml"))


@pytest.mark.parametrize("name", names("good"))
def test_a_good_file_has_no_fault(folder: Path, name: str) -> None:
    assert check_web_config(str(folder / f"{name}.good.yml")) == []


NEITHER_CERT = "cert_file: expected cert_file or cert with the server's certificate, found neither"
NEITHER_KEY = "key_file: expected key_file or key with the server's private key, found neither"
UNVERIFIED = (
    "asks for a certificate without verifying it, which Python's TLS cannot do; use RequireAndVerifyClientCert or "
    "VerifyClientCertIfGiven with client_ca_file"
)
POLICIES = "NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert"
GCM = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2"
ONLY_TLS13 = (
    "it lists TLS 1.3 suites only, among which Python's TLS cannot choose (all three are always offered); "
    "leave the list out and set min_version: TLS13"
)
NO_EFFECT = "it has no effect without client_auth_type: RequireAndVerifyClientCert"
HASH = "expected a bcrypt hash of 60 characters, as `htpasswd -nBC 10 NAME` prints it"
TLS_KEYS = (
    "cert, cert_file, cipher_suites, client_allowed_sans, client_auth_type, client_ca, client_ca_file, "
    "curve_preferences, key, key_file, max_version, min_version or prefer_server_cipher_suites"
)
SECTIONS = "tls_server_config, http_server_config, basic_auth_users or rate_limit"
SORTED_SECTIONS = "basic_auth_users, http_server_config, rate_limit or tls_server_config"
HEADERS = (
    "Content-Security-Policy, Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options or X-XSS-Protection"
)
BAD: dict[str, list[str]] = {
    "auth_clientCAs_invalid": [
        ':5:19: client_ca_file: cannot read "FOLDER/somefile": no such file or directory',
    ],
    "auth_clientCAs_junk": [
        ":5:19: client_ca_file: expected certificates in PEM format, found none",
    ],
    "auth_user_list_invalid": [
        f":5:9: john: {HASH}",
    ],
    "broken_cert": [
        ":2:9: cert: OpenSSL refuses certificate or key: broken PEM",
    ],
    "cert_is_a_key": [
        ":2:14: cert_file: expected a certificate in PEM format, found none",
    ],
    "duplicate_key": [
        ":3:3: found a key a second time (first on line 2): remove one",
    ],
    "encrypted_key": [
        ":3:8: key: the key is encrypted, expected one without passphrase",
    ],
    "hash_of_another_kind": [
        f":2:10: alice: {HASH}",
    ],
    "header_of_two_lines": [
        ":3:32: Strict-Transport-Security: expected printable ASCII on one line",
    ],
    "headers_content_type_options": [
        ':3:29: X-Content-Type-Options: expected nosniff, found "sniff"',
    ],
    "headers_extra_header": [
        f':3:5: header "Content-Type" cannot be configured, expected {HEADERS}',
    ],
    "headers_frame_options": [
        ':3:22: X-Frame-Options: expected deny or sameorigin, found "foo"',
    ],
    "http2_is_a_word": [
        ':2:10: http2: expected true or false, found "maybe"',
    ],
    "junk": [
        f":1:1: expected {SECTIONS}, found other text",
    ],
    "junk_key": [
        f':2:3: unknown key "cert_filse" in tls_server_config, expected {TLS_KEYS}; did you mean "cert_file"?',
    ],
    "key_is_a_cert": [
        ":3:13: key_file: expected a private key in PEM format, found none",
    ],
    "min_above_max": [
        ":4:16: min_version: it is above max_version: no client could connect",
    ],
    "mismatched_key": [
        ":3:13: key_file: the key does not belong to the certificate in cert_file",
    ],
    "noAuth_certPath_empty": [
        f":2:14: {NEITHER_CERT}",
    ],
    "noAuth_certPath_invalid": [
        ':2:14: cert_file: cannot read "FOLDER/somefile": no such file or directory',
    ],
    "noAuth_certPath_keyPath_empty": [
        f":2:14: {NEITHER_CERT}",
        f":3:13: {NEITHER_KEY}",
        f':4:21: client_auth_type: expected {POLICIES}, found "x"',
    ],
    "noAuth_cert_empty": [
        f":2:3: {NEITHER_CERT}",
    ],
    "noAuth_client_ca_without_policy": [
        f":4:19: client_ca_file: {NO_EFFECT}",
    ],
    "noAuth_inventedCiphers": [
        f':6:3: cipher_suites: unknown cipher "{GCM}048"; did you mean "{GCM}56"?',
    ],
    "noAuth_inventedCurves": [
        ':6:5: curve_preferences: unknown curve "CurveP257", expected CurveP256, CurveP384, CurveP521 or X25519',
    ],
    "noAuth_keyPath_empty": [
        f":3:13: {NEITHER_KEY}",
    ],
    "noAuth_keyPath_invalid": [
        ':3:13: key_file: cannot read "FOLDER/somefile": no such file or directory',
    ],
    "noAuth_key_empty": [
        f":2:3: {NEITHER_KEY}",
    ],
    "noAuth_wrongTLSVersion": [
        ':5:16: min_version: expected TLS10, TLS11, TLS12 or TLS13, found "TLS111"; did you mean "TLS11"?',
    ],
    "not_utf8": [
        ": not UTF-8 at byte 20",
    ],
    "old_max_version": [
        ":5:16: max_version: expected TLS12 or TLS13: OpenSSL no longer serves older versions",
    ],
    "rate_negative_burst": [
        ":3:10: burst: expected a whole number, 0 or more, found -1",
    ],
    "rate_without_unit": [
        ':2:13: interval: expected a duration such as "1s" or "100ms", found 5',
    ],
    "requestclientcert": [
        f":4:21: client_auth_type: RequestClientCert {UNVERIFIED}",
    ],
    "requireanyclientcert": [
        f":4:21: client_auth_type: RequireAnyClientCert {UNVERIFIED}",
    ],
    "sans_without_policy": [
        f":4:24: client_allowed_sans: {NO_EFFECT}",
    ],
    "section_is_a_list": [
        ":1:20: tls_server_config: expected settings under it, found a list",
    ],
    "several_faults": [
        f":2:3: {NEITHER_KEY}",
        ':3:16: min_version: expected TLS10, TLS11, TLS12 or TLS13, found "TLS99"; did you mean "TLS13"?',
        f':4:3: unknown key "colour" in tls_server_config, expected {TLS_KEYS}',
        f':6:13: header "Server" cannot be configured, expected {HEADERS}',
        f":8:10: alice: {HASH}",
    ],
    "tls13_ciphers_only": [
        f":4:18: cipher_suites: {ONLY_TLS13}",
    ],
    "unknown_section": [
        f':1:1: unknown key "tls_server_confg", expected {SORTED_SECTIONS}; did you mean "tls_server_config"?',
    ],
    "users_as_a_list": [
        ":2:3: basic_auth_users: expected settings under it, found a list",
    ],
}


@pytest.mark.parametrize("name", names("bad"))
def test_a_bad_file_has_exactly_these_faults(folder: Path, name: str) -> None:
    file = str(folder / f"{name}.bad.yml")
    found = [str(fault).removeprefix(file).replace(str(folder), "FOLDER") for fault in check_web_config(file)]
    assert found == BAD[name]


def test_every_bad_file_is_expected() -> None:
    assert sorted(BAD) == names("bad")


def read(text: str) -> WebConfig:
    return read_web_config("/etc/x/web.yml", text)


PAIR = "tls_server_config: {cert_file: a.crt, key_file: /k/a.key%s}"


def test_relative_paths_are_from_the_files_own_folder() -> None:
    tls = read(PAIR % "").tls
    assert tls is not None
    assert tls.files == ("/etc/x/a.crt", "/k/a.key")


def test_the_settings_in_openssls_terms() -> None:
    tls = read(PAIR % ", cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], curve_preferences: [CurveP384]").tls
    assert tls is not None
    assert (tls.ciphers, tls.curve) == (("ECDHE-RSA-AES128-GCM-SHA256",), "secp384r1")
    assert (tls.min_version, tls.max_version) == (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def test_rate_limits() -> None:
    assert read("rate_limit: {interval: 0, burst: 9}").rate is None
    assert read("rate_limit: {interval: 1m1.5s, burst: 20}").rate == (61.5, 20)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("http_server_config: {http2: true}", ("http2: true is accepted, HTTP/1.1 is served",)),
        ("http_server_config: {http2: false}", ()),
        ("http_server_config: {}", ()),
        (
            PAIR % ", curve_preferences: [CurveP256, X25519]",
            ("curve_preferences with several curves has no effect: Python's TLS can be held to one only",),
        ),
        (
            PAIR % ", min_version: TLS11",
            ("min_version below TLS12 is taken as TLS12: OpenSSL no longer serves older versions",),
        ),
    ],
)
def test_what_has_less_effect_than_in_go_is_told_once(text: str, notes: tuple[str, ...]) -> None:
    assert read(text).notes == notes


def test_only_the_tls_keys_that_matter_switch_tls_on() -> None:
    assert read("tls_server_config: {min_version: TLS12, prefer_server_cipher_suites: true}").tls is None
    assert read("").tls is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Path.exists, "cannot be read: no such file or directory"),
        (Path.mkdir, "cannot be read: is a directory"),
        (lambda path: path.write_bytes(b"#" * 1_000_001), "longer than 1000000 bytes: this is no web.config.file"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
    file = tmp_path / "web.yml"
    make(file)
    assert [str(fault) for fault in check_web_config(str(file))] == [f"{file}: {message}"]


def test_no_secret_of_the_file_shows_in_its_settings_or_faults(folder: Path) -> None:
    key = "-----BEGIN PRIVATE KEY----- planted-secret"
    config = read(f"tls_server_config: {{cert_file: a, key: '{key}'}}")
    assert "planted-secret" not in repr(config)
    file = folder / "leak.yml"
    texts = (
        f"tls_server_config: {{cert_file: server.crt, key: '{key}'}}",
        "basic_auth_users: {alice: planted-secret}",
        "basic_auth_users: planted-secret",
        "basic_auth_users: [planted-secret]",
        "tls_server_config: planted-secret",
    )
    for text in texts:
        file.write_text(text)
        faults = check_web_config(str(file))
        assert faults
        assert "planted-secret" not in "".join(map(str, faults))
