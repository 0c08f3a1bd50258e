"""Answers as no server should give them. Whole figures or none, the reason counted, one line, and back without help."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from tests.support.ami_server import Ended, Fields, Session
from tests.support.ami_wire import packet
from tests.support.exporter_process import Series
from tests.support.scripted_pbx import CALL, LISTS, QUEUE, ScriptedPbx
from tests.support.targets import has, listening, scrape, target, until, value

pytestmark = pytest.mark.slow


def whole(found: Series) -> bool:
    return (
        value(found, "asterisk_up") == 1
        and value(found, "asterisk_active_calls") == 1
        and value(found, "asterisk_queue_callers", queue="sales") == 3
    )


def errors(found: Series, kind: str) -> float:
    return value(found, "ami_exporter_protocol_errors_total", kind=kind) or 0.0


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [str(vars(record).get("error", "")) for record in caplog.records if record.levelno >= logging.WARNING]


def test_items_of_two_lists_that_come_by_turns_belong_to_their_own() -> None:
    waiting: list[Fields] = []

    def both(session: Session, action: Fields) -> None:
        waiting.append(action)
        if len(waiting) < 2:
            return
        items = {"Status": CALL, "QueueStatus": QUEUE}
        one, other = (pbx.answer(each, [items[each["Action"]]]) for each in waiting)
        session.send(*(part for pair in zip(one, other, strict=True) for part in pair))
        waiting.clear()

    with ScriptedPbx(hooks={"Status": both, "QueueStatus": both}) as pbx, target(pbx.port) as one:
        pbx.hooks["Status"] = pbx.hooks["QueueStatus"] = both
        found = scrape(one)
        assert (value(found, "asterisk_active_calls"), value(found, "asterisk_queue_callers", queue="sales")) == (1, 3)
        assert all(errors(found, kind) == 0 for kind in ("unexpected_answer", "repeated_completion"))


@pytest.mark.parametrize("told", ["0", "7", "-1", "many", ""])
def test_the_number_of_items_that_an_end_tells_is_believed_only_of_lists_that_count_right(told: str) -> None:
    def miscounts(session: Session, action: Fields) -> None:
        opening, *items, end = pbx.answer(action, LISTS[action["Action"]])
        session.send(opening, *items, end.replace(b"ListItems: 1", b"ListItems: " + told.encode()))

    with ScriptedPbx(hooks={"Status": miscounts}) as pbx, target(pbx.port) as one:
        found = scrape(one)
        counts = told.isdecimal()
        assert value(found, "asterisk_scrape_collector_success", collector="channels") == (0 if counts else 1)
        assert has(found, "asterisk_active_calls") is not counts
        assert value(found, "asterisk_queue_callers", queue="sales") == 3
        assert errors(found, "list_count") == (1 if counts else 0)


def test_an_answer_with_its_action_id_in_other_letters_is_nobodys(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    def capitals(session: Session, action: Fields) -> None:
        session.send(*pbx.answer({**action, "ActionID": action["ActionID"].upper() + "A"}, [CALL]))

    with ScriptedPbx(hooks={"Status": capitals}) as pbx, target(pbx.port) as one:
        found = scrape(one, 2.0)
        assert not has(found, "asterisk_active_calls")
        assert value(found, "asterisk_scrape_collector_success", collector="channels") == 0
        assert errors(found, "unexpected_answer") == 1
        assert len(logged(caplog)) == 1
        pbx.hooks.clear()
        assert whole(scrape(one))


@pytest.mark.parametrize("banner", [b"Asterisk Call Manager/5.0.7\r\n", b"Asterisk Call Manager/1.1\r\n"])
def test_another_version_after_a_restart_is_spoken_to_in_its_own_way(banner: bytes) -> None:
    def unannounced(session: Session, action: Fields) -> None:
        answer = pbx.answer(action, LISTS[action["Action"]])
        for mark in (b"EventList: start\r\n", b"EventList: Complete\r\n"):
            answer = [part.replace(mark, b"") for part in answer]
        session.send(*answer)

    with ScriptedPbx() as pbx, target(pbx.port) as one:
        assert whole(scrape(one))
        pbx.stop()
        pbx.banner = banner
        if b"1.1" in banner:
            pbx.hooks.update(dict.fromkeys(LISTS, unannounced))
        pbx.restart()
        assert whole(scrape(one))
        pbx.stop()
        pbx.hooks.clear()
        pbx.banner = b"Asterisk Call Manager/11.0.0\r\n"
        pbx.restart()
        assert whole(scrape(one))


def test_without_fully_booted_there_are_figures_but_no_start_time() -> None:
    with ScriptedPbx(boot=b"") as pbx, target(pbx.port, events=True) as one:
        listening(one)
        found = scrape(one)
        assert whole(found)
        assert not has(found, "asterisk_start_time_seconds")
        pbx.stop()
        pbx.boot = packet(("Event", "FullyBooted"), ("Privilege", "system,all"), ("Uptime", "100"))
        pbx.restart()
        until(lambda: has(scrape(one), "asterisk_start_time_seconds"), "the start time")


def test_a_server_that_lets_in_and_shuts_down_at_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    def farewell(session: Session, action: Fields) -> None:
        session.answer(action, ("Message", "Authentication accepted"))
        session.send(
            packet(("Event", "Shutdown"), ("Privilege", "system,all"), ("Shutdown", "Cleanly"), ("Restart", "True"))
        )
        session.expect("ListCommands")
        raise Ended

    with ScriptedPbx(hooks={"Login": farewell}) as pbx, target(pbx.port) as one:
        for times in (1, 2, 3):
            found = scrape(one)
            assert value(found, "asterisk_up") == 0
            assert value(found, "ami_exporter_login_failures_total", reason="refused") == times
        assert len(logged(caplog)) == 1
        pbx.hooks.clear()
        assert whole(scrape(one))


def test_answers_that_always_come_just_too_late_are_never_taken_for_the_next_ones(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    over, number = threading.Event(), [0]

    def late(session: Session, action: Fields) -> None:
        number[0] += 1
        over.wait(0.7)
        session.send(*pbx.answer(action, [CALL] * number[0]))

    with ScriptedPbx(hooks={"Status": late}) as pbx, target(pbx.port) as one:
        for _ in range(5):
            begun = time.monotonic()
            found = scrape(one, 0.5)
            assert time.monotonic() - begun < 2.5
            assert value(found, "asterisk_up") == 1
            assert value(found, "asterisk_queue_callers", queue="sales") == 3
            assert not has(found, "asterisk_active_channels")
        assert value(found, "ami_exporter_link_connects_total", link="poll") == 5
        assert len(logged(caplog)) == 1
        over.set()
        pbx.hooks.clear()
        assert whole(scrape(one))


def test_two_events_in_one_packet_count_for_nothing_and_the_next_is_right() -> None:
    with ScriptedPbx() as pbx, target(pbx.port, events=True) as one:
        listening(one)
        until(lambda: one.stats.events_received == 1, "FullyBooted")
        scrape(one)
        before = one.stats.events_received
        events = next(session for session in pbx.sessions if session.seen[0]["Events"] != "system")
        join = b"Event: QueueCallerJoin\r\nPrivilege: agent,all\r\nQueue: sales\r\nUniqueid: 1.%d\r\n"
        events.send(join % 1 + join % 2 + b"\r\n" + join % 3 + b"\r\n")
        until(lambda: one.stats.events_received == before + 1)
        found = scrape(one)
        assert value(found, "asterisk_events_total", event="QueueCallerJoin") == 1
        assert errors(found, "doubtful_event") == 1


LONG = b"ChanVariable: RECORD=" + b"x" * 1_100_000 + b"\r\n"
MANY = b"".join(b"ChanVariable: V%d=%b\r\n" % (number, b"x" * 1000) for number in range(1100))


def test_a_megabyte_of_channel_variables_is_read() -> None:
    def heavy(session: Session, action: Fields) -> None:
        opening, item, end = pbx.answer(action, [CALL])
        session.send(opening, item[:-2] + MANY + b"\r\n", end)

    with ScriptedPbx(hooks={"Status": heavy}) as pbx, target(pbx.port) as one:
        assert whole(scrape(one))


def test_a_channel_variable_of_a_megabyte_costs_its_list_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    def heavy(session: Session, action: Fields) -> None:
        opening, item, end = pbx.answer(action, [CALL])
        session.send(opening, item[:-2] + LONG + b"\r\n", end)

    with ScriptedPbx(hooks={"Status": heavy}) as pbx, target(pbx.port) as one:
        for times in (1, 2, 3):
            found = scrape(one)
            assert value(found, "asterisk_up") == 1
            assert value(found, "asterisk_queue_callers", queue="sales") == 3
            assert not has(found, "asterisk_active_calls")
            assert errors(found, "line_too_long") == times
        [error] = logged(caplog)
        assert "header ChanVariable of Status: take that variable out of channelvars in manager.conf" in error
        pbx.hooks.clear()
        assert whole(scrape(one))


def test_an_event_with_a_variable_of_a_megabyte_costs_the_link_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with ScriptedPbx() as pbx, target(pbx.port, events=True) as one:
        listening(one)
        events = next(session for session in pbx.sessions if session.seen[0]["Events"] != "system")
        events.send(b"Event: Newchannel\r\nUniqueid: 1.1\r\n" + LONG + b"\r\n")
        until(lambda: value(scrape(one), "ami_exporter_link_connects_total", link="events") == 2, "the link")
        found = scrape(one)
        assert whole(found)
        assert errors(found, "line_too_long") == 1
        assert len(logged(caplog)) == 1
