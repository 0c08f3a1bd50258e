"""Scrapes that meet: one poll at a time, joined by those it covers, waited for by the others."""

from __future__ import annotations

import threading
import time

from ami_exporter.pbx.target import Target
from tests.support.ami_server import SECONDS, Fields, Session
from tests.support.exporter_process import Series
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import SOON, has, scrape, target, until, value


class Held:
    """A hook that answers when it is told to."""

    def __init__(self, pbx: ScriptedPbx) -> None:
        self._pbx = pbx
        self.asked = threading.Semaphore(0)
        self.go = threading.Event()

    def __call__(self, session: Session, action: Fields) -> None:
        self.asked.release()
        assert self.go.wait(SECONDS)
        self._pbx.obey(session, action)

    def wait(self) -> None:
        assert self.asked.acquire(timeout=SECONDS)


class Running:
    """A scrape in a thread of its own."""

    def __init__(self, one: Target, *names: str, seconds: float = SOON) -> None:
        self._found: list[Series] = []
        self._thread = threading.Thread(target=lambda: self._found.append(scrape(one, seconds, *names)))
        self._thread.start()

    def series(self) -> Series:
        self._thread.join(SECONDS)
        return self._found[0]


def waiters(one: Target) -> int:
    return len(one.poller._changed._waiters)  # type: ignore[attr-defined]  # the standard library's own list


def test_a_target_removed_during_a_long_poll_logs_off_when_that_has_ended() -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        held = pbx.hooks["Status"] = Held(pbx)
        running = Running(one)
        held.wait()
        one.join(0.01)
        held.go.set()
        assert value(running.series(), "asterisk_active_calls") == 1
        assert pbx.names()[-1] == "Logoff"


def test_a_scrape_joins_the_poll_under_way_and_both_get_its_answers() -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        held = pbx.hooks["Status"] = Held(pbx)
        first = Running(one)
        held.wait()
        second = Running(one)
        until(lambda: waiters(one) == 1)
        held.go.set()
        assert [value(running.series(), "asterisk_active_calls") for running in (first, second)] == [1, 1]
        assert pbx.names().count("Status") == 1


def test_a_narrower_scrape_joins_a_wider_poll_and_gets_its_part() -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        held = pbx.hooks["Status"] = Held(pbx)
        wide = Running(one)
        held.wait()
        narrow = Running(one, "queues")
        until(lambda: waiters(one) == 1)
        held.go.set()
        found = narrow.series()
        assert value(found, "asterisk_queue_callers", queue="sales") == 3
        assert not has(found, "asterisk_active_channels")
        assert has(wide.series(), "asterisk_active_channels")
        assert pbx.names().count("QueueStatus") == 1


def test_a_wider_scrape_waits_for_the_link_and_then_polls_by_itself() -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        held = pbx.hooks["QueueStatus"] = Held(pbx)
        narrow = Running(one, "queues")
        held.wait()
        wide = Running(one)
        until(lambda: waiters(one) == 1)
        held.go.set()
        assert not has(narrow.series(), "asterisk_active_channels")
        assert value(wide.series(), "asterisk_active_calls") == 1
        assert pbx.names().count("QueueStatus") == 2
        assert len(pbx.sessions) == 1


def test_who_waits_for_a_poll_has_a_deadline_of_its_own() -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        assert value(scrape(one), "asterisk_up") == 1
        held = pbx.hooks["QueueStatus"] = Held(pbx)
        narrow = Running(one, "queues")
        held.wait()
        begun = time.monotonic()
        impatient = scrape(one, 0.2)
        assert 0.2 <= time.monotonic() - begun < 2.0
        assert value(impatient, "asterisk_up") == 1
        assert value(impatient, "asterisk_scrape_collector_success", collector="channels") == 0
        assert not has(impatient, "asterisk_active_channels")
        held.go.set()
        assert value(narrow.series(), "asterisk_queue_callers", queue="sales") == 3


def test_ten_scrapes_at_once_cost_the_pbx_one_or_two_polls() -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        held = pbx.hooks["Status"] = Held(pbx)
        crowd = [Running(one) for _ in range(10)]
        held.wait()
        until(lambda: waiters(one) == 9)
        held.go.set()
        assert [value(each.series(), "asterisk_active_calls") for each in crowd] == [1] * 10
        assert pbx.names().count("Status") == 1
