"""Console commands run as a user of their own, on a link of their own, and fail alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from ami_exporter.collectors import custom
from ami_exporter.collectors.declarations import Collector
from ami_exporter.collectors.registry import builtin
from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.custom_settings import (
    CommandSettings,
    CustomLabel,
    CustomMetric,
    CustomMetricsSettings,
    CustomValue,
    FieldsRead,
)
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import CollectorSettings
from ami_exporter.demo import SimulatedPbx
from ami_exporter.demo.simulated_pbx import COMMAND_USER
from ami_exporter.pbx.poll_run import PollFault
from ami_exporter.pbx.target import Clocks, Target
from tests.support.targets import movable, scrape, target, value

POOLS = CustomMetricsSettings(
    action=None,
    item=None,
    event=None,
    where={},
    metrics=(
        CustomMetric(
            "asterisk_custom_pool",
            "gauge",
            "Pool.",
            CustomValue("number of active connections"),
            (CustomLabel("pool", "name"),),
        ),
    ),
    command=CommandSettings("odbc show", FieldsRead("Name")),
)
USER = AmiUser(COMMAND_USER, Secret("demo"))


def unknown(command: str) -> CustomMetricsSettings:
    return replace(POOLS, command=CommandSettings(command, FieldsRead("Name")))


def collectors(*entries: CustomMetricsSettings) -> list[Collector]:
    return [*builtin(), custom.collector(entries)]


@contextmanager
def watching(
    pbx: SimulatedPbx,
    known: Sequence[Collector],
    clocks: Clocks | None = None,
    **more: Any,  # fields of TargetSettings
) -> Iterator[Target]:
    """A target whose poll user is the simulated PBX's own."""
    with target(pbx.port, known=known, clocks=clocks, username=pbx.username, secret=Secret(pbx.secret), **more) as one:
        yield one


def test_a_command_is_run_by_its_own_user_and_never_by_the_one_that_polls() -> None:
    with (
        SimulatedPbx(write="reporting") as pbx,
        watching(pbx, collectors(POOLS), command_user=USER) as watched,
    ):
        series = scrape(watched)
        assert {dict(labels)["pool"] for name, labels in series if name == "asterisk_custom_pool"} == {
            "asterisk",
            "cdr",
        }
        assert pbx.actions["Command"] == 1
        assert pbx.sessions == ["demo"]


@pytest.mark.parametrize("dialect", ["modern", "1.1"])
def test_an_unknown_command_fails_its_collector_alone_and_is_asked_again_after_a_minute(dialect: str) -> None:
    monotonic, _, clocks = movable()
    with (
        SimulatedPbx(dialect=dialect) as pbx,
        watching(pbx, collectors(POOLS, unknown("oddc show")), clocks=clocks, command_user=USER) as watched,
    ):
        for _ in range(3):
            series = scrape(watched)
        assert value(series, "asterisk_scrape_collector_success", collector="custom") == 0
        assert value(series, "asterisk_scrape_collector_success", collector="core") == 1
        assert value(series, "asterisk_custom_pool", pool="cdr") is not None
        assert watched.last["custom"].fault is PollFault.FAILED
        assert watched.last["custom"].detail.startswith("oddc show: ")
        assert pbx.actions["Command"] == 2
        monotonic.ahead += 61
        scrape(watched)
        assert pbx.actions["Command"] == 4


def test_a_good_answer_is_served_again_for_a_minute_and_other_lists_are_asked_as_usual() -> None:
    monotonic, _, clocks = movable()
    with (
        SimulatedPbx() as pbx,
        watching(pbx, collectors(POOLS), clocks=clocks, command_user=USER) as watched,
    ):
        for _ in range(3):
            scrape(watched)
        assert pbx.actions["Command"] == 1
        assert pbx.actions["QueueStatus"] >= 3
        monotonic.ahead += 61
        scrape(watched)
        assert pbx.actions["Command"] == 2


def test_without_a_user_for_it_no_command_is_sent_even_where_the_poll_user_could() -> None:
    with SimulatedPbx(write="all") as pbx, watching(pbx, collectors(POOLS)) as watched:
        series = scrape(watched)
        labels = {"action": "odbc show", "collector": "custom", "reason": "not_offered"}
        assert value(series, "asterisk_scrape_collector_unavailable", **labels) == 1
        assert value(series, "asterisk_scrape_collector_success", collector="custom") == 1
        assert pbx.actions["Command"] == 0


def test_a_user_that_is_refused_is_not_tried_at_each_scrape_and_takes_nothing_else_away() -> None:
    wrong = replace(USER, secret=Secret("wrong"))
    with (
        SimulatedPbx(reject_delay=0) as pbx,
        watching(pbx, collectors(POOLS), command_user=wrong) as watched,
    ):
        for _ in range(20):
            series = scrape(watched)
        assert value(series, "asterisk_up") == 1
        assert value(series, "asterisk_scrape_collector_success", collector="custom") == 0
        assert COMMAND_USER in watched.last["custom"].detail
        assert pbx.actions["Login"] == 2  # one of the poll link, one of this user
        for user in (wrong, USER):  # further users have one refused login between them
            watched.reconfigure(replace(watched.settings, command_user=user), collectors(POOLS))
            scrape(watched)
            assert pbx.actions["Login"] == 2


def test_task_processors_are_read_by_the_same_user() -> None:
    on = {"taskprocessors": CollectorSettings(enabled=True)}
    with (
        SimulatedPbx() as pbx,
        watching(pbx, builtin(), command_user=USER, collectors=on) as watched,
    ):
        assert value(scrape(watched), "asterisk_taskprocessor_queue_depth", name="pjsip/distributor") is not None
