"""The self-contained executable: in a root with nothing in it, in every Debian from 11 to sid, and as an RPM."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ami_exporter import __version__
from ami_exporter.demo import DemoSettings, SimulatedPbx
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import wait_until
from tests.support.debian_root import DebianRoot
from tests.support.exporter_process import exporter, run
from tests.support.readme import INSTALL, README, steps
from tests.support.systemd_unit import started_by

MEGABYTE = 2**20
# Debian 11 and forky hold the real Asterisks, too.
SUITES = ("bullseye", "bookworm", "trixie", "forky", "sid")


@pytest.fixture(scope="module")
def program(
    bookworm_root: Path, wheel: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The executable, built as the release builds it."""
    folder = tmp_path_factory.mktemp("standalone")
    host = folder / "host"
    for name in ("standalone", "docker"):
        shutil.copytree(repository / "deploy" / name, host / "deploy" / name)
    shutil.copy(wheel, host)
    debian = DebianRoot.make(bookworm_root, folder / "debian", host)
    debian.run("python3", "-m", "venv", "/opt/build")
    build = "/mnt/deploy/standalone/build.py"
    environ = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    debian.run("/opt/build/bin/python", build, "/mnt", f"/mnt/{wheel.name}", environ=environ, seconds=300.0)
    (found,) = host.glob("ami-exporter-*")
    yield found
    shutil.rmtree(debian.folder)


@pytest.fixture
def empty(program: Path, tmp_path: Path) -> list[str]:
    """The command that starts it in a root that holds the program, /proc and an empty /tmp: no C library, no shell."""
    root = tmp_path / "empty"
    for name in ("proc", "tmp"):
        (root / name).mkdir(parents=True)
    shutil.copy(program, root / "ami-exporter")
    mounts = 'mount -t proc proc "$1/proc"; mount --bind "$2" "$1/tmp"; shift 2; exec "$@"'
    enter = ["unshare", "--mount", "sh", "-c", mounts, "sh", str(root), str(unpacking(tmp_path))]
    return [*enter, "chroot", str(root), "/ami-exporter"]


def unpacking(tmp_path: Path) -> Path:
    """The folder that is /tmp in the empty root."""
    folder = tmp_path / "unpacking"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def roots(
    asterisk_roots: dict[int, AsteriskRoot], bookworm_root: Path, trixie_root: Path, sid_root: Path
) -> dict[str, Path]:
    """Suite → its root."""
    by_name = {path.name: path for path in (bookworm_root, trixie_root, sid_root)}
    return by_name | {root.path.name: root.path for root in asterisk_roots.values()}


@pytest.mark.timeout(400)  # it builds the executable: half a minute on an idle machine
def test_it_is_one_file_below_40_megabytes_named_by_version_and_machine(program: Path) -> None:
    assert program.name == f"ami-exporter-{__version__}-linux-{os.uname().machine}"
    assert program.stat().st_size < 40 * MEGABYTE
    kind = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    assert "not a dynamic executable" in kind.stdout + kind.stderr


def test_nothing_of_the_host_is_needed_and_the_first_scrape_is_there_within_two_seconds_of_a_cpu(
    empty: list[str],
) -> None:
    with exporter("demo", program=empty) as running:
        assert running.get().value("asterisk_up") == 1
        assert running.get("/").status == 200
        # What it took until here, by its own account and thus without what other processes of the machine take.
        clock = os.sysconf("SC_CLK_TCK")
        ticks = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        assert sum(map(int, ticks)) / clock < 2.0
        assert Path(f"/proc/{running.process.pid}/comm").read_text() == "ami-exporter\n"


@pytest.mark.parametrize("suite", SUITES)
def test_it_runs_in_every_debian_and_resolves_names_there(
    program: Path, roots: dict[str, Path], suite: str, tmp_path: Path
) -> None:
    debian = DebianRoot.make(roots[suite], tmp_path / "debian", program.parent)
    # As README has it.
    debian.run("sh", "-ec", f"cd /mnt; {steps(README, 'install -m 755')}")
    with exporter("demo", program=debian.command("ami-exporter")) as running:
        assert running.get().value("asterisk_up") == 1
    target = ("--ami.address", "localhost:1", "--ami.username", "x")
    answer = debian.command("ami-exporter", "scrape", *target, environ={"AMI_EXPORTER_AMI_SECRET": "yz"})
    said = subprocess.run(answer, capture_output=True, text=True, timeout=60, check=False)
    assert "refused" in (said.stdout + said.stderr).lower()


def test_its_flags_are_those_of_the_package(empty: list[str]) -> None:
    for arguments in (["--help"], ["doctor", "--help"], ["metrics"], ["completion", "bash"]):
        said = subprocess.run([*empty, *arguments], capture_output=True, text=True, timeout=60, check=True)
        assert said.stdout == run(*arguments).stdout


def test_the_process_started_is_the_exporter_and_receives_its_signals(empty: list[str], tmp_path: Path) -> None:
    with exporter("demo", program=empty) as running:
        assert len(list(unpacking(tmp_path).iterdir())) == 1
        running.signal(signal.SIGHUP)
        wait_until(lambda: "reload" in running.log, 20.0, "a line about the reload")
        running.signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
    wait_until(lambda: list(unpacking(tmp_path).iterdir()) == [], 10.0, "what was unpacked is gone")


def test_what_it_unpacked_is_gone_after_a_kill_too(empty: list[str], tmp_path: Path) -> None:
    with exporter("demo", program=empty) as running:
        running.signal(signal.SIGKILL)
        running.process.wait(20)
    wait_until(lambda: list(unpacking(tmp_path).iterdir()) == [], 10.0, "what was unpacked is gone")


@pytest.mark.parametrize(
    ("options", "reason"),
    [("noexec,size=200m", "unpack to /tmp: it is mounted noexec"), ("size=5m", "No space left on device")],
)
def test_where_it_cannot_unpack_it_says_what_to_do(
    program: Path, bookworm_root: Path, tmp_path: Path, options: str, reason: str
) -> None:
    debian = DebianRoot.make(bookworm_root, tmp_path / "debian", program.parent)
    script = f"mount -t tmpfs -o {options} none /tmp; mount --bind /tmp /var/tmp; /mnt/{program.name} --version"
    said = subprocess.run(debian.command("sh", "-c", script), capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 1
    assert said.stderr.startswith("ami-exporter: cannot ")
    assert reason in said.stderr
    assert "; set TMPDIR to a folder with 100 MB of room that may hold programs\n" in said.stderr


def test_a_file_that_was_cut_on_its_way_says_so(program: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.write_bytes(program.read_bytes()[: 5 * MEGABYTE])
    cut.chmod(0o755)
    said = subprocess.run([cut, "--version"], capture_output=True, text=True, timeout=60, check=False)
    assert (said.returncode, said.stderr.endswith("; download this file again\n")) == (1, True)


@pytest.fixture(scope="module")
def package(program: Path, rpmbuild: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The RPM, built as the release builds it."""
    folder = tmp_path_factory.mktemp("rpm")
    path = f"{rpmbuild.parent}:/usr/bin:/bin"
    build = [repository / "deploy/rpm/build", folder, program]
    subprocess.run(build, env={"PATH": path, "PYTHON": sys.executable}, check=True, timeout=100, capture_output=True)
    (found,) = folder.glob("*.rpm")
    assert found.name == f"ami-exporter-{__version__}-1.{os.uname().machine}.rpm"
    return found


def rpm(package: Path, *words: str) -> list[str]:
    """The lines of a query."""
    command = ["rpm", "--dbpath", str(package.parent / "none"), *words, "--package", str(package)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()


def test_the_rpm_needs_no_library_and_no_rpm_newer_than_that_of_centos_7(package: Path) -> None:
    needed = {line.partition(" ")[0] for line in rpm(package, "--query", "--requires")}
    of_4_11 = {f"rpmlib({name})" for name in ("CompressedFileNames", "FileDigests", "PayloadFilesHavePrefix")}
    assert needed - of_4_11 == {"/usr/sbin/useradd", "/bin/sh"}
    assert rpm(package, "--query", "--queryformat", "%{PAYLOADCOMPRESSOR} %{FILEDIGESTALGO}\n") == ["gzip 8"]
    listed = rpm(
        package, "--query", "--queryformat", "[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES}\n]"
    )
    assert {
        "drwxr-x--- root:ami-exporter /etc/ami-exporter",
        "-rw-r----- root:ami-exporter /etc/ami-exporter/config.yml",
        "drwxr-x--- root:ami-exporter /etc/ami-exporter/secrets",
        "-rwxr-xr-x root:root /opt/ami-exporter/bin/ami-exporter",
    } <= set(listed)
    assert {line.split()[1] for line in listed if "/etc/ami-exporter" not in line} == {"root:root"}


# $1 the shared root, $2 the test's folder; the rest: what rpm does in it.
RPM_IN_ROOT = """set -e
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
root=$2/root; shift 2
exec rpm --root "$root" --nodeps "$@"
"""


def test_the_rpm_installs_runs_as_its_unit_says_by_the_steps_of_the_docs_and_goes_again(
    package: Path, trixie_root: Path, tmp_path: Path
) -> None:
    debian = DebianRoot.make(trixie_root, tmp_path / "debian", package.parent)
    in_root = ["unshare", "--mount", "sh", "-c", RPM_IN_ROOT, "sh", str(trixie_root), str(debian.folder)]
    done = subprocess.run([*in_root, "--install", package], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, "two steps are left" in done.stdout) == (0, True), done.stdout + done.stderr
    (command,) = (line for line in steps(INSTALL, "rpm --install").splitlines() if "/dev/stdin" in line)
    debian.run("sh", "-ec", f"echo s3cret-of-the-rpm | {command}")
    with SimulatedPbx(DemoSettings(endpoints=4, queues=1), username="ami_exporter", secret="s3cret-of-the-rpm") as pbx:
        debian.run("sed", "-i", f"s|address: .*|address: 127.0.0.1:{pbx.port}|", "/etc/ami-exporter/config.yml")
        assert "Nothing to fix." in debian.run(
            "ami-exporter", "doctor", "--config.file", "/etc/ami-exporter/config.yml"
        )
        unit = debian.run("cat", "/usr/lib/systemd/system/ami-exporter.service")
        with exporter(program=started_by(debian, unit)) as running:
            assert running.get().value("asterisk_up") == 1
            assert Path(f"/proc/{running.process.pid}").stat().st_uid != 0
    subprocess.run([*in_root, "--erase", "ami-exporter"], capture_output=True, timeout=100, check=True)
    assert [path for path in debian.files() if path.startswith(("/opt/ami", "/usr/lib/systemd/system/ami"))] == []
