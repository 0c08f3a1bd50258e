"""Events: how many a second one core counts with all rules on, and the most that real Asterisk 22 emits."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.event_classes import classes_of
from ami_exporter.ami.stream import RECEIVE_BYTES
from ami_exporter.collectors.declarations import Context
from ami_exporter.collectors.registry import builtin
from ami_exporter.exposition.caps import Caps
from ami_exporter.pbx.event_counters import EventCounters
from ami_exporter.pbx.event_link import BATCH
from ami_exporter.pbx.target import events_of
from benchmarks.measure import cpu_seconds, median
from benchmarks.pbx import SECRET, USER, asterisk, asterisk_pid, settings, simulated, tell
from benchmarks.report import Table
from benchmarks.subjects import HttpGet
from tests.support.asterisk_server import AsteriskServer
from tests.support.exporter_process import ExporterProcess, exporter
from tests.support.flooding_pbx import flood_corpus

REPLAYED = 300_000
ROUNDS = 5
RATES = (10_000, 25_000, 50_000, 75_000)
FLOOD_SECONDS = 10
#: Sessions that make Asterisk emit at the same time, and what each does.
SESSIONS = 4
CALLS = 2_000
USER_EVENTS = 50_000
SETTLE_SECONDS = 60.0
#: What the exporter listens to: the classes of all built-in rules, and of the custom one below.
CLASSES = classes_of(frozenset(name for one in builtin() if not one.passive for name in events_of(one)) | {"userevent"})
_USER_EVENTS_COUNTED = """custom:
  - event: UserEvent
    metrics: [{name: asterisk_custom_user_events_total, type: counter, help: All.}]
"""


def run() -> list[Table]:
    """All rules without a network, then through a socket at rising rates, then real Asterisk."""
    return [_in_process(), _simulated(), _real()]


def _in_process() -> Table:
    """Decode and count a replayed stream in one thread."""
    corpus = [data for _, _, data in flood_corpus()]
    times = REPLAYED // len(corpus)
    stream = b"".join(corpus)
    store = EventCounters(builtin(), Context(), Caps(1000, lambda *_: None, lambda *_: True))
    seconds = []
    for _ in range(ROUNDS):
        decoder = Decoder()
        begin = time.process_time()
        for _ in range(times):
            for start in range(0, len(stream), RECEIVE_BYTES):
                messages = list(decoder.feed(stream[start : start + RECEIVE_BYTES]))
                for first in range(0, len(messages), BATCH):
                    store.feed(messages[first : first + BATCH], 0.0)
        seconds.append(time.process_time() - begin)
    events = times * len(corpus)
    table = Table(
        f"{events:,} events of answered calls over a trunk ({len(stream) / len(corpus):.0f} bytes each), decoded and "
        f"counted by all rules in one thread, CPU time, median of {ROUNDS}.",
        ("events/s on one core", "µs an event"),
    )
    each = median(seconds) / events
    table.rows.append((f"{1 / each:,.0f}", f"{each * 1e6:.1f}"))
    return table


def _simulated() -> Table:
    """A simulated PBX floods a running exporter while it is scraped once a second."""
    table = Table(
        f"A simulated PBX floods the exporter for {FLOOD_SECONDS} s, which is scraped once a second.",
        ("events/s wanted", "events/s counted", "lost", "exporter CPU, cores"),
    )
    for rate in RATES:
        total = rate * FLOOD_SECONDS
        with simulated() as (process, ports), _exporting(settings(ports, "demo", "demo")) as ours:
            _wait_listening(ours)
            before, cpu, begin = _received(ours), cpu_seconds(ours.process.pid), time.monotonic()
            tell(process, f"flood {rate} {total}")
            counted = _follow(ours, before + total)
            seconds = time.monotonic() - begin
            cores = (cpu_seconds(ours.process.pid) - cpu) / seconds
            lost = before + total - counted
        table.rows.append((f"{rate:,}", f"{total / seconds:,.0f}", f"{lost:,.0f}", f"{cores:.2f}"))
    return table


def _real() -> Table:
    """Asterisk emits as fast as it can; an own listener that only reads says how much."""
    table = Table(
        f"Real Asterisk 22 emits what it can ({SESSIONS} sessions ask for it at once), of the classes we ask for.",
        ("what", "events", "events/s emitted", "lost by the exporter", "exporter CPU, cores", "Asterisk CPU, cores"),
    )
    with tempfile.TemporaryDirectory() as folder, asterisk(Path(folder)) as server:
        config = settings([server.ami_port], USER, SECRET, _USER_EVENTS_COUNTED)
        with _exporting(config) as ours:
            _wait_listening(ours)
            table.rows.append(("calls (Originate, answer, hang up)", *_emit(server, ours, _calls)))
            table.rows.append(("UserEvent", *_emit(server, ours, _user_events)))
    return table


def _emit(server: AsteriskServer, ours: ExporterProcess, one: Callable[[AsteriskServer, int], None]) -> tuple[str, ...]:
    pids = (ours.process.pid, asterisk_pid(server))
    before, cpu = _received(ours), [cpu_seconds(pid) for pid in pids]
    with _Listener(server) as listener:
        begin = time.monotonic()
        threads = [threading.Thread(target=one, args=[server, number]) for number in range(SESSIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        emitted = listener.wait_quiet()
        seconds = listener.last - begin
    lost = before + emitted - _follow(ours, before + emitted)
    cores = (f"{(cpu_seconds(pid) - was) / seconds:.2f}" for pid, was in zip(pids, cpu, strict=True))
    return (f"{emitted:,}", f"{emitted / seconds:,.0f}", f"{lost:,.0f}", *cores)


def _calls(server: AsteriskServer, number: int) -> None:
    with server.ami() as ami:
        for call in range(CALLS // SESSIONS):
            ami.send("Originate", Channel=f"Local/{number}{call:05}@load/n", Application="Hangup", Async="true")
        ami.action("Ping")


def _user_events(server: AsteriskServer, number: int) -> None:
    with server.ami() as ami:
        for one in range(USER_EVENTS // SESSIONS):
            ami.send("UserEvent", UserEvent="Bench", Number=f"{number}-{one}")
            if one % 100 == 99:
                ami.action("Ping")


class _Listener:
    """Counts what Asterisk emits to a session of its own, in a thread that only reads."""

    def __init__(self, server: AsteriskServer) -> None:
        self._ami = server.ami("events", events=",".join(sorted(CLASSES)), seconds=2.0)
        self._count = 0
        self.last = time.monotonic()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ami.close()

    def _listen(self) -> None:
        while True:
            try:
                packet = self._ami.read()
            except (OSError, ValueError):
                return
            if packet.get("Event", "FullyBooted") != "FullyBooted":  # that one is for this session's own login
                self._count += 1
                self.last = time.monotonic()

    def wait_quiet(self) -> int:
        """Events until nothing has come for the session's two seconds."""
        self._thread.join(SETTLE_SECONDS * 5)
        return self._count


@contextmanager
def _exporting(config: str) -> Iterator[ExporterProcess]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yml"
        file.write_text(config)
        with exporter("--config.file", str(file)) as ours:
            yield ours


def _received(ours: ExporterProcess) -> float:
    return ours.get("/metrics?collect[]=core").value("ami_exporter_events_received_total") or 0.0


def _follow(ours: ExporterProcess, expected: float) -> float:
    """Scrape once a second until all have been counted, or nothing moves any more."""
    deadline = time.monotonic() + SETTLE_SECONDS
    page = HttpGet(ours.port)
    moved, counted = time.monotonic(), _received(ours)
    while counted < expected and time.monotonic() < deadline:
        time.sleep(min(1.0, 0.02 + (expected - counted) / 100_000))
        page()
        now = _received(ours)
        if now > counted:
            moved, counted = time.monotonic(), now
        elif time.monotonic() - moved > 5.0:
            break
    page.close()
    return counted


def _wait_listening(ours: ExporterProcess) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while ours.get("/metrics?collect[]=core").value("ami_exporter_link_up", link="events") != 1.0:
        if time.monotonic() > deadline:
            raise TimeoutError("the event link does not come up")
        time.sleep(0.05)
