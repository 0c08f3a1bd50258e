"""Newer Pythons than this one, in the Debian releases that carry them: the tests of what a Python may change.

Those are sockets, TLS, processes, files and the command line. Declarations, folds and the simulated PBX are plain code
with costly tests, and floods of clients want the cores for themselves: in CI `make quick` runs those on each Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.debian_root import DebianRoot

THESE = (
    *("ami", "api", "commands", "config"),
    *(f"web/test_{name}.py" for name in ("auth", "paths", "plain_http", "tls", "web_file_rewrites")),
)
VERSIONS = {"trixie_root": "3.13.", "sid_root": "3.14."}


@pytest.fixture(params=VERSIONS)
def python_root(request: pytest.FixtureRequest) -> tuple[Path, str]:
    """A root and the version of its Python."""
    return request.getfixturevalue(request.param), VERSIONS[request.param]


@pytest.mark.slow
@pytest.mark.timeout(1800)  # two minutes of CPU, on a machine that may be ten times slower
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
    needed = ("--requirement", "/mnt/deploy/docker/requirements.txt")
    debian.run(*pip, *needed, environ=environ, seconds=300.0)
    debian.run(*pip, "--group", "/mnt/pyproject.toml:test", environ=environ, seconds=300.0)
    run = ("/opt/venv/bin/python", "-m", "pytest", "-q", "-o", "cache_dir=/tmp/cache", "--hypothesis-profile=few")
    these = ("-m", "not machine", *(f"tests/{name}" for name in THESE))
    # Beside this machine's other tests one may come too late. What fails twice is a fault.
    script = 'cd /mnt && { "$@" || "$@" --last-failed --last-failed-no-failures=none; }'
    said = debian.run("sh", "-c", script, "sh", *run, *these, seconds=1200.0)
    assert " passed" in said.splitlines()[-1]
