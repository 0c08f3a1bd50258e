from __future__ import annotations

from types import MappingProxyType

import pytest

from ami_exporter.collectors import lists, queue_averages, queue_members, queues
from ami_exporter.collectors.declarations import Collector, Context
from tests.support.collecting import Samples, message, messages, nonzero, polled

LIST = """
    Event: QueueParams
    Queue: 600
    Max: 0
    Strategy: ringall
    Calls: 2
    Holdtime: 12
    TalkTime: 95
    Completed: 40
    Abandoned: 10
    ServiceLevel: 20
    ServicelevelPerf: 87.5
    ServicelevelPerf2: 85.0
    Weight: 0

    Event: QueueMember
    Queue: 600
    Name: Ann
    Location: PJSIP/201
    StateInterface: PJSIP/201
    Membership: static
    Penalty: 0
    CallsTaken: 5
    LastCall: 1700000000
    InCall: 0
    Status: 1
    Paused: 0
    PausedReason:

    Event: QueueMember
    Queue: 600
    Name: Bob
    Location: PJSIP/202
    CallsTaken: 7
    LastCall: 1700000100
    InCall: 1
    Status: 2
    Paused: 0
    PausedReason:

    Event: QueueMember
    Queue: 600
    Name: Cyd
    Location: PJSIP/203
    CallsTaken: 0
    LastCall: 0
    InCall: 0
    Status: 1
    Paused: 1
    PausedReason: lunch

    Event: QueueMember
    Queue: 600
    Name: Dan
    Location: PJSIP/204
    CallsTaken: 0
    LastCall: 0
    InCall: 0
    Status: 5
    Paused: 1
    PausedReason:

    Event: QueueMember
    Queue: 600
    Name: Eve
    Location: PJSIP/205
    CallsTaken: 0
    LastCall: 0
    InCall: 0
    Status: 0
    Paused: 0
    PausedReason:

    Event: QueueEntry
    Queue: 600
    Position: 1
    Channel: PJSIP/telco-00000001
    Uniqueid: 1700000000.1
    Wait: 74

    Event: QueueEntry
    Queue: 600
    Position: 2
    Channel: PJSIP/telco-00000002
    Uniqueid: 1700000000.2
    Wait: 5

    Event: QueueParams
    Queue: night
    Max: 8
    Strategy: rrmemory
    Calls: 0
    Holdtime: 0
    TalkTime: 0
    Completed: 0
    Abandoned: 3
    ServiceLevel: 0
    ServicelevelPerf: 0.0
"""


def samples(collector: Collector, text: str = LIST, context: Context | None = None) -> Samples:
    return polled(collector, {lists.QUEUE_STATUS: messages(text)}, context)


def test_a_queue_with_callers_and_members_of_every_kind() -> None:
    found = samples(queues.COLLECTOR)
    assert {key: value for key, value in nonzero(found).items() if key[1] == "600"} == {
        ("asterisk_queue_info", "600", "600", "ringall"): 1,
        ("asterisk_queue_callers", "600"): 2,
        ("asterisk_queue_longest_wait_seconds", "600"): 74,
        ("asterisk_queue_members", "600", "not_in_use"): 2,
        ("asterisk_queue_members", "600", "in_use"): 1,
        ("asterisk_queue_members", "600", "unavailable"): 1,
        ("asterisk_queue_members", "600", "unknown"): 1,
        ("asterisk_queue_members_available", "600"): 2,
        ("asterisk_queue_members_ready", "600"): 3,
        ("asterisk_queue_members_paused", "600"): 2,
        ("asterisk_queue_members_in_call", "600"): 1,
        ("asterisk_queue_pause_reason_members", "600", "lunch"): 1,
        ("asterisk_queue_pause_reason_members", "600", "none"): 1,
        ("asterisk_queue_pbx_completed_total", "600"): 40,
        ("asterisk_queue_pbx_abandoned_total", "600"): 10,
        ("asterisk_queue_service_level_threshold_seconds", "600"): 20,
    }


def test_a_queue_without_members_and_callers_has_every_member_state_at_0() -> None:
    found = {key: value for key, value in samples(queues.COLLECTOR).items() if key[1] == "night"}
    states = ("not_in_use", "in_use", "busy", "invalid", "unavailable", "ringing", "ring_in_use", "on_hold", "unknown")
    members: Samples = {("asterisk_queue_members", "night", state): 0 for state in states}
    assert found == {
        ("asterisk_queue_info", "night", "night", "rrmemory"): 1,
        ("asterisk_queue_callers", "night"): 0,
        ("asterisk_queue_longest_wait_seconds", "night"): 0,
        ("asterisk_queue_callers_limit", "night"): 8,
        **members,
        ("asterisk_queue_members_available", "night"): 0,
        ("asterisk_queue_members_ready", "night"): 0,
        ("asterisk_queue_members_paused", "night"): 0,
        ("asterisk_queue_pbx_completed_total", "night"): 0,
        ("asterisk_queue_pbx_abandoned_total", "night"): 3,
        ("asterisk_queue_service_level_threshold_seconds", "night"): 0,
    }


def test_trap_0_for_unknown_an_unlimited_queue_has_no_limit() -> None:
    assert ("asterisk_queue_callers_limit", "600") not in samples(queues.COLLECTOR)


def test_trap_logged_in_includes_paused_members_available_and_ready_do_not() -> None:
    text = """
        Event: QueueParams
        Queue: q

        Event: QueueMember
        Queue: q
        Status: 1
        Paused: 1

        Event: QueueMember
        Queue: q
        Status: 2
        Paused: 0
    """
    found = samples(queues.COLLECTOR, text)
    assert found["asterisk_queue_members_available", "q"] == 0
    assert found["asterisk_queue_members_ready", "q"] == 1
    assert found["asterisk_queue_members_paused", "q"] == 1


def test_before_13_8_nobody_says_in_call_so_the_series_is_absent() -> None:
    text = """
        Event: QueueParams
        Queue: q

        Event: QueueMember
        Queue: q
        Status: 2
        Paused: 0
    """
    assert ("asterisk_queue_members_in_call", "q") not in samples(queues.COLLECTOR, text)


def test_trap_series_that_never_die_a_queue_gone_from_the_list_is_gone() -> None:
    assert (
        samples(queues.COLLECTOR, "Event: QueueParams\nQueue: other\nCalls: 0")["asterisk_queue_callers", "other"] == 0
    )
    assert ("asterisk_queue_callers", "600") not in samples(queues.COLLECTOR, "Event: QueueParams\nQueue: other")


def test_a_list_that_was_cut_publishes_nothing() -> None:
    for collector in (queues.COLLECTOR, queue_averages.COLLECTOR, queue_members.COLLECTOR):
        assert polled(collector, {lists.QUEUE_STATUS: messages(LIST)}, cut=[lists.QUEUE_STATUS]) == {}


def test_a_pbx_without_queues_has_no_queue_series() -> None:
    assert polled(queues.COLLECTOR, {lists.QUEUE_STATUS: []}) == {}


def test_human_names_stand_in_the_info_metric_only() -> None:
    context = Context(names=MappingProxyType({"queue": {"600": "Support"}}))
    found = samples(queues.COLLECTOR, context=context)
    assert ("asterisk_queue_info", "600", "Support", "ringall") in found
    assert ("asterisk_queue_callers", "600") in found


def reasons(written: str) -> set[str]:
    """The reason that each of the two metrics with one gives to a pause for which this was written."""
    text = f"Event: QueueMember\nQueue: q\nName: Ann\nStatus: 1\nPaused: 1\nLastPause: 5\nPausedReason: {written}"
    found = {**samples(queues.COLLECTOR, text), **samples(queue_members.COLLECTOR, text)}
    assert len([key for key in found if "pause_" in key[0]]) == 2
    return {key[-1] for key in found if "pause_" in key[0]}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (" lunch ", "lunch"),
        ("", "none"),
        ("Room 4711", "Room 4711"),
        ("calls +49 (171) 1234567 back", "other"),
        (f"{'x' * 60} 01711234567", "other"),
        ("ask ann@example.net", "other"),
        ("192.0.2.7", "other"),
        ("x" * 100, "x" * 64),
    ],
)
def test_a_pause_reason_is_cut_and_never_a_number_or_an_address(written: str, shown: str) -> None:
    assert reasons(written) == {shown}


def test_averages_are_asterisks_own_and_absent_without_traffic() -> None:
    assert samples(queue_averages.COLLECTOR) == {
        ("asterisk_queue_hold_time_average_seconds", "600"): 12,
        ("asterisk_queue_talk_time_average_seconds", "600"): 95,
        ("asterisk_queue_service_level_ratio", "600"): 0.875,
    }


def test_trap_averages_are_not_rates_so_they_are_opt_in_gauges() -> None:
    assert queue_averages.COLLECTOR.enabled is False
    assert {metric.type for metric in queue_averages.COLLECTOR.metrics} == {"gauge"}


def test_members_one_by_one() -> None:
    found = samples(queue_members.COLLECTOR)
    assert {key: value for key, value in found.items() if key[2] in {"Ann", "Dan"}} == {
        ("asterisk_queue_member_up", "600", "Ann"): 1,
        ("asterisk_queue_member_paused", "600", "Ann"): 0,
        ("asterisk_queue_member_available", "600", "Ann"): 1,
        ("asterisk_queue_member_in_call", "600", "Ann"): 0,
        ("asterisk_queue_member_last_call_timestamp_seconds", "600", "Ann"): 1_700_000_000,
        ("asterisk_queue_member_calls_total", "600", "Ann"): 5,
        ("asterisk_queue_member_up", "600", "Dan"): 0,
        ("asterisk_queue_member_paused", "600", "Dan"): 1,
        ("asterisk_queue_member_available", "600", "Dan"): 0,
        ("asterisk_queue_member_in_call", "600", "Dan"): 0,
        ("asterisk_queue_member_calls_total", "600", "Dan"): 0,
    }


def test_two_interfaces_of_one_member_are_one_member() -> None:
    text = """
        Event: QueueMember
        Queue: q
        Name: Ann
        Location: PJSIP/1
        Status: 5
        Paused: 0
        CallsTaken: 2

        Event: QueueMember
        Queue: q
        Name: Ann
        Location: PJSIP/2
        Status: 1
        Paused: 0
        CallsTaken: 3
    """
    found = samples(queue_members.COLLECTOR, text)
    assert found["asterisk_queue_member_up", "q", "Ann"] == 1
    assert found["asterisk_queue_member_calls_total", "q", "Ann"] == 5


def test_a_number_that_a_queue_dials_is_nobodys_name() -> None:
    def name_of(name: str, location: str) -> str:
        text = f"Event: QueueMember\nQueue: q\nName: {name}\nLocation: {location}\nStatus: 1\nPaused: 0"
        (found,) = [key for key in samples(queue_members.COLLECTOR, text) if key[0] == "asterisk_queue_member_up"]
        return found[-1]

    assert name_of("Local/01711234567@outside/n", "Local/01711234567@outside/n") == "other"
    assert name_of("+49 171 1234567", "Local/01711234567@outside/n") == "other"
    assert name_of("Ann", "Local/01711234567@outside/n") == "Ann"
    assert name_of("", "Local/201@phones/n") == "Local/201@phones/n"
    assert name_of("PJSIP/4930123456", "PJSIP/4930123456") == "PJSIP/4930123456"


def test_trap_n_plus_1_three_collectors_share_one_action_without_parameters() -> None:
    polls = {c.polls for c in (queues.COLLECTOR, queue_averages.COLLECTOR, queue_members.COLLECTOR)}
    assert polls == {((lists.QUEUE_STATUS,),)}
    assert lists.QUEUE_STATUS.params == ()


def member(last_call: int, wrapup: str = "", status: str = "1") -> str:
    return f"""
        Event: QueueMember
        Queue: q
        Name: {last_call}
        Status: {status}
        Paused: 0
        LastCall: {last_call}
        {wrapup}
    """


def wrapping(*members: str, now: float = 1000.0, ahead: float = 0.0) -> Samples:
    items = [message("Event: QueueParams\nQueue: q"), *(message(one) for one in members)]
    return polled(queues.COLLECTOR, {lists.QUEUE_STATUS: items}, Context(now=now, pbx_ahead=ahead))


def test_a_member_in_wrapup_is_not_available_until_it_is_over_by_the_pbxs_clock() -> None:
    """The time is that of the member; the PBX's clock may be another than ours."""
    members = [
        member(995, "Wrapuptime: 10"),
        member(980, "Wrapuptime: 10"),
        member(0, "Wrapuptime: 10"),
        member(999, "Wrapuptime: 0"),
        member(999, "Wrapuptime: 10", status="2"),
    ]
    found = wrapping(*members)
    assert (found["asterisk_queue_members_wrapup", "q"], found["asterisk_queue_members_available", "q"]) == (1, 3)
    found = wrapping(*members, now=4600.0, ahead=-3600.0)
    assert (found["asterisk_queue_members_wrapup", "q"], found["asterisk_queue_members_available", "q"]) == (1, 3)
    found = wrapping(*members, ahead=6.0)
    assert (found["asterisk_queue_members_wrapup", "q"], found["asterisk_queue_members_available", "q"]) == (0, 4)


def test_each_member_is_in_wrapup_or_not() -> None:
    def state(item: str) -> float | None:
        items = [message("Event: QueueParams\nQueue: q"), message(item)]
        found = polled(queue_members.COLLECTOR, {lists.QUEUE_STATUS: items}, Context(now=1000.0))
        return next((value for key, value in found.items() if key[0] == "asterisk_queue_member_wrapup"), None)

    assert state(member(995, "Wrapuptime: 10")) == 1
    assert state(member(980, "Wrapuptime: 10")) == 0
    assert state(member(999, "Wrapuptime: 0")) == 0
    assert state(member(0, "Wrapuptime: 10")) == 0
    assert state(member(999, "Wrapuptime: 10", status="2")) == 0
    assert state(member(999, "Wrapuptime: 10\nInCall: 1")) == 0
    assert state(member(999, "Wrapuptime: 10").replace("Paused: 0", "Paused: 1")) == 0
    assert state(member(999)) is None


def test_the_states_of_members_add_up_to_those_of_their_queue() -> None:
    one_by_one = samples(queue_members.COLLECTOR)
    of_the_queue = samples(queues.COLLECTOR)
    for state in ("available", "in_call", "paused"):
        added = sum(value for key, value in one_by_one.items() if key[:2] == (f"asterisk_queue_member_{state}", "600"))
        assert added == of_the_queue[f"asterisk_queue_members_{state}", "600"] > 0


def test_where_no_wrapup_time_is_sent_nobody_knows_of_it() -> None:
    """Before Asterisk 16.3."""
    found = wrapping(member(999))
    assert ("asterisk_queue_members_wrapup", "q") not in found
    assert found["asterisk_queue_members_available", "q"] == 1
