"""Real Asterisk: night switch and database by the recipes of the docs, and the certificate of AMI over TLS."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from tests.support.asterisk_server import AsteriskServer
from tests.support.exporter_process import exporter
from tests.support.planted import AMI_SECRETS
from tests.support.recipes import recipe

NUMBER, SECRET = "+493098765432", "a-planted-secret-of-dundi"
ENTRIES = {
    "DND/1001": "YES",
    "DND/1002": "NO",
    "DND/1003": "YES",
    "CF/1004": NUMBER,
    "CFB/1005": NUMBER,
    "DAYNIGHT/C0": "NIGHT",
    "DAYNIGHT/C1": "DAY",
    "dundi/secret": SECRET,
}


@pytest.fixture
def switched(asterisk: AsteriskServer) -> AsteriskServer:
    for key, value in ENTRIES.items():
        asterisk.cli(f"database put {key.replace('/', ' ')} {value}")
    asterisk.cli("devstate change Custom:DAYNIGHT0 INUSE")
    asterisk.cli("devstate change Custom:night NOT_INUSE")
    return asterisk


def end_by_openssl(server: AsteriskServer) -> float:
    """The end of the certificate that the server shows, by another program."""
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.place.ami_tls}"],
        input=b"",
        capture_output=True,
        check=False,
        timeout=20,
    ).stdout
    told = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate"], input=shown, capture_output=True, check=True, timeout=20
    ).stdout.decode()
    return ssl.cert_time_to_seconds(told.strip().removeprefix("notAfter="))


def test_switches_database_and_certificate_equal_an_independent_look(switched: AsteriskServer, tmp_path: Path) -> None:
    rules = recipe("asterisk_custom_night") + recipe("asterisk_custom_switched_on").removeprefix("custom:\n")
    file = tmp_path / "ami-exporter.yml"
    file.write_text(
        f"targets:\n  pbx:\n    address: 127.0.0.1:{switched.place.ami_tls}\n    username: reporting\n"
        f"    secret_env: PBX_SECRET\n    tls: {{ca_file: {switched.ca_file}}}\n{rules}"
    )
    secrets = {"PBX_SECRET": AMI_SECRETS["reporting"]}
    with exporter("--config.file", str(file), "--log.level", "debug", environ=secrets) as running:
        scraped = running.get()
        text, log = scraped.body, running.log
    found = scraped.series()
    custom = {key: value for key, value in found.items() if key[0].startswith("asterisk_custom_")}
    assert {(name, *dict(labels).values()): value for (name, labels), value in custom.items()} == {
        ("asterisk_custom_night", "main"): 1,
        ("asterisk_custom_night", "reception"): 0,
        ("asterisk_custom_switched_on", "DND"): switched.cli("database show DND").count(": YES"),
        ("asterisk_custom_switched_on", "CF"): switched.cli("database show CF").count(f": {NUMBER}"),
        ("asterisk_custom_day_night", "main"): 1,
        ("asterisk_custom_day_night", "holiday"): 0,
    }
    end = found["asterisk_ami_certificate_not_after_timestamp_seconds", frozenset()]
    assert end == end_by_openssl(switched)
    for output in (text, log):
        assert NUMBER not in output
        assert SECRET not in output
