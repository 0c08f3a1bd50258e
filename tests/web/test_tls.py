import http.client
import ssl
import subprocess
from pathlib import Path

import pytest

from ami_exporter.webconfig import live
from tests.support.certificates import Authority, Pair
from tests.support.web import Answer, exchange, running, wait_until

AUTHORITY = Authority()
SERVER = AUTHORITY.issue("localhost")
CLIENT = AUTHORITY.issue("prometheus", "prometheus.example.net")
TLS = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"


def folder_with(tmp_path: Path, text: str = TLS) -> Path:
    SERVER.write(tmp_path, "server")
    (tmp_path / "ca.pem").write_text(AUTHORITY.pem)
    file = tmp_path / "web.yml"
    file.write_text(text)
    return file


def trusting(tmp_path: Path, client: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=AUTHORITY.pem)
    # The default since Python 3.13 wants extensions that our throw-away certificates do without.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if client is not None:
        context.load_cert_chain(*client.write(tmp_path, "client"))
    return context


def ask(port: int, context: ssl.SSLContext, path: str = "/metrics") -> Answer:
    connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=context)
    try:
        return exchange(connection, path)
    finally:
        connection.close()


def served_certificate(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=10)


def test_tls_from_files_beside_the_web_config(tmp_path: Path) -> None:
    with running(config_file=str(folder_with(tmp_path))) as web:
        assert ask(web.port, trusting(tmp_path)).status == 200


def test_tls_from_inline_certificate_and_key(tmp_path: Path) -> None:
    def inline(key: str, pem: str) -> str:
        return f"  {key}: |\n" + "".join(f"    {line}\n" for line in pem.splitlines())

    text = "tls_server_config:\n" + inline("cert", SERVER.cert) + inline("key", SERVER.key)
    with running(config_file=str(folder_with(tmp_path, text))) as web:
        assert ask(web.port, trusting(tmp_path)).status == 200


def test_a_renewed_certificate_is_served_without_restart(tmp_path: Path) -> None:
    with running(config_file=str(folder_with(tmp_path))) as web:
        first = served_certificate(web.port)
        renewed = AUTHORITY.issue("localhost")
        renewed.write(tmp_path, "server")
        assert served_certificate(web.port) == renewed.cert != first
        assert ask(web.port, trusting(tmp_path)).status == 200


def test_an_open_connection_outlives_a_renewal(tmp_path: Path) -> None:
    with running(config_file=str(folder_with(tmp_path))) as web:
        connection = http.client.HTTPSConnection("localhost", web.port, timeout=10, context=trusting(tmp_path))
        assert exchange(connection, "/metrics").status == 200
        AUTHORITY.issue("localhost").write(tmp_path, "server")
        assert served_certificate(web.port) != SERVER.cert
        assert exchange(connection, "/metrics").status == 200
        connection.close()


def test_half_a_renewal_keeps_the_old_certificate_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SETTLE_SECONDS", 0.2)
    with running(config_file=str(folder_with(tmp_path))) as web:
        renewed = AUTHORITY.issue("localhost")
        (tmp_path / "server.crt").write_text(renewed.cert)  # the key is still the old one
        wait_until(lambda: served_certificate(web.port) == SERVER.cert and "rejected" in caplog.text)
        assert served_certificate(web.port) == SERVER.cert
        mismatch = "key_file: the key does not belong to the certificate in cert_file"
        assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == [
            f"web configuration rejected, the last good one stays in force: {tmp_path}/web.yml:1:54: {mismatch}"
        ]
        (tmp_path / "server.key").write_text(renewed.key)
        assert served_certificate(web.port) == renewed.cert


def test_a_broken_or_vanished_file_keeps_the_last_good_state(tmp_path: Path) -> None:
    file = folder_with(tmp_path)
    with running(config_file=str(file)) as web:
        file.write_text("tls_server_config: [")
        assert ask(web.port, trusting(tmp_path)).status == 200
        file.unlink()
        assert ask(web.port, trusting(tmp_path)).status == 200


def test_tls_taken_out_of_the_file_stays_until_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SETTLE_SECONDS", 0.2)
    file = folder_with(tmp_path)
    with running(config_file=str(file)) as web:
        file.write_text("http_server_config: {headers: {X-Frame-Options: deny}}\n")
        wait_until(lambda: ask(web.port, trusting(tmp_path)).status == 200 and "rejected" in caplog.text)
        assert ask(web.port, trusting(tmp_path)).status == 200
    assert "TLS can be switched off only by a restart" in caplog.text


def test_tls_put_into_the_file_waits_for_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SETTLE_SECONDS", 0.2)
    file = folder_with(tmp_path, "rate_limit: {interval: 1ms, burst: 100}\n")
    with running(config_file=str(file)) as web:
        file.write_text(
            TLS + "rate_limit: {interval: 1ms, burst: 100}\nhttp_server_config: {headers: {X-Frame-Options: deny}}\n"
        )
        assert web.ask("/metrics").headers["x-frame-options"] == "deny"
        wait_until(lambda: web.ask("/metrics").status == 200 and "switched on only by a restart" in caplog.text)


def refused(port: int, context: ssl.SSLContext) -> bool:
    try:
        ask(port, context)
    except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
        return True
    return False


MUTUAL = TLS.replace("}", ", client_auth_type: %s, client_ca_file: ca.pem}")


def test_a_required_client_certificate_is_verified(tmp_path: Path) -> None:
    stranger = Authority("other CA").issue("prometheus")
    with running(config_file=str(folder_with(tmp_path, MUTUAL % "RequireAndVerifyClientCert"))) as web:
        assert refused(web.port, trusting(tmp_path))
        assert refused(web.port, trusting(tmp_path, stranger))
        assert ask(web.port, trusting(tmp_path, CLIENT)).status == 200


def test_a_client_certificate_if_given_is_verified(tmp_path: Path) -> None:
    stranger = Authority("other CA").issue("prometheus")
    with running(config_file=str(folder_with(tmp_path, MUTUAL % "VerifyClientCertIfGiven"))) as web:
        assert ask(web.port, trusting(tmp_path)).status == 200
        assert refused(web.port, trusting(tmp_path, stranger))
        assert ask(web.port, trusting(tmp_path, CLIENT)).status == 200


@pytest.mark.parametrize(
    ("sans", "lets_in"),
    [
        ("[prometheus.example.net]", True),
        ("[other, prometheus.example.net]", True),
        ("[127.0.0.1]", True),
        ("[prometheus]", False),  # the common name is no alternative name
        ("['*.example.net']", False),
    ],
)
def test_the_clients_names_are_held_against_the_list(tmp_path: Path, sans: str, lets_in: bool) -> None:
    text = (MUTUAL % "RequireAndVerifyClientCert").replace("}", f", client_allowed_sans: {sans}}}")
    with running(config_file=str(folder_with(tmp_path, text))) as web:
        assert refused(web.port, trusting(tmp_path, CLIENT)) is not lets_in


def test_a_client_ca_taken_away_is_trusted_no_more(tmp_path: Path) -> None:
    with running(config_file=str(folder_with(tmp_path, MUTUAL % "RequireAndVerifyClientCert"))) as web:
        context = trusting(tmp_path, CLIENT)
        assert ask(web.port, context).status == 200
        (tmp_path / "ca.pem").write_text(Authority("new CA").pem)
        assert refused(web.port, context)


@pytest.mark.parametrize(
    ("setting", "newest", "lets_in"),
    [
        ("min_version: TLS13", ssl.TLSVersion.TLSv1_2, False),
        ("min_version: TLS13", ssl.TLSVersion.TLSv1_3, True),
        ("min_version: TLS10", ssl.TLSVersion.TLSv1_2, True),
        ("max_version: TLS12", ssl.TLSVersion.TLSv1_2, True),
        ("cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]", ssl.TLSVersion.TLSv1_2, True),
        ("cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]", ssl.TLSVersion.TLSv1_2, False),  # our key is ECDSA
        ("curve_preferences: [CurveP521]", ssl.TLSVersion.TLSv1_3, True),
        ("curve_preferences: [CurveP521, CurveP256]", ssl.TLSVersion.TLSv1_3, True),
        ("prefer_server_cipher_suites: false", ssl.TLSVersion.TLSv1_3, True),
    ],
)
def test_versions_ciphers_and_curves(tmp_path: Path, setting: str, newest: ssl.TLSVersion, lets_in: bool) -> None:
    context = trusting(tmp_path)
    context.maximum_version = newest
    with running(config_file=str(folder_with(tmp_path, TLS.replace("}", f", {setting}}}")))) as web:
        assert refused(web.port, context) is not lets_in


def test_a_client_held_to_another_curve_is_refused(tmp_path: Path) -> None:
    context = trusting(tmp_path)
    context.set_ecdh_curve("secp384r1")
    with running(config_file=str(folder_with(tmp_path, TLS.replace("}", ", curve_preferences: [CurveP521]}")))) as web:
        assert refused(web.port, context)


def test_a_client_cannot_have_the_connection_renegotiated(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(config_file=str(folder_with(tmp_path))) as web:
        asked = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{web.port}", "-tls1_2"],
            input="R\n",
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert "RENEGOTIATING" in asked.stderr
        assert "no renegotiation" in asked.stderr
        assert ask(web.port, trusting(tmp_path)).status == 200
    assert [record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []
