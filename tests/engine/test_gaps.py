"""Gaps of two event links: the time in which one of them was missing, each second once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ami_exporter.pbx.stats import TargetStats


@dataclass
class Clock:
    """Set by hand."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stats(clock: Clock) -> TargetStats:
    """Both event links have been up since 100 s, after no gap."""
    found = TargetStats(clock, ("poll", "events", "user_events"))
    found.link_up("events")
    found.link_up("user_events")
    assert found.gap() == 0.0
    return found


def test_two_links_that_are_missing_at_once_are_one_gap(clock: Clock, stats: TargetStats) -> None:
    clock.now = 200.0
    stats.link_down("events", 195.0)
    stats.link_down("user_events", 198.0)
    clock.now = 210.0
    stats.link_up("events")
    assert stats.gap() == 15.0
    clock.now = 220.0
    stats.link_up("user_events")
    clock.now = 300.0
    assert stats.gap() == 25.0


def test_a_loss_noticed_later_moves_the_beginning_of_the_gap_back(clock: Clock, stats: TargetStats) -> None:
    clock.now = 200.0
    stats.link_down("events", 199.0)
    clock.now = 205.0
    stats.link_down("user_events", 190.0)
    assert stats.gap() == 15.0


def test_what_one_link_s_gap_has_counted_the_other_s_does_not_count_again(clock: Clock, stats: TargetStats) -> None:
    clock.now = 200.0
    stats.link_down("events", 200.0)
    clock.now = 210.0
    stats.link_up("events")
    stats.link_down("user_events", 205.0)
    clock.now = 212.0
    stats.link_up("user_events")
    assert stats.gap() == 12.0
