"""Ten million events of names that nobody knows (`make soak`, some minutes): all received, nothing kept of them.

AMI_EXPORTER_SOAK_EVENTS changes their number; docs/reliability.md has the figures.
"""

# ruff: noqa: T201 - a long run tells how it goes
from __future__ import annotations

import os
import time
from functools import partial

import pytest

from tests.soak.test_soak import Body
from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import ExporterProcess, exporter
from tests.support.scripted_pbx import ScriptedPbx

EVENTS = int(os.environ.get("AMI_EXPORTER_SOAK_EVENTS", "10000000"))
BATCH = 1_000
#: Events after which what the process holds is printed; and, of the second half, compared.
STEP = EVENTS // 10
#: Seconds a step may take on a busy machine.
STEP_SECONDS = 300.0
#: MB that the second half may add to the first: what the allocator moves. A byte an event would be 5.
GROWTH = 3.0


def has_received(running: ExporterProcess, count: float) -> bool:
    return running.get().total("ami_exporter_events_received_total") == count


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_ten_million_events_of_unknown_names_leave_nothing_behind() -> None:
    secret = {"AMI_EXPORTER_AMI_SECRET": "hunter2"}
    with (
        ScriptedPbx() as pbx,
        exporter("--ami.address", f"127.0.0.1:{pbx.port}", "--ami.username", "exporter", environ=secret) as running,
    ):
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 30, "the event link")
        events = next(session for session in pbx.sessions if session.seen[1]["Events"] != "system")
        received = running.get().total("ami_exporter_events_received_total")
        bodies, began = [Body.of(running.process.pid)], time.monotonic()
        print(f"      0 s {0:10} events {bodies[0]}", flush=True)
        for sent in range(0, EVENTS, BATCH):
            numbers = range(sent, sent + BATCH)
            events.send(
                b"".join(
                    b"Event: Mad%08d\r\nPrivilege: call,all\r\nField%08d: %08d\r\n\r\n" % (n, n, n) for n in numbers
                )
            )
            done = sent + BATCH
            if done % STEP == 0:
                wait_until(partial(has_received, running, received + done), STEP_SECONDS, "the events")
                bodies.append(Body.of(running.process.pid))
                print(f"{time.monotonic() - began:7.0f} s {done:10} events {bodies[-1]}", flush=True)
        found = running.get()
    assert found.value("asterisk_up") == 1
    assert found.value("ami_exporter_link_connects_total", link="events") == 1
    assert sum(name == "asterisk_events_total" for name, _ in found.series()) < 100
    first, second = bodies[1 : len(bodies) // 2 + 1], bodies[len(bodies) // 2 + 1 :]
    assert max(body.megabytes for body in second) - max(body.megabytes for body in first) < GROWTH
    assert {body.threads for body in second} == {first[0].threads}
