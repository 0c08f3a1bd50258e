"""Whether a server was started anew: clocks that are set, on either side, are no start."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_exporter.pbx.server_start import MOVED_SECONDS, ServerStart

HOUR, DAY = 3600.0, 86_400.0
WALL = 1_700_000_000.0
JUMPS = [HOUR, -HOUR, DAY, -DAY, 50 * 365 * DAY]


def known(uptime: float = 10 * DAY, written: str = "") -> ServerStart:
    start = ServerStart()
    assert not start.logged_in(uptime, 0.0, WALL, written)
    return start


@pytest.mark.parametrize("jump", JUMPS)
def test_a_pbx_whose_clock_is_set_was_not_restarted_and_has_started_when_it_had(jump: float) -> None:
    start = known()
    before = start.known
    start.alive(100.0)
    for at in (103.0, 130.0, 500.0):
        assert not start.logged_in(10 * DAY + at + jump, at, WALL)
        start.alive(at)
    assert before is not None
    assert start.known is not None
    assert (start.known.monotonic, start.known.wall) == (before.monotonic, before.wall)
    assert start.logged_in(3.0, 600.0, WALL), "a restart after that is one"


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_the_same_writing_is_the_same_start_even_where_the_clock_was_set_while_nobody_looked(jump: float) -> None:
    start = known(2 * HOUR, "2026-11-28 10:00:00")
    assert not start.logged_in(2 * HOUR + 2 * HOUR + jump, 2 * HOUR, WALL, "2026-11-28 10:00:00")
    assert start.logged_in(5.0, 3 * HOUR, WALL, "2026-11-28 12:59:55")


def test_without_uptime_a_later_writing_is_a_start_and_an_earlier_one_is_none() -> None:
    start = ServerStart()
    assert not start.is_known
    assert not start.logged_in(None, 0.0, WALL, "2026-11-28 10:00:00")
    assert start.is_known
    assert not start.logged_in(None, 10.0, WALL, "2026-11-28 10:00:00")
    assert not start.logged_in(None, 20.0, WALL, "2026-11-28 09:00:00")
    assert start.logged_in(None, 30.0, WALL, "2026-11-28 11:00:00")
    assert not start.logged_in(None, 40.0, WALL, ""), "this user may not ask"
    assert start.logged_in(None, 50.0, WALL, "2026-11-29 11:00:00")


@pytest.mark.parametrize("later", ["2026-11-28 12:59:55", ""], ids=["by its writing", "by its uptime"])
def test_a_login_while_the_server_is_starting_hides_no_restart(later: str) -> None:
    start = known(2 * HOUR, "2026-11-28 10:00:00")
    start.alive(HOUR - 60)
    seen = [start.logged_in(None, HOUR, WALL, later), start.logged_in(None, HOUR + 1, WALL, later)]
    seen += [start.logged_in(3.0, HOUR + 2, WALL, "2026-11-28 12:59:55"), start.logged_in(4.0, HOUR + 3, WALL)]
    assert seen.count(True) == 1
    assert start.known is not None
    assert start.known.wall == WALL + HOUR - 1


def test_an_older_asterisk_at_the_same_address_has_no_start_time_of_the_one_before() -> None:
    start = known(2 * HOUR, "2026-11-28 10:00:00")
    assert start.logged_in(None, HOUR, WALL, "2026-11-28 12:59:55")
    assert start.known is None
    assert not start.logged_in(None, HOUR + 9, WALL, "2026-11-28 12:59:55")


def test_a_restart_that_one_link_has_seen_is_none_for_the_other() -> None:
    start = known(written="2026-11-28 10:00:00")
    start.alive(60.0)
    assert start.logged_in(2.0, 70.0, WALL)
    assert not start.logged_in(3.0, 71.0, WALL, "2026-11-29 10:00:00")
    assert not start.logged_in(4.0, 72.0, WALL, "2026-11-29 10:00:00")


@given(
    st.floats(0, 1000 * DAY),
    st.floats(1.0, 100 * DAY),
    st.floats(0.0, 1.0),
    st.floats(0.0, 30.0),
)
def test_every_restart_is_seen_once(uptime: float, passed: float, alive: float, up: float) -> None:
    """A server that lived `passed` seconds on, was last seen at a share of them, and has been up again for `up`."""
    start = known(float(int(uptime)))
    start.alive(passed * alive)
    at = passed + up
    restarted = start.logged_in(float(int(up)), at, WALL)
    moved = passed + uptime
    assert restarted or moved <= MOVED_SECONDS + 1
    assert not start.logged_in(float(int(up + 1)), at + 1, WALL)


@given(st.lists(st.floats(0.1, 2 * DAY), min_size=1, max_size=8), st.floats(0.0, 1000 * DAY))
def test_no_restart_is_ever_seen_without_one(pauses: list[float], uptime: float) -> None:
    start = known(float(int(uptime)))
    at = 0.0
    for pause in pauses:
        at += pause
        assert not start.logged_in(float(int(uptime + at)), at, WALL)
