"""Events of servers before Asterisk 12, literal ones, told as newer servers tell them: what no transcript has."""

from __future__ import annotations

import pytest

from ami_exporter.ami.concluded import CONCLUDED
from ami_exporter.ami.old import channels, legs, queues
from ami_exporter.ami.old.translator import translator
from tests.support.old_link import OldLink


@pytest.fixture
def link() -> OldLink:
    return OldLink()


def test_servers_from_asterisk_12_on_need_no_translation() -> None:
    assert [translator(ami) is None for ami in ((1, 0), (1, 1), (1, 3), (2, 0), (2, 10, 6), (11, 0, 0))] == [
        *(False, False, False),
        *(True, True, True),
    ]


def test_losers_of_parallel_dialling_are_cancelled_whatever_their_cause(link: OldLink) -> None:
    link.comes_in("1", "SIP/a-1")
    link.dials("1", "2", "SIP/b-2")
    link.dials("1", "3", "SIP/c-3")
    link.dials("1", "4", "SIP/d-4")
    link.ends("4", "SIP/d-4", cause=17)
    link.is_up("3")
    link.ends("2", "SIP/b-2", cause=16)
    link.is_up("1")
    assert link.counts("dials_total") == {
        ("dials_total", "SIP", "answered"): 1.0,
        ("dials_total", "SIP", "busy"): 1.0,
        ("dials_total", "SIP", "cancelled"): 1.0,
    }
    link.now += 30
    link.ends("3", "SIP/c-3")
    link.dial_ends("1", "ANSWER")
    link.ends("1", "SIP/a-1")
    assert link.counts("calls_total", "dial_talk_seconds_sum") == {
        ("calls_total", "internal", "answered"): 1.0,
        ("dial_talk_seconds_sum", "SIP"): 30.0,
    }


def test_parallel_legs_that_nobody_answers_have_the_result_of_their_dial(link: OldLink) -> None:
    link.comes_in("1", "SIP/a-1")
    link.dials("1", "2", "SIP/telco-2")
    link.dials("1", "3", "SIP/c-3")
    link.ends("2", "SIP/telco-2", cause=0)
    link.ends("3", "SIP/c-3", cause=16)
    assert link.counts("dials_total", "hangups_total") == {}, "the Dial's end is about to come"
    link.dial_ends("1", "NOANSWER")
    link.ends("1", "SIP/a-1", cause=0)
    assert link.counts("dials_total", "trunk_calls_total", "calls_total") == {
        ("dials_total", "SIP", "no_answer"): 2.0,
        ("trunk_calls_total", "telco", "outbound", "no_answer"): 1.0,
        ("calls_total", "outbound", "unanswered"): 1.0,
    }
    assert sum(link.counts("hangups_total").values()) == 3


def test_a_leg_that_ends_alone_waits_a_second_for_its_dial_and_is_unknown_then(link: OldLink) -> None:
    link.comes_in("1", "SIP/a-1")
    link.dials("1", "2", "SIP/b-2")
    link.ends("2", "SIP/b-2", cause=23)
    link.waits(legs.HELD_SECONDS / 2)
    assert link.counts("dials_total") == {}
    link.waits(legs.HELD_SECONDS)
    assert link.counts("dials_total") == {("dials_total", "SIP", "other"): 1.0}
    assert sum(link.counts("hangups_total").values()) == 1


def test_a_leg_whose_caller_ends_without_the_end_of_its_dial_ends_too(link: OldLink) -> None:
    link.comes_in("1", "SIP/a-1")
    link.dials("1", "2", "SIP/b-2")
    link.ends("2", "SIP/b-2", cause=19)
    link.ends("1", "SIP/a-1")
    assert link.counts("dials_total", "calls_total") == {
        ("dials_total", "SIP", "no_answer"): 1.0,
        ("calls_total", "internal", "unanswered"): 1.0,
    }


def test_a_leg_that_is_up_before_dial_names_it_is_answered_once(link: OldLink) -> None:
    link.comes_in("1", "SIP/a-1")
    link.hears("Newchannel Channel=Local/9@x-1;1 ChannelState=0 Uniqueid=2")
    link.hears("Newchannel Channel=Local/9@x-1;2 ChannelState=4 Uniqueid=3")
    link.is_up("2")
    link.hears("Dial SubEvent=Begin UniqueID=1 DestUniqueID=2 Destination=Local/9@x-1;1 Dialstring=9@x")
    assert link.counts("dials_total") == {("dials_total", "Local", "answered"): 1.0}


def test_what_a_queue_or_originate_dials_without_a_word_is_counted_and_its_end_unknown(link: OldLink) -> None:
    for uid, cause in (("1", 16), ("2", 17), ("3", 19), ("4", 26), ("5", 34)):
        link.hears(f"Newchannel Channel=SIP/telco-{uid} ChannelState=0 Uniqueid={uid}")
        link.ends(uid, f"SIP/telco-{uid}", cause)
    assert link.counts("trunk_calls_total", "calls_total") == {
        ("trunk_calls_total", "telco", "outbound", "other"): 1.0,
        ("trunk_calls_total", "telco", "outbound", "busy"): 1.0,
        ("trunk_calls_total", "telco", "outbound", "no_answer"): 1.0,
        ("trunk_calls_total", "telco", "outbound", "cancelled"): 1.0,
        ("trunk_calls_total", "telco", "outbound", "congestion"): 1.0,
    }


def test_an_inbound_caller_who_gives_up_is_told_from_one_whom_nobody_answers(link: OldLink) -> None:
    for uid, status in (("1", "CANCEL"), ("2", "NOANSWER")):
        link.comes_in(uid, f"SIP/telco-{uid}")
        link.dials(uid, f"{uid}0", f"SIP/b-{uid}0")
        link.ends(f"{uid}0", f"SIP/b-{uid}0")
        link.dial_ends(uid, status)
        link.ends(uid, f"SIP/telco-{uid}", cause=0)
    assert link.counts("trunk_calls_total") == {
        ("trunk_calls_total", "telco", "inbound", "cancelled"): 1.0,
        ("trunk_calls_total", "telco", "inbound", "no_answer"): 1.0,
    }


def test_what_the_server_says_of_who_hangs_up_is_not_doubled(link: OldLink) -> None:
    link.comes_in("1", "SIP/telco-1")
    link.dials("1", "2", "SIP/b-2")
    link.hears("HangupRequest Channel=SIP/telco-1 Uniqueid=1")
    link.ends("2", "SIP/b-2")
    link.dial_ends("1", "CANCEL")
    link.ends("1", "SIP/telco-1", cause=0)
    assert [event["event"] for event in link.told if event["event"].endswith("HangupRequest")] == ["HangupRequest"]
    assert link.counts("trunk_calls_total") == {("trunk_calls_total", "telco", "inbound", "cancelled"): 1.0}


def test_a_parked_trunk_call_keeps_its_direction_and_talks_to_its_own_end(link: OldLink) -> None:
    link.comes_in("1", "SIP/telco-1")
    link.is_up("1")
    link.hears("Newchannel Channel=Parked/SIP/telco-1 ChannelState=0 Uniqueid=9")
    link.takes_place(("1", "SIP/telco-1"), ("9", "Parked/SIP/telco-1"))
    link.ends("1", "Parked/SIP/telco-1<ZOMBIE>")
    assert link.counts("trunk_calls_total") == {}
    assert link.events.identity("9") == "1"
    link.now += 50
    link.ends("9", "SIP/telco-1", cause=0)
    assert link.counts("trunk_calls_total", "trunk_talk_seconds_sum", "hangups_total") == {
        ("trunk_calls_total", "telco", "inbound", "answered"): 1.0,
        ("trunk_talk_seconds_sum", "telco", "inbound"): 50.0,
        ("hangups_total", "SIP", "none"): 1.0,
    }


def test_lists_find_the_direction_of_a_channel_that_took_anothers_place(link: OldLink) -> None:
    link.counters.identify(link.events.identity)
    link.comes_in("1", "SIP/telco-1")
    link.hears("Newchannel Channel=Parked/SIP/telco-1 ChannelState=0 Uniqueid=9")
    link.takes_place(("1", "SIP/telco-1"), ("9", "Parked/SIP/telco-1"))
    assert link.counters.seen_direction("9") == "inbound"


def in_queue(link: OldLink) -> None:
    link.comes_in("1", "SIP/telco-1")
    link.is_up("1")
    link.hears("Join Channel=SIP/telco-1 Queue=sales Position=1 Count=1 Uniqueid=1")


def test_a_caller_taken_out_of_a_queue_by_redirect_has_neither_given_up_nor_timed_out(link: OldLink) -> None:
    in_queue(link)
    link.hears("Newchannel Channel=AsyncGoto/SIP/telco-1 ChannelState=6 Uniqueid=9", after=7)
    link.takes_place(("1", "SIP/telco-1"), ("9", "AsyncGoto/SIP/telco-1"))
    link.hears(
        "QueueCallerAbandon Queue=sales Uniqueid=1 Position=1 OriginalPosition=1 HoldTime=7",
        "Leave Channel=AsyncGoto/SIP/telco-1<ZOMBIE> Queue=sales Count=0 Position=1 Uniqueid=1",
    )
    link.ends("1", "AsyncGoto/SIP/telco-1<ZOMBIE>", cause=0)
    link.ends("9", "SIP/telco-1")
    assert link.counts("queue_calls_total", "queue_wait_seconds_count") == {
        ("queue_calls_total", "sales", "other"): 1.0
    }


def test_a_caller_who_waits_in_place_of_the_one_who_joined_gives_up(link: OldLink) -> None:
    in_queue(link)
    link.comes_in("5", "SIP/b-5")
    link.takes_place(("5", "SIP/b-5"), ("1", "SIP/telco-1"))
    link.ends("5", "SIP/telco-1<ZOMBIE>")
    link.hears(
        "HangupRequest Channel=SIP/b-5 Uniqueid=1",
        "QueueCallerAbandon Queue=sales Uniqueid=1 Position=1 OriginalPosition=1 HoldTime=9",
        "Leave Channel=SIP/b-5 Queue=sales Count=0 Position=1 Uniqueid=1",
    )
    assert link.counts("queue_calls_total") == {("queue_calls_total", "sales", "abandoned"): 1.0}


def test_an_answer_that_the_queue_does_not_tell_is_seen_by_the_bridge_with_its_wait(link: OldLink) -> None:
    in_queue(link)
    link.hears("Newchannel Channel=SIP/b-2 ChannelState=0 Uniqueid=2", after=1)
    link.hears("Newstate Channel=SIP/b-2 ChannelState=6 Uniqueid=2", after=11)
    link.hears(
        "Leave Channel=SIP/telco-1 Queue=sales Count=0 Position=1 Uniqueid=1",
        "Bridge Bridgestate=Link Channel1=SIP/telco-1 Channel2=SIP/b-2 Uniqueid1=1 Uniqueid2=2",
    )
    assert link.counts("queue_calls_total", "queue_wait_seconds_sum") == {
        ("queue_calls_total", "sales", "answered"): 1.0,
        ("queue_wait_seconds_sum", "sales", "answered"): 12.0,
    }
    link.hears("Unlink Channel1=SIP/telco-1 Channel2=SIP/b-2 Uniqueid1=1 Uniqueid2=2")
    link.hears("Bridge Bridgestate=Link Channel1=SIP/telco-1 Channel2=SIP/b-2 Uniqueid1=1 Uniqueid2=2")
    link.ends("2", "SIP/b-2")
    link.ends("1", "SIP/telco-1")
    assert sum(link.counts("queue_calls_total").values()) == 1
    assert link.counts("calls_total") == {("calls_total", "inbound", "answered"): 1.0}


def test_a_caller_who_leaves_by_key_and_is_dialled_on_was_not_answered_by_the_queue(link: OldLink) -> None:
    in_queue(link)
    link.hears("Leave Channel=SIP/telco-1 Queue=sales Count=0 Position=1 Uniqueid=1", after=4)
    link.dials("1", "2", "SIP/b-2")
    link.is_up("2")
    link.hears("Bridge Bridgestate=Link Channel1=SIP/telco-1 Channel2=SIP/b-2 Uniqueid1=1 Uniqueid2=2")
    link.ends("2", "SIP/b-2")
    link.dial_ends("1", "ANSWER")
    link.ends("1", "SIP/telco-1")
    assert link.counts("queue_calls_total") == {("queue_calls_total", "sales", "other"): 1.0}


def test_a_timeout_and_a_hang_up_are_told_apart_by_their_cause_however_often_others_dialled(link: OldLink) -> None:
    link.comes_in("7", "SIP/telco-7")
    link.dials("7", "8", "SIP/b-8")
    link.ends("8", "SIP/b-8")
    link.dial_ends("7", "CANCEL")
    link.ends("7", "SIP/telco-7", cause=0)
    for uid, cause in (("1", 0), ("2", 16)):
        link.comes_in(uid, f"SIP/telco-{uid}")
        link.hears(
            f"Join Channel=SIP/telco-{uid} Queue=sales Position=1 Count=1 Uniqueid={uid}",
            f"QueueCallerAbandon Queue=sales Uniqueid={uid} Position=1 OriginalPosition=1 HoldTime=9",
            f"Leave Channel=SIP/telco-{uid} Queue=sales Count=0 Position=1 Uniqueid={uid}",
        )
        link.ends(uid, f"SIP/telco-{uid}", cause)
    assert link.counts("queue_calls_total") == {
        ("queue_calls_total", "sales", "abandoned"): 1.0,
        ("queue_calls_total", "sales", "timeout"): 1.0,
    }


def test_an_originated_local_channel_is_one_call_with_all_that_it_dials(link: OldLink) -> None:
    link.hears("Newchannel Channel=Local/1@x-1;1 ChannelState=0 Uniqueid=1")
    link.hears("Newchannel Channel=Local/1@x-1;2 ChannelState=4 Uniqueid=2")
    link.dials("2", "3", "SIP/a-3")
    link.is_up("3")
    link.is_up("2")
    link.is_up("1")
    link.dials("1", "4", "SIP/telco-4")
    link.is_up("4")
    for uid, name in (("4", "SIP/telco-4"), ("1", "Local/1@x-1;1"), ("3", "SIP/a-3"), ("2", "Local/1@x-1;2")):
        link.ends(uid, name)
    assert link.counts("calls_total") == {("calls_total", "outbound", "answered"): 1.0}


def test_a_renamed_channel_is_still_known(link: OldLink) -> None:
    link.hears("Newchannel Channel=IAX2/x-1 ChannelState=4 Uniqueid=1")
    link.hears("Rename Channel=IAX2/x-1 Newname=IAX2/branch-1 Uniqueid=1")
    link.hears("Newchannel Channel=Parked/IAX2/branch-1 ChannelState=0 Uniqueid=9")
    link.takes_place(("1", "IAX2/branch-1"), ("9", "Parked/IAX2/branch-1"))
    assert link.events.identity("9") == "1"


def test_what_began_before_the_link_is_counted_where_it_can_be_told(link: OldLink) -> None:
    link.hears("Newstate Channel=SIP/telco-1 ChannelState=6 Uniqueid=1")
    link.dial_ends("1", "ANSWER")
    link.hears("Bridge Bridgestate=Link Channel1=SIP/telco-1 Channel2=SIP/b-2 Uniqueid1=1 Uniqueid2=2")
    link.hears("Masquerade Clone=SIP/x-1 CloneState=Up Original=SIP/y-1 OriginalState=Up")
    link.hears("Rename Channel=SIP/x-1 Newname=SIP/z-1 Uniqueid=8")
    link.hears("QueueCallerAbandon Queue=sales Uniqueid=1 Position=1 OriginalPosition=1 HoldTime=9")
    link.hears("AgentRingNoAnswer Queue=sales Uniqueid=1 Member=SIP/b MemberName=b Ringtime=1000")
    link.ends("1", "SIP/telco-1<ZOMBIE>")
    assert link.counts("hangups_total", "trunk_hangups_total", "trunk_calls_total", "calls_total", "dials_total") == {
        ("hangups_total", "SIP", "normal_clearing"): 1.0
    }


def test_events_of_asterisk_1_4_join_channels_by_link(link: OldLink) -> None:
    link.comes_in("1", "SIP/telco-1")
    link.hears("Newchannel Channel=SIP/b-2 ChannelState=0 Uniqueid=2")
    link.hears("Link Channel1=SIP/telco-1 Channel2=SIP/b-2 Uniqueid1=1 Uniqueid2=2")
    link.ends("1", "SIP/telco-1")
    assert link.counts("calls_total") == {}, "its second channel is still there"
    link.ends("2", "SIP/b-2")
    assert sum(link.counts("calls_total").values()) == 1


def test_an_event_of_the_server_is_handed_on_and_what_is_concluded_is_marked(link: OldLink) -> None:
    link.comes_in("1", "SIP/a-1")
    link.dials("1", "2", "SIP/b-2")
    link.is_up("2")
    assert [event["event"] for event in link.told if CONCLUDED not in event] == [
        *("Newchannel", "ChannelLinked", "Newstate", "Newchannel", "Dial", "ChannelLinked", "Newstate"),
    ]
    assert [event["event"] for event in link.told if CONCLUDED in event] == ["DialBegin", "DialEnd"]


def test_beyond_their_bounds_the_oldest_are_forgotten(link: OldLink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MAX_CHANNELS", 10)
    monkeypatch.setattr(legs, "MAX_DIALS", 3)
    monkeypatch.setattr(queues, "MAX_CALLERS", 3)
    for number in range(50):
        link.comes_in(f"{number}", f"SIP/a-{number}")
        link.dials(f"{number}", f"{number}b", f"SIP/b-{number}")
        link.hears(f"Join Channel=SIP/a-{number} Queue=sales Position=1 Count=1 Uniqueid={number}")
    assert len(link.events._channels) == 10
    assert len(link.events._legs) == 3
    assert len(link.events._callers) == 3
    link.ends("49b", "SIP/b-49", cause=17)
    assert link.counts("dials_total") == {("dials_total", "SIP", "busy"): 1.0}


def test_nothing_is_left_of_calls_that_have_ended(link: OldLink) -> None:
    for number in range(20):
        in_queue(link)
        link.dials("1", "2", f"SIP/b-{number}")
        link.is_up("2")
        link.ends("2", f"SIP/b-{number}")
        link.dial_ends("1", "ANSWER")
        link.ends("1", "SIP/telco-1")
    assert (len(link.events._channels), len(link.events._legs), len(link.events._callers)) == (0, 0, 0)
    assert link.events._channels._by_name == {}
