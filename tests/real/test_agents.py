"""Agents in three queues on real Asterisk: talk, rings without an answer, login and pauses, against an own listener."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ami_raw import EventRecorder
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.exporter_process import ExporterProcess
from tests.support.planted import AMI_SECRETS
from tests.support.watching import enabled, watching

TALK = "asterisk_queue_member_talk_seconds_total"
RUNG_OUT = "asterisk_queue_member_ring_no_answer_total"
PAUSED_SINCE = "asterisk_queue_member_pause_start_timestamp_seconds"
LOGIN = "asterisk_queue_member_login_timestamp_seconds"


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
        begun = int(time.time())
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
