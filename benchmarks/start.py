"""From process start to the first complete scrape, and what importing costs."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import cpu_seconds, median
from benchmarks.pbx import SECRET, USER, asterisk, fill
from benchmarks.report import Table
from benchmarks.subjects import Scrape
from tests.support.asterisk_server import free_port
from tests.support.exporter_process import clean_environ, command

ROUNDS = 9
START_SECONDS = 30.0
_MODULES = {
    "`ami-exporter --help`": "ami_exporter.cli",
    "`serve`": "ami_exporter.commands.serve",
    "of that, libraries": "asyncio, h11, yaml, prometheus_client, ssl, http.client",
}


def run() -> list[Table]:
    """Tables of the start and of imports."""
    started = Table(
        f"Process start to the first complete scrape (real Asterisk 22, 100 channels), median of {ROUNDS}.",
        ("wall clock s", "CPU s until then"),
    )
    with tempfile.TemporaryDirectory() as folder, asterisk(Path(folder)) as server:
        fill(server, 100)
        found = [_start(server.ami_port) for _ in range(ROUNDS)]
    started.rows.append(tuple(f"{median([one[place] for one in found]):.2f}" for place in (0, 1)))
    imports = Table("Imports, CPU time beyond that of an empty Python.", ("what", "s"))
    empty = _import("sys")
    imports.rows.extend((name, f"{_import(modules) - empty:.2f}") for name, modules in _MODULES.items())
    return [started, imports]


def _start(ami_port: int) -> tuple[float, float]:
    port = free_port("127.0.0.1")
    options = ("--ami.address", f"127.0.0.1:{ami_port}", "--ami.username", USER)
    begin = time.perf_counter()
    process = subprocess.Popen(
        command(*options, "--web.listen-address", f"127.0.0.1:{port}"),
        stderr=subprocess.DEVNULL,
        env={**clean_environ(), "AMI_EXPORTER_AMI_SECRET": SECRET},
    )
    try:
        while True:
            if time.perf_counter() - begin > START_SECONDS:
                raise TimeoutError(f"no complete scrape within {START_SECONDS} s")
            try:
                Scrape(port)()
            except (OSError, http.client.HTTPException):
                time.sleep(0.005)
            else:
                return time.perf_counter() - begin, cpu_seconds(process.pid)
    finally:
        process.terminate()
        process.wait(10)


def _import(modules: str) -> float:
    """Median CPU seconds of a process that imports them."""
    code = f"import {modules}\nimport time\nprint(time.process_time())"
    run = [sys.executable, "-c", code]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return median(
        [
            float(subprocess.run(run, env=environ, capture_output=True, text=True, check=True).stdout)
            for _ in range(ROUNDS)
        ]
    )
