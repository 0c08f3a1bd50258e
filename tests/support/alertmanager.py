"""A real Alertmanager on loopback, fed with what promtool found firing, and a receiver that counts what it tells."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import yaml

from tests.support.asterisk_server import free_port, wait_until
from tests.support.timeline import seconds

_START_SECONDS = 20.0
Labels = Mapping[str, str]
Firing = Mapping[int, Sequence[Labels]]
"""Second of a scenario → labels of the alerts that fire then."""


@dataclass(frozen=True)
class Notification:
    """One message to a receiver: its group, and the alerts in it that fire."""

    receiver: str
    group: Labels
    alerts: tuple[Labels, ...]


@dataclass
class Alertmanager:
    """A running Alertmanager. told grows while it runs."""

    url: str
    told: list[Notification] = field(default_factory=list)

    def post(self, alerts: Sequence[Labels], lasts: float) -> None:
        """Say that these alerts fire, for so many seconds unless said again."""
        ends = (datetime.now(UTC) + timedelta(seconds=lasts)).isoformat()
        body = json.dumps([{"labels": dict(labels), "endsAt": ends} for labels in alerts]).encode()
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.url}/api/v2/alerts", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            assert answer.status == 200

    def replay(self, firing: Firing, begin: int, end: int, step: int, tick: float) -> None:
        """Live through a scenario, a step in `tick` seconds."""
        start = time.monotonic()
        for number, second in enumerate(range(begin, end + 1, step)):
            time.sleep(max(0.0, start + number * tick - time.monotonic()))
            alerts = firing.get(second, ())
            if alerts:
                self.post(alerts, 4 * tick)


@contextlib.contextmanager
def alertmanager(program: Path, folder: Path, config: str, faster: float) -> Iterator[Alertmanager]:
    """Run Alertmanager with this configuration until the context ends; its waits are `faster` times shorter."""
    receiver = _Receiver()
    (folder / "alertmanager.yml").write_text(_faster(config, faster, receiver.url), encoding="utf-8")
    address = f"127.0.0.1:{free_port('127.0.0.1')}"
    server = Alertmanager(f"http://{address}", receiver.told)
    options = [f"--web.listen-address={address}", "--config.file=alertmanager.yml", "--storage.path=data"]
    log_file = folder / "alertmanager.log"
    with receiver, log_file.open("wb") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", str(program), *options, "--cluster.listen-address="],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until(
                lambda: process.poll() is not None or _is_ready(server.url), _START_SECONDS, "Alertmanager ready"
            )
            assert process.poll() is None, log_file.read_text()[-2000:]
            yield server
        finally:
            process.kill()
            process.wait(5)


def firing_in(said: str) -> dict[int, list[Labels]]:
    """What fires when, from the complaints of a promtool test that expects no ALERTS at all."""
    found: dict[int, list[Labels]] = {}
    for at, samples in re.findall(r"time: (\w+),\s*\n\s*exp:[^\n]*\n\s*got:(.*)", said):
        alerts = [dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', one)) for one in re.findall(r"\{[^}]*\}", samples)]
        for labels in alerts:
            del labels["__name__"], labels["alertstate"]
        found[seconds(at)] = list(alerts)
    return found


def _faster(config: str, faster: float, url: str) -> str:
    """Shorten the waits of a configuration and give each receiver a web hook."""

    def shorter(found: re.Match[str]) -> str:
        return f"{found[1]}: {max(1, round(seconds(found[2]) * 1000 / faster))}ms"

    document = yaml.safe_load(re.sub(r"(group_wait|group_interval|repeat_interval): (\w+)", shorter, config))
    for receiver in document["receivers"]:
        receiver["webhook_configs"] = [{"url": f"{url}/{receiver['name']}", "send_resolved": False}]
    return yaml.safe_dump(document)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except OSError:
        return False


class _Receiver:
    """An HTTP server that keeps what Alertmanager posts."""

    def __init__(self) -> None:
        told: list[Notification] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                alerts = tuple(one["labels"] for one in body["alerts"] if one["status"] == "firing")
                told.append(Notification(self.path.strip("/"), body["groupLabels"], alerts))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        self.told = told
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
