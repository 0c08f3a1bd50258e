"""More scrapes than one process can compute: those that would come too late are refused before they cost anything."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ami_exporter.exposition.formats import Format
from ami_exporter.pbx.shared import Overloaded, Shared
from ami_exporter.web.views import Busy, Selection
from tests.support.ami_server import SECONDS
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import exporting, listening, scrape, settings, target, value


def test_a_scrape_that_waits_half_its_time_for_a_turn_is_refused_without_asking_the_pbx() -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        assert value(scrape(one), "asterisk_active_calls") == 1
        asked = len(pbx.names())
        with one.connector.shared.door:
            begun = time.monotonic()
            with pytest.raises(Overloaded):
                scrape(one, 0.4)
            assert 0.15 < time.monotonic() - begun < SECONDS
        assert len(pbx.names()) == asked
        assert value(scrape(one), "asterisk_active_calls") == 1, "the link stayed as it was"
        assert pbx.names().count("Login") == 1


def test_scrapes_that_have_begun_are_finished_while_new_ones_wait() -> None:
    shared, order = Shared(), list[str]()
    waiting = threading.Semaphore(0)

    def begin(number: int) -> None:
        waiting.release()
        with shared.first_turn(SECONDS):
            order.append(f"first {number}")

    def go_on() -> None:
        with shared.turn:
            order.append("begun before")

    with ThreadPoolExecutor(4) as pool:
        shared.door.acquire()
        news = [pool.submit(begin, number) for number in range(3)]
        for _ in news:
            assert waiting.acquire(timeout=SECONDS)
        pool.submit(go_on).result(SECONDS)
        shared.door.release()
        for one in news:
            one.result(SECONDS)
    assert order[0] == "begun before"
    assert sorted(order[1:]) == ["first 0", "first 1", "first 2"]


def test_an_event_link_opens_while_scrapes_wait_because_events_would_be_missed() -> None:
    shared = Shared()
    with shared.door, ScriptedPbx() as pbx, target(pbx.port, events=True, shared=shared) as one:
        listening(one)


def test_a_refusal_says_what_to_do_and_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    with (
        ScriptedPbx() as pbx,
        exporting({"pbx": settings(pbx.port, timeout=0.2)}) as (exporter, _),
        exporter._shared.door,
    ):
        for _ in range(3):
            with pytest.raises(Busy, match=r"scrape less often.*--shard") as refused:
                exporter.scrape("pbx", Selection(), None, Format.TEXT_004)
    assert [record.message for record in caplog.records].count(str(refused.value)) == 1
