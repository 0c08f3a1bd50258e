"""Debian roots that hold a real Asterisk 22 and 16, made once with debootstrap, kept outside the repository.

Debian bookworm has no Asterisk of its own, its neighbours have: forky carries 22, bullseye carries 16 (with
chan_sip). A root is made in a temporary folder and renamed into place, so that one that exists is whole.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# A cold debootstrap takes about a minute; a slow mirror may take several.
_MAKE_SECONDS = 900.0
_APT_SECONDS = 600.0
# The host name every server has, in a namespace of its own.
HOST_NAME = "pbx.test"
_APART = ("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child")
_DEBOOTSTRAP_SCRIPTS = Path("/usr/share/debootstrap/scripts")


class CannotProvideError(Exception):
    """This machine cannot have what was asked for; the message says why."""


class WrongVersionError(Exception):
    """A suite no longer carries the major version the tests are written for."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a root is made of: a suite of Debian and packages beside the smallest set."""

    suite: str
    packages: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """What the marker file of a finished root says; a changed recipe makes the root anew."""
        return f"{self.suite} {' '.join(self.packages)} {HOST_NAME}\n"


@dataclass(frozen=True, kw_only=True)
class AsteriskRecipe(Recipe):
    """How one major version is had: the suite that carries it, its packages, its module path."""

    major: int
    modules: str


RECIPES: Mapping[int, AsteriskRecipe] = {
    22: AsteriskRecipe(
        major=22,
        suite="forky",
        # usr-is-merged: debootstrap of bookworm would otherwise leave a root that forky's base-files refuses.
        packages=("asterisk", "asterisk-modules", "usr-is-merged"),
        modules="/usr/lib/x86_64-linux-gnu/asterisk/modules",
    ),
    16: AsteriskRecipe(
        major=16,
        suite="bullseye",
        packages=("asterisk", "asterisk-modules", "asterisk-voicemail"),
        modules="/usr/lib/asterisk/modules",
    ),
}


@dataclass(frozen=True, slots=True)
class AsteriskRoot:
    """A finished root: where it is and what `asterisk -V` said in it."""

    recipe: AsteriskRecipe
    path: Path
    version: str


def cache_folder() -> Path:
    """Where roots are kept between runs: $AMI_EXPORTER_TEST_CACHE, else the user's cache folder."""
    own = os.environ.get("AMI_EXPORTER_TEST_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ami-exporter"


def require_root_on_debian() -> None:
    """Raise CannotProvideError unless packages can be installed and roots be mounted here."""
    if os.geteuid() != 0:
        raise CannotProvideError("not root: real servers need chroot and mount")
    if not Path("/etc/debian_version").exists() or shutil.which("apt-get") is None:
        raise CannotProvideError("not Debian: roots are made with its debootstrap")


def provide_program(program: str, package: str) -> Path:
    """Path of `program`, installed from Debian's `package` when it is missing."""
    found = shutil.which(program)
    if found is None:
        require_root_on_debian()
        with _lock("apt"):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            # One foreign package source that does not answer fails the update; the install tells whether it matters.
            with contextlib.suppress(CannotProvideError):
                _run(("apt-get", "update", "-qq"), _APT_SECONDS, environment)
            with _no_services():
                _run(("apt-get", "install", "-y", "-qq", "--no-install-recommends", package), _APT_SECONDS, environment)
        found = shutil.which(program)
    if found is None:
        raise CannotProvideError(f"{program} is not on PATH after installing the package {package}")
    return Path(found)


@contextlib.contextmanager
def _no_services(policy: Path = Path("/usr/sbin/policy-rc.d")) -> Iterator[None]:
    """Packages installed meanwhile start no service: Debian's own way to say so is a program that ends with 101."""
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def provide_roots(majors: Sequence[int]) -> dict[int, AsteriskRoot]:
    """The roots of these major versions, missing ones made side by side (about a minute, 500 MB each)."""
    with concurrent.futures.ThreadPoolExecutor(len(majors)) as pool:
        return dict(zip(majors, pool.map(lambda major: _provide_asterisk(RECIPES[major]), majors), strict=True))


def provide_root(recipe: Recipe) -> Path:
    """The root of this recipe, made when it is missing."""
    require_root_on_debian()
    # Containers without the right to mount end here, with what unshare says.
    _run((*_APART, "true"), 10.0)
    provide_program("debootstrap", "debootstrap")
    path = cache_folder() / recipe.suite
    with _lock(recipe.suite):
        if not _is_finished(path, recipe):
            _make_root(path, recipe)
    return path


def _provide_asterisk(recipe: AsteriskRecipe) -> AsteriskRoot:
    path = provide_root(recipe)
    return AsteriskRoot(recipe, path, _checked_version(path, recipe))


def _marker(root: Path) -> Path:
    return root / ".ami-exporter-root"


def _is_finished(path: Path, recipe: Recipe) -> bool:
    marker = _marker(path)
    return marker.exists() and marker.read_text() == recipe.fingerprint


def _make_root(path: Path, recipe: Recipe) -> None:
    _offer_script(recipe.suite)
    new = Path(tempfile.mkdtemp(prefix=f".{recipe.suite}-", dir=path.parent))
    try:
        new.chmod(0o755)
        include = f"--include={','.join(recipe.packages)}"
        # In namespaces of its own: what debootstrap mounts goes with it, however it ends; the clean-up
        # below meets files only.
        _run((*_APART, "debootstrap", "--variant=minbase", include, recipe.suite, str(new)), _MAKE_SECONDS)
        # Downloaded packages are a third of the root and of no use in it.
        shutil.rmtree(new / "var/cache/apt/archives", ignore_errors=True)
        # A server that cannot look up its own host name blocks for seconds in its first calls.
        (new / "etc/hosts").write_text(f"127.0.0.1 localhost {HOST_NAME}\n")
        (new / "etc/resolv.conf").unlink(missing_ok=True)
        (new / "etc/resolv.conf").write_text("")
        _marker(new).write_text(recipe.fingerprint)
        if path.exists():
            path.rename(new.with_name(f"{new.name}-old"))
        new.rename(path)
    finally:
        for leftover in path.parent.glob(f".{recipe.suite}-*"):
            shutil.rmtree(leftover, ignore_errors=True)


def _offer_script(suite: str) -> None:
    """Debootstrap finds the steps of a suite by name; for one it does not know yet, sid's are right."""
    script = _DEBOOTSTRAP_SCRIPTS / suite
    if not script.exists():
        with contextlib.suppress(FileExistsError):
            script.symlink_to("sid")


def _checked_version(path: Path, recipe: AsteriskRecipe) -> str:
    said = _run(("chroot", str(path), "asterisk", "-V"), 30.0)
    match = re.search(r"Asterisk (\d+)\.\S+", said)
    if match is None or int(match[1]) != recipe.major:
        raise WrongVersionError(
            f"{path}: `asterisk -V` says {said.strip()!r}, expected major version {recipe.major}. "
            f"Debian's {recipe.suite} has moved on: find the suite that carries {recipe.major} and set it in "
            "RECIPES of tests/support/asterisk_root.py, or write the tests for the new version. "
            f"(A stale root is made anew after: rm -rf {path})"
        )
    return match[0].removeprefix("Asterisk ")


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    """One maker at a time on this machine, also across test runs."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str], seconds: float, environment: Mapping[str, str] | None = None) -> str:
    """Run to the end and return stdout; CannotProvideError carries the last lines a failed run printed."""
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise CannotProvideError(f"`{' '.join(command)}` ended with {done.returncode}; its last lines:\n{tail}")
    return done.stdout
