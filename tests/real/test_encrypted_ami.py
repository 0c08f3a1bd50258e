"""AMI over TLS and the MD5 login, on real servers, from the configuration to the metrics."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.support.asterisk_server import AsteriskServer
from tests.support.exporter_process import exporter, run
from tests.support.planted import AMI_SECRETS
from tests.support.tls_files import write_server_certificate


def config(folder: Path, server: AsteriskServer, **settings: object) -> str:
    """A configuration with one target; over TLS where `tls` is set."""
    port = server.place.ami_tls if "tls" in settings else server.ami_port
    target = {
        "address": f"127.0.0.1:{port}",
        "username": "events",
        "secret": AMI_SECRETS["events"],
        "timeout": "5s",
        **settings,
    }
    file = folder / "config.yml"
    file.write_text(yaml.safe_dump({"targets": {"pbx": target}}))
    return str(file)


def test_metrics_come_over_tls(asterisk: AsteriskServer, tmp_path: Path) -> None:
    shutil.copy(asterisk.ca_file, tmp_path / "ca.pem")
    with exporter("--config.file", config(tmp_path, asterisk, tls={"ca_file": "ca.pem"})) as running:
        scrape = running.get()
        assert scrape.value("asterisk_up") == 1
        assert set(scrape.by("asterisk_scrape_collector_success", "collector").values()) == {1.0}
        asterisk.originate_local(2)
        assert running.get().total("asterisk_active_channels") == 4
        asterisk.hang_up_all()


# The server's certificate is for localhost and 127.0.0.1, signed by an authority of its own.
@pytest.mark.parametrize(
    "tls",
    [{"ca_file": "ca.pem", "server_name": "localhost"}, {"verify": False, "server_name": "elsewhere.invalid"}],
    ids=["server-name", "no-verification"],
)
def test_what_the_certificate_must_say_can_be_told(
    asterisk22: AsteriskServer, tmp_path: Path, tls: dict[str, object]
) -> None:
    shutil.copy(asterisk22.ca_file, tmp_path / "ca.pem")
    assert run("scrape", "--config.file", config(tmp_path, asterisk22, tls=tls)).returncode == 0


@pytest.mark.parametrize(
    ("tls", "words"),
    [
        ({}, "certificate was not accepted"),
        ({"ca_file": "other.pem"}, "certificate was not accepted"),
        ({"ca_file": "ca.pem", "server_name": "elsewhere.invalid"}, "elsewhere.invalid"),
    ],
    ids=["unknown-authority", "another-authority", "another-name"],
)
def test_a_certificate_that_does_not_fit_ends_before_the_secret_is_sent(
    asterisk22: AsteriskServer, tmp_path: Path, tls: dict[str, str], words: str
) -> None:
    shutil.copy(asterisk22.ca_file, tmp_path / "ca.pem")
    other = tmp_path / "other"
    other.mkdir()
    write_server_certificate(other)
    shutil.copy(other / "ca.pem", tmp_path / "other.pem")
    done = run("scrape", "--config.file", config(tmp_path, asterisk22, tls=tls))
    assert done.returncode == 1
    assert words in done.stderr
    assert "asterisk_up 0\n" in done.stdout
    assert 'ami_exporter_login_failures_total{reason="tls"} 1\n' in done.stdout


@pytest.mark.parametrize("md5", [True, False, None], ids=["md5", "plain", "default"])
def test_both_logins_work(asterisk: AsteriskServer, tmp_path: Path, md5: bool | None) -> None:
    settings: dict[str, object] = {} if md5 is None else {"md5": md5}
    done = run("scrape", "--config.file", config(tmp_path, asterisk, **settings), "--log.level", "debug")
    assert done.returncode == 0
    assert "asterisk_up 1\n" in done.stdout


def test_the_flags_alone_reach_a_server_over_tls(asterisk22: AsteriskServer) -> None:
    done = run(
        *("scrape", "--ami.address", f"127.0.0.1:{asterisk22.place.ami_tls}", "--ami.username", "events"),
        *("--ami.tls", "--ami.tls-ca-file", str(asterisk22.ca_file)),
        environ={"AMI_EXPORTER_AMI_SECRET": AMI_SECRETS["events"]},
    )
    assert done.returncode == 0, done.stderr
    assert "asterisk_up 1\n" in done.stdout
