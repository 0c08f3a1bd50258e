"""The PBX is not asked more than it can bear: slow answers, dear lists, queues from a database."""

from __future__ import annotations

import threading

from ami_exporter.config.model import CollectorSettings
from tests.support.ami_server import Fields, Session
from tests.support.exporter_process import Series
from tests.support.scripted_pbx import CALL, QUEUE, ScriptedPbx
from tests.support.targets import movable, scrape, target, value

TAKES = 0.6
"""Seconds, real ones: the answers before this one must not seem to have taken them."""


def slow(pbx: ScriptedPbx, seconds: float) -> None:
    """From now on Status takes so long."""

    def answer(session: Session, action: Fields) -> None:
        threading.Event().wait(seconds)
        pbx.obey(session, action)

    pbx.hooks["Status"] = answer


def age(series: Series, collector: str) -> float:
    found = value(series, "asterisk_scrape_collector_data_age_seconds", collector=collector)
    assert found is not None
    return found


def test_a_slow_answer_is_served_again_for_twenty_times_as_long_and_its_age_told() -> None:
    clock, _, clocks = movable()
    with ScriptedPbx({"Status": [CALL]}) as pbx, target(pbx.port, clocks=clocks) as one:
        slow(pbx, TAKES)
        assert age(scrape(one), "channels") < 0.5
        pbx.hooks.clear()
        pbx.lists["Status"] = []
        clock.ahead += 11.0
        found = scrape(one)
        assert value(found, "asterisk_active_calls") == 1
        assert value(found, "asterisk_scrape_collector_success", collector="channels") == 1
        assert 11.0 <= age(found, "channels") < 12.0
        assert pbx.names().count("Status") == 1
        clock.ahead += 60.0
        found = scrape(one)
        assert value(found, "asterisk_active_calls") == 0
        assert age(found, "channels") < 0.5
        assert pbx.names().count("Status") == 2


def test_a_slow_list_does_not_rest_the_collectors_of_others() -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        slow(pbx, TAKES)
        scrape(one)
        scrape(one)
        assert pbx.names().count("Status") == 1
        assert pbx.names().count("QueueStatus") == 2


def test_an_answer_of_less_than_half_a_second_is_asked_for_each_time() -> None:
    with ScriptedPbx({"Status": [CALL]}) as pbx, target(pbx.port) as one:
        slow(pbx, 0.1)
        scrape(one)
        scrape(one)
        assert pbx.names().count("Status") == 2


def test_min_interval_is_the_configuration_s_to_say() -> None:
    clock, _, clocks = movable()
    rest = {"queues": CollectorSettings(min_interval=30.0)}
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks, collectors=rest) as one:
        for ahead in (0.0, 29.0, 29.0):
            clock.ahead += ahead
            scrape(one)
        assert pbx.names().count("QueueStatus") == 2
        assert pbx.names().count("Status") == 3


def test_voicemail_rests_five_minutes_by_itself() -> None:
    clock, _, clocks = movable()
    on = {"voicemail": CollectorSettings(enabled=True)}
    with ScriptedPbx({"VoicemailUsersList": []}) as pbx, target(pbx.port, clocks=clocks, collectors=on) as one:
        for ahead in (0.0, 290.0, 20.0):
            clock.ahead += ahead
            scrape(one)
        assert pbx.names().count("VoicemailUsersList") == 2


def test_trap_queues_from_a_database_are_read_once_a_minute_at_most() -> None:
    """Each QueueStatus of a realtime PBX reads all queues from the database."""
    clock, _, clocks = movable()

    def settings(session: Session, action: Fields) -> None:
        session.answer(action, ("CoreRealTimeEnabled", "Yes"), ("AsteriskVersion", "22.10.1"))

    lists = {"QueueStatus": [QUEUE], "BridgeList": [], "CoreSettings": []}
    with ScriptedPbx(lists, {"CoreSettings": settings}) as pbx, target(pbx.port, clocks=clocks) as one:
        for ahead in (0.0, 15.0, 15.0, 15.0):
            clock.ahead += ahead
            assert value(scrape(one), "asterisk_queue_callers", queue="sales") == 3
        assert pbx.names().count("QueueStatus") == 1
        assert pbx.names().count("BridgeList") == 4
        clock.ahead += 16.0
        scrape(one)
        assert pbx.names().count("QueueStatus") == 2
