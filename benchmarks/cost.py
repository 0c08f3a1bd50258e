"""What the exporter's presence costs the PBX: the time a call takes to set up at 1,000 channels."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measure import percentile
from benchmarks.pbx import SECRET, USER, asterisk, fill, settings
from benchmarks.report import Table, milliseconds
from benchmarks.subjects import Drain, HttpGet, Scrape
from tests.support.asterisk_server import AsteriskServer
from tests.support.exporter_process import exporter
from tests.support.prometheus_server import prometheus_server

CHANNELS = 1000
CALLS = 100
ROUNDS = 5
#: Time between two calls: a call each, and the machine is idle in between.
PAUSE = 0.02
#: The scrape intervals of the hurried cases: fifteen times as often as is usual.
SECONDS = 1.0
PROMETHEUS_SECONDS = 45.0


def run() -> list[Table]:
    """Set-up times, then what Prometheus spends on the two expositions."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with asterisk(folder / "pbx") as server:
            fill(server, CHANNELS)
            return [_set_up(server), _prometheus(server, folder)]


def _set_up(server: AsteriskServer) -> Table:
    """Alternating: CALLS calls each with nobody asking, with us, with a drain, with res_prometheus asked."""
    table = Table(
        f"Time to originate a Local channel and have it answered at {CHANNELS:,} channels, {ROUNDS} × {CALLS} calls "
        f"each, alternating; who asks does so every {SECONDS:.0f} s (fifteen times as often as is usual).",
        ("who asks", "p50 ms", "p90 ms", "p99 ms"),
    )
    with ExitStack() as stack:
        (server.folder / "bench.yml").write_text(settings([server.ami_port], USER, SECRET))
        ours = stack.enter_context(exporter("--config.file", str(server.folder / "bench.yml")))
        asking: Mapping[str, Callable[[], int] | None] = {
            "nobody (the exporter's event link is open)": None,
            "ami-exporter": Scrape(ours.port),
            "raw drain of `Status`": Drain(server.ami_port, "Status", "StatusComplete"),
            "res_prometheus": HttpGet(server.place.http),
        }
        found: dict[str, list[float]] = {name: [] for name in asking}
        for _ in range(ROUNDS):
            for name, ask in asking.items():
                with _Asking(ask):
                    found[name] += _calls(server)
    for name, seconds in found.items():
        table.rows.append((name, *(milliseconds(percentile(seconds, share)) for share in (0.5, 0.9, 0.99))))
    return table


def _calls(server: AsteriskServer) -> list[float]:
    seconds = []
    with server.ami() as ami:
        for number in range(CALLS):
            begin = time.perf_counter()
            ami.action("Originate", Channel=f"Local/{900_000 + number}@load/n", Application="Hangup")
            seconds.append(time.perf_counter() - begin)
            time.sleep(PAUSE)
    return seconds


class _Asking:
    """Asks in a thread, every SECONDS."""

    def __init__(self, ask: Callable[[], int] | None) -> None:
        self._ask = ask
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while self._ask is not None and not self._end.is_set():
            self._ask()
            self._end.wait(SECONDS)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


def _prometheus(server: AsteriskServer, folder: Path) -> Table:
    """A real Prometheus scrapes one exposition each second."""
    from tests.support.machine import provide_program  # noqa: PLC0415 - may install it

    program = provide_program("prometheus", "prometheus")
    table = Table(
        f"What Prometheus spends on it: {CHANNELS:,} channels, a scrape a second for {PROMETHEUS_SECONDS:.0f} s.",
        ("scraped", "samples a scrape", "Prometheus CPU ms a scrape", "series in its head"),
    )
    with exporter("--config.file", str(server.folder / "bench.yml")) as ours:
        for name, port in (("ami-exporter", ours.port), ("res_prometheus", server.place.http)):
            config = (
                "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
                f"scrape_configs: [{{job_name: pbx, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n"
            )
            with prometheus_server(program, folder / f"prometheus-{port}", config) as prometheus:
                own = "process_cpu_seconds_total"
                begin = _own(prometheus.url, own)
                time.sleep(PROMETHEUS_SECONDS)
                cpu = _own(prometheus.url, own) - begin
                samples = prometheus.value("scrape_samples_scraped")
                series = _own(prometheus.url, "prometheus_tsdb_head_series")
            each = milliseconds(cpu / PROMETHEUS_SECONDS * SECONDS)
            table.rows.append((name, f"{samples:,.0f}", each, f"{series:,.0f}"))
    return table


def _own(url: str, metric: str) -> float:
    """One number of Prometheus' own exposition."""
    page = HttpGet(int(url.rpartition(":")[2]))
    page()
    page.close()
    line = next(line for line in page.body.decode().splitlines() if line.startswith(f"{metric} "))
    return float(line.split()[1])
