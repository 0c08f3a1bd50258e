"""Canary calls between two real servers: what each says, against a listener of our own."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ami_exporter.collectors import custom
from ami_exporter.collectors.registry import builtin
from ami_exporter.commands.loading import catalogue
from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.canary_settings import CanarySettings
from ami_exporter.config.load import load
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import TargetSettings, TrunkSettings
from ami_exporter.pbx.canary_watch import CanaryOutcome
from ami_exporter.pbx.event_loop import EventLoop
from ami_exporter.pbx.target import Clocks, Target
from tests.support.ami_raw import EventRecorder
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import CONFIG_FOLDER, wait_until
from tests.support.documents import REPO
from tests.support.planted import AMI_SECRETS
from tests.support.server_pair import ServerPair, server_pair
from tests.support.targets import listening, scrape, value

USER = AmiUser("canary", Secret(AMI_SECRETS["canary"]))
QUICK = CanarySettings("PJSIP/100001@telco-a", USER, ring_timeout=4, duration=3, audio="rtp")


@pytest.fixture(scope="module", params=[22, 16], ids=["asterisk22", "asterisk16"])
def pair(
    request: pytest.FixtureRequest, asterisk_roots: dict[int, AsteriskRoot], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerPair]:
    with server_pair(
        asterisk_roots[request.param], asterisk_roots[22], tmp_path_factory.mktemp("canary"), "canary"
    ) as both:
        yield both


@contextmanager
def watching(pair: ServerPair, **canaries: CanarySettings) -> Iterator[Target]:
    """An exporter's target; its canaries are called by the test, not by their clock."""
    settings = TargetSettings(
        "pbx",
        "127.0.0.1",
        "events",
        Secret(AMI_SECRETS["events"]),
        pair.server.ami_port,
        trunks=(TrunkSettings("telco-a", "PJSIP/telco-a", channel_limit=3),),
        canaries=canaries,
    )
    with running(Target(settings, builtin(), Clocks(jitter=lambda: 0.999), EventLoop(time.monotonic))) as target:
        yield target


@contextmanager
def running(target: Target) -> Iterator[Target]:
    """Start a target that listens to events."""
    target.start()
    try:
        listening(target)
        yield target
    finally:
        target.stop()
        target.join(3.0)
        assert target._loop is not None
        target._loop.stop(3.0)


@dataclass(frozen=True)
class Case:
    channel: str
    result: str
    media: dict[str, bool]
    cause: str | None = None
    sip: str | None = None
    phases: tuple[str, ...] = ("first_ringing", "answer", "total")
    longest: float = 6.0


CASES = {
    "both_ways": Case("PJSIP/100001@telco-a", "success", {"inbound": True, "outbound": True}, "normal_clearing"),
    "we_hear_nothing": Case("PJSIP/100002@telco-a", "one_way", {"inbound": False, "outbound": True}, "normal_clearing"),
    "they_hear_nothing": Case(
        "PJSIP/100001@telco-deaf", "one_way", {"inbound": True, "outbound": False}, "normal_clearing"
    ),
    # Who neither sends nor receives audio reports nothing either.
    "no_audio": Case("PJSIP/100002@telco-deaf", "silent", {"inbound": False}, "normal_clearing"),
    "busy": Case("PJSIP/100003@telco-a", "busy", {}, "user_busy", "486", ("total",), 2),
    "no_such_number": Case("PJSIP/100004@telco-a", "rejected", {}, "unallocated_number", "404", ("total",), 2),
    "refused": Case("PJSIP/100006@telco-a", "rejected", {}, "call_rejected", "403", ("total",), 2),
    "congested": Case("PJSIP/100007@telco-a", "failed", {}, "normal_circuit_congestion", "503", ("total",), 2),
    # Our own timeout: its cause 19 and its 480 are not the provider's.
    "no_answer": Case("PJSIP/100005@telco-a", "no_answer", {}, None, None, ("first_ringing", "total"), 6),
    "provider_dead": Case("PJSIP/100001@telco-dead", "failed", {}, None, None, ("total",), 6),
    "unknown_endpoint": Case("PJSIP/100001@nowhere", "failed", {}, None, None, (), 2),
    "through_the_dialplan": Case(
        "Local/100001@ami-canary", "success", {"inbound": True, "outbound": True}, "normal_clearing"
    ),
}


def call(target: Target, one: CanarySettings) -> CanaryOutcome:
    outcome = target.canaries.call(one)
    assert outcome is not None
    return outcome


def left(pair: ServerPair) -> None:
    """No channel is left on either side."""
    wait_until(lambda: pair.server.channels() == 0, 3.0, "no channel left")


@pytest.mark.parametrize("name", CASES)
def test_a_canary_says_what_became_of_the_call_as_an_own_listener_saw_it(pair: ServerPair, name: str) -> None:
    case = CASES[name]
    with (
        watching(pair, c=QUICK) as target,
        EventRecorder(pair.server.ami_port, "events", AMI_SECRETS["events"]) as recorder,
    ):
        began = time.monotonic()
        found = call(target, replace(QUICK, channel=case.channel))
        took = time.monotonic() - began
        left(pair)
        assert (found.result, dict(found.media), found.cause) == (case.result, case.media, case.cause)
        assert found.sip_code == (case.sip if pair.server.major == 22 else None)
        assert set(found.phases) == set(case.phases)
        assert took < case.longest + 3
        check_by(recorder, found, case)
        assert recorder.events("Cdr") == []


def check_by(recorder: EventRecorder, found: CanaryOutcome, case: Case) -> None:
    """Compare times and media with the events as another client saw them, by Asterisk's own time stamps."""

    def ours(fields: dict[str, str]) -> bool:
        return fields.get("DestUniqueid", fields.get("Uniqueid", "")).startswith("cny-")

    def when(name: str, **wanted: str) -> float:
        events = recorder.events(
            name, lambda f: ours(f) and wanted.items() <= f.items() and ";" not in f.get("Uniqueid", "")
        )
        return float(events[0]["Timestamp"])

    if case.phases:
        dialled = when("DialBegin")
        assert found.phases["total"] == pytest.approx(when("Hangup") - dialled, abs=0.3)
        if "answer" in case.phases:
            assert found.phases["answer"] == pytest.approx(when("DialEnd", DialStatus="ANSWER") - dialled, abs=0.3)
        if "first_ringing" in case.phases:
            assert found.phases["first_ringing"] == pytest.approx(when("DialState") - dialled, abs=0.3)
    for media, event in (("inbound", "RTCPSent"), ("outbound", "RTCPReceived")):
        reports = recorder.events(event, lambda f: f.get("Linkedid", "").startswith("cny-"))
        heard = any(int(report["ReportCount"]) > 0 for report in reports) if reports else None
        assert found.media.get(media) == heard


def test_its_calls_are_in_no_other_metric_but_the_trunk_channel_they_take_up(pair: ServerPair) -> None:
    quiet = (
        *("asterisk_calls_total", "asterisk_channels_created_total", "asterisk_hangups_total", "asterisk_dials_total"),
        *("asterisk_originates_total", "asterisk_trunk_calls_total", "asterisk_trunk_hangups_total"),
        *("asterisk_trunk_sip_failures_total", "asterisk_rtcp_rtt_seconds_count", "asterisk_rtcp_loss_ratio_count"),
        *("asterisk_dial_time_to_answer_seconds_count", "asterisk_trunk_talk_seconds_count"),
    )
    now = ("asterisk_active_channels", "asterisk_active_calls", "asterisk_bridges", "asterisk_application_channels")
    with watching(pair, c=QUICK) as target:
        made: list[CanaryOutcome] = []
        thread = threading.Thread(target=lambda: made.append(call(target, QUICK)))
        thread.start()
        wait_until(lambda: pair.server.channels() == 1, 5.0, "the call is up")
        wait_until(lambda: "Up" in pair.server.cli("core show channels"), 5.0, "answered")
        during = scrape(target)
        thread.join(15.0)
        call(target, replace(QUICK, channel="PJSIP/100003@telco-a"))
        after = scrape(target)
        assert made[0].result == "success"
        assert value(during, "asterisk_trunk_channels", trunk="telco-a", direction="outbound") == 1
        assert value(after, "asterisk_trunk_channels", trunk="telco-a", direction="outbound") == 0
        assert {key: number for key, number in during.items() if key[0] in now and number} == {}
        assert {key: number for key, number in after.items() if key[0] in (*quiet, *now) and number} == {}


def test_a_tone_is_heard_by_the_dialplan(pair: ServerPair) -> None:
    tone = replace(QUICK, audio="tone", duration=2)
    with watching(pair, c=tone) as target:
        heard = call(target, tone)
        assert (heard.result, heard.media["inbound"]) == ("success", True)
        unheard = call(target, replace(tone, channel="PJSIP/100002@telco-a"))
        assert (unheard.result, unheard.media["inbound"]) == ("silent", False)
        left(pair)


def test_the_user_needs_no_right_but_originate_and_says_so_when_it_lacks_it(pair: ServerPair) -> None:
    with watching(pair, c=QUICK) as target:
        for name, why in (("nothing", "write=originate"), ("cli", "write=originate")):
            outcome = call(target, replace(QUICK, user=AmiUser(name, Secret(AMI_SECRETS[name]))))
            assert (outcome.result, why in outcome.why) == ("failed", True)
        wrong = call(target, replace(QUICK, user=AmiUser("canary", Secret("wrong"))))
        assert wrong.result == "failed"


def test_a_stop_in_the_middle_leaves_no_call_behind_after_its_time(pair: ServerPair) -> None:
    with watching(pair, c=QUICK) as target:
        thread = threading.Thread(target=lambda: target.canaries.call(QUICK))
        thread.start()
        wait_until(lambda: pair.server.channels() == 1, 5.0, "the call is up")
    thread.join(5.0)
    assert not thread.is_alive()
    wait_until(lambda: pair.server.channels() == 0, 8.0, "the call ended by itself")


CALL_ALONE = """
import sys
from tests.real.test_canary_calls import QUICK, lone_target
target = lone_target(int(sys.argv[1]))
target.canaries.call(QUICK)
"""


def lone_target(port: int) -> Target:
    """For a process that is killed in the middle of its call."""
    settings = TargetSettings("pbx", "127.0.0.1", "events", Secret(AMI_SECRETS["events"]), port, canaries={"c": QUICK})
    target = Target(settings, builtin(), Clocks(jitter=lambda: 0.999), EventLoop(time.monotonic))
    target.start()
    listening(target)
    return target


@pytest.mark.parametrize("channel", [QUICK.channel, "PJSIP/100005@telco-a"], ids=["talking", "ringing"])
def test_an_exporter_that_is_killed_in_the_middle_leaves_a_call_that_ends_by_itself(
    pair: ServerPair, channel: str
) -> None:
    program = CALL_ALONE.replace("call(QUICK)", f"call(__import__('dataclasses').replace(QUICK, channel={channel!r}))")
    process = subprocess.Popen([sys.executable, "-c", program, str(pair.server.ami_port)], cwd=REPO)
    try:
        wait_until(lambda: pair.server.channels() == 1, 60.0, "the call is up")
        if channel == QUICK.channel:
            wait_until(lambda: " Up " in pair.server.cli("core show channels"), 5.0, "answered")
    finally:
        process.kill()
        process.wait(5.0)
    assert pair.server.channels() == 1
    wait_until(
        lambda: pair.server.channels() == 0, QUICK.ring_timeout + QUICK.duration + 4.0, "the call ended by itself"
    )


def test_a_pbx_that_is_restarted_in_the_middle_leaves_a_failed_call_and_the_next_one_works(
    asterisk_roots: dict[int, AsteriskRoot], tmp_path: Path
) -> None:
    with (
        server_pair(asterisk_roots[22], asterisk_roots[22], tmp_path, "canary") as own,
        watching(own, c=QUICK) as target,
    ):
        made: list[CanaryOutcome] = []
        thread = threading.Thread(target=lambda: made.append(call(target, replace(QUICK, duration=20))))
        thread.start()
        wait_until(lambda: own.server.channels() == 1, 5.0, "the call is up")
        own.server.kill()
        thread.join(10.0)
        assert (made[0].result, "not seen" in made[0].why, made[0].cause) == ("failed", True, None)
        assert "total" not in made[0].phases
        own.server.start()
        own.server.wait_booted()
        listening(target)
        assert own.server.channels() == 0
        assert target.canaries._around.starting()
        assert call(target, QUICK).result == "success"


CRON = "Channel: PJSIP/{}@telco-a\nMaxRetries: 0\nWaitTime: 4\nContext: canary-cron\nExtension: up\nPriority: 1\n"


def test_the_way_without_any_right_tells_answers_from_failures(pair: ServerPair) -> None:
    """A call file, a dialplan with a UserEvent and `custom:`, as the page has them."""
    page = (REPO / "docs" / "canary.md").read_text(encoding="utf-8")
    block = next(text for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if text.startswith("custom:"))
    head = "targets: {pbx: {address: a, username: u, secret: s}}\n"
    runs = custom.collector(load("page", head + block, catalogue({})).custom)
    dialplan = (CONFIG_FOLDER / "canary" / "extensions.conf").read_text()
    assert all(line in page for line in re.findall(r"exten => (?:up|failed),1,.*", dialplan))
    port = pair.server.ami_port
    settings = TargetSettings("pbx", "127.0.0.1", "events", Secret(AMI_SECRETS["events"]), port)
    with running(Target(settings, [*builtin(), runs], loop=EventLoop(time.monotonic))) as target:
        spool = pair.server.folder / "spool"
        (spool / "outgoing").mkdir(exist_ok=True)
        for number in ("100001", "100003", "100005"):
            (spool / "canary.call").write_text(CRON.format(number))
            (spool / "canary.call").rename(spool / "outgoing" / "canary.call")
            wait_until(lambda: not list((spool / "outgoing").iterdir()), 20.0, "the call file was used")
        metric = "asterisk_custom_canary_runs_total"
        wait_until(lambda: value(scrape(target), metric, trunk="telco-a", result="failed") == 2, 15.0, "two failed")
        assert value(scrape(target), metric, trunk="telco-a", result="success") == 1
        left(pair)


def test_with_the_right_to_run_commands_alone_the_server_can_be_stopped(
    asterisk_roots: dict[int, AsteriskRoot], tmp_path: Path
) -> None:
    """Why that user is never the one that polls."""
    with server_pair(asterisk_roots[22], asterisk_roots[22], tmp_path, "canary") as own, own.server.ami("cli") as ami:
        ami.command("database put canary seen yes")
        assert "yes" in own.server.cli("database get canary seen")
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            ami.command("core stop now")
        wait_until(lambda: not own.server.running, 10.0, "the server is stopped")
