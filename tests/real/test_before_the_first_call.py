"""What is at 0 before a trunk's first call, on real servers: all that its calls will move, and nothing never sent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ami_exporter.collectors.registry import builtin, metrics
from tests.support.ami_raw import EventRecorder, Fields
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import ExporterProcess, Scrape
from tests.support.planted import AMI_SECRETS
from tests.support.rich_pbx import rich_pbx
from tests.support.watching import agree, watching

TRUNK = "telco-good"
HISTOGRAMS = {
    metric.name
    for metric in metrics(builtin())
    if metric.buckets and metric.open_labels in {("technology",), ("trunk",)}
}
SINCE_18_17 = {"asterisk_rtcp_mes"}
FAILURES = "asterisk_trunk_sip_failures_total"
#: What the peer does with a call to it: answers with an error, or talks.
FAILING, ANSWERED = {"42": "17", "43": "34", "44": "1", "45": "21"}, "1001"


@dataclass(frozen=True)
class Told:
    """What the exporter said before the first call and after all, and what a listener of our own recorded."""

    major: int
    before: Scrape
    after: Scrape
    hangups: list[Fields]


@pytest.fixture(scope="module", params=[22, 16], ids=["asterisk22", "asterisk16"])
def told(
    request: pytest.FixtureRequest,
    asterisk_roots: dict[int, AsteriskRoot],
    sipp: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("first")
    with (
        rich_pbx(asterisk_roots[request.param], asterisk_roots[22], folder, sipp) as pbx,
        watching(pbx.server, folder, "all") as running,
        EventRecorder(pbx.server.ami_port, "all", AMI_SECRETS["all"]) as recorder,
        pbx.server.ami() as ami,
    ):
        wait_until(lambda: knows_the_trunk(running), 20, "the event link and the trunk")
        before = running.get()
        for number in FAILING:
            ami.originate(f"PJSIP/{number}@{TRUNK}", Application="Wait", Data="1")
        ami.originate(f"PJSIP/{ANSWERED}@{TRUNK}", Application="Milliwatt")
        recorder.wait_for(lambda seen: bool(seen.events("RTCPReceived")) and bool(seen.events("RTCPSent")), 30)
        pbx.server.cli("channel request hangup all")
        recorder.wait_for(lambda seen: len(of_the_trunk(seen)) == len(FAILING) + 1, 30)
        agree(lambda: running.get().total("asterisk_trunk_hangups_total", trunk=TRUNK), lambda: len(FAILING) + 1)
        yield Told(request.param, before, running.get(), of_the_trunk(recorder))


def knows_the_trunk(running: ExporterProcess) -> bool:
    scrape = running.get()
    linked = scrape.value("ami_exporter_link_up", link="events") == 1
    return linked and scrape.total("asterisk_trunk_info", trunk=TRUNK) == 1


def of_the_trunk(recorder: EventRecorder) -> list[Fields]:
    return recorder.events("Hangup", lambda event: event["Channel"].startswith(f"PJSIP/{TRUNK}-"))


def counts(scrape: Scrape) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """How many observations each histogram with label technology or trunk has."""
    return {
        (name.removesuffix("_count"), labels): value
        for (name, labels), value in scrape.series().items()
        if name.removesuffix("_count") in HISTOGRAMS
    }


def test_histograms_are_at_zero_before_the_first_call(told: Told) -> None:
    before = {key: value for key, value in counts(told.before).items() if about(key[1])}
    assert {name for name, _ in before} == HISTOGRAMS - (SINCE_18_17 if told.major < 18 else set())
    assert set(before.values()) == {0.0}


def test_the_first_calls_move_what_was_at_zero_and_make_no_other(told: Told) -> None:
    before, after = counts(told.before), counts(told.after)
    assert set(after) == set(before)
    moved = {name for (name, labels), value in after.items() if value and about(labels)}
    # Jitter and round trip need more than one report each way, and a way that is not loopback.
    assert moved >= {name for name, _ in before if "_rtcp_" not in name or name.endswith("_loss_ratio")}


def about(labels: frozenset[tuple[str, str]]) -> bool:
    return ("technology", "PJSIP") in labels or ("trunk", TRUNK) in labels


def test_sip_failures_are_at_zero_where_they_are_sent_and_absent_elsewhere(told: Told) -> None:
    causes = Counter(event["Cause"] for event in told.hangups)
    assert {cause: causes[cause] for cause in FAILING.values()} == dict.fromkeys(FAILING.values(), 1)
    sent = [event["TechCause"] for event in told.hangups if "TechCause" in event]
    assert bool(sent) == (told.major == 22)
    at_first = {labels: value for (name, labels), value in told.before.series().items() if name == FAILURES}
    if told.major == 16:
        assert FAILURES not in told.before.body + told.after.body
        return
    assert set(at_first.values()) == {0.0}
    assert {code for labels in at_first for name, code in labels if name == "code"} >= {"403", "404", "486", "503"}
    failed = Counter((TRUNK, code) for code in sent if re.fullmatch("[3-6]..", code))
    assert sorted(code for _, code in failed) == ["403", "404", "486", "503"]
    assert told.after.by(FAILURES, "trunk", "code") == failed
