"""Other AMI clients from PyPI, in a virtual environment of the benchmarks' own; nothing of the project needs them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.pbx import tell
from tests.support.machine import cache_folder

#: The current releases; both asterisk-ami and pyst2 bring a package `asterisk`, and share it peacefully.
PACKAGES = ("panoramisk==1.4", "pyst2==0.5.1", "asterisk-ami==0.1.7")


def python() -> Path:
    """The interpreter of the peers' environment, made on first use with this very Python."""
    folder = cache_folder() / f"bench-peers-{sys.version_info.major}.{sys.version_info.minor}"
    program = folder / "bin" / "python"
    marker = folder / "packages"
    if not marker.exists() or marker.read_text() != " ".join(PACKAGES):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(program), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        marker.write_text(" ".join(PACKAGES))
    return program


class Peer:
    """A peer's process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def poll(self) -> int:
        """One Status through the library; returns its number of channels."""
        return int(tell(self._process, "poll"))

    def parse(self, file: Path, times: int, headers: Sequence[str]) -> tuple[float, int]:
        """CPU seconds and messages of parsing a recording so many times and reading these headers of each message."""
        seconds, messages = json.loads(tell(self._process, " ".join(("parse", str(times), str(file), *headers))))
        return float(seconds), int(messages)


@contextmanager
def peer(library: str, *connection: str) -> Iterator[Peer]:
    """Start the worker for one library; connection: port, user name and secret for `poll`."""
    worker = Path(__file__).with_name("peer_worker.py")
    process = subprocess.Popen(
        [str(python()), str(worker), library, *connection], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Peer(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
