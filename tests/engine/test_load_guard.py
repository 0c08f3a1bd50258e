"""The PBX is not asked more than it can bear: slow answers, dear lists, queues from a database."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from ami_exporter.config.target_settings import CollectorSettings
from tests.support.ami_server import Fields, Session
from tests.support.exporter_process import Series
from tests.support.scripted_pbx import CALL, QUEUE, Item, ScriptedPbx
from tests.support.targets import movable, scrape, target, value

TAKES = 0.6
"""Seconds, real ones: the answers before this one must not seem to have taken them."""


def slow(pbx: ScriptedPbx, seconds: float) -> None:
    """From now on Status takes that long."""

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


def realtime(session: Session, action: Fields) -> None:
    session.answer(action, ("CoreRealTimeEnabled", "Yes"), ("AsteriskVersion", "22.10.1"))


ENDPOINT = (("Event", "EndpointList"), ("ObjectName", "1001"), ("DeviceState", "In use"), ("Auths", "1001"))
TRUNK = (("Event", "EndpointList"), ("ObjectName", "telco"), ("DeviceState", "Not in use"), ("OutboundAuths", "telco"))
TRUNK_CALL = (*CALL[:1], ("Channel", "PJSIP/telco-00000002"), *CALL[2:])
PJSIP: Mapping[str, Sequence[Item]] = {
    "Status": [CALL, TRUNK_CALL],
    "PJSIPShowEndpoints": [ENDPOINT, TRUNK],
    "PJSIPShowAors": [],
    "PJSIPShowContacts": [],
    "CoreSettings": [],
}


def test_channels_of_trunks_and_endpoints_stay_fresh_while_their_lists_from_a_database_rest() -> None:
    clock, _, clocks = movable()
    with ScriptedPbx(PJSIP, {"CoreSettings": realtime}) as pbx, target(pbx.port, clocks=clocks) as one:
        scrape(one)
        asked = len(pbx.names())
        pbx.lists["Status"] = [TRUNK_CALL, TRUNK_CALL, CALL, CALL, CALL]
        pbx.lists["PJSIPShowEndpoints"] = []
        clock.ahead += 50.0
        found = scrape(one)
        assert not any(name.startswith("PJSIP") for name in pbx.names()[asked:])
        assert value(found, "asterisk_trunk_channels", trunk="telco", direction="inbound") == 2
        busy = {"technology": "PJSIP", "endpoint": "1001"}
        assert value(found, "asterisk_endpoint_active_channels", **busy) == 3
        assert value(found, "asterisk_endpoint_up", **busy) == 1
        assert age(found, "channels") < 1.0
        assert min(age(found, "endpoints"), age(found, "trunks"), age(found, "contacts")) >= 50.0
        for collector in ("endpoints", "trunks"):
            assert value(found, "asterisk_scrape_collector_success", collector=collector) == 1
        clock.ahead += 11.0
        found = scrape(one)
        assert value(found, "asterisk_endpoint_up", **busy) is None
        assert age(found, "endpoints") < 1.0


def test_a_scrape_of_one_collector_leaves_what_the_others_know_at_rest() -> None:
    clock, _, clocks = movable()
    with ScriptedPbx(PJSIP, {"CoreSettings": realtime}) as pbx, target(pbx.port, clocks=clocks) as one:
        scrape(one)
        clock.ahead += 10.0
        scrape(one, 10.0, "contacts")
        clock.ahead += 10.0
        asked = len(pbx.names())
        assert age(scrape(one), "contacts") >= 20.0
        assert not any(name.startswith("PJSIP") for name in pbx.names()[asked:])


def test_a_slow_list_rests_while_the_others_of_its_collectors_are_asked() -> None:
    with ScriptedPbx(PJSIP) as pbx, target(pbx.port) as one:
        slow(pbx, TAKES)
        scrape(one)
        asked = len(pbx.names())
        pbx.hooks.clear()
        pbx.lists["PJSIPShowEndpoints"] = [(*ENDPOINT[:2], ("DeviceState", "Unavailable"), *ENDPOINT[3:]), TRUNK]
        found = scrape(one)
        assert "Status" not in pbx.names()[asked:]
        busy = {"technology": "PJSIP", "endpoint": "1001"}
        assert value(found, "asterisk_endpoint_up", **busy) == 0
        assert value(found, "asterisk_endpoint_active_channels", **busy) == 1


def test_a_list_that_fails_takes_nothing_away_that_rests() -> None:
    with ScriptedPbx(PJSIP, {"CoreSettings": realtime}) as pbx, target(pbx.port) as one:
        scrape(one)

        def fail(session: Session, action: Fields) -> None:
            session.answer(action, ("Message", "out of order"), response="Error")

        pbx.hooks["Status"] = fail
        found = scrape(one)
        assert value(found, "asterisk_scrape_collector_success", collector="endpoints") == 0
        busy = {"technology": "PJSIP", "endpoint": "1001"}
        assert value(found, "asterisk_endpoint_up", **busy) == 1
        assert value(found, "asterisk_endpoint_active_channels", **busy) is None


def test_min_interval_of_the_configuration_beats_the_minute_for_lists_from_a_database() -> None:
    clock, _, clocks = movable()
    lists = {"QueueStatus": [QUEUE], "CoreSettings": []}
    often = {"queues": CollectorSettings(min_interval=10.0)}
    with (
        ScriptedPbx(lists, {"CoreSettings": realtime}) as pbx,
        target(pbx.port, clocks=clocks, collectors=often) as one,
    ):
        for ahead in (0.0, 9.0, 2.0):
            clock.ahead += ahead
            scrape(one)
        assert pbx.names().count("QueueStatus") == 2


def test_trap_queues_from_a_database_are_read_once_a_minute_at_most() -> None:
    """Each QueueStatus of a realtime PBX reads all queues from the database."""
    clock, _, clocks = movable()
    lists = {"QueueStatus": [QUEUE], "BridgeList": [], "CoreSettings": []}
    with ScriptedPbx(lists, {"CoreSettings": realtime}) as pbx, target(pbx.port, clocks=clocks) as one:
        for ahead in (0.0, 15.0, 15.0, 15.0):
            clock.ahead += ahead
            assert value(scrape(one), "asterisk_queue_callers", queue="sales") == 3
        assert pbx.names().count("QueueStatus") == 1
        assert pbx.names().count("BridgeList") == 4
        clock.ahead += 16.0
        scrape(one)
        assert pbx.names().count("QueueStatus") == 2
