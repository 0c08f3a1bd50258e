"""The exporter as its users run it: a process of its own, scraped over HTTP."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from queue import Empty, Queue

from prometheus_client.parser import text_string_to_metric_families

from tests.support.asterisk_server import wait_until

START_SECONDS = 60.0

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@lru_cache(maxsize=100_000)
def series_key(written: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """Name and labels of a sample's line without its value. Lines are much the same in each scrape, so this is kept."""
    ((sample,),) = (family.samples for family in text_string_to_metric_families(f"{written} 0\n"))
    return sample.name, frozenset(sample.labels.items())


@dataclass(frozen=True)
class Scrape:
    """One scrape's answer."""

    status: int
    body: str
    headers: Mapping[str, str]

    def series(self) -> Series:
        """(sample name, labels) → value, parsed as Prometheus' own library does."""
        return self._series

    @cached_property
    def _series(self) -> Series:
        samples = (line.rpartition(" ") for line in self.body.splitlines() if line and not line.startswith("#"))
        return {series_key(key): float(value) for key, _, value in samples}

    def value(self, metric: str, **labels: str) -> float | None:
        """One series' value; None when it is not there."""
        return self.series().get((metric, frozenset(labels.items())))

    def by(self, metric: str, *names: str) -> dict[tuple[str, ...], float]:
        """Values of one metric that are not 0, by these labels, summed over the others."""
        found: dict[tuple[str, ...], float] = {}
        for (name, labels), value in self.series().items():
            if name == metric and value:
                key = tuple(dict(labels)[label] for label in names)
                found[key] = found.get(key, 0.0) + value
        return found

    def total(self, metric: str, **labels: str) -> float:
        """Sum of one metric's series that have these labels."""
        wanted = labels.items()
        return sum(value for (name, have), value in self.series().items() if name == metric and wanted <= have)


@dataclass
class ExporterProcess:
    """A running exporter."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str] = field(default_factory=list)

    def get(self, path: str = "/metrics", headers: Mapping[str, str] | None = None, method: str = "GET") -> Scrape:
        """One request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            with connection.getresponse() as response:
                return Scrape(response.status, response.read().decode(), dict(response.getheaders()))
        finally:
            connection.close()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait_older(self, seconds: float) -> None:
        """Wait until Asterisk has run for that long: a start too soon after the last one is not certainly a restart."""
        wait_until(lambda: time.time() - (self.get().value("asterisk_start_time_seconds") or 0) > seconds, 20, "age")

    @property
    def log(self) -> str:
        """Everything it wrote to its log so far."""
        return "\n".join(self.lines)


@contextmanager
def exporter(
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    program: Sequence[str] | None = None,
) -> Iterator[ExporterProcess]:
    """Start the program on a free port, wait until it listens, end it afterwards.

    program: how an installed one is started; it does not get to see this checkout, which is what starts without it.
    """
    listen = ("--web.listen-address", "127.0.0.1:0")
    environ = environ or {}
    process = subprocess.Popen(
        command(*arguments, *listen) if program is None else [*program, *arguments, *listen],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**(outside_environ() if program else clean_environ()), **environ},
        cwd=cwd,
    )
    lines: list[str] = []
    ports: Queue[int] = Queue()
    reader = threading.Thread(target=_read, args=(process, lines, ports), daemon=True)
    reader.start()
    try:
        try:
            port = ports.get(timeout=START_SECONDS)
        except Empty:
            raise AssertionError(f"the exporter does not listen; its log:\n{chr(10).join(lines)}") from None
        yield ExporterProcess(process, port, lines)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        reader.join(5)


def run(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run one of the commands that end by themselves."""
    return subprocess.run(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**clean_environ(), **(environ or {})},
    )


def command(*arguments: str) -> Sequence[str]:
    """The command line of this very checkout."""
    return [sys.executable, "-m", "ami_exporter", *arguments]


def clean_environ() -> dict[str, str]:
    """This process' environment without variables that the exporter would read."""
    return {**outside_environ(), "PYTHONPATH": str(Path(__file__).parents[2])}


def outside_environ() -> dict[str, str]:
    """The same for a program that must do without this checkout."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AMI_EXPORTER_") and name != "PYTHONPATH"
    }


def _read(process: subprocess.Popen[str], lines: list[str], ports: Queue[int]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line.rstrip("\n"))
        if "listening on" in line:
            ports.put(int(line.rstrip().rstrip('"').rpartition(":")[2]))
    process.stderr.close()
