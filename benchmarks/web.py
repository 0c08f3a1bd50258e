"""What a request costs the web room by itself: no poll, a fixed body; beside a bare socket and the standard library."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.measure import alternate
from benchmarks.report import ROOT, Table, milliseconds

REQUESTS = 200
ROUNDS = 25
HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "Accept-Encoding": "gzip",
    "User-Agent": "Prometheus/2.53",
    "X-Prometheus-Scrape-Timeout-Seconds": "10",
}
SUBJECTS = {
    "ami-exporter": "ours",
    "bare socket, a thread a connection (the floor)": "bare_socket",
    "http.server of the standard library": "standard_library",
}


def run() -> list[Table]:
    """CPU of the server's process for a request, over a kept connection and over a new one for each request."""
    table = Table(
        f"CPU of the server for a request that polls nothing, ms; least of {ROUNDS} × {REQUESTS}, taking turns.",
        ("server", "kept connection", "a connection for each request"),
    )
    with ExitStack() as stack:
        started = {name: stack.enter_context(_server(kind)) for name, kind in SUBJECTS.items()}
        costs = [_costs(started, ask) for ask in (_kept, _new)]
    for name in SUBJECTS:
        table.rows.append((name, *(milliseconds(cost[name]) for cost in costs)))
    return [table]


def _costs(started: dict[str, tuple[int, int]], ask: Callable[[int], int]) -> dict[str, float]:
    pids = {name: pid for name, (pid, _) in started.items()}
    runs = {name: (lambda port=port: ask(port)) for name, (_, port) in started.items()}
    taken = alternate(runs, ROUNDS, pids)
    return {name: min(one.cpu[name] for one in taken[name]) / REQUESTS for name in started}


def _kept(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    size = sum(_ask(connection) for _ in range(REQUESTS))
    connection.close()
    return size


def _new(port: int) -> int:
    size = 0
    for _ in range(REQUESTS):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        size += _ask(connection)
        connection.close()
    return size


def _ask(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/metrics", headers=HEADERS)
    return len(connection.getresponse().read())


@contextmanager
def _server(kind: str) -> Iterator[tuple[int, int]]:
    """Start a server; its process id and port."""
    command = [sys.executable, "-m", "benchmarks.web_subject", kind]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.pid, int(process.stdout.readline())
        finally:
            process.terminate()
