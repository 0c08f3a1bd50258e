"""A fake Service and a running server for the tests of the web room."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ami_exporter.exposition.formats import Format
from ami_exporter.web.capacity import ServerLimits
from ami_exporter.web.flags import WebFlags
from ami_exporter.web.views import DiscoveredTarget, ReloadOutcome, Selection, StatusView
from ami_exporter.web.webserver import DEFAULT_LIMITS, WebServer, make_server

Scrape = tuple[str | None, Selection, str | None, Format]


@dataclass
class FakeService:
    """Answers at once, unless `hold` is cleared: then scrapes wait for it. Remembers what it was asked."""

    targets: Sequence[str] = ("pbx1", "pbx2")
    collectors: Sequence[str] = ("channels", "core", "queues")
    body: bytes = b"asterisk_up 1\n"
    view: StatusView = field(default_factory=lambda: StatusView("0.0.0-test", now=1000.0, started=0.0))
    is_ready: bool = True
    outcome: ReloadOutcome = field(default_factory=lambda: ReloadOutcome(ok=True, message="configuration loaded"))
    error: Exception | None = None
    scrapes: list[Scrape] = field(default_factory=list)
    reloads: int = 0
    hold: threading.Event = field(default_factory=threading.Event)
    running: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __post_init__(self) -> None:
        self.hold.set()

    def target_names(self) -> Sequence[str]:
        return self.targets

    def collector_names(self) -> Sequence[str]:
        return self.collectors

    def scrape(self, target: str | None, select: Selection, header_timeout: str | None, fmt: Format) -> bytes:
        self.scrapes.append((target, select, header_timeout, fmt))
        self.running.release()
        self.hold.wait(20)
        if self.error is not None:
            raise self.error
        return self.body

    def discovery(self) -> Sequence[DiscoveredTarget]:
        return [DiscoveredTarget(name, {"site": f"site of {name}"}) for name in self.targets]

    def status(self) -> StatusView:
        return self.view

    def config_text(self) -> str:
        return "targets: {}\n"

    def ready(self) -> bool:
        return self.is_ready

    def reload(self) -> ReloadOutcome:
        self.reloads += 1
        return self.outcome


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Running:
    """A server that runs on a loopback port."""

    server: WebServer
    port: int
    service: FakeService

    def ask(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            return exchange(connection, path, method, headers)
        finally:
            connection.close()


def exchange(
    connection: http.client.HTTPConnection, path: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Answer:
    """One request over an open connection."""
    connection.request(method, path, headers=dict(headers or {}))
    with connection.getresponse() as response:
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


@contextmanager
def running(
    service: FakeService | None = None, *, limits: ServerLimits = DEFAULT_LIMITS, **settings: object
) -> Iterator[Running]:
    """Serve on a free loopback port with the given WebFlags fields."""
    service = service or FakeService()
    make: Callable[..., WebFlags] = WebFlags
    server = make_server(service, make(**{"listen_addresses": ("127.0.0.1:0",), **settings}), limits=limits)
    bound = server.start()
    try:
        yield Running(server, int(bound[0].rpartition(":")[2]), service)
    finally:
        service.hold.set()
        server.stop()


def wait_until(done: Callable[[], bool]) -> None:
    """Wait for what the server does by itself."""
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
