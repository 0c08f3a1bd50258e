"""Event counters against an independent listener: 2,000 calls on a real Asterisk 22, equal to the last event."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from ami_exporter.collectors.vocabulary import CAUSES, DIAL_STATUS
from tests.real.conftest import AsteriskFactory
from tests.support.ami_raw import EventRecorder, Fields
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import ExporterProcess, Scrape, exporter
from tests.support.planted import AMI_SECRETS
from tests.support.rich_pbx import rich_pbx
from tests.support.traffic import Traffic, refuse_ami_logins, refuse_registrations

pytestmark = pytest.mark.timeout(300)  # the calls alone take more than a minute, and on a busy machine two
CALLS = 2000
Counts = Counter[tuple[str, ...]]


@dataclass(frozen=True)
class TimedAnswer:
    """What the independent listener recorded, and what the exporter says after the same traffic."""

    recorder: EventRecorder
    scrape: Scrape
    service_levels: dict[str, float]
    started: float
    """When the exporter's event link logged in: what came before, only the listener saw."""

    def since(self, event: Fields) -> bool:
        """Tell whether the exporter was there to see it."""
        return float(event["Timestamp"]) >= self.started

    def by(self, metric: str, *labels: str) -> Counts:
        """The exporter's counts that are not 0."""
        return Counter({key: int(value) for key, value in self.scrape.by(metric, *labels).items()})

    def total(self, metric: str, **labels: str) -> float:
        """Sum of the exporter's series."""
        return self.scrape.total(metric, **labels)


@pytest.fixture(scope="module")
def told(
    asterisk_roots: dict[int, AsteriskRoot], sipp: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TimedAnswer]:
    """One run of all kinds of calls (70 s), with the listener and the exporter there from before the first call."""
    folder = tmp_path_factory.mktemp("events")
    with (
        rich_pbx(asterisk_roots[22], asterisk_roots[22], folder, sipp) as pbx,
        EventRecorder(pbx.server.ami_port, "all", AMI_SECRETS["all"]) as recorder,
        exporter(
            *("--ami.address", f"127.0.0.1:{pbx.server.ami_port}", "--ami.username", "events"),
            environ={"AMI_EXPORTER_AMI_SECRET": AMI_SECRETS["events"]},
        ) as running,
    ):
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 10, "the event link")
        connected = max(float(event["Timestamp"]) for event in own_logins(recorder))
        with pbx.server.ami() as ami:
            params = [
                item for item in ami.items("QueueStatus", "QueueStatusComplete") if item["Event"] == "QueueParams"
            ]
        Traffic(pbx).run(CALLS)
        refuse_ami_logins(pbx, 10)
        refuse_registrations(pbx, 10, sipp, folder)
        recorder.wait_quiet()
        scrape = settled(running, recorder)
        recorder.close()  # phones and trunks register anew while the tests compare
        yield TimedAnswer(recorder, scrape, {item["Queue"]: float(item["ServiceLevel"]) for item in params}, connected)


def settled(running: ExporterProcess, recorder: EventRecorder) -> Scrape:
    """The scrape after the exporter has read as far as the listener, if it ever does."""
    hangups = recorder.names()["Hangup"]
    scrapes: list[Scrape] = []

    def read_all() -> bool:
        scrapes.append(running.get())
        return scrapes[-1].total("asterisk_hangups_total") >= hangups

    with contextlib.suppress(TimeoutError):
        wait_until(read_all, 10, "all hangups")
    return scrapes[-1]


def own_logins(recorder: EventRecorder) -> list[Fields]:
    """The exporter's logins, as the listener sees them."""
    return recorder.events("SuccessfulAuth", lambda event: event["AccountID"] == "events")


def technology(channel: str) -> str:
    return channel.partition("/")[0]


def first_ends(recorder: EventRecorder) -> list[Fields]:
    """The first DialEnd of each leg."""
    legs: dict[str, Fields] = {}
    for event in recorder.events("DialEnd"):
        legs.setdefault(event["DestUniqueid"], event)
    return list(legs.values())


def test_the_run_was_large_enough_to_prove_something(told: TimedAnswer) -> None:
    names = told.recorder.names()
    assert names["Hangup"] > 2 * CALLS
    assert min(names[name] for name in ("QueueCallerAbandon", "AgentConnect", "AgentRingNoAnswer", "RTCPSent")) > 30


def test_channels_and_hangups_by_cause_agree(told: TimedAnswer) -> None:
    created = Counter((technology(event["Channel"]),) for event in told.recorder.events("Newchannel"))
    assert told.by("asterisk_channels_created_total", "technology") == created
    causes = Counter(
        (technology(event["Channel"]), CAUSES.get(event["Cause"], "other")) for event in told.recorder.events("Hangup")
    )
    assert told.by("asterisk_hangups_total", "technology", "cause") == causes


def test_calls_are_one_per_linkedid(told: TimedAnswer) -> None:
    begun = {
        event["Uniqueid"] for event in told.recorder.events("Newchannel") if event["Uniqueid"] == event["Linkedid"]
    }
    assert told.total("asterisk_calls_total") == len(begun) > 0


def test_dials_by_status_agree_each_leg_once(told: TimedAnswer) -> None:
    ends = first_ends(told.recorder)
    assert len(ends) < len(told.recorder.events("DialEnd"))
    expected = Counter(
        (technology(event["DestChannel"]), DIAL_STATUS.get(event["DialStatus"].lower(), "other")) for event in ends
    )
    assert told.by("asterisk_dials_total", "technology", "status") == expected


def test_trunk_calls_and_their_causes_agree(told: TimedAnswer) -> None:
    def of_trunk(name: str) -> Callable[[Fields], bool]:
        return lambda event: event["Channel"].startswith(f"PJSIP/{name}-")

    for trunk in ("telco-good",):
        causes = Counter((CAUSES[event["Cause"]],) for event in told.recorder.events("Hangup", of_trunk(trunk)))
        assert causes
        found: Counts = Counter()
        for (name, cause), count in told.by("asterisk_trunk_hangups_total", "trunk", "cause").items():
            if name == trunk:
                found[(cause,)] += count
        assert found == causes
        ends = [e for e in first_ends(told.recorder) if e["DestChannel"].startswith(f"PJSIP/{trunk}-")]
        assert told.total("asterisk_trunk_calls_total", trunk=trunk, direction="outbound") == len(ends) > 0


def test_queue_callers_agree_and_who_hung_up_is_told_from_who_timed_out(told: TimedAnswer) -> None:
    recorder = told.recorder
    assert told.by("asterisk_queue_joins_total", "queue") == recorder.count_by("QueueCallerJoin", "Queue")
    asked: dict[str, float] = {}
    for name in ("HangupRequest", "SoftHangupRequest"):
        for event in recorder.events(name):
            when = float(event["Timestamp"])
            asked[event["Uniqueid"]] = min(when, asked.get(event["Uniqueid"], when))
    expected: Counts = Counter(
        {(*queue, "answered"): n for queue, n in recorder.count_by("AgentConnect", "Queue").items()}
    )
    for event in recorder.events("QueueCallerAbandon"):
        hung_up = asked.get(event["Uniqueid"], float("inf")) <= float(event["Timestamp"])
        expected[(event["Queue"], "abandoned" if hung_up else "timeout")] += 1
    for queue, joined in recorder.count_by("QueueCallerJoin", "Queue").items():
        known = sum(count for (name, _), count in expected.items() if name == queue[0])
        if joined > known:
            expected[(*queue, "other")] = joined - known
    assert told.by("asterisk_queue_calls_total", "queue", "outcome") == expected
    assert {outcome for _, outcome in expected} == {"answered", "abandoned", "timeout", "other"}


def test_queue_histograms_agree_in_count_and_sum(told: TimedAnswer) -> None:
    recorder = told.recorder
    connects = recorder.events("AgentConnect")
    assert told.total("asterisk_queue_wait_seconds_count", outcome="answered") == len(connects)
    assert told.total("asterisk_queue_wait_seconds_sum", outcome="answered") == recorder.sum_of(
        "AgentConnect", "HoldTime"
    )
    left = told.total("asterisk_queue_wait_seconds_sum") - told.total(
        "asterisk_queue_wait_seconds_sum", outcome="answered"
    )
    assert left == recorder.sum_of("QueueCallerAbandon", "HoldTime") > 0
    assert told.total("asterisk_queue_ring_seconds_count") == len(connects)
    assert told.total("asterisk_queue_ring_seconds_sum") == recorder.sum_of("AgentConnect", "RingTime")
    assert told.total("asterisk_queue_talk_seconds_count") == len(recorder.events("AgentComplete"))
    assert told.total("asterisk_queue_talk_seconds_sum") == recorder.sum_of("AgentComplete", "TalkTime") > 0
    in_time = [e for e in connects if float(e["HoldTime"]) <= told.service_levels[e["Queue"]]]
    assert told.total("asterisk_queue_answered_in_service_level_total") == len(in_time)


def test_ring_no_answers_agree(told: TimedAnswer) -> None:
    expected = told.recorder.count_by("AgentRingNoAnswer", "Queue")
    assert told.by("asterisk_queue_ring_no_answer_total", "queue") == expected
    assert expected


SECURITY = ("InvalidPassword", "InvalidAccountID", "ChallengeResponseFailed", "ChallengeSent", "SuccessfulAuth")


def test_security_events_agree_without_our_own_logins(told: TimedAnswer) -> None:
    expected: Counts = Counter()
    for name in SECURITY:
        for event in told.recorder.events(name, told.since):
            if event["Service"] != "AMI" or event["AccountID"] != "events":
                expected[(name, event["Service"])] += 1
    assert len(own_logins(told.recorder)) == 2
    assert told.by("asterisk_security_events_total", "event", "service") == expected
    assert expected[("InvalidPassword", "AMI")] == 5


def covering(reports: Sequence[Fields]) -> Iterator[Fields]:
    """Those during which packets arrived, or may have: of a report without a channel nobody knows the one before."""
    last: dict[tuple[str | None, ...], tuple[str | None, ...]] = {}
    for one in reports:
        stream = (one.get("Uniqueid"), one.get("Report0SourceSSRC"))
        reached = (one.get("Report0SequenceNumberCycles"), one.get("Report0HighestSequence"))
        if not one.get("Uniqueid") or last.get(stream) != reached:
            yield one
        last[stream] = reached


def test_rtcp_reports_agree_in_count_and_sum(told: TimedAnswer) -> None:
    recorder = told.recorder
    for name, media in (("RTCPSent", "inbound"), ("RTCPReceived", "outbound")):
        lost = [float(e["Report0FractionLost"]) for e in covering(recorder.events(name)) if "Report0FractionLost" in e]
        assert told.total("asterisk_rtcp_loss_ratio_count", media=media) == len(lost) > 0
        assert told.total("asterisk_rtcp_loss_ratio_sum", media=media) == pytest.approx(sum(lost) / 256)
    rtts = [float(e["RTT"]) for e in recorder.events("RTCPReceived") if 0.0001 <= float(e.get("RTT") or 0) <= 10]
    assert told.total("asterisk_rtcp_rtt_seconds_count") == len(rtts)
    assert told.total("asterisk_rtcp_rtt_seconds_sum") == pytest.approx(sum(rtts))


def test_transfers_pickups_parking_and_conferences_agree(told: TimedAnswer) -> None:
    names = told.recorder.names()
    assert told.total("asterisk_transfers_total", type="blind") == names["BlindTransfer"] > 0
    assert told.total("asterisk_pickups_total") == names["Pickup"] > 0
    assert told.total("asterisk_conference_joins_total") == names["ConfbridgeJoin"] > 0
    assert told.total("asterisk_parking_events_total", event="parked") == names["ParkedCall"] > 0


def test_every_selected_event_is_counted_by_name(told: TimedAnswer) -> None:
    counted = {event: count for (event,), count in told.by("asterisk_events_total", "event").items()}
    # FullyBooted answers each session's own login.
    assert counted.pop("FullyBooted", 1) == 1
    assert len(counted) > 20
    assert counted == {event: len(told.recorder.events(event, told.since)) for event in counted}


def test_no_genuine_event_seemed_to_be_torn(told: TimedAnswer) -> None:
    assert told.scrape.by("ami_exporter_protocol_errors_total", "kind") == {}


def test_no_gap_was_counted_after_the_start(told: TimedAnswer) -> None:
    gap = told.scrape.value("ami_exporter_events_gap_seconds_total")
    assert gap is not None
    assert gap < 5
    assert told.scrape.value("ami_exporter_link_connects_total", link="events") == 1


def test_killing_asterisk_loses_only_what_happened_while_it_was_down(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    with exporter(
        *("--ami.address", f"127.0.0.1:{server.ami_port}", "--ami.username", "events"),
        environ={"AMI_EXPORTER_AMI_SECRET": AMI_SECRETS["events"]},
    ) as running:
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 10, "the event link")
        server.originate_local(10)
        server.hang_up_all()
        wait_until(lambda: running.get().total("asterisk_hangups_total") == 20, 5, "20 hangups")
        running.wait_older(6)
        server.originate_local(5)
        server.kill()
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 0, 5, "the link noticed")
        before = running.get().value("ami_exporter_events_gap_seconds_total")
        assert before is not None
        server.start()
        server.wait_booted()
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 10, "the event link again")
        server.originate_local(10)
        server.hang_up_all()
        wait_until(lambda: running.get().total("asterisk_hangups_total") == 40, 5, "20 more hangups")
        after = running.get()
        assert after.total("asterisk_channels_created_total") == 20 + 10 + 20
        assert after.total("asterisk_calls_total") == 20
        assert after.value("asterisk_boots_total") == 1
        gap = after.value("ami_exporter_events_gap_seconds_total")
        assert gap is not None
        assert gap > before
