"""The image without Docker: its steps run in a fresh Debian, the program as its user on a read-only root."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ami_exporter import __version__
from tests.support.debian_root import DebianRoot
from tests.support.dockerfile import argument, build_script, environment, exec_form, labels, parse
from tests.support.exporter_process import exporter

BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture
def context(debian: DebianRoot, repository: Path) -> Path:
    """The build context, as .dockerignore leaves it, at /mnt of the root."""
    ignore = (repository / ".dockerignore").read_text().splitlines()
    assert "*" in ignore
    for name in (line[1:] for line in ignore if line.startswith("!")):
        source, target = repository / name, debian.host / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return debian.host


@pytest.mark.timeout(300)  # it installs everything twice; half a minute on an idle machine
@pytest.mark.usefixtures("context")
def test_every_step_of_the_build_works_and_the_image_runs_as_its_user_on_a_read_only_root(
    debian: DebianRoot, repository: Path
) -> None:
    steps = parse(repository / "Dockerfile")
    # Debian's Python in place of the base image's: pip and python on PATH, outside what the image keeps.
    debian.run("python3", "-m", "venv", "/usr/local/base")
    debian.run("sh", "-c", "ln -s /usr/local/base/bin/python /usr/local/base/bin/pip /usr/local/bin/")
    debian.run("sh", "-c", build_script(steps, "/mnt"))
    shutil.rmtree(debian.upper / "opt/build")

    user = argument(steps, "USER").split(":")
    identity = ["setpriv", "--reuid", user[0], "--regid", user[1], "--clear-groups"]
    variables = environment(steps, BASE_PATH)
    entry = exec_form(argument(steps, "ENTRYPOINT"))
    check = exec_form(argument(steps, "HEALTHCHECK").partition("CMD ")[2])
    image = debian.command(*identity, *entry, "demo", environ=variables, mode="ro")
    with exporter(program=image) as running:
        assert running.get().value("asterisk_up") == 1
        assert Path(f"/proc/{running.process.pid}").stat().st_uid == 65532
        health = {**variables, "AMI_EXPORTER_WEB_LISTEN_ADDRESS": f"127.0.0.1:{running.port}"}
        inside = ["nsenter", "--target", str(running.process.pid), "--mount", "--root", "--wd=/"]
        done = subprocess.run(
            [*inside, "env", "-i", *(f"{name}={value}" for name, value in health.items()), *check],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        asked = f"http://127.0.0.1:{running.port}/-/healthy"
        assert (done.returncode, done.stdout) == (0, f"healthy: {asked}: HTTP 200\n")


def test_the_image_is_described_and_has_no_shell_form_and_no_root(repository: Path) -> None:
    steps = parse(repository / "Dockerfile")
    described = labels(steps)
    assert described["org.opencontainers.image.version"] == __version__
    assert described["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert argument(steps, "USER") == "65532:65532"
    assert exec_form(argument(steps, "CMD")) == ["--config.file=/etc/ami-exporter/config.yml"]
    assert argument(steps, "STOPSIGNAL") == "SIGTERM"


def test_hadolint_has_nothing_to_say(repository: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, repository / "Dockerfile"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["requirements.txt", "build-requirements.txt"])
def test_every_dependency_is_pinned_by_hash(repository: Path, name: str) -> None:
    text = (repository / "deploy/docker" / name).read_text()
    entries = text.replace("\\\n", " ").splitlines()[1:]
    assert [line for line in entries if "==" not in line or "--hash=sha256:" not in line] == []


def test_the_lock_holds_every_runtime_dependency(repository: Path) -> None:
    locked = {
        line.partition("==")[0] for line in (repository / "deploy/docker/requirements.txt").read_text().splitlines()
    }
    assert {"prometheus-client", "pyyaml", "regex", "h11", "bcrypt"} <= locked
