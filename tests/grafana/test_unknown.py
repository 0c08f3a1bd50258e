"""No panel says something good of a PBX of which nothing is known: it died, or its exporter did.

A real Prometheus scrapes exporters on simulated PBXs that have lived for a while. One PBX dies. The exporter of the
other one dies, while a third exporter, whose AMI user has few rights, stays with it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ami_exporter.demo import DemoSettings, SimulatedPbx, User
from grafana.colours import GOOD
from tests.support.dashboards import Json, every_panel
from tests.support.exporter_process import exporter
from tests.support.prometheus_server import PrometheusServer, prometheus_server
from tests.support.rules import ROOT

pytestmark = pytest.mark.timeout(300)

SECONDS = 90.0
"""How long it may take until rules have recorded calls, and until Prometheus sees that a PBX is dead."""
DIED, EXPORTER_DIED, FEW_RIGHTS = "died", "exporter-died", "few-rights"
FEW = User("few", "few", frozenset({"system"}), frozenset({"reporting"}))

CONFIG = """
targets:
  pbx:
    address: "127.0.0.1:{port}"
    username: {user}
    secret: {user}
    destinations: {{emergency: ["112"], international: ["00"], premium: ["0900"]}}
    dids: {{"6003": Service}}
    tenants: {{from: AccountCode, map: {{acme: Acme, globex: Globex}}}}
    collectors:
      queue_members: {{enabled: true}}
"""
PROMETHEUS = """
global: {{scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s}}
rule_files: [rules/*.yml]
scrape_configs:
  - job_name: died
    static_configs: [{{targets: ["127.0.0.1:{died}"]}}]
  - job_name: exporter-died
    static_configs: [{{targets: ["127.0.0.1:{exporter_died}"]}}]
  - job_name: few-rights
    static_configs: [{{targets: ["127.0.0.1:{few_rights}"]}}]
"""
NONE_OF_THEM = {"none", "no failures", "no channels", "nobody waits"}
"""Names of series at 0 that say that there is nothing."""
KNOWN_ALL_THE_SAME = {
    # Logins that it tried, connections that it made: the exporter knows them also of a PBX that does not answer.
    ("asterisk-exporter", "Links of each PBX"),
    ("asterisk-exporter", "Connections and failed logins per minute"),
    # Measured of the calls that there were in the time shown, or in half an hour.
    ("asterisk-media", "Reports with bad loss"),
    ("asterisk-media", "Bad loss of the worst trunk"),
    ("asterisk-media", "Loss, 95th percentile"),
    ("asterisk-media", "Jitter, 95th percentile"),
    ("asterisk-media", "Round trip, 95th percentile"),
    ("asterisk-media", "Median MES"),
    ("asterisk-media", "PBXs with calls without audio"),
    ("asterisk-queues", "Service level"),
    ("asterisk-queues", "Abandoned"),
}
SUBQUERY = re.compile(r"\[[^]:]+:[^]]+\]")
WINDOW = re.compile(r":(?:ratio|mean|p95_|increase)(?:15m|30m|1h)\b")
VALUES = {
    "$__rate_interval": "20s",
    "$__range_s": "300",
    "$__range": "5m",
    "$site": ".*",
    "$instance": ".+",
    "$exporter": ".+",
    "$queue": ".+",
    "$trunk": ".+",
    "$tenant": ".+",
    "offset 1w": "offset 5s",
}
EACH_PANEL = pytest.mark.parametrize(
    ("board", "panel"),
    [pytest.param(board, panel, id=f"{board['uid']}: {panel['title']}") for board, panel in every_panel()],
)
OF_A_WINDOW = [
    (board, panel)
    for board, panel in every_panel()
    if panel["type"] == "timeseries" and any(WINDOW.search(target["expr"]) for target in panel["targets"])
]


@dataclass(frozen=True)
class Seen:
    """A value as a panel shows it. name: of the series, or the column's heading."""

    name: str
    text: str
    colour: str


@dataclass(frozen=True)
class Story:
    """Both PBXs lived at the moment `alive`, and live no more."""

    server: PrometheusServer
    alive: int


@pytest.fixture(scope="module")
def story(prometheus_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("unknown")
    (folder / "rules").mkdir()
    for rules in (ROOT / "prometheus" / "rules").glob("*.yml"):
        text = rules.read_text(encoding="utf-8").replace("interval: 1m", "interval: 1s")
        (folder / "rules" / rules.name).write_text(text, encoding="utf-8")
    settings = DemoSettings(endpoints=20, speed=20, warmup=600)
    with SimulatedPbx(settings) as dying, SimulatedPbx(settings, users=[FEW]) as living:
        files = {}
        for name, pbx, user in ((DIED, dying, "demo"), (EXPORTER_DIED, living, "demo"), (FEW_RIGHTS, living, FEW.name)):
            files[name] = folder / f"{name}.yml"
            files[name].write_text(CONFIG.format(port=pbx.port, user=user), encoding="utf-8")
        with (
            exporter("--config.file", str(files[DIED])) as first,
            exporter("--config.file", str(files[EXPORTER_DIED])) as second,
            exporter("--config.file", str(files[FEW_RIGHTS])) as third,
        ):
            config = PROMETHEUS.format(died=first.port, exporter_died=second.port, few_rights=third.port)
            with prometheus_server(prometheus_program, folder, config) as server:
                server.wait_for(
                    lambda it: (
                        len(it.query("instance:asterisk_calls:rate5m > 0")) > 1
                        and not it.query(
                            f'max_over_time(ami_exporter_event_classes{{job="{FEW_RIGHTS}", class="call"}}[6s])'
                        )
                        and bool(it.query("sum(min_over_time(asterisk_up[6s])) == 3"))
                        and all(any(shown(it, panel, DIED)) for _, panel in OF_A_WINDOW)
                    ),
                    SECONDS,
                    "all up for some seconds, calls recorded, every line of a window shown",
                )
                alive = int(time.time())
                dying.stop()
                second.process.kill()
                server.wait_for(
                    lambda it: (
                        bool(it.query(f'sum(ami_exporter_link_up{{job="{DIED}"}}) == 0'))
                        and not it.query(f'asterisk_up{{job="{EXPORTER_DIED}"}}')
                    ),
                    SECONDS,
                    "both ends seen",
                )
                yield Story(server, alive)


def shown(server: PrometheusServer, panel: Json, job: str, at: int | None = None) -> Iterator[Seen]:
    """Every value of a panel at a moment, or now, in its colour."""
    for target in panel["targets"]:
        expression = str(target["expr"]).replace("$job", job)
        for name, value in VALUES.items():
            expression = expression.replace(name, value)
        column = f"Value #{target['refId']}" if len(panel["targets"]) > 1 else "Value"
        looks = looks_of(panel, column if target["format"] == "table" else "")
        for series in server.query(SUBQUERY.sub("[5m:1s]", expression), at):
            name = legend(target["legendFormat"], series["metric"])
            yield seen(str(looks.get("displayName", name)), float(series["value"][1]), looks)


def legend(written: str, labels: Mapping[str, str]) -> str:
    """A series' name as Grafana makes it."""
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), written)


def looks_of(panel: Json, column: str) -> Json:
    """Properties of a field: the panel's, and those of a column of that name."""
    own = [rule["properties"] for rule in panel["fieldConfig"]["overrides"] if rule["matcher"]["options"] == column]
    looks: Json = panel["fieldConfig"]["defaults"] | {item["id"]: item["value"] for items in own for item in items}
    return looks


def seen(name: str, value: float, looks: Json) -> Seen:
    """How Grafana shows a number: by a mapping of its value, or in the colour of its threshold."""
    for mapping in looks["mappings"]:
        found = mapping["options"].get(f"{value:g}") if mapping["type"] == "value" else None
        if found:
            return Seen(name, found["text"], found["color"])
    steps = looks["thresholds"]["steps"]
    colour = next(step["color"] for step in reversed(steps) if step["value"] is None or value >= step["value"])
    return Seen(name, f"{value:g}", colour)


@pytest.mark.parametrize("job", [DIED, EXPORTER_DIED])
@EACH_PANEL
def test_nothing_good_is_said_of_what_is_not_known(story: Story, board: Json, panel: Json, job: str) -> None:
    if (board["uid"], panel["title"]) in KNOWN_ALL_THE_SAME:
        return
    for value in shown(story.server, panel, job):
        assert value.colour != GOOD or panel["type"] not in {"stat", "bargauge", "table"}, value
        assert value.name not in NONE_OF_THEM or value.text != "0", value


@pytest.mark.parametrize(
    ("board", "panel"), [pytest.param(*one, id=f"{one[0]['uid']}: {one[1]['title']}") for one in OF_A_WINDOW]
)
def test_what_is_recorded_of_a_window_does_not_go_on_after_a_pbx_died(story: Story, board: Json, panel: Json) -> None:
    """Counters stay what they were: for half an hour a line would show the calls of before as those of now."""
    assert list(shown(story.server, panel, DIED, story.alive)), f"{board['uid']} shows nothing of a PBX that lives"
    assert list(shown(story.server, panel, DIED)) == [], board["uid"]


@pytest.mark.parametrize(
    ("uid", "title", "text"),
    [
        ("asterisk-fleet", "PBXs up", "2/2"),
        ("asterisk-fleet", "Without a trunk", "0"),
        ("asterisk-pbx", "AMI", "up"),
        ("asterisk-pbx", "Trunks up", "4/4"),
        ("asterisk-trunks", "Registrations", "6/6"),
        ("asterisk-exporter", "Links down", "0"),
    ],
)
def test_what_is_well_is_green(story: Story, uid: str, title: str, text: str) -> None:
    (panel,) = (one for board, one in every_panel() if (board["uid"], one["title"]) == (uid, title))
    (value,) = shown(story.server, panel, f"{DIED}|{EXPORTER_DIED}", story.alive)
    assert text in {value.name, value.text}
    assert value.colour == GOOD


@pytest.mark.parametrize(
    ("uid", "title", "text"),
    [
        ("asterisk-pbx", "Telephony", "half seen"),
        ("asterisk-pbx", "Trunks up", "unknown"),
        ("asterisk-pbx", "AMI", "up"),
    ],
)
def test_what_may_not_be_read_is_neither_good_nor_none(story: Story, uid: str, title: str, text: str) -> None:
    """The AMI user may not read calls and trunks: no trunk is listed, and no problem is known."""
    (panel,) = (one for board, one in every_panel() if (board["uid"], one["title"]) == (uid, title))
    (value,) = shown(story.server, panel, FEW_RIGHTS, story.alive)
    assert text in {value.name, value.text}


@pytest.mark.parametrize("uid", ["asterisk-pbx", "asterisk-trunks"])
def test_without_the_class_of_calls_nothing_is_said_of_their_failures(story: Story, uid: str) -> None:
    """The AMI user lacks the events of calls: their counters stand still."""
    for board, panel in every_panel():
        if board["uid"] == uid:
            for value in shown(story.server, panel, FEW_RIGHTS, story.alive):
                assert value.name not in {"none", "no failures"}, panel["title"]


def test_the_reader_sees_what_grafana_shows() -> None:
    up_down = {"type": "value", "options": {"1": {"text": "up", "color": "green"}}}
    steps = [{"color": "green", "value": None}, {"color": "red", "value": 1}]
    looks = {"mappings": [up_down], "thresholds": {"steps": steps}}
    assert seen("AMI", 1, looks) == Seen("AMI", "up", "green")
    assert seen("Down", 2, looks) == Seen("Down", "2", "red")
    assert seen("Down", 0.5, looks) == Seen("Down", "0.5", "green")
