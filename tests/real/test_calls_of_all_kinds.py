"""Dead audio, destinations, recordings, holds and inbound numbers on real servers, against a listener of our own.

All calls of a server are made at once and last twelve seconds: a shorter call is not judged.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.ami_raw import EventRecorder, Fields
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import Scrape
from tests.support.planted import AMI_SECRETS, PLANTED
from tests.support.server_pair import ServerPair, calls_pair
from tests.support.watching import watching

SECONDS = 12.0
Counts = Counter[tuple[str, ...]]

TARGET = """
    trunks:
      - {name: telco-a, match: PJSIP/telco-a}
      - {name: telco-b, match: PJSIP/telco-b}
      - {name: telco-deaf, match: PJSIP/telco-deaf}
      - {name: telco-direct, match: PJSIP/telco-direct}
      - {name: telco-iax, match: IAX2/telco-iax}
    destinations: {emergency: ["112", "911"], international: ["00", "+"], premium: ["0900"]}
    dids: {"4930555123": Hotline, "4930555777": Sales}
"""
# Calls without a caller, which hear a tone; their first channel has the name as its identifier.
LONE = {
    "both": "PJSIP/100001@telco-a",
    "we-hear-nothing": "PJSIP/100002@telco-a",
    "it-stops": "PJSIP/100009@telco-a",
    "they-hear-nothing": "PJSIP/100001@telco-deaf",
}
DIALLED = ("fork-pjsip", "fork-iax", "fork-local", "next", "iax", "gosub", "busy", "never", "local", "held", "record")
IN = ("4930555123", "4930555777", "4930555999", "4930555123")


@dataclass(frozen=True)
class Observed:
    """What the listener recorded, what the exporter says during the calls and after them, and all it has written."""

    recorder: EventRecorder
    during: Scrape
    after: Scrape
    output: str

    def by(self, metric: str, *labels: str) -> Counts:
        """The exporter's counts that are not 0."""
        return Counter({key: int(value) for key, value in self.after.by(metric, *labels).items() if value})


@pytest.fixture(scope="module", params=[22, 16], ids=["asterisk22", "asterisk16"])
def observed(
    request: pytest.FixtureRequest,
    asterisk_roots: dict[int, AsteriskRoot],
    sipp: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Observed]:
    folder = tmp_path_factory.mktemp("calls")
    with (
        calls_pair(asterisk_roots[request.param], asterisk_roots[22], folder, sipp) as pair,
        watching(pair.server, folder, "events", TARGET, "", "--log.level", "debug") as exporter,
        EventRecorder(pair.server.ami_port, "events", AMI_SECRETS["events"]) as recorder,
    ):
        wait_until(lambda: exporter.get().value("ami_exporter_link_up", link="events") == 1, 10.0, "the event link")
        call(pair)
        time.sleep(SECONDS - 1)
        during = exporter.get()
        time.sleep(1)
        pair.server.hang_up_all()
        recorder.wait_quiet(0.5)
        hangups = recorder.names()["Hangup"]
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: exporter.get().total("asterisk_hangups_total") >= hangups, 10.0, "all hangups")
        after = exporter.get()
        pages = "".join(exporter.get(path).body for path in ("/metrics", "/", "/sd"))
        yield Observed(recorder, during, after, pages + exporter.log)


def call(pair: ServerPair) -> None:
    """Make all calls at once."""
    with pair.server.ami() as ami, pair.peer.ami() as peer:
        for name, channel in LONE.items():
            ami.originate(channel, Application="Milliwatt", Timeout="9000", ChannelId=name)
        for exten in DIALLED:
            ids = {"ChannelId": exten, "OtherChannelId": f"{exten}-2"}
            ami.originate(f"Local/{exten}@dial/n", Application="Milliwatt", Timeout="9000", **ids)
        where = {"Context": "dial", "Exten": "direct", "Priority": "1"}
        ami.originate("PJSIP/100001@telco-direct", Timeout="9000", ChannelId="direct", **where)
        for number in IN:
            peer.originate(f"PJSIP/{number}@pbx", Application="Milliwatt", Timeout="9000")


def endpoint(channel: str) -> str:
    """The trunk whose channel this is: here all have the names of their endpoints."""
    return channel.partition("/")[2].rpartition("-")[0]


def moved(reports: list[Fields]) -> list[bool]:
    """Of each report, whether packets arrived since the one before."""
    numbers = [(r.get("Report0SequenceNumberCycles"), r.get("Report0HighestSequence")) for r in reports]
    return [now[1] is not None and now != before for before, now in itertools.pairwise([(None, None), *numbers])]


def verdict(reports: list[Fields], answered: float) -> str:
    """Judge as docs/metrics.md says: by the packets of the whole call, and of its last third."""
    reports = [report for report in reports if float(report["Timestamp"]) > answered]
    if len(reports) < 2:
        return "unknown"
    arrivals = [float(r["Timestamp"]) for r, moves in zip(reports, moved(reports), strict=True) if moves]
    if not arrivals:
        return "silent"
    last = float(reports[-1]["Timestamp"])
    return "stopped" if last - arrivals[-1] > (last - answered) / 3 else "heard"


def judged(recorder: EventRecorder) -> Iterator[tuple[str, str, str, str]]:
    """Identifier, trunk, direction and verdict of each PJSIP channel that was up for ten seconds."""
    up = {event["Uniqueid"]: float(event["Timestamp"]) for event in recorder.events("Newstate", is_up)}
    for event in recorder.events("Hangup", lambda fields: fields["Channel"].startswith("PJSIP/")):
        answered = up.get(event["Uniqueid"])
        if answered is None or float(event["Timestamp"]) - answered < 10:
            continue
        for media, name in (("inbound", "RTCPSent"), ("outbound", "RTCPReceived")):
            reports = [report for report in recorder.events(name) if report.get("Uniqueid") == event["Uniqueid"]]
            yield event["Uniqueid"], endpoint(event["Channel"]), media, verdict(reports, answered)


def is_up(event: Fields) -> bool:
    return event["ChannelState"] == "6"


def test_calls_are_judged_as_an_own_listener_judges_their_packets(observed: Observed) -> None:
    found = list(judged(observed.recorder))
    results = {(name, media): result for name, _, media, result in found}
    assert {key: result for key, result in results.items() if key[0] in LONE} == {
        ("both", "inbound"): "heard",
        ("both", "outbound"): "heard",
        ("we-hear-nothing", "inbound"): "silent",
        ("we-hear-nothing", "outbound"): "heard",
        ("it-stops", "inbound"): "stopped",
        ("it-stops", "outbound"): "heard",
        ("they-hear-nothing", "inbound"): "heard",
        ("they-hear-nothing", "outbound"): "silent",
    }
    # Media past the PBX has no reports at all.
    assert {result for name, trunk, _, result in found if trunk == "telco-direct"} == {"unknown"}
    assert observed.by("asterisk_media_calls_total", "technology", "media", "result") == Counter(
        ("PJSIP", media, result) for _, _, media, result in found
    )
    assert observed.by("asterisk_trunk_media_calls_total", "trunk", "media", "result") == Counter(
        (trunk, media, result) for _, trunk, media, result in found if trunk.startswith("telco-")
    )


def test_only_reports_that_cover_packets_are_samples(observed: Observed) -> None:
    expected: Counts = Counter()
    scores = 0
    for media, name in (("inbound", "RTCPSent"), ("outbound", "RTCPReceived")):
        by_channel: dict[str, list[Fields]] = {}
        for event in observed.recorder.events(name):
            by_channel.setdefault(event["Uniqueid"], []).append(event)
        for reports in by_channel.values():
            telling = [report for report, moves in zip(reports, moved(reports), strict=True) if moves]
            expected[media, "PJSIP"] += len(telling)
            scores += sum(1 <= float(report.get("MES", 0)) <= 100 for report in telling)
    assert observed.by("asterisk_rtcp_loss_ratio_count", "media", "technology") == expected
    assert observed.after.total("asterisk_rtcp_mes_count") == scores
    assert observed.recorder.names()["RTCPSent"] > expected["inbound", "PJSIP"]


def test_calls_to_classes_of_destinations_count_once(observed: Observed) -> None:
    ends = {event["DestUniqueid"]: event["DialStatus"] for event in observed.recorder.events("DialEnd")}
    begins = observed.recorder.events("DialBegin")

    def answered_at(call_id: str) -> str:
        """The trunk whose leg of this call was answered."""
        (found,) = {
            endpoint(event["DestChannel"])
            for event in begins
            if event["DestLinkedid"] == call_id
            and ends.get(event["DestUniqueid"]) == "ANSWER"
            and not event["DestChannel"].startswith("Local/")
        }
        return found

    assert {len([b for b in begins if b["DestLinkedid"] == name]) for name in ("fork-pjsip", "fork-iax")} == {3}
    expected = Counter(
        (answered_at(name), "emergency", "answered") for name in ("fork-pjsip", "fork-iax", "fork-local")
    )
    expected += Counter((answered_at(name), "international", "answered") for name in ("next", "iax", "gosub"))
    gosub = [
        event for event in begins if event["DestLinkedid"] == "gosub" and event["DestChannel"].startswith("PJSIP/")
    ]
    assert [event["DestExten"] for event in gosub] == ["s"]
    expected["telco-a", "premium", "busy"] += 1
    expected["telco-a", "international", "no_answer"] += 1
    assert observed.by("asterisk_destination_calls_total", "trunk", "destination", "outcome") == expected
    # Five trunks and `other`, three classes, seven outcomes: all from the start.
    assert len([name for name, _ in observed.after.series() if name == "asterisk_destination_calls_total"]) == 6 * 3 * 7


def test_talk_to_classes_agrees_with_the_time_stamps(observed: Observed) -> None:
    wanted = {"fork-pjsip": "emergency", "fork-iax": "emergency", "fork-local": "emergency"}
    wanted |= dict.fromkeys(("next", "iax", "gosub"), "international")
    hangups = {event["Uniqueid"]: float(event["Timestamp"]) for event in observed.recorder.events("Hangup")}
    talked: Counter[tuple[str, ...]] = Counter()
    for event in observed.recorder.events("DialEnd", lambda fields: fields["DialStatus"] == "ANSWER"):
        destination = wanted.get(event["DestLinkedid"])
        if destination is not None and not event["DestChannel"].startswith("Local/"):
            seconds = hangups[event["DestUniqueid"]] - float(event["Timestamp"])
            talked[endpoint(event["DestChannel"]), destination] += seconds  # type: ignore[assignment]  # a Counter of floats
    found = observed.after.by("asterisk_destination_talk_seconds_total", "trunk", "destination")
    assert {key: value for key, value in found.items() if value} == pytest.approx(dict(talked), abs=0.5)
    # Talk is counted while it lasts.
    assert observed.during.total("asterisk_destination_talk_seconds_total") > 0


def test_a_call_recorded_on_two_legs_and_again_was_recorded_once(observed: Observed) -> None:
    starts = observed.recorder.events("MixMonitorStart")
    assert len(starts) == 4
    assert observed.after.value("asterisk_recorded_calls_total") == len({event["Linkedid"] for event in starts}) == 1
    stops = len(observed.recorder.events("MixMonitorStop"))
    assert observed.during.value("asterisk_recordings_in_progress") == len(starts) - stops == 3
    assert observed.after.value("asterisk_recordings_in_progress") == 0


def test_time_on_hold_is_that_between_hold_and_unhold(observed: Observed) -> None:
    (hold,), (unhold,) = observed.recorder.events("Hold"), observed.recorder.events("Unhold")
    seconds = float(unhold["Timestamp"]) - float(hold["Timestamp"])
    assert observed.after.value("asterisk_hold_seconds_count") == 1
    assert observed.after.value("asterisk_hold_seconds_sum") == pytest.approx(
        seconds, abs=1.0
    )  # observed by arrival: of six seconds


def test_inbound_calls_count_by_the_names_of_their_numbers(observed: Observed) -> None:
    assert observed.by("asterisk_did_calls_total", "did", "outcome") == {
        ("Hotline", "answered"): 2,
        ("Sales", "unanswered"): 1,
        ("other", "answered"): 1,
    }


def test_no_genuine_event_seemed_to_be_torn(observed: Observed) -> None:
    assert observed.after.by("ami_exporter_protocol_errors_total", "kind") == {}


def test_no_number_and_no_password_is_in_any_output(observed: Observed) -> None:
    dialled = observed.recorder.events("DialBegin")
    assert any("plAnted-iax" in event["DialString"] for event in dialled)
    # Shorter ones may be digits of a sum of seconds.
    numbers = ("0900100003", "0049100003", "0049100005", "030100001", *IN)
    assert {number for number in numbers if any(number in event["DialString"] for event in dialled)} == {*numbers[:4]}
    assert [text for text in (*PLANTED, *numbers) if text in observed.output] == []
