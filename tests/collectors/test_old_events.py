"""What Asterisk 1.8, 11 and 13 sent while phones did what is written down, counted: as it was, or not at all."""

from __future__ import annotations

import re

import pytest

from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.header_orders import Era
from ami_exporter.ami.user_event_sieve import UserEventSieve
from tests.support import old_servers as old
from tests.support.collecting import Samples, counted
from tests.support.old_replay import Replay, played
from tests.support.old_truth import Verdict, total, verdicts

OLDEST = ("1.8", "11")

_SILENT_QUEUE = "a queue without eventwhencalled does not tell of its members"
ABSENT: dict[tuple[str, str], str] = {
    **{
        (version, scenario): why
        for version in OLDEST
        for scenario, why in (
            ("queue_answered_support", _SILENT_QUEUE),
            ("queue_answered_agent_hangs_up_support", _SILENT_QUEUE),
            ("queue_timeout_support", _SILENT_QUEUE),
            ("queue_ring_noanswer_support", _SILENT_QUEUE),
            ("queue_transferred_support", _SILENT_QUEUE),
            ("phone_wrong_password", "there are no security events"),
            ("ami_wrong_password", "there are no security events"),
            ("registration_rejected", "chan_sip tells of no refused registration"),
            ("trunk_registration_lost", "chan_sip tells of no refused registration"),
        )
    },
    ("1.8", "conference"): "ConfBridge sends no events",
    ("11", "iax_registration"): "chan_iax2 tells of no refused registration",
}
"""(version, scenario) → why some figure of it is absent there. In all others each figure is what the truth says."""


@pytest.mark.parametrize("version", old.VERSIONS)
def test_each_figure_of_a_scenario_is_what_the_truth_says_or_absent(version: str) -> None:
    found = {
        (scenario, want, verdict)
        for scenario in old.scenarios(version)
        for want, verdict in verdicts(version, scenario)
    }
    assert {entry for entry in found if entry[2] is Verdict.WRONG} == set()
    assert {(version, scenario) for scenario, _, verdict in found if verdict is Verdict.ABSENT} == {
        entry for entry in ABSENT if entry[0] == version
    }


@pytest.mark.parametrize("version", old.VERSIONS)
def test_every_event_of_a_real_server_passes_the_sieve(version: str) -> None:
    for scenario in old.scenarios(version):
        replay = Replay(version)
        replay.feed(old.events(version, scenario))
        told = re.search(
            rf"\n== {scenario}\n(?:.*\n)*?file: events: (.*)\n", old.archive(version)["truth.txt"].decode()
        )
        in_file = old.events(version, scenario).count(b"\r\nPrivilege: ")
        assert replay.received.total() == in_file, scenario
        assert replay.doubtful == 0
        if in_file and told is not None:
            counts = dict(part.rsplit(" ", 1) for part in told[1].split(", "))
            assert replay.received == {name: int(count) for name, count in counts.items()}, scenario


@pytest.mark.parametrize("version", old.VERSIONS)
def test_user_events_of_a_real_server_pass_their_own_sieve(version: str) -> None:
    sieve = UserEventSieve(lambda: 0.0)
    sieve.era = Era.of(old.AMI[version])
    packets = old.events(version, "userevent").split(b"\r\n\r\n")
    data = b"".join(packet + b"\r\n\r\n" for packet in packets if packet.startswith(b"Event: UserEvent"))
    told = [event for message in Decoder().feed(data) for event in sieve.take(message)]
    told.extend(sieve.pause())
    assert [event["userevent"] for event in told] == ["Doorbell", "Shift"]
    assert (told[0]["door"], told[1]["name"]) == ("front", "late")
    assert sieve.take_doubtful() == 0


def test_most_figures_are_equal_not_absent() -> None:
    judged = [v for version in old.VERSIONS for name in old.scenarios(version) for _, v in verdicts(version, name)]
    assert len(judged) > 300
    assert sum(v is Verdict.EQUAL for v in judged) > 0.9 * len(judged)


COMPARED = (
    *("calls_total", "dials_total", "trunk_calls_total", "did_calls_total", "tenant_calls_total"),
    *("queue_joins_total", "queue_calls_total", "queue_wait_seconds_count", "queue_wait_seconds_sum"),
    *("queue_answered_in_service_level_total", "transfers_total", "holds_total", "hold_seconds_count"),
    *("parking_events_total", "conference_joins_total", "originates_total", "pickups_total"),
    *("dial_talk_seconds_count", "trunk_talk_seconds_count", "queue_ring_seconds_sum", "queue_talk_seconds_sum"),
    "queue_ring_no_answer_total",
)


def figures(version: str, scenario: str) -> Samples:
    """What a scenario counted of the families compared; chan_sip is taken for PJSIP."""
    return {
        (metric, *(label.replace("PJSIP", "SIP") for label in labels)): value
        for (metric, *labels), value in played(version)[scenario].items()
        if metric.removeprefix("asterisk_") in COMPARED and value
    }


def difference(one: Samples, other: Samples) -> set[str]:
    """Metrics in which two scenarios differ, without prefix."""
    return {key[0].removeprefix("asterisk_") for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


_NOT_SENT = {"queue_ring_seconds_sum", "queue_talk_seconds_sum", "queue_ring_no_answer_total"}
DIFFERENCES: dict[str, tuple[set[str], str]] = {
    "call_declined": ({"dials_total"}, "603 is BUSY in chan_sip, NOANSWER in chan_pjsip"),
    "out_404": ({"dials_total", "trunk_calls_total"}, "404 is CHANUNAVAIL in chan_sip, NOANSWER in chan_pjsip"),
    "queue_answered_support": (_NOT_SENT, _SILENT_QUEUE),
    "queue_answered_agent_hangs_up_support": (_NOT_SENT, _SILENT_QUEUE),
    "queue_abandoned_support": ({"dials_total"}, "how the member's leg ended is unknown there"),
    "queue_timeout_support": (_NOT_SENT | {"dials_total"}, _SILENT_QUEUE),
    "queue_ring_noanswer_support": (_NOT_SENT | {"dials_total"}, _SILENT_QUEUE),
    "queue_transferred_support": (_NOT_SENT, _SILENT_QUEUE),
    "pickup": ({"dials_total", "dial_talk_seconds_count"}, "who picks up is no leg there"),
    "originate_failed": (
        {"calls_total", "tenant_calls_total", "dials_total"},
        "an unanswered Originate is no call",
    ),
    "agent": (_NOT_SENT | {"dials_total", "dial_talk_seconds_count"}, "an agent is a channel there, and 1006 was busy"),
}


@pytest.mark.parametrize("scenario", old.scenarios("13"))
def test_11_counts_a_scenario_as_13_does(scenario: str) -> None:
    may_differ, _ = DIFFERENCES.get(scenario, (set(), ""))
    assert difference(figures("11", scenario), figures("13", scenario)) <= may_differ | {"queue_wait_seconds_sum"}


@pytest.mark.parametrize("scenario", old.scenarios("11"))
def test_1_8_counts_a_scenario_as_11_does(scenario: str) -> None:
    parks = {"transfers_total"} if scenario.startswith("park_") else set()  # by AMI there, by a transfer on 11
    conference = {"conference_joins_total"} if scenario == "conference" else set()
    assert difference(figures("1.8", scenario), figures("11", scenario)) <= (
        parks | conference | {"queue_wait_seconds_sum"}
    )


@pytest.mark.parametrize("version", OLDEST)
def test_each_channel_created_is_hung_up_once_and_stand_ins_count_nowhere(version: str) -> None:
    for scenario, samples in played(version).items():
        if scenario != "shutdown":
            assert total(samples, "channels_created_total") == total(samples, "hangups_total"), scenario
    technologies = {
        key[1]
        for samples in played(version).values()
        for key, ended in samples.items()
        if ended and key[0] == "asterisk_hangups_total"
    }
    assert technologies == {"Agent", "IAX2", "Local", "SIP"}


@pytest.mark.parametrize("version", OLDEST)
def test_a_channel_is_hung_up_by_the_technology_it_began_with(version: str) -> None:
    for scenario in ("local_legs", "followme", "transfer_attended", "park_retrieved", "pickup"):
        samples = played(version)[scenario]
        for technology in ("SIP", "Local"):
            created = total(samples, "channels_created_total", technology)
            assert total(samples, "hangups_total", technology) == created, (scenario, technology)


@pytest.mark.parametrize("version", OLDEST)
def test_nothing_is_zero_beforehand_of_what_an_old_server_does_not_tell(version: str) -> None:
    there = {key[0].removeprefix("asterisk_") for key in counted(Replay(version).counters)}
    assert not there & {
        *("security_events_total", "reloads_total", "registration_events_total", "contact_changes_total"),
        *("rtcp_jitter_seconds_count", "rtcp_loss_ratio_count", "rtcp_rtt_seconds_count", "media_calls_total"),
        *("trunk_rtcp_loss_ratio_count", "dial_post_dial_delay_seconds_count", "transfers_total", "holds_total"),
        *("hold_seconds_count", "queue_ring_seconds_count", "queue_talk_seconds_count", "queue_ring_no_answer_total"),
        *("trunk_sip_failures_total", "recorded_calls_total"),
        *({"conference_joins_total"} if version == "1.8" else ()),
    }
    assert {"calls_total", "dials_total", "trunk_calls_total", "queue_joins_total", "parking_events_total"} <= there | (
        {"parking_events_total"} if version == "1.8" else set()
    )


@pytest.mark.parametrize("version", OLDEST)
def test_events_that_are_concluded_are_not_counted_as_received(version: str) -> None:
    samples = played(version)["call_answered"]
    assert total(samples, "events_total", "Newchannel") == 2
    assert total(samples, "events_total", "DialBegin") == 0


@pytest.mark.parametrize("version", OLDEST)
def test_old_servers_media_reports_judge_no_call(version: str) -> None:
    assert not any(
        "media_calls" in key[0] or "rtcp" in key[0] for samples in played(version).values() for key in samples
    )


def test_13_has_no_dial_state_and_so_no_post_dial_delay() -> None:
    there = {key[0] for key in counted(Replay("13").counters)}
    assert not any("post_dial_delay" in name for name in there)
    assert not any("post_dial_delay" in key[0] for samples in played("13").values() for key in samples)
