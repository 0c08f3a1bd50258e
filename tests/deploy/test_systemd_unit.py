"""The unit file: as closed as systemd can make it, and no more than the program bears."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from ami_exporter.commands.loading import catalogue
from ami_exporter.config.load import load_file
from tests.support.debian_root import DebianRoot

CREDENTIALS = "/run/credentials/ami-exporter.service/ami_"


@pytest.fixture
def unit(repository: Path) -> configparser.RawConfigParser:
    """The unit, parsed; a key given twice keeps the last value."""
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep case
    parser.read(repository / "deploy/systemd/ami-exporter.service")
    return parser


def test_systemd_rates_its_exposure_below_two_of_ten(repository: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze")
    done = subprocess.run(
        [
            *(analyze, "security", "--offline=yes", "--threshold=20", "--no-pager"),
            repository / "deploy/systemd/ami-exporter.service",
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr


def test_systemd_understands_every_line(debian_unit: str) -> None:
    assert debian_unit == ""


@pytest.fixture
def debian_unit(bookworm_root: Path, repository: Path, tmp_path: Path) -> str:
    """What Debian 12's systemd complains of in the unit, the program itself in place."""
    root = DebianRoot.make(bookworm_root, tmp_path / "debian", repository)
    # kill is procps', which every Debian has but the smallest.
    prepare = (
        "mkdir -p /opt/ami-exporter/bin; cp /bin/true /opt/ami-exporter/bin/ami-exporter; cp /bin/true /bin/kill; "
        "useradd --user-group ami-exporter"
    )
    verify = "systemd-analyze verify --recursive-errors=no --man=no /mnt/deploy/systemd/ami-exporter.service"
    return root.run("sh", "-c", f"{prepare}; {verify} 2>&1")


def test_the_secret_is_handed_over_where_the_packages_configuration_reads_it(
    unit: configparser.RawConfigParser, repository: Path, tmp_path: Path
) -> None:
    assert unit["Service"]["LoadCredential"] == "ami:/etc/ami-exporter/secrets"
    text = (repository / "deploy/deb/config.yml").read_text()
    assert f"secret_file: {CREDENTIALS}pbx" in text
    (tmp_path / "ami_pbx").write_text("a-secret")
    config = tmp_path / "config.yml"
    config.write_text(text.replace(CREDENTIALS, f"{tmp_path}/ami_"))
    assert list(load_file(str(config), catalogue({})).targets) == ["pbx"]
    assert "--config.file=/etc/ami-exporter/config.yml" in unit["Service"]["ExecStart"]
