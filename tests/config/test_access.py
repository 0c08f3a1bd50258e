"""Files that cannot be read, and secrets that systemd hands to the service, outside of the service."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ami_exporter.config.access import credential_source, why_unreadable
from ami_exporter.config.faults import ConfigErrors
from ami_exporter.config.load import load
from tests.support.config_catalogue import catalogue

CREDENTIAL = "/run/credentials/ami-exporter.service/ami_pbx"
SOURCE = "/etc/ami-exporter/secrets/pbx"
CONFIG = f"targets: {{pbx: {{address: 127.0.0.1, username: u, secret_file: {CREDENTIAL}}}}}\n"


def load_with(files: dict[str, bytes | OSError]) -> str:
    """The secret that the packages' configuration gives where these files are."""

    def read(path: Path, bound: int) -> bytes:
        found = files.get(str(path), FileNotFoundError(2, "No such file or directory"))
        if isinstance(found, OSError):
            raise found
        return found[:bound]

    settings = load("config.yml", CONFIG, replace(catalogue(), read_file=read))
    return settings.targets["pbx"].secret.now().reveal()


def test_outside_the_service_root_reads_the_secret_where_systemd_has_it_from() -> None:
    assert load_with({SOURCE: b"from-etc\n"}) == "from-etc"
    assert load_with({SOURCE: b"from-etc\n", CREDENTIAL: b"handed-over\n"}) == "handed-over"


@pytest.mark.parametrize(
    ("error", "reason"),
    [(FileNotFoundError(2, "No such file"), "no such file"), (PermissionError(13, "Denied"), "denied")],
)
def test_without_a_secret_the_fault_names_the_file_to_write_and_the_command(error: OSError, reason: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_with({SOURCE: error})
    (fault,) = caught.value.faults
    assert f"the file named here cannot be read: {reason}" in fault.message
    assert f"install -m 600 /dev/stdin {SOURCE}" in fault.message


def test_only_the_services_own_credentials_have_a_source() -> None:
    assert credential_source(CREDENTIAL) == Path(SOURCE)
    for other in ("/run/credentials/other.service/ami_pbx", "/run/secrets/pbx", f"{CREDENTIAL}/x", "ami_pbx"):
        assert credential_source(other) is None


def test_a_lack_of_permission_says_whose_file_it_is_who_asks_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "web.yml"
    file.touch(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: 987654)
    said = why_unreadable(PermissionError(13, "Permission denied"), file)
    assert said.startswith("permission denied for the user 987654 (the file belongs to ")
    assert said.endswith(", mode 600); give it a group of 987654 with chgrp, and mode 640")
    assert why_unreadable(PermissionError(13, "Permission denied"), tmp_path / "gone") == "permission denied"
    assert why_unreadable(IsADirectoryError(21, "Is a directory"), file) == "is a directory"
