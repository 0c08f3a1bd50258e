"""The end of AMI's certificate: from the handshake, kept while the PBX is down, seen anew once a day."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ami_exporter.config.target_settings import AmiTlsSettings
from ami_exporter.pbx.poller import TLS_SECONDS
from tests.support.certificates import Authority
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import has, movable, scrape, target, value

NAME = "asterisk_ami_certificate_not_after_timestamp_seconds"


class Renewing:
    """A server's TLS context whose certificate is replaced, and the end of the one it shows now."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.authority = folder, Authority()
        (folder / "ca.pem").write_text(self.authority.pem)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ends = self.renew(timedelta(days=10))

    def renew(self, ends_in: timedelta) -> float:
        pair = self.authority.issue("localhost", ends_in=ends_in)
        self.context.load_cert_chain(*pair.write(self.folder, "server"))
        self.ends = x509.load_pem_x509_certificate(pair.cert.encode()).not_valid_after_utc.timestamp()
        return self.ends


@pytest.mark.parametrize("verify", [True, False])
def test_the_end_of_the_certificate_is_served_and_outlives_the_pbx(tmp_path: Path, verify: bool) -> None:
    shown = Renewing(tmp_path)
    tls = AmiTlsSettings(str(tmp_path / "ca.pem") if verify else None, None, verify)
    monotonic, _, clocks = movable()
    with ScriptedPbx(tls=shown.context) as pbx, target(pbx.port, clocks=clocks, tls=tls) as one:
        first = shown.ends
        assert value(scrape(one), NAME) == first
        shown.renew(timedelta(days=90))
        monotonic.ahead += TLS_SECONDS / 2
        assert value(scrape(one), NAME) == first  # a lasting link cannot know
        monotonic.ahead += TLS_SECONDS / 2 + 60
        found = scrape(one)
        assert value(found, NAME) == shown.ends > first
        assert value(found, "asterisk_active_calls") == 1
        assert value(found, "ami_exporter_link_connects_total", link="poll") == 2
        pbx.stop()
        found = scrape(one, 1.0)
        assert value(found, "asterisk_up") == 0
        assert value(found, NAME) == shown.ends


def test_without_tls_there_is_no_certificate_and_no_new_link() -> None:
    monotonic, _, clocks = movable()
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks) as one:
        scrape(one)
        monotonic.ahead += TLS_SECONDS * 2
        found = scrape(one)
        assert not has(found, NAME)
        assert value(found, "ami_exporter_link_connects_total", link="poll") == 1
