"""No panel reads more than a million samples at 200 PBXs over six hours, as a real Prometheus counts them.

One simulated PBX's scrape is written into a database as if it had been scraped every 15 seconds. What queries read
grows in proportion to the PBXs, and in a straight line with the time shown: two short ranges tell what six hours read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import promql_parser as promql
import pytest

from ami_exporter.demo import DemoSettings, SimulatedPbx
from tests.support.backfill import Labels, lines, write_blocks
from tests.support.dashboards import CHOSEN_ALL, Json, every_panel, is_of_one_pbx, replaced, step_of
from tests.support.exporter_process import exporter
from tests.support.prometheus_server import PrometheusServer, prometheus_server
from tests.support.promql import selectors
from tests.support.rules import RECORDED
from tests.support.series import SERIES

PBXS, HOURS, MOST = 200, 6, 1_000_000
SCRAPE, RECORDING = 15, 60
SHORT, LONG = 900, 1800
DAY = 86400
# Looked back on for a day, a sample each few minutes.
OF_THE_DAY = ("asterisk_up", "asterisk_endpoints", "asterisk_endpoint_up")
TARGET: Labels = (("instance", "pbx1"), ("job", "asterisk"), ("site", "berlin"))
END = int(time.time()) // 300 * 300 - 300
# A database is made first, which takes ten seconds, and minutes on a machine under load.
pytestmark = pytest.mark.timeout(400)

PANELS = [pytest.param(board, panel, id=f"{board['uid']}: {panel['title']}") for board, panel in every_panel()]


CONFIG = """
targets:
  pbx1:
    address: "127.0.0.1:{port}"
    username: demo
    secret: demo
    destinations: {{emergency: ["112"], international: ["00"], premium: ["0900"]}}
    dids: {{"6003": Service}}
"""


def written(path: Path, text: str) -> Path:
    """Write a file."""
    path.write_text(text, encoding="utf-8")
    return path


def scraped(folder: Path) -> dict[tuple[str, Labels], float]:
    """Every series of a PBX that has lived for a while."""
    config = folder / "ami-exporter.yml"
    with (
        SimulatedPbx(DemoSettings(speed=20.0, warmup=1800.0)) as pbx,
        exporter("--config.file", str(written(config, CONFIG.format(port=pbx.port)))) as process,
    ):
        process.get()
        time.sleep(15)
        found = process.get().series()
    return {(name, tuple(sorted({**dict(labels), **dict(TARGET)}.items()))): v for (name, labels), v in found.items()}


@pytest.fixture(scope="module")
def prometheus(
    prometheus_program: Path, promtool: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusServer]:
    folder = tmp_path_factory.mktemp("cost")
    names = read_names()
    found = scraped(folder)
    missing = names - {name for name, _ in found}
    everything = {**dict(further(missing)), **dict(attacks()), **found}
    series = {key: value for key, value in everything.items() if key[0] in names}
    first = END - LONG - 3600 - 300
    past = {key: value for key, value in series.items() if key[0] in OF_THE_DAY}
    # Promtool wants each name's lines in order of time.
    write_blocks(promtool, folder, lines(past, range(END - DAY, first - 300, 240), first))
    write_blocks(promtool, folder, lines(series, range(first, END + 1, SCRAPE), first))
    config = "global: {scrape_interval: 1h}\n"
    with prometheus_server(prometheus_program, folder, config) as server:
        recorded = dict(record(server))
    write_blocks(promtool, folder, lines(recorded, range(END - LONG - 600, END + 1, RECORDING), first))
    with prometheus_server(prometheus_program, folder, config) as server:
        yield server


def further(missing: set[str]) -> Iterator[tuple[tuple[str, Labels], float]]:
    """Series that the simulated PBX does not show without a configuration, in the numbers that a large PBX has."""
    names = {"tenant": 20, "canary": 3, "trunk": 3, "destination": 5, "queue": 4, "member": 10, "endpoint": 2}
    other = {"media": 2, "result": 4, "class": 8, "phase": 3, "cause": 1, "reason": 1, "outcome": 2, "technology": 1}
    for name, metric in SERIES.items():
        if name not in missing or ":" in name:  # what rules record is reckoned from these
            continue
        labels = sorted(metric.labels)
        for values in product(*(range({**names, **other}.get(label, 1)) for label in labels)):
            words = [(*metric.closed.get(label, ()), *map(str, range(20))) for label in labels]
            own = {label: known[place] for label, known, place in zip(labels, words, values, strict=True)}
            yield (name, tuple(sorted({**own, **dict(TARGET)}.items()))), 1.0


def attacks() -> Iterator[tuple[tuple[str, Labels], float]]:
    """Security events of every kind on four services at once: a scan of all ports of a PBX."""
    name = "asterisk_security_events_total"
    for event, service in product(SERIES[name].closed["event"], ("AMI", "IAX2", "PJSIP", "SIP")):
        yield (name, tuple(sorted({"event": event, "service": service, **dict(TARGET)}.items()))), 1.0


def read_names() -> set[str]:
    """Names of the series that boards and recording rules read."""
    texts = [expression(target, panel, LONG) for _, panel in every_panel() for target in panel["targets"]]
    texts += [rule.expr for rule in RECORDED]
    return {str(selector.name) for text in texts for selector in selectors(promql.parse(text))}


def record(server: PrometheusServer) -> Iterator[tuple[tuple[str, Labels], float]]:
    """What the recording rules record."""
    for rule in RECORDED:
        for found in server.query(rule.expr, at=END):
            labels = {name: text for name, text in found["metric"].items() if name != "__name__"}
            yield (rule.name, tuple(sorted({**labels, **dict(TARGET)}.items()))), 0.5


def expression(target: Json, panel: Json, shown: int) -> str:
    """With the variables filled in as Grafana does when that many seconds of six hours are shown."""
    rate = max(step_of(panel, HOURS * 3600) + SCRAPE, 4 * SCRAPE)
    values = {
        "$__rate_interval": f"{rate}s",
        "$__range_s": str(shown),
        "$__range": f"{shown}s",
        **CHOSEN_ALL,
        "offset 1w": "offset 1m",
    }
    return replaced(str(target["expr"]), values)


def read_by(server: PrometheusServer, panel: Json, shown: int) -> int:
    """Samples that a panel's queries read."""
    total = 0
    for target in panel["targets"]:
        text = expression(target, panel, shown)
        step = 0 if target["instant"] else step_of(panel, HOURS * 3600)
        total += server.samples_read(text, END - shown, END, step)
    return total


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_a_panel_reads_less_than_a_million_samples(prometheus: PrometheusServer, board: Json, panel: Json) -> None:
    short, long = read_by(prometheus, panel, SHORT), read_by(prometheus, panel, LONG)
    six_hours = short + (long - short) * (HOURS * 3600 - SHORT) / (LONG - SHORT)
    pbxs = 1 if is_of_one_pbx(board) else PBXS
    assert six_hours * pbxs <= MOST
