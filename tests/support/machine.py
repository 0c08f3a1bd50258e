"""What tests take from the machine beyond Python: Debian's programs and Debian roots.

Both are looked for first. What is missing is installed or made only when asked: `make test`, `make coverage` and
`make soak` set AMI_EXPORTER_TEST_PROVIDE=1. A root is made in a temporary folder and renamed into place, so that one
that exists is whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROVIDE_VARIABLE = "AMI_EXPORTER_TEST_PROVIDE"
# A cold debootstrap takes about a minute; a slow mirror may take several.
_MAKE_SECONDS = 900.0
_APT_SECONDS = 600.0
# The host name every server has, in a namespace of its own.
HOST_NAME = "pbx.test"
_APART = ("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child")
_DEBOOTSTRAP_SCRIPTS = Path("/usr/share/debootstrap/scripts")
# Where enabling a service leaves a link: for systemd and for System V's init.
_SERVICE_LINKS = ("systemd/system/*.wants/*", "rc[2-5S].d/S*")
# Asked by Debian's packages before they start a service: 101 is no.
_POLICY = Path("/usr/sbin/policy-rc.d")
_POLICY_TEXT = "#!/bin/sh\nexit 101\n"


class CannotProvideError(Exception):
    """This machine cannot have what was asked for; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a root is made of: a suite of Debian and packages beside the smallest set."""

    suite: str
    packages: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """What the marker file of a finished root says; a changed recipe makes the root anew."""
        return f"{self.suite} {' '.join(self.packages)} {HOST_NAME}\n"


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
    """Path of `program`, installed from Debian's `package` when it is missing. No service is started or enabled."""
    found = shutil.which(program)
    if found is None:
        require_root_on_debian()
        _require_asked(program)
        with _lock("apt"), _no_services():
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            # An installation that was interrupted before: until it is completed nothing can be installed.
            run_tool(("dpkg", "--configure", "--pending"), _APT_SECONDS, environment)
            # One foreign package source that does not answer fails the update; the install tells whether it matters.
            with contextlib.suppress(CannotProvideError):
                run_tool(("apt-get", "update", "-qq"), _APT_SECONDS, environment)
            install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", package)
            run_tool(install, _APT_SECONDS, environment)
        found = shutil.which(program)
    if found is None:
        raise CannotProvideError(f"{program} is not on PATH after installing the package {package}")
    return Path(found)


def provide_root(recipe: Recipe) -> Path:
    """The root of this recipe, made when it is missing."""
    require_root_on_debian()
    # Containers without the right to mount end here, with what unshare says.
    run_tool((*_APART, "true"), 10.0)
    path = cache_folder() / recipe.suite
    if not _is_finished(path, recipe):
        _require_asked(f"a root of Debian {recipe.suite}")
        provide_program("debootstrap", "debootstrap")
        with _lock(recipe.suite):
            if not _is_finished(path, recipe):
                _make_root(path, recipe)
    return path


def run_tool(command: Sequence[str], seconds: float, environment: Mapping[str, str] | None = None) -> str:
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


def _require_asked(what: str) -> None:
    if os.environ.get(PROVIDE_VARIABLE) != "1":
        raise CannotProvideError(f"{what} is not on this machine; `make test` or {PROVIDE_VARIABLE}=1 provides it")


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Packages installed meanwhile start no service, and what they enable is not enabled afterwards."""
    before = enabled_services(Path("/etc"))
    denied = not _POLICY.exists()
    if denied:
        _POLICY.write_text(_POLICY_TEXT)
        _POLICY.chmod(0o755)
    try:
        yield
    finally:
        if denied:
            _POLICY.unlink()
        for link in enabled_services(Path("/etc")) - before:
            disable_service(link)


def enabled_services(etc: Path) -> set[Path]:
    """The links that make services start at boot."""
    return {link for pattern in _SERVICE_LINKS for link in etc.glob(pattern)}


def disable_service(link: Path) -> None:
    """Take one link away as `systemctl disable` and `update-rc.d disable` do, which an upgrade respects."""
    if link.parent.name.endswith(".wants"):
        link.unlink()
    else:
        link.rename(link.with_name(f"K{link.name[1:]}"))


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
        include = [f"--include={','.join(recipe.packages)}"] if recipe.packages else []
        # In namespaces of its own: what debootstrap mounts goes with it, however it ends; the clean-up
        # below meets files only.
        run_tool((*_APART, "debootstrap", "--variant=minbase", *include, recipe.suite, str(new)), _MAKE_SECONDS)
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


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    """One maker at a time on this machine, also across test runs."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
