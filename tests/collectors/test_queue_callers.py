from __future__ import annotations

from collections.abc import Iterable

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.collectors import lists, queue_callers, queues
from ami_exporter.collectors.declarations import Context
from ami_exporter.collectors.queue_callers import QueueCallers, wait_histogram
from ami_exporter.pbx.event_counters import EventCounters
from tests.support.collecting import Samples, counted, message, nonzero, show, store_of

CALLER = "1700000000.1"


def event(name: str, caller: str = CALLER, queue: str = "600", **headers: object) -> Message:
    pairs = [("event", name), ("queue", queue), ("uniqueid", caller)]
    return Message.of([*pairs, *((key.lower(), str(value)) for key, value in headers.items())])


def channel_event(name: str, channel: str = CALLER) -> Message:
    return Message.of([("event", name), ("channel", "PJSIP/telco-00000001"), ("uniqueid", channel)])


NEW = channel_event("Newchannel")
JOIN = event("QueueCallerJoin", Position=1, Count=1)
LEAVE = event("QueueCallerLeave", Position=1, Count=0)
HANGUP_REQUEST = channel_event("HangupRequest")
HANGUP = channel_event("Hangup")


def abandon(hold: int) -> Message:
    return event("QueueCallerAbandon", Position=1, OriginalPosition=1, HoldTime=hold)


def connect(hold: int, ring: int = 3, queue: str = "600") -> Message:
    return event("AgentConnect", queue=queue, HoldTime=hold, RingTime=ring, MemberName="Ann")


def after(*events: Message, counters: EventCounters | None = None, now: float = 0.0) -> Samples:
    counters = counters or store_of(queues.COLLECTOR)
    counters.feed(events, now)
    return nonzero(counted(counters))


def outcomes(samples: Samples) -> dict[str, float]:
    return {key[2]: value for key, value in samples.items() if key[0] == "asterisk_queue_calls_total"}


def test_an_answered_caller_leaves_before_the_agent_connects() -> None:
    assert after(NEW, JOIN, LEAVE, connect(hold=17), HANGUP_REQUEST, HANGUP) == {
        ("asterisk_queue_joins_total", "600"): 1,
        ("asterisk_queue_calls_total", "600", "answered"): 1,
        ("asterisk_queue_wait_seconds_count", "600", "answered"): 1,
        ("asterisk_queue_wait_seconds_sum", "600", "answered"): 17,
        ("asterisk_queue_ring_seconds_count", "600"): 1,
        ("asterisk_queue_ring_seconds_sum", "600"): 3,
    }


def test_a_caller_who_hangs_up_is_abandoned() -> None:
    assert after(NEW, JOIN, HANGUP_REQUEST, abandon(hold=41), LEAVE, HANGUP) == {
        ("asterisk_queue_joins_total", "600"): 1,
        ("asterisk_queue_calls_total", "600", "abandoned"): 1,
        ("asterisk_queue_wait_seconds_count", "600", "abandoned"): 1,
        ("asterisk_queue_wait_seconds_sum", "600", "abandoned"): 41,
    }


def test_a_caller_whose_channel_is_hung_up_softly_is_abandoned_too() -> None:
    assert outcomes(after(NEW, JOIN, channel_event("SoftHangupRequest"), abandon(5), LEAVE)) == {"abandoned": 1}


def test_a_caller_the_queue_lets_go_is_a_timeout() -> None:
    assert after(NEW, JOIN, abandon(hold=60), LEAVE, HANGUP) == {
        ("asterisk_queue_joins_total", "600"): 1,
        ("asterisk_queue_calls_total", "600", "timeout"): 1,
        ("asterisk_queue_wait_seconds_count", "600", "timeout"): 1,
        ("asterisk_queue_wait_seconds_sum", "600", "timeout"): 60,
    }


def test_a_caller_redirected_out_of_the_queue_and_hung_up_at_once_is_a_timeout_where_nothing_tells() -> None:
    redirected = (NEW, JOIN, abandon(hold=1), LEAVE)  # as 16.28 sends it for AMI's Redirect
    assert outcomes(after(*redirected, HANGUP_REQUEST, channel_event("SoftHangupRequest"), HANGUP)) == {"timeout": 1}


def at(name: str, tech: str, exten: str = "600", priority: int = 2, **headers: object) -> Message:
    """An event of the caller's channel, with its place in the dialplan."""
    channel = f"{tech}/telco-00000001"
    return event(name, CALLER, "600", Channel=channel, Context="queues", Exten=exten, Priority=priority, **headers)


def waiting(arguments: str) -> Message:
    """The caller in a polled Status: what Queue() was called with."""
    return message(
        f"Event: Status\nApplication: Queue\nData: {arguments}\nContext: queues\nExten: 600\nPriority: 2\nUniqueid: x"
    )


@pytest.mark.parametrize(
    ("tech", "arguments", "hold", "cause", "outcome"),
    [
        # Queue() without timeout, as a poll has seen it: nobody times out.
        ("AudioSocket", "600", 40, "0", "abandoned"),
        ("DAHDI", "600,t", 40, "16", "abandoned"),
        ("PJSIP", "600", 40, "0", "other"),
        ("Local", "600,,,", 40, "16", "other"),
        # The timeout is known: not over, or over.
        ("AudioSocket", "600,,,,60", 40, "0", "abandoned"),
        ("PJSIP", "600,,,,60", 40, "0", "other"),
        ("AudioSocket", "600,,,,60", 60, "0", "timeout"),
        ("PJSIP", "600,,,,60,agi", 61, "0", "timeout"),
        # Nothing is known of the timeout.
        ("AudioSocket", "", 40, "0", "abandoned"),
        ("AudioSocket", "", 40, "16", "timeout"),
        ("DAHDI", "", 40, "0", "abandoned"),
        ("DAHDI", "", 40, "16", "other"),
        ("PJSIP", "", 40, "0", "timeout"),
        ("SIP", "", 40, "16", "timeout"),
        # Whoever joins an empty queue leaves at once.
        ("PJSIP", "600", 0, "0", "timeout"),
        ("AudioSocket", "600", 2, "0", "abandoned"),
    ],
)
def test_a_caller_who_ends_with_the_queue_without_a_word_is_told_by_driver_cause_and_timeout(
    tech: str, arguments: str, hold: int, cause: str, outcome: str
) -> None:
    """As Originate with the application Queue: no dialplan ends, and the place stays the same."""
    assert ended_at_once(tech, arguments, hold, cause) == {outcome: 1}


IN_THE_QUEUE, FURTHER, H = ("600", 2), ("600", 3), ("h", 1)  # extension and priority


@pytest.mark.parametrize(
    ("tech", "arguments", "hold", "cause", "where", "outcome"),
    [
        # The dialplan ends where the queue is: the channel was ended, and it was not the queue that let the caller go.
        ("AudioSocket", "", 40, "0", IN_THE_QUEUE, "abandoned"),
        ("DAHDI", "", 40, "16", IN_THE_QUEUE, "abandoned"),
        ("PJSIP", "", 40, "0", IN_THE_QUEUE, "other"),
        ("SIP", "", 40, "16", IN_THE_QUEUE, "other"),
        ("AudioSocket", "", 40, "16", IN_THE_QUEUE, "other"),  # AMI's Hangup with a cause, which AudioSocket never has
        ("AudioSocket", "600", 40, "16", IN_THE_QUEUE, "other"),
        # Just joined: an empty queue would have let the caller go, and the dialplan would have gone on.
        ("AudioSocket", "600", 0, "0", IN_THE_QUEUE, "abandoned"),
        ("PJSIP", "600", 0, "0", IN_THE_QUEUE, "other"),
        ("PJSIP", "600,,,,60", 60, "0", IN_THE_QUEUE, "timeout"),  # AGI that hangs up after it: the place is the same
        # The dialplan went on, and ended.
        ("AudioSocket", "", 40, "0", FURTHER, "timeout"),
        ("DAHDI", "", 40, "16", FURTHER, "timeout"),
        ("PJSIP", "", 40, "16", FURTHER, "timeout"),
        ("PJSIP", "600", 0, "0", FURTHER, "timeout"),
        # It went on although nobody times out: taken out of the queue.
        ("AudioSocket", "600", 40, "16", FURTHER, "other"),
        ("PJSIP", "600,,,,60", 40, "16", FURTHER, "other"),
        # The extension h has run: only cause and timeout tell.
        ("AudioSocket", "", 40, "0", H, "abandoned"),
        ("PJSIP", "", 40, "0", H, "timeout"),
        ("PJSIP", "600", 40, "0", H, "other"),
    ],
)
def test_where_the_dialplan_ends_tells_whether_the_queue_let_the_caller_go(
    tech: str, arguments: str, hold: int, cause: str, *, where: tuple[str, int], outcome: str
) -> None:
    assert ended_at_once(tech, arguments, hold, cause, where=where) == {outcome: 1}


def test_who_was_beyond_the_queue_before_the_extension_h_was_let_go() -> None:
    """On Asterisk 16 SoftHangupRequest has the place where the dialplan ended; on 22 it may have that of the queue."""
    beyond = [at("SoftHangupRequest", "AudioSocket", priority=3)]
    assert ended_at_once("AudioSocket", "", 40, "0", where=H, ending=beyond) == {"timeout": 1}


def test_members_that_change_all_the_time_hide_no_caller_who_hung_up() -> None:
    """On a busy queue there is always one whose state has just changed."""
    busy = [event("QueueMemberStatus", caller="", Status=2)]
    assert ended_at_once("AudioSocket", "600,,,,60", 40, "0", where=IN_THE_QUEUE, stirring=busy) == {"abandoned": 1}


def ended_at_once(
    tech: str,
    arguments: str,
    hold: int,
    cause: str,
    *,
    where: tuple[str, int] | None = None,
    ending: Iterable[Message] | None = None,
    stirring: Iterable[Message] = (),
) -> dict[str, float]:
    """Outcomes of a caller whose channel ends as the caller leaves, at this place; None: without a dialplan."""
    counters = store_of(queues.COLLECTOR)
    counters.feed([NEW, at("QueueCallerJoin", tech)], 0.0)
    if arguments:
        show(counters, lists.STATUS, [waiting(arguments)])
    leaving = [*stirring, at("QueueCallerAbandon", tech, HoldTime=hold), at("QueueCallerLeave", tech)]
    counters.feed(leaving, float(hold))
    if where is None:
        return outcomes(after(at("Hangup", tech, Cause=cause), counters=counters, now=float(hold)))
    counters.feed([at("SoftHangupRequest", tech)] if ending is None else ending, float(hold))
    assert outcomes(nonzero(counted(counters))) == {}
    # The extension h takes some seconds.
    counters.expire(hold + 9.0)
    return outcomes(after(at("Hangup", tech, *where, Cause=cause), counters=counters, now=hold + 10.0))


def test_a_caller_who_goes_on_in_the_dialplan_was_let_go() -> None:
    counters = store_of(queues.COLLECTOR)
    left = [at("QueueCallerAbandon", "AudioSocket", HoldTime=40), at("QueueCallerLeave", "AudioSocket")]
    after(NEW, at("QueueCallerJoin", "AudioSocket"), *left, counters=counters, now=40.0)
    counters.expire(41.5)
    assert outcomes(nonzero(counted(counters))) == {"timeout": 1}
    assert outcomes(after(at("Hangup", "AudioSocket", Cause=0), counters=counters, now=50.0)) == {"timeout": 1}


def test_a_caller_who_is_elsewhere_in_the_dialplan_already_was_redirected() -> None:
    """As Asterisk 22 sends it for AMI's Redirect."""
    counters = store_of(queues.COLLECTOR)
    left = [at("QueueCallerAbandon", "PJSIP", "away", HoldTime=5), at("QueueCallerLeave", "PJSIP", "away")]
    samples = after(NEW, at("QueueCallerJoin", "PJSIP"), *left, counters=counters)
    assert outcomes(samples) == {"other": 1}
    assert not any(key[0].startswith("asterisk_queue_wait") for key in samples)


@pytest.mark.parametrize(("arguments", "outcome"), [("600", "other"), ("600,,,,3", "timeout")])
def test_a_caller_who_goes_on_before_the_queues_timeout_was_taken_out_of_it(arguments: str, outcome: str) -> None:
    """Asterisk 16 sends nothing that tells of Redirect."""
    counters = store_of(queues.COLLECTOR)
    counters.feed([NEW, at("QueueCallerJoin", "PJSIP")], 0.0)
    show(counters, lists.STATUS, [waiting(arguments)])
    after(at("QueueCallerAbandon", "PJSIP", HoldTime=4), at("QueueCallerLeave", "PJSIP"), counters=counters, now=4.0)
    counters.expire(6.0)
    assert outcomes(nonzero(counted(counters))) == {outcome: 1}


def test_a_queue_whose_members_change_may_have_let_its_callers_go() -> None:
    counters = store_of(queues.COLLECTOR)
    counters.feed([NEW, at("QueueCallerJoin", "PJSIP")], 0.0)
    show(counters, lists.STATUS, [waiting("600")])
    counters.feed([event("QueueMemberPause", caller="", Paused=1)], 39.0)
    left = [at("QueueCallerAbandon", "PJSIP", HoldTime=40), at("QueueCallerLeave", "PJSIP")]
    assert outcomes(after(*left, at("Hangup", "PJSIP", Cause=0), counters=counters, now=40.0)) == {"timeout": 1}


def test_a_driver_that_has_told_of_a_hangup_once_tells_of_all() -> None:
    isdn = [Message.of([("event", "HangupRequest"), ("channel", "DAHDI/i1/4711-1"), ("uniqueid", "9")])]
    left = [at("QueueCallerAbandon", "DAHDI", HoldTime=40), at("QueueCallerLeave", "DAHDI")]
    ended = (NEW, at("QueueCallerJoin", "DAHDI"), *left, at("Hangup", "DAHDI", Cause=0))
    assert outcomes(after(*isdn, *ended)) == {"timeout": 1}


def test_the_hangup_of_another_channel_does_not_make_a_timeout_an_abandon() -> None:
    others = channel_event("HangupRequest", "1700000000.9")
    assert outcomes(after(NEW, JOIN, others, abandon(60), LEAVE, HANGUP)) == {"timeout": 1}


def test_without_class_call_every_abandon_is_abandoned() -> None:
    assert outcomes(after(JOIN, abandon(60), LEAVE)) == {"abandoned": 1}


def test_a_caller_who_presses_a_key_left_otherwise_known_at_the_hangup() -> None:
    counters = store_of(queues.COLLECTOR)
    assert outcomes(after(NEW, JOIN, LEAVE, counters=counters)) == {}
    assert outcomes(after(HANGUP, counters=counters)) == {"other": 1}


def test_a_caller_who_goes_on_to_another_queue_left_the_first_otherwise() -> None:
    second = event("QueueCallerJoin", queue="700")
    samples = after(NEW, JOIN, LEAVE, second, event("QueueCallerLeave", queue="700"), connect(9, queue="700"))
    assert samples["asterisk_queue_calls_total", "600", "other"] == 1
    assert samples["asterisk_queue_calls_total", "700", "answered"] == 1


def test_without_a_hangup_a_caller_left_otherwise_after_ten_minutes() -> None:
    counters = store_of(queues.COLLECTOR)
    after(JOIN, LEAVE, counters=counters, now=100.0)
    counters.expire(700.0)
    assert outcomes(counted(counters))["other"] == 0
    counters.expire(700.1)
    assert outcomes(counted(counters))["other"] == 1


def test_incompatible_channels_abandon_one_caller_twice_and_it_counts_once() -> None:
    assert outcomes(after(NEW, JOIN, abandon(8), abandon(8), LEAVE, HANGUP)) == {"timeout": 1}


def test_a_timeout_and_a_second_try_in_the_same_queue_are_two_callers() -> None:
    assert outcomes(after(NEW, JOIN, abandon(60), LEAVE, JOIN, abandon(60), LEAVE, HANGUP)) == {"timeout": 2}


def test_a_caller_who_joined_before_the_link_was_up_still_counts() -> None:
    assert outcomes(after(HANGUP_REQUEST, abandon(90), LEAVE)) == {"abandoned": 1}
    assert outcomes(after(LEAVE, connect(90))) == {"answered": 1}


def test_names_before_asterisk_12_mean_the_same() -> None:
    old_join = event("Join", Position=1, Count=1)
    old_leave = event("Leave", Position=1, Count=0)
    old_connect = event("AgentConnect", Holdtime=17, Ringtime=4, Member="SIP/201")
    samples = after(NEW, old_join, old_leave, old_connect)
    assert samples["asterisk_queue_joins_total", "600"] == 1
    assert samples["asterisk_queue_calls_total", "600", "answered"] == 1
    assert samples["asterisk_queue_wait_seconds_sum", "600", "answered"] == 17
    assert samples["asterisk_queue_ring_seconds_sum", "600"] == 4


def params(level: int) -> Message:
    return message(f"Event: QueueParams\nQueue: 600\nCalls: 0\nServiceLevel: {level}")


@pytest.mark.parametrize(("hold", "within"), [(19, 1), (20, 1), (21, 0)])
def test_answered_within_the_queues_own_service_level(hold: int, within: float) -> None:
    counters = store_of(queues.COLLECTOR)
    show(counters, lists.QUEUE_STATUS, [params(20)])
    counters.feed([JOIN, LEAVE, connect(hold)], 0.0)
    assert counted(counters)["asterisk_queue_answered_in_service_level_total", "600"] == within


def test_a_service_level_changed_by_reload_counts_from_the_next_poll() -> None:
    counters = store_of(queues.COLLECTOR)
    show(counters, lists.QUEUE_STATUS, [params(20)])
    counters.feed([JOIN, LEAVE, connect(30)], 0.0)
    show(counters, lists.QUEUE_STATUS, [params(60)])
    counters.feed([JOIN, LEAVE, connect(30)], 0.0)
    assert counted(counters)["asterisk_queue_answered_in_service_level_total", "600"] == 1


def test_a_complete_poll_makes_all_counters_of_a_queue_exist_at_0() -> None:
    counters = store_of(queues.COLLECTOR)
    show(counters, lists.QUEUE_STATUS, [params(20)])
    found = counted(counters)
    assert set(found.values()) == {0.0}
    assert {key for key in found if key[0] == "asterisk_queue_calls_total"} == {
        ("asterisk_queue_calls_total", "600", outcome) for outcome in ("answered", "abandoned", "timeout", "other")
    }
    assert ("asterisk_queue_answered_in_service_level_total", "600") in found
    assert ("asterisk_queue_wait_seconds_count", "600", "timeout") in found


def test_ring_no_answer_counts_and_its_milliseconds_go_nowhere() -> None:
    samples = after(event("AgentRingNoAnswer", RingTime=15000, MemberName="Ann"))
    assert samples == {("asterisk_queue_ring_no_answer_total", "600"): 1}


def test_talk_time_of_completed_calls() -> None:
    samples = after(event("AgentComplete", HoldTime=12, TalkTime=185, Reason="caller"))
    assert samples == {
        ("asterisk_queue_talk_seconds_count", "600"): 1,
        ("asterisk_queue_talk_seconds_sum", "600"): 185,
    }


def test_trap_queue_reset_stats_does_not_touch_our_counters() -> None:
    counters = store_of(queues.COLLECTOR)
    show(counters, lists.QUEUE_STATUS, [params(20)])
    counters.feed([JOIN, LEAVE, connect(1)], 0.0)
    show(counters, lists.QUEUE_STATUS, [message("Event: QueueParams\nQueue: 600\nCompleted: 0\nAbandoned: 0")])
    assert outcomes(counted(counters))["answered"] == 1


def test_reset_forgets_callers_in_flight_and_publishes_nothing() -> None:
    counters = store_of(queues.COLLECTOR)
    counters.feed([NEW, JOIN, LEAVE], 0.0)
    counters.reset_trackers()
    counters.feed([HANGUP], 1.0)
    counters.expire(100_000.0)
    assert outcomes(counted(counters))["other"] == 0


def test_a_configured_bucket_list_makes_its_own_histogram_and_the_same_list_the_same_one() -> None:
    one = queues.collector((1.0, 2.0))
    wait = next(metric for metric in one.metrics if metric.name == "asterisk_queue_wait_seconds")
    assert wait.buckets == (1.0, 2.0)
    assert queues.collector((1.0, 2.0)) is one


def test_the_tracker_stays_bounded_and_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_callers, "MAX_CALLERS", 3)
    tracker = QueueCallers(wait_histogram((1.0,)))
    for number in range(10):
        for name in ("Newchannel", "QueueCallerJoin", "HangupRequest"):
            list(tracker.event(event(name, caller=f"1.{number}"), Context(), 0.0))
    assert list(tracker._waiting) == ["1.7", "1.8", "1.9"]
    assert list(tracker._hanging) == ["1.7", "1.8", "1.9"]
    tracker.reset()
    assert not tracker._waiting
    assert not tracker._hanging


def test_what_waited_for_a_day_is_forgotten_without_a_count() -> None:
    counters = store_of(queues.COLLECTOR)
    counters.feed([NEW, JOIN, HANGUP_REQUEST], 0.0)
    counters.expire(100_000.0)
    assert sum(outcomes(counted(counters)).values()) == 0
