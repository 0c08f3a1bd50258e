"""Reading CA files is dear, so connections share what was read until the files change."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ami_exporter.ami.errors import TlsFailed
from ami_exporter.ami.tls import client_context
from ami_exporter.config.target_settings import AmiTlsSettings
from tests.support.certificates import Authority


def ca(folder: Path) -> str:
    """A CA file."""
    file = folder / "ca.pem"
    file.write_text(Authority().pem)
    return str(file)


def test_connections_at_the_same_time_read_the_cas_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ca_file = ca(tmp_path)
    reads: list[str] = []
    create = ssl.create_default_context

    def counted(*, cafile: str) -> ssl.SSLContext:
        reads.append(cafile)
        return create(cafile=cafile)

    monkeypatch.setattr(ssl, "create_default_context", counted)
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda number: client_context(AmiTlsSettings(ca_file, f"pbx{number}")), range(100)))
    assert len(made) == 1
    assert reads == [ca_file]


def test_a_ca_file_that_was_changed_is_read_again(tmp_path: Path) -> None:
    ca_file = ca(tmp_path)
    before = client_context(AmiTlsSettings(ca_file))
    (tmp_path / "new").write_text(Path(ca_file).read_text() + "\n")
    (tmp_path / "new").rename(ca_file)
    assert client_context(AmiTlsSettings(ca_file)) is not before
    Path(ca_file).write_text("no certificate")
    with pytest.raises(TlsFailed, match="readable PEM file"):
        client_context(AmiTlsSettings(ca_file))
    Path(ca_file).unlink()
    with pytest.raises(TlsFailed, match="No such file"):
        client_context(AmiTlsSettings(ca_file))


def test_without_verification_no_cas_are_read() -> None:
    context = client_context(AmiTlsSettings(verify=False))
    assert context.verify_mode is ssl.CERT_NONE
    assert context.cert_store_stats()["x509_ca"] == 0


def test_with_verification_the_chain_and_the_name_are_checked() -> None:
    context = client_context(AmiTlsSettings())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert client_context(AmiTlsSettings(verify=False)) is not context
