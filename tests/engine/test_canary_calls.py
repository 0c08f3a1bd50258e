"""Canaries on their own clock, against the simulated PBX."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest

from ami_exporter.collectors.registry import builtin
from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.canary_settings import CanarySettings
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import TrunkSettings
from ami_exporter.demo import DemoSettings, SimulatedPbx
from ami_exporter.demo.simulated_pbx import CANARY_USER
from ami_exporter.pbx.target import Clocks, Target
from tests.support.targets import listening, scrape, target, until, value

pytestmark = pytest.mark.slow

FAST = CanarySettings("PJSIP/+4930123456@telco-a", AmiUser(CANARY_USER, Secret("demo")), interval=300.0, audio="rtp")
SOON = Clocks(jitter=lambda: 0.01)
"""The first call comes three seconds after the start."""


def simulated(speed: float = 20.0, **more: object) -> SimulatedPbx:
    return SimulatedPbx(DemoSettings(speed=speed, traffic=0.0, warmup=0.0), **more)  # type: ignore[arg-type] # fields of SimulatedPbx


def calling(pbx: SimulatedPbx, **more: object) -> AbstractContextManager[Target]:
    """A target with one canary."""
    user = {"username": pbx.username, "secret": Secret(pbx.secret)}
    return target(pbx.port, clocks=SOON, events=True, canaries={"a": FAST}, **user, **more)  # type: ignore[arg-type] # theirs


@pytest.mark.parametrize("scrapes", [0, 30])
def test_a_call_is_made_by_the_clock_and_never_because_of_a_request(scrapes: int) -> None:
    with (
        simulated() as pbx,
        calling(pbx) as watched,
    ):
        until(lambda: value(scrape(watched), "asterisk_canary_last_run_timestamp_seconds", canary="a") is not None)
        for _ in range(scrapes):
            scrape(watched)
        assert pbx.actions["Originate"] == 1
        series = scrape(watched)
        runs = {
            dict(labels)["result"]: n for (name, labels), n in series.items() if name == "asterisk_canary_runs_total"
        }
        assert sum(runs.values()) == 1
        assert value(series, "asterisk_canary_up", canary="a") in (0, 1)
        assert value(series, "asterisk_calls_total", direction="outbound", outcome="answered") == 0
        assert value(series, "asterisk_originates_total", result="success") == 0


def test_the_poll_user_never_originates_and_the_callers_session_lasts_a_moment() -> None:
    with (
        simulated(write="reporting") as pbx,
        calling(pbx) as watched,
    ):
        until(lambda: pbx.actions["Originate"] == 1)
        until(lambda: CANARY_USER not in pbx.sessions)
        until(lambda: value(scrape(watched), "asterisk_canary_up", canary="a") is not None)


def test_no_call_while_the_trunk_has_but_one_channel_left() -> None:
    trunks = (TrunkSettings("telco-a", "PJSIP/telco-a", channel_limit=1),)
    with (
        simulated() as pbx,
        calling(pbx, trunks=trunks) as watched,
    ):
        until(lambda: (value(scrape(watched), "asterisk_canary_skipped_total", canary="a", reason="limit") or 0) > 0)
        assert pbx.actions["Originate"] == 0


def test_a_pbx_that_goes_down_in_the_middle_leaves_a_failed_call_and_the_result_stays() -> None:
    with (
        simulated(speed=1.0) as pbx,
        calling(pbx) as watched,
    ):
        until(lambda: pbx.actions["Originate"] == 1)
        pbx.stop()
        until(lambda: value(scrape(watched), "asterisk_canary_runs_total", canary="a", result="failed") == 1)
        down = scrape(watched)
        assert value(down, "asterisk_up") == 0
        assert value(down, "asterisk_canary_up", canary="a") == 0


def test_without_canaries_there_are_no_series_of_them() -> None:
    with (
        simulated() as pbx,
        target(pbx.port, known=builtin(), username="demo", secret=Secret("demo"), events=True) as watched,
    ):
        listening(watched)
        assert {name for name, _ in scrape(watched) if name.startswith("asterisk_canary")} == set()
