"""Newer Pythons than this one: the tests that need Python alone, in the Debian releases that carry them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.debian_root import DebianRoot

# What is about files and not about code, or needs the tools of development.
NOT_THESE = ("architecture", "deploy", "docs", "grafana", "prometheus", "typing")
VERSIONS = {"trixie_root": "3.13.", "sid_root": "3.14."}


@pytest.fixture(params=VERSIONS)
def python_root(request: pytest.FixtureRequest) -> tuple[Path, str]:
    """A root and the version of its Python."""
    return request.getfixturevalue(request.param), VERSIONS[request.param]


@pytest.mark.soak  # it wants the cores for itself: beside other tests its own timing tests fail
@pytest.mark.timeout(900)  # a minute on an idle machine
def test_the_tests_pass_on_a_newer_python(python_root: tuple[Path, str], repository: Path, tmp_path: Path) -> None:
    root, version = python_root
    checkout = tmp_path / "checkout"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(repository / name, checkout / name)
    debian = DebianRoot.make(root, tmp_path / "debian", checkout)
    assert debian.run("python3", "--version").startswith(f"Python {version}")
    environ = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    debian.run("python3", "-m", "venv", "/opt/venv")
    pip = ("/opt/venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir")
    debian.run(*pip, "pip>=25.1", environ=environ, seconds=200.0)
    needed = ("--requirement", "/mnt/deploy/docker/requirements.txt")
    debian.run(*pip, *needed, environ=environ, seconds=200.0)
    debian.run(*pip, "--group", "/mnt/pyproject.toml:test", environ=environ, seconds=300.0)
    ignored = [f"--ignore=tests/{name}" for name in NOT_THESE]
    run = (
        "/opt/venv/bin/python",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--numprocesses=2",
        "--dist=loadfile",
    )
    quick = ("-m", "not machine and not slow", *ignored)
    said = debian.run("sh", "-c", 'cd /mnt && exec "$@"', "sh", *run, *quick, seconds=800.0)
    assert " passed" in said.splitlines()[-1]
