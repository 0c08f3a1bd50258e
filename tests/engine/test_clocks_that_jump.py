"""Clocks that are set, and machines that slept: neither is a restart of the PBX, and no figure goes wild."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from ami_exporter.ami.link import Boot
from ami_exporter.pbx.target import Target
from tests.support.ami_server import SECONDS
from tests.support.ami_wire import boot, packet
from tests.support.collecting import counted
from tests.support.exporter_process import Series
from tests.support.scripted_pbx import LISTS, Hook, ScriptedPbx
from tests.support.targets import MovableClock, listening, movable, scrape, target, until, value

HOUR = 3600.0


@dataclass
class Pair:
    """A PBX and the target that listens to it and has scraped it once, with clocks to move."""

    pbx: ScriptedPbx
    target: Target
    monotonic: MovableClock
    wall: MovableClock
    first: Series

    def pass_by(self, seconds: float) -> None:
        """Let time go by."""
        self.monotonic.ahead += seconds
        self.wall.ahead += seconds

    def start_time(self) -> float:
        """Return when the PBX had started, by the first scrape."""
        found = value(self.first, "asterisk_start_time_seconds")
        assert found is not None
        return found


def reconnected(pbx: ScriptedPbx, one: Target) -> Series:
    """Cut every connection; a scrape over the new ones. The first poll may be one that was under way, and cut."""
    before = len(pbx.sessions)
    pbx.kick()
    until(
        lambda: (
            one.poller.poll(one.poller.names, one._clocks.monotonic() + SECONDS).up
            and any(number >= before and name == "Status" for number, name in pbx.seen)
        )
    )
    return scrape(one)


@contextmanager
def pair(uptime: int, status: Hook | None = None) -> Iterator[Pair]:
    """status: how CoreStatus is answered, if it is offered."""
    monotonic, wall, clocks = movable()
    lists, hooks = (LISTS, None) if status is None else ({**LISTS, "CoreStatus": []}, {"CoreStatus": status})
    with ScriptedPbx(lists, hooks, boot=boot(uptime)) as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        first = scrape(one)
        listening(one)
        until(lambda: one.stats.events_received >= 1, "FullyBooted on the event link")
        yield Pair(pbx, one, monotonic, wall, first)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_wall_clock_that_is_set_is_no_restart_and_corrects_the_start_time(jump: float) -> None:
    with pair(uptime=100) as of:
        of.wall.ahead += jump
        after = reconnected(of.pbx, of.target)
        assert value(after, "asterisk_start_time_seconds") == pytest.approx(of.start_time() + jump, abs=SECONDS)
        assert value(after, "asterisk_boots_total") == 0


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 24 * HOUR, -24 * HOUR])
def test_a_pbx_whose_clock_is_set_was_not_restarted_and_its_start_time_stays(jump: float) -> None:
    with pair(uptime=int(48 * HOUR)) as of:
        of.pass_by(60)
        scrape(of.target)
        of.pbx.boot = boot(int(48 * HOUR + 60 + jump))
        for _ in range(2):
            after = reconnected(of.pbx, of.target)
            assert value(after, "asterisk_start_time_seconds") == pytest.approx(of.start_time(), abs=SECONDS)
            assert value(after, "asterisk_boots_total") == 0


def core_status(started: str) -> Hook:
    date, clock = started.split(" ")
    return lambda session, action: session.answer(action, ("CoreStartupDate", date), ("CoreStartupTime", clock))


def test_a_pbx_without_uptime_tells_its_starts_by_its_own_clock() -> None:
    """Asterisk 13: FullyBooted has no Uptime, CoreStatus has the start."""
    _, _, clocks = movable()
    with ScriptedPbx(
        {**LISTS, "CoreStatus": []}, boot=packet(("Event", "FullyBooted"), ("Status", "Fully Booted"))
    ) as pbx:
        pbx.hooks["CoreStatus"] = core_status("2026-11-28 20:27:57")
        with target(pbx.port, clocks=clocks, events=True) as one:
            assert value(scrape(one), "asterisk_boots_total") == 0
            listening(one)
            for started, boots in (("2026-11-28 20:27:57", 0), ("2026-11-28 21:00:00", 1), ("2026-11-28 21:00:00", 1)):
                pbx.hooks["CoreStatus"] = core_status(started)
                after = reconnected(pbx, one)
                assert value(after, "asterisk_boots_total") == boots
                assert value(after, "asterisk_start_time_seconds") is None


def test_where_nothing_tells_of_starts_there_is_no_number_of_them() -> None:
    with ScriptedPbx(boot=b"") as pbx, target(pbx.port, events=True) as one:
        listening(one)
        assert value(scrape(one), "asterisk_boots_total") is None


def test_a_machine_that_slept_sees_no_restart() -> None:
    with pair(uptime=100) as of:
        of.pbx.boot = boot(100 + int(HOUR))
        of.wall.ahead += HOUR  # the monotonic clock stands still while the machine sleeps
        after = reconnected(of.pbx, of.target)
        assert value(after, "asterisk_start_time_seconds") == pytest.approx(of.start_time(), abs=SECONDS)
        assert value(after, "asterisk_boots_total") == 0


def test_a_machine_that_sleeps_before_a_login_is_looked_at_sees_no_restart() -> None:
    with pair(uptime=100) as of:
        late = Boot(100.0, of.monotonic(), of.wall())
        of.wall.ahead += HOUR
        assert not of.target.facts.booted(late)
        assert value(scrape(of.target), "asterisk_start_time_seconds") == pytest.approx(of.start_time(), abs=SECONDS)


@pytest.mark.parametrize(
    ("before", "passed", "uptime"), [(100, 60, 1), (1, 4, 0)], ids=["after a while", "within seconds of the last start"]
)
def test_a_restart_is_one_with_any_clock(before: int, passed: float, uptime: int) -> None:
    with pair(uptime=before) as of:
        of.pass_by(passed)
        of.pbx.boot = boot(uptime)
        assert value(reconnected(of.pbx, of.target), "asterisk_boots_total") == 1


@pytest.mark.parametrize("has_status", [True, False], ids=["with CoreStatus", "without CoreStatus"])
def test_a_boot_that_ends_long_before_the_next_scrape_is_one_start_at_its_own_time(has_status: bool) -> None:
    """FullyBooted waits unread on the poll link: when it is read says nothing of when it came."""
    with pair(100, core_status("2026-11-28 10:00:00") if has_status else None) as of:
        pbx, one = of.pbx, of.target
        of.pass_by(60)
        pbx.boot = b""  # connected while it starts: the login is answered, FullyBooted is to come
        if has_status:
            pbx.hooks["CoreStatus"] = core_status("2026-11-28 10:02:37")
        connected = len(pbx.sessions)
        pbx.kick()
        booting = scrape(one)
        assert value(booting, "asterisk_fully_booted") == 0
        assert value(booting, "asterisk_start_time_seconds") is None
        until(lambda: len(pbx.sessions) == connected + 2 and one.stats.up_since("events") is not None)
        until(lambda: "ListCommands" in pbx.names(connected) and "ListCommands" in pbx.names(connected + 1))
        for session in pbx.sessions[connected:]:
            session.send(boot(3))
        started = of.wall() - 3
        until(lambda: one.facts.context().start_time is not None, "FullyBooted on the event link")
        assert counted(one.counters)["asterisk_boots_total",] == 1
        of.pass_by(30)
        pbx.boot = boot(33)
        for _ in range(2):
            after = scrape(one)
            assert value(after, "asterisk_boots_total") == 1
            assert value(after, "asterisk_start_time_seconds") == pytest.approx(started, abs=4.0)
            assert value(after, "asterisk_fully_booted") == 1


def test_a_user_who_may_no_longer_see_fully_booted_has_not_seen_a_restart() -> None:
    with pair(100, core_status("2026-11-28 10:00:00")) as of:
        of.pbx.boot = b""
        after = reconnected(of.pbx, of.target)
        assert value(after, "asterisk_fully_booted") == 1
        assert value(after, "asterisk_start_time_seconds") == of.start_time()
        assert value(after, "asterisk_boots_total") == 0


def test_a_server_that_does_not_say_that_it_has_booted_is_unknown_after_five_minutes() -> None:
    monotonic, _, clocks = movable()
    with ScriptedPbx(boot=boot(100)) as pbx, target(pbx.port, clocks=clocks) as one:
        scrape(one)
        pbx.boot = b""
        pbx.kick()
        assert value(scrape(one), "asterisk_fully_booted") == 0
        monotonic.ahead += 301
        assert value(scrape(one), "asterisk_fully_booted") is None
        asked = pbx.names().count("ListCommands")
        scrape(one)
        assert pbx.names().count("ListCommands") == asked, "not at every poll"


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
