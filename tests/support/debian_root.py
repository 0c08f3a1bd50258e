"""A Debian root of a test's own: the shared one with an overlay, so that everything written is gone with the folder."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# $1 the shared root, $2 the test's folder, $3 a folder of the host to see as /mnt, $4 rw or ro; the rest: what to run.
# A mount namespace of its own: every mount ends with the program. Names are looked up as on the host.
_ENTER = """set -e
lower=$1 own=$2 host=$3 mode=$4; shift 4
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$own/upper,workdir=$own/work" "$own/root"
mount --bind "$host" "$own/root/mnt"
mount -t proc proc "$own/root/proc"
mount --rbind /dev "$own/root/dev"
for file in /etc/resolv.conf /etc/hosts; do touch "$own/root$file"; mount --bind "$file" "$own/root$file"; done
mkdir -p "$own/root/etc/ssl"; mount --bind /etc/ssl "$own/root/etc/ssl"
[ "$mode" = rw ] || mount -o remount,ro "$own/root"
exec chroot "$own/root" "$@"
"""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class DebianRoot:
    """Run one program at a time in it: each mounts the overlay anew. `upper` holds what was written."""

    lower: Path
    folder: Path
    host: Path

    @classmethod
    def make(cls, lower: Path, folder: Path, host: Path) -> DebianRoot:
        """Lay out the folder; `host` is seen as /mnt inside."""
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True)
        folder.joinpath("upper").chmod(0o755)
        return cls(lower, folder, host)

    def copy(self, folder: Path, host: Path) -> DebianRoot:
        """Another root, as this one is now."""
        other = DebianRoot.make(self.lower, folder, host)
        subprocess.run(["cp", "--archive", f"{self.upper}/.", str(other.upper)], check=True, timeout=60)
        return other

    @property
    def upper(self) -> Path:
        """What was written, seen from outside."""
        return self.folder / "upper"

    def command(self, *program: str, environ: Mapping[str, str] | None = None, mode: str = "rw") -> list[str]:
        """The command line, on the host, that runs a program inside. mode: rw or ro, of the root file system."""
        given = [f"{name}={value}" for name, value in {"PATH": _PATH, "LC_ALL": "C.UTF-8", **(environ or {})}.items()]
        enter = ["unshare", "--mount", "sh", "-c", _ENTER, "sh", str(self.lower), str(self.folder), str(self.host)]
        return [*enter, mode, "env", *given, *program]

    def run(self, *program: str, environ: Mapping[str, str] | None = None, seconds: float = 100.0) -> str:
        """Run to the end and return what it printed; an AssertionError carries that of a failed one."""
        done = _run(self.command(*program, environ=environ), seconds)
        assert done.returncode == 0, f"{' '.join(program)} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def fails(self, *program: str) -> bool:
        """Tell whether it ends with another status than 0."""
        return _run(self.command(*program), 30.0).returncode != 0

    def files(self) -> set[str]:
        """Every path of the root file system, without what package managers and loggers keep for themselves."""
        ignored = ("/var/lib/dpkg/*", "/var/cache/*", "/var/log/*", "/etc/*-", "/mnt/*", "/etc/ssl/*")
        conditions = [word for pattern in ignored for word in ("!", "-path", pattern)]
        return set(self.run("find", "/", "-xdev", *conditions).splitlines())


def _run(command: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
