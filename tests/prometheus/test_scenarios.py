"""Scenarios through promtool: each outage rings within its time, everyday life rings nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.prometheus_server import rule_faults
from tests.support.scenarios import Scenario, checks, promtool_test, read
from tests.support.series import SERIES

OUTAGES, QUIET = read("outages.yml"), read("quiet.yml")


@pytest.mark.parametrize("scenario", [pytest.param(one, id=one.name) for one in [*OUTAGES, *QUIET]])
def test_scenario_rings_whom_it_must_and_nobody_else(scenario: Scenario, promtool: Path, tmp_path: Path) -> None:
    path = promtool_test(scenario, SERIES, checks(scenario), tmp_path)
    assert rule_faults(promtool, path) == ""
