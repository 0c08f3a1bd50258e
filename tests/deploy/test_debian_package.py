"""The .deb in a fresh Debian 12: installed, run as its unit says, upgraded, purged."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ami_exporter import __version__
from ami_exporter.demo import DemoSettings, SimulatedPbx
from tests.support.debian_root import DebianRoot
from tests.support.exporter_process import exporter
from tests.support.readme import INSTALL, steps

UNIT = "/lib/systemd/system/ami-exporter.service"
CONFIG = "/etc/ami-exporter/config.yml"
# What systemd makes of LoadCredential=ami:/etc/ami-exporter/secrets.
CREDENTIALS = "run/credentials/ami-exporter.service"


@pytest.fixture(scope="module")
def deb(wheel: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built once."""
    folder = tmp_path_factory.mktemp("deb")
    subprocess.run(
        [repository / "deploy/deb/build", folder, wheel],
        # The release compresses well, which takes longer than all else here; what is in it is the same.
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHON": sys.executable, "DPKG_DEB_COMPRESSOR_LEVEL": "0"},
        check=True,
        timeout=100,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    (found,) = folder.iterdir()
    assert found.name == f"ami-exporter_{__version__}_amd64.deb"
    return found


@dataclass(frozen=True)
class Packaged:
    """A Debian with the package, and every path that was there before."""

    root: DebianRoot
    bare: set[str]


@pytest.fixture(scope="module")
def packaged(bookworm_root: Path, deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    """What each test gets a copy of: installed once."""
    folder = tmp_path_factory.mktemp("packaged")
    (folder / "host").mkdir()
    root = DebianRoot.make(bookworm_root, folder / "debian", folder / "host")
    bare = root.files()
    assert CONFIG not in bare
    shutil.copy(deb, root.host / "ami-exporter.deb")
    said = root.run("dpkg", "--install", "/mnt/ami-exporter.deb")
    assert "install -m 600 /dev/stdin /etc/ami-exporter/secrets/pbx" in said
    return Packaged(root, bare)


@pytest.fixture
def bare(packaged: Packaged) -> set[str]:
    """What was there before."""
    return packaged.bare


@pytest.fixture
def installed(packaged: Packaged, tmp_path: Path) -> DebianRoot:
    """Debian with the package, the test's own."""
    return packaged.root.copy(tmp_path / "debian", packaged.root.host)


def configure(root: DebianRoot, pbx: SimulatedPbx) -> None:
    """Do what the administrator and systemd do: the address in the file, the secret handed over."""
    config = root.upper / CONFIG[1:]
    config.write_text(config.read_text().replace("127.0.0.1", f"127.0.0.1:{pbx.port}"))
    credential = root.upper / CREDENTIALS / "ami_pbx"
    credential.parent.mkdir(parents=True)
    credential.write_text(pbx.house.users["ami_exporter"].secret)


def start_command(root: DebianRoot) -> list[str]:
    """ExecStart of the installed unit, as the unit's user, in the installed root."""
    unit = configparser.RawConfigParser(strict=False, interpolation=None)
    unit.read_string(root.run("cat", UNIT))
    program = shlex.split(unit["Service"]["ExecStart"].replace("$ARGS", ""))
    user = ["setpriv", "--reuid", unit["Service"]["User"], "--regid", unit["Service"]["Group"], "--clear-groups"]
    return root.command(*user, *program, mode="ro")


def test_it_runs_as_its_unit_says_and_a_purge_leaves_nothing(installed: DebianRoot, bare: set[str]) -> None:
    settings = DemoSettings(endpoints=4, queues=1, warmup=10.0)
    with SimulatedPbx(settings, username="ami_exporter", secret="s3cret-of-the-unit") as pbx:
        configure(installed, pbx)
        with exporter(program=start_command(installed)) as running:
            assert running.get().value("asterisk_up") == 1
            assert set(running.get().by("asterisk_scrape_collector_success", "collector").values()) == {1.0}
            owner = Path(f"/proc/{running.process.pid}").stat().st_uid
            assert owner != 0
    assert "ami-exporter" in installed.run("getent", "passwd", str(owner))
    shutil.rmtree(installed.upper / "run/credentials")
    installed.run("dpkg", "--purge", "ami-exporter")
    assert sorted(installed.files() - bare) == []
    # dpkg removes a folder that is empty and no package's, whoever made it.
    assert bare - installed.files() <= {"/opt"}
    assert installed.fails("getent", "passwd", "ami-exporter")
    assert installed.fails("getent", "group", "ami-exporter")


def test_the_configuration_is_the_groups_to_read_and_the_secrets_are_roots(installed: DebianRoot) -> None:
    paths = ("/etc/ami-exporter", CONFIG, "/etc/ami-exporter/secrets", "/opt/ami-exporter", "/usr/bin/ami-exporter")
    assert installed.run("stat", "--format=%A %U:%G %n", *paths).splitlines() == [
        "drwxr-x--- root:ami-exporter /etc/ami-exporter",
        "-rw-r----- root:ami-exporter /etc/ami-exporter/config.yml",
        "drwx------ root:root /etc/ami-exporter/secrets",
        "drwxr-xr-x root:root /opt/ami-exporter",
        "lrwxrwxrwx root:root /usr/bin/ami-exporter",
    ]


def test_the_service_is_enabled_and_a_remove_disables_it_and_keeps_the_configuration(installed: DebianRoot) -> None:
    link = "/etc/systemd/system/multi-user.target.wants/ami-exporter.service"
    assert installed.run("readlink", "--canonicalize", link).strip().endswith(UNIT)
    installed.run("dpkg", "--remove", "ami-exporter")
    left = installed.files()
    assert link not in left
    assert CONFIG in left
    assert [path for path in left if path.startswith("/opt/")] == []


def test_an_upgrade_keeps_the_changed_configuration_and_its_owner(installed: DebianRoot) -> None:
    config = installed.upper / CONFIG[1:]
    config.write_text(config.read_text().replace("127.0.0.1", "192.0.2.7"))
    said = installed.run("dpkg", "--install", "/mnt/ami-exporter.deb")
    assert "two steps are left" not in said
    assert "192.0.2.7" in installed.run("cat", CONFIG)
    assert installed.run("stat", "--format=%a %U:%G", CONFIG).strip() == "640 root:ami-exporter"


def test_its_manual_page_is_where_man_looks(installed: DebianRoot) -> None:
    assert installed.run("zcat", "/usr/share/man/man1/ami-exporter.1.gz").startswith(
        f'.TH AMI\\-EXPORTER 1 "" "ami\\-exporter {__version__}"\n'
    )


def test_the_program_uses_nothing_of_the_system_but_python(installed: DebianRoot) -> None:
    said = installed.run("ami-exporter", "--version", environ={"PYTHONPATH": "/nonexistent", "PYTHONHOME": "/x"})
    assert said.startswith(f"ami-exporter {__version__} (Python 3.11.")
    assert installed.run("dpkg", "--verify", "ami-exporter") == ""


def test_the_steps_of_the_docs_work_as_they_stand_and_a_check_before_them_says_what_is_missing(
    deb: Path, debian: DebianRoot
) -> None:
    shutil.copy(deb, debian.host)
    install, secret, doctor, start = steps(INSTALL, "apt install").splitlines()
    debian.run("sh", "-ec", f"cd /mnt; {install}", environ={"DEBIAN_FRONTEND": "noninteractive"})
    early = subprocess.run(debian.command("sh", "-c", doctor), capture_output=True, text=True, timeout=60, check=False)
    assert (early.returncode, secret.partition("  ")[0] in early.stderr) == (1, True), early.stderr
    debian.run("sh", "-ec", f"echo s3cret-of-the-docs | {secret}")
    with SimulatedPbx(DemoSettings(endpoints=4), username="ami_exporter", secret="s3cret-of-the-docs") as pbx:
        debian.run("sed", "-i", f"s|address: .*|address: 127.0.0.1:{pbx.port}|", CONFIG)
        assert "Nothing to fix." in debian.run("sh", "-ec", doctor)
    assert start == "systemctl start ami-exporter"
