"""A reload: what stays, what is opened anew, what is logged off, and that no scrape in flight is lost."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

import pytest

from ami_exporter.ami.session import LOGOFF_SECONDS
from ami_exporter.collectors.registry import builtin
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import CollectorSettings, Limits
from ami_exporter.exposition.formats import Format
from ami_exporter.service.exporter import Exporter
from ami_exporter.web.views import Selection
from tests.support.ami_server import SECONDS, Fields, Session
from tests.support.ami_wire import packet
from tests.support.exporter_process import Series
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import exporting, has, parsed, scrape, settings, target, until, value

EVERYTHING = Selection()
HOLD = packet(("Event", "Hold"), ("Privilege", "call,all"), ("Channel", "PJSIP/1-1"))
JOINS = "asterisk_queue_joins_total"
OFF = {"queues": CollectorSettings(enabled=False)}


def probe(exporter: Exporter, name: str = "pbx") -> Series:
    return parsed(exporter.scrape(name, EVERYTHING, None, Format.TEXT_004).decode())


def joined(queue: str) -> bytes:
    return packet(
        ("Event", "QueueCallerJoin"), ("Privilege", "agent,all"), ("Queue", queue), ("Uniqueid", f"1.{queue}")
    )


def listening_session(pbx: ScriptedPbx, exporter: Exporter) -> Session:
    """The PBX's end of the event link, once that is there."""
    until(lambda: value(probe(exporter), "ami_exporter_link_up", link="events") == 1)
    return next(session for session in pbx.sessions if session.seen and session.seen[0]["Events"] != "system")


def held_calls(pbx: ScriptedPbx, exporter: Exporter, count: int) -> None:
    """Have the PBX tell of calls put on hold until the exporter has counted so many."""
    events = next(session for session in pbx.sessions if session.seen and session.seen[0]["Events"] != "system")
    events.send(HOLD)
    until(lambda: value(probe(exporter), "asterisk_holds_total") == count)


def test_other_limits_and_collectors_keep_both_links_and_every_counter() -> None:
    with ScriptedPbx() as pbx, exporting({"pbx": settings(pbx.port, events=True)}) as (one, after):
        until(lambda: value(probe(one), "ami_exporter_link_up", link="events") == 1)
        held_calls(pbx, one, 1)
        after["pbx"] = replace(after["pbx"], collectors=OFF, limits=Limits(500), timeout=5.0)
        assert one.reload().message == "1 target: 0 connected anew, 1 kept, 0 logged off"
        found = probe(one)
        assert value(found, "asterisk_holds_total") == 1
        assert not has(found, "asterisk_queue_callers")
        assert has(found, "asterisk_active_channels")
        assert value(found, "ami_exporter_link_connects_total", link="poll") == 1
        after["pbx"] = replace(after["pbx"], collectors={})
        one.reload()
        assert value(probe(one), "asterisk_queue_callers", queue="sales") == 3
        assert value(probe(one), "asterisk_holds_total") == 1


def test_what_a_reload_leaves_out_has_no_counters_either_and_makes_room_for_others() -> None:
    with ScriptedPbx() as pbx, exporting({"pbx": settings(pbx.port, events=True, limits=Limits(2))}) as (one, after):
        events = listening_session(pbx, one)
        events.send(*(joined(queue) for queue in ("a", "b", "c")))
        until(lambda: value(probe(one), "asterisk_events_total", event="QueueCallerJoin") == 3)
        assert [value(probe(one), JOINS, queue=queue) for queue in ("sales", "a", "b", "c")] == [0, 1, None, None]
        after["pbx"] = replace(after["pbx"], collectors={"queues": CollectorSettings(exclude=re.compile("a|sales"))})
        one.reload()
        events.send(*(joined(queue) for queue in ("a", "b", "c")))
        until(lambda: value(probe(one), JOINS, queue="c") == 1)
        found = probe(one)
        assert value(found, JOINS, queue="a") is None
        assert value(found, JOINS, queue="sales") is None


@pytest.mark.slow
def test_listening_to_other_events_begins_when_the_old_event_link_has_ended_however_slow_its_login() -> None:
    asked, go = threading.Event(), threading.Event()

    def held(session: Session, action: Fields) -> None:
        if action["Events"] != "system" and not asked.is_set():
            asked.set()
            assert go.wait(SECONDS)
        pbx.obey(session, action)

    def slow(_session: Session, _action: Fields) -> None:
        threading.Event().wait(LOGOFF_SECONDS)  # time for the new link, if it did not wait

    with ScriptedPbx(hooks={"Login": held, "Logoff": slow}) as pbx, target(pbx.port, events=True) as one:
        assert asked.wait(SECONDS)
        old = one.event_links["events"]
        assert old is not None
        security = {"security": CollectorSettings(enabled=False)}
        one.reconfigure(replace(one.settings, collectors=security), builtin())
        assert one.event_links["events"] is not old
        go.set()
        old.join(SECONDS)
        until(lambda: value(scrape(one), "ami_exporter_link_connects_total", link="events") == 2, "the new link")
        assert value(scrape(one), "ami_exporter_link_up", link="events") == 1


def test_a_changed_secret_connects_anew_and_logs_the_old_links_off() -> None:
    with ScriptedPbx() as pbx, exporting({"pbx": settings(pbx.port)}) as (one, after):
        probe(one)
        after["pbx"] = replace(after["pbx"], secret=Secret("another"))
        assert one.reload().message == "1 target: 1 connected anew, 0 kept, 1 logged off"
        assert pbx.names(0)[-1] == "Logoff"
        assert value(probe(one), "asterisk_up") == 1
        assert pbx.sessions[1].seen[0]["Secret"] == "another"


def test_a_removed_target_is_logged_off_and_no_longer_there() -> None:
    with ScriptedPbx() as pbx, exporting({"pbx": settings(pbx.port), "b": settings(pbx.port)}) as (one, after):
        probe(one)
        del after["pbx"]
        one.reload()
        assert pbx.names(0)[-1] == "Logoff"
        assert list(one.target_names()) == ["b"]
        assert value(probe(one, "b"), "asterisk_up") == 1


def test_a_reload_in_the_middle_of_a_scrape_loses_nothing_of_it() -> None:
    asked, go = threading.Event(), threading.Event()
    with ScriptedPbx() as pbx, exporting({"pbx": settings(pbx.port)}) as (one, after):

        def held(session: Session, action: Fields) -> None:
            asked.set()
            assert go.wait(SECONDS)
            pbx.obey(session, action)

        pbx.hooks["Status"] = held
        found: list[Series] = []
        running = threading.Thread(target=lambda: found.append(probe(one)))
        running.start()
        assert asked.wait(SECONDS)
        after["pbx"] = replace(after["pbx"], collectors=OFF)
        assert one.reload().ok
        go.set()
        running.join(SECONDS)
        assert value(found[0], "asterisk_queue_callers", queue="sales") == 3
        assert value(found[0], "asterisk_active_calls") == 1
        assert not has(probe(one), "asterisk_queue_callers")


def test_a_collector_removed_while_its_kept_answers_were_to_be_served_is_no_fault() -> None:
    resting = {"queues": CollectorSettings(min_interval=60.0)}
    asked, go = threading.Event(), threading.Event()
    with ScriptedPbx() as pbx, exporting({"pbx": settings(pbx.port, collectors=resting)}) as (one, after):

        def held(session: Session, action: Fields) -> None:
            asked.set()
            assert go.wait(SECONDS)
            pbx.obey(session, action)

        probe(one)
        pbx.hooks["Status"] = held
        found: list[Series] = []
        running = threading.Thread(target=lambda: found.append(probe(one)))
        running.start()
        assert asked.wait(SECONDS)
        after["pbx"] = replace(after["pbx"], collectors=OFF)
        one.reload()
        go.set()
        running.join(SECONDS)
        assert value(found[0], "asterisk_queue_callers", queue="sales") == 3
