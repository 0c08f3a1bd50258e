"""A real Prometheus on loopback, and promtool: what finally has to understand our output."""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.asterisk_server import free_port, wait_until

_START_SECONDS = 20.0
_REQUEST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class PrometheusServer:
    """A running Prometheus. `url` has no slash at its end."""

    url: str
    log_file: Path

    def query(self, expression: str, at: int | None = None) -> list[dict[str, Any]]:
        """Return the instant vector: [{"metric": {label: value}, "value": [time, "number"]}, …]."""
        moment = {} if at is None else {"time": str(at)}
        result: list[dict[str, Any]] = self._get("/api/v1/query", {"query": expression, **moment})["result"]
        return result

    def samples_read(self, expression: str, start: int, end: int, step: int) -> int:
        """Return how many samples a query loads, as Prometheus counts; a step of 0 asks only for the end."""
        common = {"query": expression, "stats": "all"}
        if step:
            found = self._get("/api/v1/query_range", {**common, "start": start, "end": end, "step": step})
        else:
            found = self._get("/api/v1/query", {**common, "time": end})
        return int(found["stats"]["samples"]["totalQueryableSamples"])

    def value(self, expression: str) -> float:
        """Return the one number an expression gives."""
        result = self.query(expression)
        if len(result) != 1:
            raise LookupError(f"{expression} gives {len(result)} series, expected 1: {result}")
        return float(result[0]["value"][1])

    def targets(self) -> list[dict[str, Any]]:
        """Return the active targets, with health ("up", "down", "unknown"), lastError and labels."""
        active: list[dict[str, Any]] = self._get("/api/v1/targets", {"state": "active"})["activeTargets"]
        return active

    def rules(self) -> list[dict[str, Any]]:
        """Return the rule groups with the state of each rule."""
        groups: list[dict[str, Any]] = self._get("/api/v1/rules", {})["groups"]
        return groups

    def wait_for(self, condition: Callable[[PrometheusServer], bool], seconds: float, what: str) -> None:
        """Poll until the condition holds."""
        wait_until(lambda: condition(self), seconds, what)

    def _get(self, path: str, parameters: Mapping[str, str | int]) -> Any:
        address = f"{self.url}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=_REQUEST_SECONDS) as answer:  # noqa: S310 - loopback
            return json.load(answer)["data"]


@contextlib.contextmanager
def prometheus_server(program: Path, folder: Path, config: str) -> Iterator[PrometheusServer]:
    """Run Prometheus with this configuration (YAML; paths in it are relative to `folder`) until the context ends."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(config)
    address = f"127.0.0.1:{free_port('127.0.0.1')}"
    server = PrometheusServer(f"http://{address}", folder / "prometheus.log")
    options = [f"--web.listen-address={address}", "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    with server.log_file.open("wb") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", str(program), *options],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until(lambda: process.poll() is not None or _is_ready(server.url), _START_SECONDS, "Prometheus ready")
            if process.poll() is not None:
                raise RuntimeError(
                    f"Prometheus ended with {process.returncode}:\n{server.log_file.read_text()[-2000:]}"
                )
            yield server
        finally:
            process.kill()
            process.wait(5)


def rule_faults(promtool: Path, test: Path, seconds: float = 100.0) -> str:
    """Run `promtool test rules` on a file; return what it finds wrong, empty when every test in it passes."""
    done = subprocess.run(
        [str(promtool), "test", "rules", test.name],
        cwd=test.parent,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def check_metrics(promtool: Path, exposition: str) -> str:
    """Return what `promtool check metrics` has to say about a text exposition: nothing, when all is well."""
    done = subprocess.run(
        [str(promtool), "check", "metrics"], input=exposition, capture_output=True, text=True, timeout=30, check=False
    )
    complaints = done.stdout + done.stderr
    return complaints or (f"ended with {done.returncode}" if done.returncode else "")


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=_REQUEST_SECONDS) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:  # URLError, too
        return False
