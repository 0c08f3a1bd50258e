"""Clocks that are set, and machines that slept: neither is a restart of the PBX, and no figure goes wild."""

from __future__ import annotations

import time

import pytest

from ami_exporter.collectors import core
from tests.support.ami_server import SECONDS
from tests.support.ami_wire import packet
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import listening, movable, scrape, target, until, value

HOUR = 3600.0


def boot(uptime: str) -> bytes:
    return packet(("Event", "FullyBooted"), ("Privilege", "system,all"), ("Uptime", uptime))


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_wall_clock_that_is_set_is_no_restart_and_corrects_the_start_time(jump: float) -> None:
    _, wall, clocks = movable()
    with ScriptedPbx(boot=boot("100")) as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        before = value(scrape(one), "asterisk_start_time_seconds")
        listening(one)
        wall.ahead += jump
        pbx.kick()
        after = scrape(one)
        assert before is not None
        assert value(after, "asterisk_start_time_seconds") == pytest.approx(before + jump, abs=SECONDS)
        assert value(after, "asterisk_boots_total") == 0


def test_a_machine_that_slept_sees_no_restart() -> None:
    _, wall, clocks = movable()
    with ScriptedPbx(boot=boot("100")) as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        before = value(scrape(one), "asterisk_start_time_seconds")
        listening(one)
        pbx.boot = boot(str(100 + int(HOUR)))
        wall.ahead += HOUR  # the monotonic clock stands still while the machine sleeps
        pbx.kick()
        after = scrape(one)
        assert before is not None
        assert value(after, "asterisk_start_time_seconds") == pytest.approx(before, abs=SECONDS)
        assert value(after, "asterisk_boots_total") == 0


def test_a_restart_is_one_with_any_clock() -> None:
    monotonic, wall, clocks = movable()
    with ScriptedPbx(boot=boot("100")) as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        scrape(one)
        listening(one)
        monotonic.ahead += 60
        wall.ahead += 60
        pbx.boot = boot("1")
        pbx.kick()
        assert value(scrape(one), "asterisk_boots_total") == 1


def test_a_boot_that_ends_long_before_the_next_scrape_is_one_start_at_its_own_time() -> None:
    """FullyBooted waits unread on the poll link: when it is read says nothing of when it came."""
    monotonic, wall, clocks = movable()
    with ScriptedPbx(boot=boot("100")) as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        scrape(one)
        listening(one)
        monotonic.ahead += 60
        wall.ahead += 60
        pbx.boot = b""  # connected while it starts: the login is answered, FullyBooted is to come
        connected = len(pbx.sessions)
        pbx.kick()
        assert value(scrape(one), "asterisk_fully_booted") == 0
        until(lambda: len(pbx.sessions) == connected + 2 and one.stats.up_since("events") is not None)
        until(lambda: "ListCommands" in pbx.names(connected) and "ListCommands" in pbx.names(connected + 1))
        for session in pbx.sessions[connected:]:
            session.send(boot("3"))
        started = wall() - 3
        until(lambda: one.store.value(core.BOOTS) == 1)
        monotonic.ahead += 30
        wall.ahead += 30
        pbx.boot = boot("33")
        for _ in range(2):
            after = scrape(one)
            assert value(after, "asterisk_boots_total") == 1
            assert value(after, "asterisk_start_time_seconds") == pytest.approx(started, abs=4.0)
            assert value(after, "asterisk_fully_booted") == 1


def test_a_restart_within_seconds_of_the_start_before_is_one_too() -> None:
    monotonic, wall, clocks = movable()
    with ScriptedPbx(boot=boot("1")) as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        scrape(one)
        listening(one)
        monotonic.ahead += 4
        wall.ahead += 4
        pbx.boot = boot("0")
        pbx.kick()
        assert value(scrape(one), "asterisk_boots_total") == 1


@pytest.mark.parametrize("uptime", ["9" * 400, "-1", "1e400", "nan", "", "٣" * 30])
def test_an_impossible_uptime_gives_no_start_time(uptime: str) -> None:
    with ScriptedPbx(boot=boot(uptime)) as pbx, target(pbx.port) as one:
        found = scrape(one)
        assert value(found, "asterisk_up") == 1
        assert value(found, "asterisk_start_time_seconds") is None


def test_a_scrape_after_a_long_pause_of_the_machine_has_its_whole_time() -> None:
    monotonic, _, clocks = movable()
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks) as one:
        scrape(one)
        monotonic.ahead += 100 * HOUR
        begun = time.monotonic()
        assert value(scrape(one), "asterisk_active_calls") == 1
        assert time.monotonic() - begun < SECONDS
