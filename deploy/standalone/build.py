"""Build the self-contained executable: one file for any Linux of this machine's architecture.

    python3 deploy/standalone/build.py OUT WHEEL

Takes the Python that runs it with its standard library, the dependencies of deploy/docker/requirements.txt (hashes
checked), and every shared library these load, the C library and its loader included. Needs a virtual environment with
pip, ldd, and a C compiler that links statically with zlib (Debian: python3-venv, gcc, libc6-dev, zlib1g-dev).
"""

from __future__ import annotations

import compileall
import gzip
import io
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
# What of the standard library a server never imports: a third of it.
LEFT_OUT = shutil.ignore_patterns(
    *("__pycache__", "site-packages", "dist-packages", "test", "tests", "config-*", "idlelib", "tkinter", "turtle*"),
    *("ensurepip", "venv", "lib2to3", "distutils", "pydoc_data", "sqlite3", "curses", "dbm", "*.a", "LICENSE.txt"),
    *("_test*", "_xxtest*", "_tkinter*", "_sqlite3*", "_curses*", "_dbm*", "_gdbm*", "readline*", "nis*", "xx*"),
)


def build(out: Path, wheel: Path) -> Path:
    """Write OUT/ami-exporter-VERSION-linux-ARCH and return its path."""
    version = re.match(r"ami_exporter-([^-]+)-", wheel.name)
    if version is None:
        raise SystemExit(f"{wheel}: expected a wheel of ami_exporter")
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"ami-exporter-{version[1]}-linux-{platform.machine()}"
    with tempfile.TemporaryDirectory() as work:
        tree = Path(work, "tree")
        lay_out(tree, wheel)
        launcher = Path(work, "launcher")
        flags = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s")
        run("cc", *flags, "-o", launcher, HERE / "launcher.c", "-lz")
        program = launcher.read_bytes()
        target.write_bytes(program + packed(tree) + len(program).to_bytes(8, sys.byteorder))
    target.chmod(0o755)
    return target


def lay_out(tree: Path, wheel: Path) -> None:
    """Fill the tree that the launcher unpacks: ami-exporter (the loader), bin, lib, app."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    stdlib, app = tree / "lib" / name, tree / "app"
    shutil.copytree(sysconfig.get_path("stdlib"), stdlib, ignore=LEFT_OUT)
    dynamic = Path(sysconfig.get_config_var("DESTSHARED"))
    shutil.copytree(dynamic, stdlib / "lib-dynload", ignore=LEFT_OUT, dirs_exist_ok=True)
    (tree / "bin").mkdir()
    python = shutil.copy(Path(sys.executable).resolve(), tree / "bin" / "python3")
    install(app, wheel)
    for folder in (stdlib, app):
        # Beside where the source was, which goes: half the size, and nothing to compile at each start.
        compileall.compile_dir(folder, quiet=2, legacy=True, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
        for source in folder.rglob("*.py"):
            source.unlink()
    libraries(tree, [Path(python), *tree.rglob("*.so")])


def install(app: Path, wheel: Path) -> None:
    """Put the program and what it depends on into a folder that Python runs."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    only = ("--no-compile", "--no-deps", "--upgrade", "--target", app)
    locked = TOP / "deploy/docker/requirements.txt"
    run(*pip, *only, "--only-binary=:all:", "--require-hashes", "-r", locked)
    run(*pip, *only, wheel)
    shutil.rmtree(app / "bin", ignore_errors=True)
    shutil.copy(HERE / "main.py", app / "__main__.py")


def libraries(tree: Path, programs: list[Path]) -> None:
    """Copy the shared libraries of these programs into lib, and the loader as what `ps` shows."""
    found: set[str] = set()
    for program in programs:
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        found |= set(re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listed, re.MULTILINE))
    for path in sorted(found):
        loader = Path(path).name.startswith("ld-")
        if not Path(path).is_relative_to(tree):
            shutil.copy(path, tree / "ami-exporter" if loader else tree / "lib" / Path(path).name)


def packed(tree: Path) -> bytes:
    """The tree as tar.gz: the same bytes for the same files."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(tree.rglob("*")):
            archive.add(path, str(path.relative_to(tree)), recursive=False, filter=plain)
    return gzip.compress(raw.getvalue(), mtime=0)


def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nobody's file of no time; names fit the launcher's reader."""
    if len(entry.name) > tarfile.LENGTH_NAME or not (entry.isfile() or entry.isdir()):
        raise SystemExit(f"{entry.name}: expected a file or folder with a name of at most {tarfile.LENGTH_NAME} bytes")
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def run(*command: str | Path) -> None:
    """Run to the end; what fails says so itself."""
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def arguments() -> Iterator[Path]:
    """The two of the command line."""
    if len(sys.argv) != 3:  # noqa: PLR2004 - the program and two arguments
        raise SystemExit("usage: build.py OUT WHEEL")
    yield from map(Path, sys.argv[1:])


if __name__ == "__main__":
    print(build(*arguments()))  # noqa: T201 - says where it is
