"""Agents in three queues on real Asterisk: talk, rings without an answer, login and pauses, against an own listener."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ami_raw import EventRecorder, RawAmi
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.exporter_process import ExporterProcess
from tests.support.planted import AMI_SECRETS, CALLEE_NUMBER
from tests.support.watching import enabled, watching

TALK = "asterisk_queue_member_talk_seconds_total"
RUNG_OUT = "asterisk_queue_member_ring_no_answer_total"
PAUSED_SINCE = "asterisk_queue_member_pause_start_timestamp_seconds"
LOGIN = "asterisk_queue_member_login_timestamp_seconds"
WRAPUP = "asterisk_queue_member_wrapup"
AVAILABLE = "asterisk_queue_member_available"
IN_CALL = "asterisk_queue_member_in_call"
REASONS = "asterisk_queue_pause_reason_members"
WRAPUP_SECONDS = 8
NUMBER = CALLEE_NUMBER.removeprefix("+")


@pytest.fixture(params=[22, 16], ids=["asterisk22", "asterisk16"])
def centre(
    request: pytest.FixtureRequest, asterisk_roots: dict[int, AsteriskRoot], tmp_path: Path
) -> Iterator[AsteriskServer]:
    server = AsteriskServer(asterisk_roots[request.param], tmp_path / "pbx", templates=("base", "callcentre"))
    server.start()
    try:
        server.wait_booted()
        yield server
    finally:
        server.kill()


#: <linux/time.h>; Python has no name for it.
CLOCK_REALTIME_COARSE = 5


def asterisk_time() -> float:
    """The clock that Asterisk stamps whole seconds with, time(2): up to 10 ms behind time.time()."""
    return time.clock_gettime(CLOCK_REALTIME_COARSE)


def by_member(running: ExporterProcess, metric: str) -> dict[tuple[str, ...], float]:
    return running.get().by(metric, "queue", "member")


def test_agents_figures_equal_those_of_an_own_listener(centre: AsteriskServer, tmp_path: Path) -> None:
    with (
        watching(centre, tmp_path, "all", enabled("queue_members", interval="1ms")) as running,
        EventRecorder(centre.ami_port, "all", AMI_SECRETS["all"]) as recorder,
        centre.ami() as ami,
    ):
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 20, "the event link")
        assert running.get().value(TALK, queue="sales", member="Anna") == 0
        begun = int(asterisk_time())
        ami.action("QueueAdd", Queue="night", Interface="Local/1@agents/n", MemberName="Anna")
        ami.action("QueuePause", Interface="Local/2@agents/n", Queue="sales", Paused="true", Reason="lunch")
        ami.action("QueuePause", Interface="Local/2@agents/n", Queue="sales", Paused="false")
        for queue in ("sales", "service", "night"):
            ami.originate("Local/patient@caller/n", Application="Queue", Data=f"{queue},,,,25")
        wait_until(lambda: len(recorder.events("AgentComplete")) == 3, 30, "three calls")

        talked: Counter[tuple[str, ...]] = Counter()
        for event in recorder.events("AgentComplete"):
            talked[event["Queue"], event["MemberName"]] += int(event["TalkTime"])
        wait_until(lambda: by_member(running, TALK) == dict(talked), 10, "talk as the listener saw it")
        assert set(talked) == {(queue, "Anna") for queue in ("sales", "service", "night")}
        rung_out = Counter((e["Queue"], e["MemberName"]) for e in recorder.events("AgentRingNoAnswer"))
        assert rung_out["service", "Ben"] > 0
        assert by_member(running, RUNG_OUT) == dict(rung_out)

        assert by_member(running, PAUSED_SINCE) == {}
        ami.action("QueuePause", Interface="Local/1@agents/n", Paused="true", Reason="lunch")
        paused = running.get().by(PAUSED_SINCE, "queue", "member", "reason")
        assert set(paused) == {(queue, "Anna", "lunch") for queue in ("sales", "service", "night")}
        assert all(begun <= since <= time.time() for since in paused.values())
        logins = by_member(running, LOGIN)
        assert begun <= logins["night", "Anna"] <= time.time()
        ami.action("QueuePause", Interface="Local/1@agents/n", Paused="false")
        assert by_member(running, PAUSED_SINCE) == {}


def members(ami: RawAmi) -> dict[tuple[str, str], dict[str, str]]:
    """(queue, member's name) → its item, as an own session gets it."""
    items = ami.items("QueueStatus", "QueueStatusComplete")
    return {(item["Queue"], item["Name"]): item for item in items if item.get("Event") == "QueueMember"}


def test_each_member_is_free_in_a_call_or_in_wrap_up(centre: AsteriskServer, tmp_path: Path) -> None:
    cora = ("wraps", "Cora")

    def states() -> tuple[float | None, ...]:
        scrape = running.get()
        return tuple(scrape.value(name, queue="wraps", member="Cora") for name in (AVAILABLE, IN_CALL, WRAPUP))

    with (
        watching(centre, tmp_path, "all", enabled("queue_members", interval="1ms")) as running,
        EventRecorder(centre.ami_port, "all", AMI_SECRETS["all"]) as recorder,
        centre.ami() as ami,
    ):
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 20, "the event link")
        assert states() == (1, 0, 0)
        ami.originate("Local/patient@caller/n", Application="Queue", Data="wraps,,,,25")
        wait_until(lambda: bool(recorder.events("AgentConnect")), 20, "the call")
        wait_until(lambda: states()[1] == 1, 20, "the call in the figures")
        assert members(ami)[cora]["InCall"] == "1"
        wait_until(lambda: bool(recorder.events("AgentComplete")), 20, "its end")
        wait_until(lambda: states() == (0, 0, 1), WRAPUP_SECONDS, "wrap-up")
        assert members(ami)[cora]["Wrapuptime"] == str(WRAPUP_SECONDS)
        assert by_member(running, WRAPUP) == {cora: 1}
        assert running.get().value("asterisk_queue_members_wrapup", queue="wraps") == 1

        # A caller who comes now is offered to her when it is over, and that is when the figure falls.
        rung = len(recorder.events("AgentCalled"))
        ami.originate("Local/patient@caller/n", Application="Queue", Data="wraps,,,,25")
        over = int(members(ami)[cora]["LastCall"]) + WRAPUP_SECONDS
        in_it = time.time()
        while True:
            asked = time.time()
            if states()[2] == 0:
                break
            in_it = asked
        assert in_it < over + 1
        assert time.time() >= over
        wait_until(lambda: len(recorder.events("AgentCalled")) > rung, 20, "the next call")
        assert float(recorder.events("AgentCalled")[rung]["Timestamp"]) >= over


def test_a_pause_lasts_since_it_began_or_its_reason_changed(centre: AsteriskServer, tmp_path: Path) -> None:
    """LastPause: the start of the last pause. A pause that ends leaves it, another reason begins it anew."""

    def since() -> dict[tuple[str, ...], float]:
        return running.get().by(PAUSED_SINCE, "queue", "member", "reason")

    def pause(wanted: str, reason: str) -> range:
        """Pause in a second after all before; answers in which it may have been."""
        second = int(asterisk_time()) + 1
        wait_until(lambda: asterisk_time() >= second, 5, "another second")
        ami.action("QueuePause", Interface="Local/1@agents/n", Queue="sales", Paused=wanted, Reason=reason)
        return range(second, int(time.time()) + 1)

    with (
        watching(centre, tmp_path, "all", enabled("queue_members", interval="1ms")) as running,
        centre.ami() as ami,
    ):
        paused = pause("true", "lunch")
        ((key, lunch),) = since().items()
        assert (key, lunch in paused) == (("sales", "Anna", "lunch"), True)
        pause("false", "")
        assert since() == {}
        assert members(ami)["sales", "Anna"]["LastPause"] == f"{lunch:.0f}"
        for reason, shown in (("tea", "tea"), ("call 0171 1234567 back", "other")):
            paused = pause("true", reason)
            ((key, began),) = since().items()
            assert (key, began in paused) == (("sales", "Anna", shown), True)
            assert began > lunch
        assert running.get().by(REASONS, "queue", "reason") == {("sales", "other"): 1}
        assert "1234567" not in running.get().body


def test_members_of_the_configuration_and_added_ones_say_since_when(centre: AsteriskServer, tmp_path: Path) -> None:
    with (
        watching(centre, tmp_path, "all", enabled("queue_members", interval="1ms")) as running,
        centre.ami() as ami,
    ):
        added = int(asterisk_time())
        ami.action("QueueAdd", Queue="night", Interface="Local/2@agents/n", MemberName="Ben")
        told = members(ami)
        assert {told[key]["Membership"] for key in (("sales", "Ben"), ("night", "Ben"))} == {"static", "dynamic"}
        logins = by_member(running, LOGIN)
        assert logins == {key: int(item["LoginTime"]) for key, item in told.items()}
        assert logins["night", "Ben"] >= added
        started = running.get().value("asterisk_start_time_seconds")
        assert started is not None
        assert started - 2 <= logins["sales", "Ben"] <= added

        # Somebody at home, whom the queue dials by number and who was given no name.
        ami.action("QueueAdd", Queue="night", Interface=f"Local/{NUMBER}@agents/n")
        assert ("night", f"Local/{NUMBER}@agents/n") in members(ami)
        assert ("night", "other") in by_member(running, LOGIN)
        assert NUMBER not in running.get().body
