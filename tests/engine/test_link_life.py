"""The poll link over its life: half-open, cut, restarted, refused, asked anew what it offers."""

from __future__ import annotations

import logging
import socket
import time

import pytest

from ami_exporter.collectors.declarations import Origin
from ami_exporter.config.target_settings import CollectorSettings
from ami_exporter.pbx.login_backoff import WINDOW_SECONDS, LoginIdentity
from ami_exporter.pbx.poller import FIRST_ANSWER_SECONDS, IDLE_SECONDS, REFRESH_SECONDS, SETTLING_SECONDS
from ami_exporter.pbx.target import Clocks
from tests.support.ami_server import Fields, Session
from tests.support.ami_wire import boot, packet
from tests.support.collecting import counted
from tests.support.scripted_pbx import CALL, QUEUE, ScriptedPbx
from tests.support.targets import has, listening, movable, scrape, target, until, value

pytestmark = pytest.mark.slow

RESTING = {"queues": CollectorSettings(min_interval=60.0)}


def ignore(_session: Session, _action: Fields) -> None:
    """Answer nothing, as a peer does that is gone without a word."""


def refuse(session: Session, action: Fields) -> None:
    session.answer(action, ("Message", "Authentication failed"), response="Error")


def deny(session: Session, action: Fields) -> None:
    session.answer(action, ("Message", "Permission denied"), response="Error")


def test_a_half_open_link_is_opened_anew_within_the_same_scrape() -> None:
    monotonic, _, clocks = movable()
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks) as one:
        assert value(scrape(one), "asterisk_active_calls") == 1

        def dead(session: Session, action: Fields) -> None:
            if session is not pbx.sessions[0]:
                pbx.obey(session, action)

        pbx.hooks = dict.fromkeys(("Ping", "Status", "QueueStatus", "BridgeList", "ListCommands"), dead)
        monotonic.ahead += IDLE_SECONDS + 1
        begun = time.monotonic()
        found = scrape(one)
        assert value(found, "asterisk_active_calls") == 1
        assert time.monotonic() - begun < FIRST_ANSWER_SECONDS + 3
        assert value(found, "ami_exporter_link_connects_total", link="poll") == 2


def test_a_link_in_use_has_its_whole_deadline_to_answer() -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        scrape(one)
        pbx.hooks = dict.fromkeys(("Ping", "Status", "QueueStatus", "BridgeList"), ignore)
        found = scrape(one, 0.3)
        assert value(found, "asterisk_up") == 0
        # Also of collectors that ask nothing: a PBX that does not answer is down for all.
        assert {number for (name, _), number in found.items() if name == "asterisk_scrape_collector_success"} == {0}
        assert len(pbx.sessions) == 1
        pbx.hooks.clear()
        assert value(scrape(one), "asterisk_active_calls") == 1
        assert len(pbx.sessions) == 2


def test_a_list_cut_in_the_middle_takes_only_its_own_metrics_and_the_next_scrape_has_all() -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:

        def cut(session: Session, action: Fields) -> None:
            session.send(*pbx.answer(action, [CALL] * 3)[:3], b"Event: Status\r\nChan")
            session.connection.close()

        pbx.hooks["Status"] = cut
        found = scrape(one)
        assert value(found, "asterisk_up") == 1
        assert value(found, "asterisk_queue_callers", queue="sales") == 3
        assert not has(found, "asterisk_active_channels")
        assert value(found, "asterisk_scrape_collector_success", collector="channels") == 0
        assert value(found, "ami_exporter_protocol_errors_total", kind="cut_packet") == 1
        pbx.hooks.clear()
        found = scrape(one)
        assert value(found, "asterisk_active_calls") == 1
        assert value(found, "asterisk_scrape_collector_success", collector="channels") == 1


def test_an_unfinished_list_ends_at_the_deadline_and_closes_the_link_at_once() -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        pbx.hooks["Status"] = lambda session, action: session.send(*pbx.answer(action, [CALL])[:2])
        begun = time.monotonic()
        found = scrape(one, 0.5)
        assert time.monotonic() - begun < 2.5
        assert value(found, "asterisk_up") == 1
        assert value(found, "asterisk_queue_callers", queue="sales") == 3
        assert value(found, "asterisk_scrape_collector_success", collector="channels") == 0
        assert value(found, "ami_exporter_link_up", link="poll") == 0


def test_a_restart_between_two_scrapes_is_not_seen_as_down() -> None:
    with ScriptedPbx() as pbx, target(pbx.port) as one:
        assert value(scrape(one), "asterisk_up") == 1
        pbx.stop()
        pbx.boot = boot(1)
        pbx.restart()
        found = scrape(one)
        assert (value(found, "asterisk_up"), value(found, "asterisk_active_calls")) == (1, 1)
        assert value(found, "asterisk_boots_total") is None  # without an event link there are no counters


def test_what_was_kept_is_served_until_the_pbx_restarts() -> None:
    monotonic, wall, clocks = movable()
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks, collectors=RESTING) as one:
        assert value(scrape(one), "asterisk_queue_callers", queue="sales") == 3
        pbx.lists["QueueStatus"] = []
        found = scrape(one)
        assert value(found, "asterisk_queue_callers", queue="sales") == 3
        age = value(found, "asterisk_scrape_collector_data_age_seconds", collector="queues")
        assert age is not None
        assert age > 0
        pbx.boot = boot(1)
        monotonic.ahead += 20.0
        wall.ahead += 20.0
        pbx.kick()
        assert value(scrape(one), "asterisk_queue_callers", queue="sales") is None
        assert pbx.names().count("QueueStatus") == 2


def test_what_was_kept_is_dropped_when_the_event_link_sees_the_restart_first() -> None:
    monotonic, wall, clocks = movable()
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks, collectors=RESTING, events=True) as one:
        assert value(scrape(one), "asterisk_queue_callers", queue="sales") == 3
        listening(one)
        pbx.lists["QueueStatus"] = []
        pbx.boot = boot(1)
        monotonic.ahead += 20.0
        wall.ahead += 20.0
        events = next(session for session in pbx.sessions if session.seen[0]["Events"] != "system")
        events.connection.shutdown(socket.SHUT_RDWR)
        until(lambda: counted(one.counters)["asterisk_boots_total",] == 1)
        pbx.kick()
        assert value(scrape(one), "asterisk_queue_callers", queue="sales") is None


def test_what_was_kept_is_dropped_with_the_link_where_a_restart_cannot_be_told() -> None:
    with ScriptedPbx(boot=b"") as pbx, target(pbx.port, collectors=RESTING) as one:
        assert value(scrape(one), "asterisk_queue_callers", queue="sales") == 3
        pbx.lists["QueueStatus"] = []
        assert value(scrape(one), "asterisk_queue_callers", queue="sales") == 3
        pbx.kick()
        assert value(scrape(one), "asterisk_queue_callers", queue="sales") is None


@pytest.mark.parametrize(
    "greeting", [b"", packet(("Event", "FullyBooted"), ("Privilege", "system,all"))], ids=["none", "without Uptime"]
)
def test_what_was_kept_is_dropped_with_a_settled_link_too_where_a_restart_cannot_be_told(greeting: bytes) -> None:
    monotonic, _, clocks = movable()
    resting = {"queues": CollectorSettings(min_interval=300.0)}
    with ScriptedPbx(boot=greeting) as pbx, target(pbx.port, clocks=clocks, collectors=resting) as one:
        for ahead in (0.0, SETTLING_SECONDS + 1, 1.0):
            monotonic.ahead += ahead
            assert value(scrape(one), "asterisk_queue_callers", queue="sales") == 3
        assert pbx.names().count("QueueStatus") == 1
        pbx.lists["QueueStatus"] = []
        pbx.kick()
        assert value(scrape(one), "asterisk_queue_callers", queue="sales") is None


def test_a_pbx_that_hangs_is_down_with_all_its_gauges_those_that_were_kept_too() -> None:
    with ScriptedPbx() as pbx, target(pbx.port, collectors=RESTING) as one:
        assert value(scrape(one), "asterisk_queue_callers", queue="sales") == 3
        pbx.hooks = dict.fromkeys(("Ping", "Status", "BridgeList"), ignore)
        down = scrape(one, 0.3)
        assert value(down, "asterisk_up") == 0
        polled = {
            metric.name for collector in one.collectors for metric in collector.metrics if metric.origin is Origin.POLL
        }
        assert {name for name, _ in down} & polled == set()
        pbx.hooks.clear()
        pbx.lists["QueueStatus"] = []
        assert value(scrape(one), "asterisk_queue_callers", queue="sales") is None


def test_what_was_kept_while_the_server_was_starting_is_dropped_once_it_has_started() -> None:
    with ScriptedPbx({"QueueStatus": []}, boot=b"") as pbx, target(pbx.port, collectors=RESTING) as one:
        assert value(scrape(one), "asterisk_queue_callers", queue="sales") is None
        pbx.lists["QueueStatus"] = [QUEUE]
        pbx.sessions[0].send(boot(3))
        pbx.boot = boot(3)
        found = [value(scrape(one), "asterisk_queue_callers", queue="sales") for _ in range(2)]
        assert found[-1] == 3


def test_what_was_kept_is_dropped_while_the_pbx_is_down() -> None:
    with ScriptedPbx() as pbx, target(pbx.port, collectors=RESTING) as one:
        scrape(one)
        pbx.stop()
        down = scrape(one)
        assert value(down, "asterisk_up") == 0
        assert not has(down, "asterisk_queue_callers")
        pbx.lists["QueueStatus"] = []
        pbx.restart()
        assert value(scrape(one), "asterisk_queue_callers", queue="sales") is None


def test_a_module_loaded_later_is_found_after_55_seconds() -> None:
    monotonic, _, clocks = movable()
    lists = {"Status": [CALL]}
    with ScriptedPbx(lists) as pbx, target(pbx.port, clocks=clocks) as one:
        scrape(one)
        pbx.lists["BridgeList"] = []
        monotonic.ahead += REFRESH_SECONDS - 5
        assert not has(scrape(one), "asterisk_bridges")
        assert pbx.names().count("ListCommands") == 1
        monotonic.ahead += 6
        assert has(scrape(one), "asterisk_bridges")
        assert pbx.names().count("ListCommands") == 2
        assert len(pbx.sessions) == 1


@pytest.mark.parametrize("event", ["Reload", "FullyBooted", "Load", "Unload"])
def test_a_reload_the_end_of_booting_or_another_module_makes_the_next_scrape_ask_anew(event: str) -> None:
    with ScriptedPbx({"Status": [CALL]}) as pbx, target(pbx.port, events=True) as one:
        listening(one)
        scrape(one)
        asked = pbx.names().count("ListCommands")
        pbx.lists["BridgeList"] = []
        events = next(session for session in pbx.sessions if session.seen[0]["Events"] != "system")
        received = one.stats.events_received
        events.send(packet(("Event", event), ("Privilege", "system,all"), ("Module", "All"), ("Uptime", "100")))
        until(lambda: one.stats.events_received > received and one.poller._stale_commands)
        assert has(scrape(one), "asterisk_bridges")
        assert pbx.names().count("ListCommands") == asked + 1


def test_an_action_refused_in_every_poll_has_the_offer_asked_once_more() -> None:
    with (
        ScriptedPbx({"Status": [CALL], "BridgeList": []}, hooks={"BridgeList": deny}) as pbx,
        target(pbx.port) as one,
    ):
        for _ in range(4):
            assert value(scrape(one), "asterisk_up") == 1
            scrape(one, 5.0, "core")  # polls that do not ask for it make it no news
        assert pbx.names().count("BridgeList") == 4
        assert pbx.names().count("ListCommands") == 2


def test_both_links_share_the_gate_of_a_refused_login(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    now = [1000.0]  # stands still: the pause is over when the test says so
    clocks = Clocks(lambda: now[0], lambda: 1_700_000_000.0, lambda: 0.5)
    with ScriptedPbx(hooks={"Login": refuse}) as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        until(lambda: one.gate.closed_for(LoginIdentity.of(one.settings)) > 0)
        for _ in range(20):
            found = scrape(one)
            assert value(found, "asterisk_up") == 0
        assert pbx.names().count("Login") == 1
        assert value(found, "ami_exporter_login_failures_total", reason="authentication") == 1
        pbx.hooks.clear()
        now[0] += WINDOW_SECONDS
        assert value(scrape(one), "asterisk_up") == 1
        listening(one)
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "check username and secret against manager.conf" in str(vars(warnings[0])["error"])
