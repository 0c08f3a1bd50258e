"""A Prometheus database made from one scrape: hours of samples in seconds, by promtool."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

Labels = tuple[tuple[str, str], ...]


def lines(
    series: Mapping[tuple[str, Labels], float], times: Iterable[int], first: int, pace: float = 0.02
) -> Iterator[str]:
    """OpenMetrics lines, each name's series together: counters rise by `pace` a second, gauges stay."""
    moments = list(times)
    kind = ""
    for (name, labels), value in sorted(series.items()):
        if name != kind:
            kind = name
            yield f"# TYPE {name} unknown"
        shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
        rises = name.endswith(("_total", "_bucket", "_sum", "_count"))
        for moment in moments:
            yield f"{name}{{{shown}}} {value + (moment - first) * pace if rises else value} {moment}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"")


def write_blocks(promtool: Path, folder: Path, chunks: Iterable[str]) -> None:
    """Add samples to the database in folder/data."""
    text = folder / "samples.txt"
    with text.open("w", encoding="utf-8") as file:
        for line in chunks:
            file.write(line + "\n")
        file.write("# EOF\n")
    command = [str(promtool), "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "data"), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    text.unlink()
    if done.returncode:
        raise RuntimeError(f"promtool: {done.stdout[-1000:]}{done.stderr[-1000:]}")
