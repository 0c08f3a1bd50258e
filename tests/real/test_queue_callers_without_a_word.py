"""Queue callers who leave without a HangupRequest, on real servers: what ended each wait, seen by a poll or by none.

AudioSocket's channels never say that their far end hung up. Debian's Asterisk 16 has no AudioSocket; Local callers show
there what those say whose far end does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.support.ami_raw import EventRecorder, RawAmi
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.audiosocket import AudioSockets
from tests.support.exporter_process import ExporterProcess
from tests.support.planted import AMI_SECRETS
from tests.support.server_pair import started
from tests.support.watching import agree, watching

#: Queue → outcome; tests/real/config/waiting says how its one caller leaves it.
SAME = {
    "goes": "abandoned",
    "goes-while-members-change": "abandoned",
    "says-so": "abandoned",
    "waits-too-long": "timeout",
    "waits-too-long-and-ends": "timeout",
    "is-hung-up-with-a-cause": "other",
    "is-redirected": "other",
}
TOLD = {**SAME, "is-hung-up": "other", "is-cut-off": "other"}
#: AMI's Hangup without a cause and an absolute timeout end an AudioSocket channel just as its caller does.
UNTOLD = {**SAME, "is-hung-up": "abandoned", "is-cut-off": "abandoned"}
NOBODY = "Local/nobody@nowhere"

CASES = [
    pytest.param(22, "AudioSocket", True, UNTOLD, id="22-AudioSocket-seen"),
    pytest.param(22, "AudioSocket", False, UNTOLD, id="22-AudioSocket-unseen"),
    pytest.param(22, "Local", True, TOLD, id="22-Local-seen"),
    pytest.param(22, "Local", False, TOLD, id="22-Local-unseen"),
    pytest.param(16, "Local", True, TOLD, id="16-Local-seen"),
    # On 16 nothing tells of Redirect but that no poll has seen a timeout so short.
    pytest.param(16, "Local", False, {**TOLD, "is-redirected": "timeout"}, id="16-Local-unseen"),
]


class Callers:
    """One caller in each queue."""

    def __init__(self, technology: str, sockets: AudioSockets, ami: RawAmi) -> None:
        self.technology = technology
        self._sockets, self._ami = sockets, ami
        self._calls: dict[str, UUID] = {queue: uuid4() for queue in TOLD}

    def call(self) -> None:
        """Let all of them call."""
        for queue, call in self._calls.items():
            local = f"Local/{queue}@hears/n"
            channel = f"AudioSocket/127.0.0.1:{self._sockets.port}/{call}" if self._is_silent else local
            self._ami.originate(channel, Context="waiting", Exten=queue, Priority="1")

    def leave(self, channels: Mapping[str, str]) -> None:
        """End all waits that do not end by themselves; channels: of each queue's caller."""
        self._ami.action("QueuePause", Interface=NOBODY, Paused="true", Reason="tea")
        for queue in ("goes", "goes-while-members-change"):
            self._go(queue, channels[queue])
        if self._is_silent:
            self._sockets.hang_up(self._calls["says-so"])
        else:
            self._go("says-so", channels["says-so"])
        self._ami.action("Hangup", Channel=channels["is-hung-up"])
        self._ami.action("Hangup", Channel=channels["is-hung-up-with-a-cause"], Cause="16")
        where = {"Context": "elsewhere", "Exten": "s", "Priority": "1"}
        self._ami.action("Redirect", Channel=channels["is-redirected"], **where)

    @property
    def _is_silent(self) -> bool:
        return self.technology == "AudioSocket"

    def _go(self, queue: str, channel: str) -> None:
        if self._is_silent:
            self._sockets.close(self._calls[queue])
        else:
            self._ami.action("Hangup", Channel=f"{channel.removesuffix(';1')};2")


@contextmanager
def watched(server: AsteriskServer, folder: Path) -> Iterator[tuple[ExporterProcess, EventRecorder, RawAmi]]:
    with (
        started(server),
        watching(server, folder, "all") as running,
        EventRecorder(server.ami_port, "all", AMI_SECRETS["all"]) as recorder,
        server.ami() as ami,
    ):
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 20, "the event link")
        yield running, recorder, ami


@pytest.mark.parametrize(("major", "technology", "seen", "outcomes"), CASES)
def test_how_a_caller_left_is_told_without_a_word(
    asterisk_roots: dict[int, AsteriskRoot],
    tmp_path: Path,
    *,
    major: int,
    technology: str,
    seen: bool,
    outcomes: Mapping[str, str],
) -> None:
    server = AsteriskServer(asterisk_roots[major], tmp_path / "pbx", templates=("base", "waiting"))
    with AudioSockets() as sockets, watched(server, tmp_path) as (running, recorder, ami):
        callers = Callers(technology, sockets, ami)
        ami.action("QueueAdd", Queue="goes-while-members-change", Interface=NOBODY, Paused="true")
        callers.call()
        recorder.wait_for(lambda recorded: len(recorded.events("QueueCallerJoin")) == len(outcomes), 30)
        joined = {event["Queue"]: event for event in recorder.events("QueueCallerJoin")}
        if seen:
            let_a_poll_see(running, ami, len(outcomes))
        # Whoever has just joined may have been let go by an empty queue.
        wait_until(lambda: min(waits(ami), default=0) >= 2, 30, "waits of two seconds")
        callers.leave({queue: event["Channel"] for queue, event in joined.items()})
        recorder.wait_for(lambda recorded: len(recorded.events("QueueCallerAbandon")) == len(outcomes), 30)
        agree(
            lambda: running.get().by("asterisk_queue_calls_total", "queue", "outcome"),
            lambda: dict.fromkeys(outcomes.items(), 1.0),
        )

        who = {event["Uniqueid"]: queue for queue, event in joined.items()}
        asked = {who[event["Uniqueid"]] for event in recorder.events("HangupRequest") if event["Uniqueid"] in who}
        assert asked == (set() if technology == "AudioSocket" else {"goes", "goes-while-members-change", "says-so"})
        held = {event["Queue"]: float(event["HoldTime"]) for event in recorder.events("QueueCallerAbandon")}
        assert running.get().by("asterisk_queue_wait_seconds_sum", "queue", "outcome") == {
            entry: held[entry[0]] for entry in outcomes.items() if entry[1] != "other"
        }


def let_a_poll_see(running: ExporterProcess, ami: RawAmi, callers: int) -> None:
    """Wait until the channels were polled after the exporter knew of all callers; a slow list rests for a while."""
    wait_until(lambda: running.get().total("asterisk_queue_joins_total") == callers, 30, "all callers")
    ami.originate("Local/goes@hears/n", Application="Milliwatt")
    marker = {"application": "Milliwatt"}
    wait_until(lambda: running.get().value("asterisk_application_channels", **marker) == 1, 60, "another poll")


def waits(ami: RawAmi) -> list[int]:
    """Seconds that each caller has waited."""
    items = ami.items("QueueStatus", "QueueStatusComplete")
    return [int(item["Wait"]) for item in items if item.get("Event") == "QueueEntry"]
