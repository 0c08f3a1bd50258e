"""Storms and inhibition in a real Alertmanager: promtool says what fires when, Alertmanager tells, a receiver counts.

All scenarios are lived through at the same time, each under job names of its own, a step of theirs in a quarter second;
Alertmanager's waits are shortened as much.
"""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.alertmanager import Firing, Labels, Notification, alertmanager, firing_in
from tests.support.scenarios import ALERTMANAGER, FIRING, Expected, Scenario, promtool_test, read
from tests.support.series import SERIES

STORMS = read("storms.yml")
MUTING = [
    scenario
    for scenario in [*read("outages.yml"), *read("quiet.yml")]
    if scenario.name.startswith(("The provider is dead", "A planned restart", "A restart after which"))
]
STEP, TICK, FIRST = 60, 0.5, 4 * 60
"""Seconds of a scenario, those it takes, and where it begins to matter."""
MOST_PAGES = 3


@dataclass(frozen=True)
class Lived:
    """A scenario lived through: what fired when, and what Alertmanager told of it."""

    fires: Firing
    told: list[Notification] = field(default_factory=list)

    @property
    def pages(self) -> list[str]:
        """The alert of each page, in order."""
        return [one.group["alertname"] for one in self.told if one.receiver == "on-call" and one.alerts]


def firing(promtool: Path, folder: Path, scenario: Scenario) -> Firing:
    """What fires at each step, without what Alertmanager makes of it."""
    times = range(0, scenario.clock.lasts + 1, STEP)
    nothing = [{"expr": f"ALERTS{{{FIRING}}}", "eval_time": f"{at}s", "exp_samples": []} for at in times]
    folder.mkdir()
    path = promtool_test(scenario, SERIES, nothing, folder)
    done = subprocess.run([str(promtool), "test", "rules", str(path)], capture_output=True, text=True, check=False)
    return firing_in(done.stdout + done.stderr)


@pytest.fixture(scope="module")
def lived(promtool: Path, alertmanager_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Lived]:
    """Scenario → what came of it."""
    folder = tmp_path_factory.mktemp("storms")
    every = [*STORMS, *MUTING]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda one: Lived(firing(promtool, folder / str(one[0]), one[1])), enumerate(every)))
    # Job names tell the scenarios apart.
    merged: dict[int, list[Labels]] = defaultdict(list)
    for number, one in enumerate(found):
        for at, alerts in one.fires.items():
            merged[at] += [{**labels, "job": f"{number}-{labels.get('job', '')}"} for labels in alerts]
    config = ALERTMANAGER.read_text(encoding="utf-8")
    with alertmanager(alertmanager_program, folder, config, faster=STEP / TICK) as server:
        server.replay(merged, FIRST, max(scenario.clock.lasts for scenario in every), STEP, TICK)
        for notification in server.told:
            found[int(notification.group["job"].partition("-")[0])].told.append(notification)
    return dict(zip((scenario.name for scenario in every), found, strict=True))


@pytest.mark.parametrize("scenario", [pytest.param(one, id=one.name) for one in STORMS])
@pytest.mark.timeout(900)
def test_a_storm_of_200_pbxs_gives_at_most_three_pages(scenario: Scenario, lived: Mapping[str, Lived]) -> None:
    pages = lived[scenario.name].pages
    assert 1 <= len(pages) <= MOST_PAGES, pages
    assert {one.alert for one in scenario.expected} <= set(pages) <= {*scenario.may, *map(name_of, scenario.expected)}


@pytest.mark.parametrize("scenario", [pytest.param(one, id=one.name) for one in STORMS])
def test_the_alerts_of_a_storm_fire_in_their_time(scenario: Scenario, lived: Mapping[str, Lived]) -> None:
    for one in scenario.expected:
        wanted = {"alertname": one.alert, "severity": "critical", **one.labels}.items()
        fires = [
            at for at, alerts in lived[scenario.name].fires.items() if any(wanted <= dict(a).items() for a in alerts)
        ]
        assert one.start <= min(fires) <= one.by, one.alert
        assert one.through is None or one.through <= max(fires), one.alert
        assert one.gone is None or max(fires) < one.gone, one.alert


@pytest.mark.parametrize("scenario", [pytest.param(one, id=one.name) for one in MUTING])
@pytest.mark.timeout(900)
def test_alertmanager_mutes_as_the_scenarios_reckon(scenario: Scenario, lived: Mapping[str, Lived]) -> None:
    assert set(lived[scenario.name].pages) == {one.alert for one in scenario.expected if one.severity == "critical"}


def name_of(expected: Expected) -> str:
    return expected.alert
