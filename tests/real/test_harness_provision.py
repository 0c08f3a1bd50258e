"""Where no real server can be had, tests say so loudly, and in CI they fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import asterisk_root, machine
from tests.support.asterisk_root import RECIPES, AsteriskRecipe, AsteriskRoot, WrongVersionError, provide_roots
from tests.support.machine import (
    PROVIDE_VARIABLE,
    CannotProvideError,
    Recipe,
    cache_folder,
    disable_service,
    enabled_services,
    provide_program,
    provide_root,
)

_AS_NOBODY = "import os, sys, pytest; os.geteuid = lambda: 65534; sys.exit(pytest.main(sys.argv[1:]))"


def _run_as_nobody(ci: str) -> subprocess.CompletedProcess[str]:
    one = "tests/real/test_harness.py::test_the_console_names_the_version"
    return subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, one, "-q", "-p", "no:cacheprovider"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_without_root_tests_are_skipped_with_one_loud_line() -> None:
    done = _run_as_nobody(ci="")
    assert done.returncode == 0
    assert "\n2 skipped: no real Asterisk 22/16: " in done.stdout


@pytest.mark.slow
def test_without_root_in_ci_they_fail() -> None:
    done = _run_as_nobody(ci="true")
    assert done.returncode == 1
    assert "no real Asterisk 22/16: not root: real servers need chroot and mount" in done.stdout


def test_a_missing_program_cannot_be_installed_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    with pytest.raises(CannotProvideError, match="not root"):
        provide_program("no-such-program", "no-such-package")


def test_nothing_is_installed_or_made_unless_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AMI_EXPORTER_TEST_CACHE", str(tmp_path))
    monkeypatch.delenv(PROVIDE_VARIABLE, raising=False)
    monkeypatch.setattr(machine, "require_root_on_debian", lambda: None)
    monkeypatch.setattr(machine, "run_tool", lambda *_: "")
    with pytest.raises(CannotProvideError, match="no-such-program is not on this machine; `make test` or"):
        provide_program("no-such-program", "no-such-package")
    with pytest.raises(CannotProvideError, match="a root of Debian bookworm is not on this machine"):
        provide_root(Recipe(suite="bookworm"))
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_came_with_a_package_is_disabled_as_an_administrator_does(tmp_path: Path) -> None:
    wants, runlevel = tmp_path / "systemd/system/multi-user.target.wants", tmp_path / "rc2.d"
    for folder in (wants, runlevel):
        folder.mkdir(parents=True)
    links = {wants / "ours.service", runlevel / "S01ours"}
    for link in links:
        link.symlink_to("/nowhere")
    assert {path for path in tmp_path.rglob("*") if path.is_symlink()} == links
    assert enabled_services(tmp_path) == links
    for link in links:
        disable_service(link)
    assert enabled_services(tmp_path) == set()
    assert [path.name for path in runlevel.iterdir()] == ["K01ours"]


def test_a_suite_that_moved_on_says_what_to_do(
    asterisk_roots: dict[int, AsteriskRoot], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The root that holds 22, asked for as if it were 99's.
    recipe = RECIPES[22]
    moved = AsteriskRecipe(major=99, suite=recipe.suite, packages=recipe.packages, modules=recipe.modules)
    monkeypatch.setattr(asterisk_root, "RECIPES", {99: moved})
    with pytest.raises(WrongVersionError, match=r"expected major version 99\. Debian's forky has moved on: find the"):
        provide_roots([99])
    assert asterisk_roots[22].path.exists()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"AMI_EXPORTER_TEST_CACHE": "/a/b", "XDG_CACHE_HOME": "/c"}, "/a/b"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/ami-exporter"),
        ({"HOME": "/home/x"}, "/home/x/.cache/ami-exporter"),
    ],
)
def test_the_cache_is_where_the_user_wants_it(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AMI_EXPORTER_TEST_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)
