"""The first hour of a stranger, in fresh Debians: README and docs/install.md by the letter, then every slip."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ami_exporter import __version__
from ami_exporter.demo import DemoSettings, SimulatedPbx
from tests.support.debian_root import DebianRoot
from tests.support.exporter_process import exporter
from tests.support.readme import INSTALL, README, readme_command, readme_user, steps
from tests.support.slips import GOOD, SLIPS
from tests.support.systemd_unit import started_by

SUITES = ("bookworm", "trixie", "sid")
SECRET_FILE = "/etc/ami-exporter/secrets/pbx"
CONFIG = "/etc/ami-exporter/config.yml"
UNIT = "/etc/systemd/system/ami-exporter.service"
SOURCES = f"ami_exporter-{__version__}"
# Each file by a process of its own, as `ami-exporter check` would be, without the half second of its imports.
CHECKER = """
import os, sys
from ami_exporter.cli import main
from ami_exporter.commands import loading, oneshot
from ami_exporter.config import load
for path in sys.argv[1:]:
    if (child := os.fork()) == 0:
        said = os.open(path + ".said", os.O_WRONLY | os.O_CREAT)
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.exit(main(["check", "--config.file", path]))
    print(os.path.basename(path), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture(scope="module")
def roots(bookworm_root: Path, trixie_root: Path, sid_root: Path) -> dict[str, Path]:
    """Suite → its root."""
    return {path.name: path for path in (bookworm_root, trixie_root, sid_root)}


@pytest.fixture(scope="module", params=SUITES)
def newcomer(
    request: pytest.FixtureRequest, built: Path, roots: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DebianRoot]:
    """A fresh Debian, the files of a release in /mnt, and the program in it by the steps for a virtual environment."""
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copytree(built, folder / "release")
    debian = DebianRoot.make(roots[request.param], folder / "debian", folder / "release")
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    follow(debian, steps(INSTALL, "-m venv"), environ={"PIP_QUIET": "1", **pip})
    yield debian
    shutil.rmtree(debian.folder)


def follow(debian: DebianRoot, text: str, typed: str = "", environ: dict[str, str] | None = None) -> str:
    """Run a block of the documentation as it stands, in the folder of the release; typed: what is pasted into it."""
    (debian.host / "steps").write_text(f"cd /mnt\n{text}")
    (debian.host / "typed").write_text(typed)
    return debian.run("sh", "-ec", "exec sh -e /mnt/steps < /mnt/typed", environ=environ, seconds=300.0)


def said(debian: DebianRoot, *words: str, environ: dict[str, str] | None = None) -> tuple[int, str]:
    """Exit status of `ami-exporter WORDS`, and all that it prints."""
    command = debian.command("ami-exporter", *words, environ=environ)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


@contextmanager
def pbx(secret: str) -> Iterator[SimulatedPbx]:
    """A PBX with the user of README, and this secret."""
    with SimulatedPbx(DemoSettings(endpoints=4, queues=2, warmup=10.0), users=[readme_user(secret)]) as simulated:
        yield simulated


def flags(port: int, host: str = "127.0.0.1") -> list[str]:
    """README's own flags, with another address."""
    _, arguments = readme_command()
    arguments[arguments.index("--ami.address") + 1] = f"{host}:{port}"
    return arguments


@pytest.mark.timeout(400)  # the first one installs, with pip
def test_readme_leads_to_metrics_a_page_that_is_well_and_a_doctor_without_complaint(newcomer: DebianRoot) -> None:
    secret = follow(newcomer, steps(README, "openssl rand")).strip()
    assert re.fullmatch("[0-9a-f]{48}", secret)
    environ = {"AMI_EXPORTER_AMI_SECRET": secret}
    with pbx(secret) as simulated:
        arguments = flags(simulated.port)
        with exporter(*arguments, program=newcomer.command("ami-exporter", environ=environ)) as running:
            scrape = running.get()
            assert scrape.value("asterisk_up") == 1
            assert set(scrape.by("asterisk_scrape_collector_success", "collector").values()) == {1.0}
            assert "<h1>All is well</h1>" in running.get("/").body
            assert "connected to Asterisk" in running.log
        code, told = said(newcomer, "doctor", *arguments, environ=environ)
        assert (code, "Nothing to fix." in told) == (0, True), told
        code, told = said(newcomer, "scrape", *arguments, environ=environ)
        assert (code, "\nasterisk_up 1\n" in told) == (0, True), told


@pytest.mark.timeout(400)  # installs, with pip
@pytest.mark.parametrize("suite", SUITES)
def test_readme_installs_from_the_sources(suite: str, built: Path, roots: dict[str, Path], tmp_path: Path) -> None:
    with tarfile.open(built / f"{SOURCES}.tar.gz") as archive:
        archive.extractall(tmp_path / "host", filter="data")
    debian = DebianRoot.make(roots[suite], tmp_path / "debian", tmp_path / "host")
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    follow(debian, f"cd {SOURCES}\n" + steps(README, "-m venv"), environ={"PIP_QUIET": "1", **pip})
    code, told = said(debian, "--version")
    assert (code, told.startswith(f"ami-exporter {__version__} ")) == (0, True), told
    shutil.rmtree(debian.folder)


@pytest.fixture(scope="module")
def by_hand(newcomer: DebianRoot, tmp_path_factory: pytest.TempPathFactory) -> DebianRoot:
    """The service by hand, as far as there is no systemd: `systemctl` does nothing."""
    debian = newcomer.copy(tmp_path_factory.mktemp("by-hand") / "debian", newcomer.host)
    with tarfile.open(debian.host / f"{SOURCES}.tar.gz") as archive:
        archive.extractall(debian.host, filter="data")
    debian.run("ln", "-s", "/bin/true", "/usr/local/bin/systemctl")
    follow(debian, f"cd {SOURCES}\n" + steps(INSTALL, "useradd"), typed="s3cret-by-hand\n")
    return debian


def test_the_service_by_hand_runs_as_its_user_with_roots_secret(by_hand: DebianRoot) -> None:
    with pbx("s3cret-by-hand") as simulated:
        address(by_hand, simulated.port)
        with exporter(program=started_by(by_hand, by_hand.run("cat", UNIT))) as running:
            assert running.get().value("asterisk_up") == 1
            assert Path(f"/proc/{running.process.pid}").stat().st_uid != 0


def test_root_may_check_and_examine_before_the_first_start(by_hand: DebianRoot, tmp_path: Path) -> None:
    debian = by_hand.copy(tmp_path / "debian", by_hand.host)
    debian.run("rm", "-rf", "/run/credentials")
    with pbx("s3cret-by-hand") as simulated:
        address(debian, simulated.port)
        assert said(debian, "check", "--config.file", CONFIG)[0] == 0
        code, told = said(debian, "doctor", "--config.file", CONFIG)
        assert (code, "Nothing to fix." in told) == (0, True), told
    debian.run("rm", SECRET_FILE)
    code, told = said(debian, "check", "--config.file", CONFIG)
    assert (code, f"install -m 600 /dev/stdin {SECRET_FILE}" in told) == (1, True), told


def test_an_older_systemd_gets_a_unit_of_its_own_and_a_secret_for_the_group(
    by_hand: DebianRoot, tmp_path: Path
) -> None:
    debian = by_hand.copy(tmp_path / "debian", by_hand.host)
    follow(debian, f"cd {SOURCES}\n" + steps(INSTALL, "systemd/older"), typed="s3cret-by-hand\n")
    with pbx("s3cret-by-hand") as simulated:
        address(debian, simulated.port)
        with exporter(program=started_by(debian, debian.run("cat", UNIT))) as running:
            assert running.get().value("asterisk_up") == 1


def test_a_web_file_that_the_service_may_not_read_says_whose_it_is_and_the_docs_step_mends_it(
    by_hand: DebianRoot,
) -> None:
    by_hand.run(
        "sh", "-ec", "echo 'basic_auth_users: {}' > /etc/ami-exporter/web.yml; chmod 600 /etc/ami-exporter/web.yml"
    )
    start = started_by(by_hand, by_hand.run("cat", UNIT), "--web.config.file", "/etc/ami-exporter/web.yml")
    done = subprocess.run(start, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "for the user ami-exporter (the file belongs to root:root, mode 600)" in done.stderr
    (by_hand.host / "web.yml").write_text("basic_auth_users: {}\n")
    follow(by_hand, steps(INSTALL, "web.yml"))
    with exporter(program=start) as running:
        assert running.get("/-/healthy").status == 200


def address(debian: DebianRoot, port: int) -> None:
    """Write where the PBX is into the configuration."""
    debian.run("sed", "-i", f"s|address: .*|address: 127.0.0.1:{port}|", CONFIG)


def test_each_slip_in_a_configuration_is_told_by_its_place_and_what_to_write(newcomer: DebianRoot) -> None:
    folder = newcomer.host / "slips"
    folder.mkdir()
    files = {f"{number}.yml": slip.data for number, slip in enumerate(SLIPS)}
    files |= {f"good-{number}.yml": data for number, data in enumerate(GOOD.values())}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "checker.py").write_text(CHECKER)
    python = "/opt/ami-exporter/bin/python"
    ended = newcomer.run(python, "/mnt/slips/checker.py", *(f"/mnt/slips/{name}" for name in files))
    codes = dict(line.split() for line in ended.splitlines())
    wrong = {}
    for number, slip in enumerate(SLIPS):
        told = (folder / f"{number}.yml.said").read_text()
        (line,) = [line for line in told.splitlines() if f".yml:{slip.at}: " in line][:1] or [""]
        if int(codes[f"{number}.yml"]) != int(not slip.good) or not all(part in line for part in slip.says):
            wrong[slip.what] = told
        if "s3cret" in told:
            wrong[f"{slip.what}: shows the secret"] = told
    assert wrong == {}
    assert {codes[name] for name in files if name.startswith("good")} == {"0"}
    shutil.rmtree(folder)


WRONG_WORDS: tuple[tuple[list[str], str], ...] = (
    (["docter"], 'did you mean "doctor"?'),
    (["pbx.example.net"], "a PBX is named by --ami.address"),
    (["/etc/ami-exporter/config.yml"], "a file is named by --config.file"),
    (["version"], "did you mean --version?"),
    (["--ami.tls=true"], "expected the flag alone"),
    (["--config.file"], "expected FILE"),
    (["--ami.password", "s3cret"], "AMI_EXPORTER_AMI_SECRET"),
    (["--ami.adress", "pbx.example.net"], 'did you mean "--ami.address"?'),
    (["--ami.secret", "s3cret"], "AMI_EXPORTER_AMI_SECRET"),
    (["--config.file", "/etc/none.yml"], "/etc/none.yml"),
    (["--ami.address", "pbx:99999", "--ami.username", "x"], "--ami.address"),
    (["--ami.address", "pbx.example.net"], "username"),
    (["--ami.address", "pbx.example.net", "--ami.username", "x"], "AMI_EXPORTER_AMI_SECRET"),
    (["--web.listen-address", "localhost:http2"], "--web.listen-address"),
    (["--log.level", "verbose"], "--log.level"),
    (["--web.listen-address", "127.0.0.1:{port}", *("--ami.address", "pbx", "--ami.username", "x")], "in use"),
    ([], "--ami.address"),
)


def test_each_slip_on_the_command_line_names_what_was_typed_and_what_is_right(newcomer: DebianRoot) -> None:
    told: dict[str, tuple[int, str]] = {}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for words, _ in WRONG_WORDS:
            secret = {"AMI_EXPORTER_AMI_SECRET": "s3cret-1"} if "{port}" in "".join(words) else {}
            told[" ".join(words)] = said(newcomer, *(word.format(port=port) for word in words), environ=secret)
    wrong = {line: told[line] for words, part in WRONG_WORDS if part not in told[line := " ".join(words)][1]}
    assert wrong == {}
    assert {code for code, _ in told.values()} <= {1, 2}
    assert [line for line, (_, text) in told.items() if "Traceback" in text or "s3cret" in text] == []


def test_each_slip_on_the_way_to_the_pbx_ends_with_its_reason(newcomer: DebianRoot) -> None:
    with pbx("s3cret-right") as simulated, exporter("demo") as web:
        port = simulated.port
        tries = {
            "check username and secret": (flags(port), "s3cret-wrong"),
            "Connection refused": (flags(1), "s3cret-right"),
            "cannot be resolved": (flags(5038, "no-such-host.invalid"), "s3cret-right"),
            "the port is another program's": (flags(web.port), "s3cret-right"),
            "TLS": ([*flags(port), "--ami.tls"], "s3cret-right"),
        }
        wrong = {}
        for part, (arguments, secret) in tries.items():
            code, told = said(newcomer, "doctor", *arguments, environ={"AMI_EXPORTER_AMI_SECRET": secret})
            if code != 1 or part not in told or secret in told or "Traceback" in told:
                wrong[part] = (code, told)
    assert wrong == {}
