"""What the status page is told of a target."""

from __future__ import annotations

from ami_exporter.config.target_settings import Limits
from ami_exporter.demo import DemoSettings, SimulatedPbx
from ami_exporter.pbx.stats import LATELY_SECONDS
from ami_exporter.pbx.target import Target
from ami_exporter.service.statusview import target_view
from ami_exporter.web.views import LinkState, LinkView, TargetView
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import listening, movable, scrape, target, until


def simulated() -> SimulatedPbx:
    return SimulatedPbx(DemoSettings(endpoints=4, queues=2, warmup=5.0), username="exporter", secret="hunter2")


def seen(one: Target) -> TargetView:
    return target_view(one, one._clocks.wall(), one._clocks.monotonic())


def test_a_class_of_events_that_does_not_come_is_told() -> None:
    clock, _, clocks = movable()
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        listening(one)
        until(lambda: one.stats.events_received == 1, "FullyBooted")
        scrape(one)
        assert seen(one).missing_classes == []
        clock.ahead += 40  # the channel that a poll lists has begun after the login, and no event told of it
        until(lambda: bool(scrape(one)) and seen(one).missing_classes == ["call"], "a poll")


def test_metrics_that_reached_their_cap_are_told_until_nothing_was_refused_for_a_while() -> None:
    clock, _, clocks = movable()
    with simulated() as pbx, target(pbx.port, clocks=clocks, limits=Limits(1)) as one:
        scrape(one)
        assert "asterisk_queue_callers" in seen(one).dropping
        clock.ahead += LATELY_SECONDS + 1
        assert (seen(one).dropping, seen(one).series_dropped > 0) == ([], True)


def test_a_pbx_without_trouble_has_none_to_tell() -> None:
    with simulated() as pbx, target(pbx.port) as one:
        scrape(one)
        told = seen(one)
        assert (told.up, told.missing_classes, told.dropping, told.missing_rights, told.advice) == (
            True,
            [],
            [],
            "",
            "",
        )


def test_a_link_that_was_never_open_and_never_refused_is_no_trouble_yet() -> None:
    with simulated() as pbx, target(pbx.port) as one:
        (poll, _) = seen(one).links
        assert poll == LinkView("poll", LinkState.OPENING)
        scrape(one)
        assert seen(one).links[0].state is LinkState.UP
    with target(1) as down:
        scrape(down)
        assert seen(down).links[0].state is LinkState.DOWN
