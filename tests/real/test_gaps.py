"""A link whose packets vanish: what was missed lies within the gap that is counted, on real servers."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from ami_exporter.pbx.event_link import KEEPALIVE_SECONDS, PING_SECONDS
from tests.real.conftest import AsteriskFactory
from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import ExporterProcess, exporter
from tests.support.planted import AMI_SECRETS

GAP = "ami_exporter_events_gap_seconds_total"
#: Calls while the link is dead, one every so many seconds: longer than a link lives without a sign of life.
CALLS, EVERY = 8, 2.0
RELAY = """
import sys
from tests.support.faulty_proxy import FaultyProxy
with FaultyProxy(int(sys.argv[1])) as relay:
    print(relay.port, flush=True)
    sys.stdin.read()
"""


@contextmanager
def relay_to(port: int) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A relay in a process of its own, which can be stopped in the middle; gives it and its port."""
    relay = subprocess.Popen(
        [sys.executable, "-c", RELAY, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert relay.stdout is not None
    try:
        yield relay, int(relay.stdout.readline())
    finally:
        relay.send_signal(signal.SIGCONT)
        relay.communicate(timeout=20)


@pytest.mark.parametrize("major", [22, 16])
def test_what_a_dead_link_hid_lies_within_the_gap(asterisk_factory: AsteriskFactory, major: int) -> None:
    server = asterisk_factory(major)
    with relay_to(server.ami_port) as (relay, port), server.ami() as ami:
        flags = ("--ami.address", f"127.0.0.1:{port}", "--ami.username", "events")
        with exporter(*flags, environ={"AMI_EXPORTER_AMI_SECRET": AMI_SECRETS["events"]}) as running:
            wait_until(lambda: connects(running) == 1, 20, "the event link")
            ami.originate("Local/100000@load/n", Application="Wait", Data="1")
            wait_until(lambda: created(running) == 2, 10, "a call that is seen")
            before = running.get().value(GAP) or 0.0
            relay.send_signal(signal.SIGSTOP)
            stopped = time.monotonic()
            for number in range(CALLS):
                ami.originate(f"Local/{100001 + number}@load/n", Application="Wait", Data="1")
                wait_until(partial(is_past, stopped + EVERY * (number + 1)), EVERY * 3, "the next call")
            relay.send_signal(signal.SIGCONT)
            resumed = time.monotonic()
            wait_until(lambda: connects(running) == 2, 60, "another event link")
            back = time.monotonic()
            gap = (running.get().value(GAP) or 0.0) - before
            assert created(running) < 2 + 2 * CALLS  # some were missed
            assert resumed - stopped <= gap <= back - stopped + KEEPALIVE_SECONDS + PING_SECONDS


def is_past(moment: float) -> bool:
    return time.monotonic() >= moment


def connects(running: ExporterProcess) -> float:
    """Times that the event link was connected, if it is."""
    page = running.get()
    up = page.value("ami_exporter_link_up", link="events") == 1
    return (page.value("ami_exporter_link_connects_total", link="events") or 0.0) if up else 0.0


def created(running: ExporterProcess) -> float:
    """Channels whose beginning was seen."""
    return running.get().total("asterisk_events_total", event="Newchannel")
