"""One poll of a real Asterisk 22: our whole HTTP scrape, the raw drain, the peers; time, bytes, series, CPU."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Taken, alternate, median
from benchmarks.pbx import SECRET, USER, asterisk, asterisk_pid, fill
from benchmarks.peers import peer
from benchmarks.report import Table, milliseconds
from benchmarks.subjects import Drain, HttpGet, Scrape
from tests.support.asterisk_server import AsteriskServer
from tests.support.exporter_process import ExporterProcess, exporter

CHANNELS = (10, 100, 1000, 10_000)
ROUNDS = {10: 30, 100: 30, 1000: 20, 10_000: 15}

OURS, ONLY, FLOOR = "ami-exporter, default set", "ami-exporter, `collect[]=channels`", "raw drain of `Status`"
CORE_OURS, CORE_FLOOR = "ami-exporter, `source: CoreShowChannels`, channels only", "raw drain of `CoreShowChannels`"
RES = "res_prometheus"


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that can ask one server. runs: name → one question, answering bytes or channels."""

    runs: Mapping[str, Callable[[], int]]
    ours: ExporterProcess
    scrapes: Sequence[Scrape]
    pages: Mapping[str, HttpGet]

    def fresh(self) -> None:
        """Wait for the load guard."""
        for scrape in self.scrapes:
            scrape.wait_fresh()


@contextmanager
def asking(server: AsteriskServer, folder: Path) -> Iterator[Asked]:
    """Connect everything to a server."""
    core = folder / "core.yml"
    core.write_text(
        f"targets: {{pbx: {{address: '127.0.0.1:{server.ami_port}', username: {USER}, secret: {SECRET}, timeout: 60s, "
        "collectors: {channels: {source: CoreShowChannels}}}}\n"
    )
    with ExitStack() as stack:
        address = ("--ami.address", f"127.0.0.1:{server.ami_port}", "--ami.username", USER)
        environ = {"AMI_EXPORTER_AMI_SECRET": SECRET}
        ours = stack.enter_context(exporter(*address, environ=environ))
        cored = stack.enter_context(exporter("--config.file", str(core)))
        scrapes = {
            OURS: Scrape(ours.port),
            ONLY: Scrape(ours.port, "/metrics?collect[]=channels"),
            CORE_OURS: Scrape(cored.port, "/metrics?collect[]=channels"),
        }
        drains = {
            FLOOR: Drain(server.ami_port, "Status", "StatusComplete"),
            CORE_FLOOR: Drain(server.ami_port, "CoreShowChannels", "CoreShowChannelsComplete"),
        }
        res = HttpGet(server.place.http)
        connection = (str(server.ami_port), USER, SECRET)
        peers = {name: stack.enter_context(peer(name, *connection)) for name in ("panoramisk", "asterisk-ami")}
        for page in (*scrapes.values(), res):
            stack.callback(page.close)
        for drain in drains.values():
            stack.callback(drain.close)
        runs: dict[str, Callable[[], int]] = {
            **scrapes,
            **drains,
            RES: res,
            **{name: one.poll for name, one in peers.items()},
        }
        yield Asked(runs, ours, tuple(scrapes.values()), {**scrapes, RES: res})


def run(channels: Sequence[int] = CHANNELS) -> list[Table]:
    """Tables of times and of CPU, then the default set on a small PBX."""
    times = Table("Wall clock of one poll, ms (medians).", ("asked by", *(f"{n:,} channels" for n in channels)))
    cost = Table(
        "CPU time that one answer costs Asterisk, ms (medians).", ("asked by", *(f"{n:,} channels" for n in channels))
    )
    answers = Table("", ("answer at the most channels", "bytes on the wire", "series"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        found: dict[int, dict[str, list[Taken]]] = {}
        with asterisk(folder / "pbx") as server:
            for count in channels:
                fill(server, count)
                with asking(server, folder) as asked:
                    asked.fresh()
                    found[count] = alternate(asked.runs, ROUNDS[count], {"asterisk": asterisk_pid(server)})
                    pages = {name: page.series for name, page in asked.pages.items()}
        for name in found[channels[0]]:
            times.rows.append((name, *(milliseconds(median(_seconds(found[n][name]))) for n in channels)))
            cost.rows.append((name, *(milliseconds(median(_asterisk(found[n][name]))) for n in channels)))
        ratios = [_ratio(found[n][OURS], found[n][FLOOR]) for n in channels]
        only = [_ratio(found[n][ONLY], found[n][FLOOR]) for n in channels]
        times.rows.append(("**default set ÷ raw drain**", *(f"**{ratio:.2f}**" for ratio in ratios)))
        times.rows.append(("channels only ÷ raw drain", *(f"{ratio:.2f}" for ratio in only)))
        for name, series in pages.items():
            size = found[channels[-1]][name][-1].size
            answers.rows.append((name, f"{size:,}", f"{series:,}"))
        return [times, answers, cost, small_pbx(folder)]


def small_pbx(folder: Path) -> Table:
    """The whole default set with 100 channels and 50 endpoints."""
    with asterisk(folder / "small", endpoints=50) as server:
        fill(server, 100)
        with asking(server, folder) as asked:
            runs = {OURS: asked.runs[OURS]}
            taken = alternate(runs, 100, {"asterisk": asterisk_pid(server), "ours": asked.ours.process.pid})[OURS]
            series = asked.pages[OURS].series
    seconds = sorted(_seconds(taken))
    table = Table(
        "The whole default set over HTTP, 100 channels, 50 endpoints, 100 scrapes.",
        ("median ms", "p90 ms", "exporter CPU ms", "Asterisk CPU ms", "series"),
    )
    own = milliseconds(median([one.cpu["ours"] for one in taken]))
    theirs = milliseconds(median(_asterisk(taken)))
    table.rows.append(
        (milliseconds(median(seconds)), milliseconds(seconds[len(seconds) * 9 // 10]), own, theirs, f"{series:,}")
    )
    return table


def _seconds(taken: Sequence[Taken]) -> list[float]:
    return [one.seconds for one in taken]


def _asterisk(taken: Sequence[Taken]) -> list[float]:
    return [one.cpu["asterisk"] for one in taken]


def _ratio(taken: Sequence[Taken], floor: Sequence[Taken]) -> float:
    return median(_seconds(taken)) / median(_seconds(floor))
