"""Tables in Markdown, and their place in docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "performance.md"


@dataclass(slots=True)
class Table:
    """A table with the line that stands above it."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            "| " + " | ".join(self.columns) + " |",
            "|" + "---|" * len(self.columns),
            *("| " + " | ".join(row) + " |" for row in self.rows),
        ]
        parts = [self.title, "\n".join(lines), *self.notes]
        return "\n\n".join(part for part in parts if part)


def machine() -> str:
    """The machine and the versions, one line."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    commit = _output("git", "rev-parse", "--short", "HEAD")
    return (
        f"{os.cpu_count()} × {model[1] if model else platform.machine()}, Linux {platform.release()}, "
        f"Python {platform.python_version()}, h11 {metadata.version('h11')}, commit {commit}; "
        f"load average at the start {os.getloadavg()[0]:.1f}"
    )


def replace(name: str, text: str) -> None:
    """Put a benchmark's result between its markers in the document."""
    document = DOCUMENT.read_text()
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(document):
        raise LookupError(f"{DOCUMENT}: no place for {name!r}; expected <!-- {name} --> and <!-- /{name} -->")
    DOCUMENT.write_text(pattern.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", document))


def milliseconds(seconds: float) -> str:
    """Seconds as "12.3" or "123"."""
    value = seconds * 1000
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
