"""What a scrape makes is freed when the scrape ends, not when Python next looks for garbage.

Where the objects of each scrape hold each other, they wait for the collector, which then stops every thread: with 200
targets for a quarter of a second. Those that live for some seconds are frozen, and wait for an hour.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from ami_exporter.config.secret import Secret
from ami_exporter.demo import DemoSettings, SimulatedPbx
from ami_exporter.pbx.own_logins import REMEMBERED_SESSIONS
from ami_exporter.pbx.target import Target
from tests.support.asterisk_server import free_port
from tests.support.faulty_proxy import Faults, FaultyProxy
from tests.support.targets import SOON, listening, scrape, target, until, value

pytestmark = pytest.mark.slow

SCRAPES = 3


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is freed inside, it is kept for looking at; what was there before is not counted."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def left_by(work: Callable[[], object]) -> Counter[str]:
    """Objects of ours that work leaves to the garbage collector, by class; the simulated PBX's do not count."""
    with uncollected():
        work()
        gc.collect()
        names = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.garbage)
    return Counter({name: n for name, n in names.items() if name.startswith("ami_exporter.") and ".demo." not in name})


class Knot:
    """Holds itself."""

    __module__ = "ami_exporter.test"

    def __init__(self) -> None:
        self.me = self


def test_what_holds_itself_is_seen() -> None:
    assert left_by(Knot) == {"ami_exporter.test.Knot": 1}


@pytest.mark.parametrize("events", [False, True], ids=["polls", "polls and events"])
def test_a_scrape_leaves_nothing_to_the_garbage_collector(events: bool) -> None:
    with (
        SimulatedPbx(DemoSettings(channels=20, endpoints=20, speed=20.0)) as pbx,
        target(pbx.port, username=pbx.username, secret=Secret(pbx.secret), events=events) as one,
    ):

        def scrapes() -> None:
            received = one.stats.events_received
            for _ in range(SCRAPES):
                families = one.scrape(
                    frozenset(collector.name for collector in one.collectors), time.monotonic() + SOON
                )
                assert any(family.metric.name == "asterisk_active_channels" for family in families)
            if events:
                until(lambda: one.stats.events_received > received, "events")

        if events:
            listening(one)
        scrapes()  # the first logs in and learns what there is
        assert not left_by(scrapes)


FAULTS: Mapping[str, Faults] = {
    "never answers": Faults(hole_at=0),
    "ends in the greeting": Faults(cut_at=5),
    "ends in an answer": Faults(cut_at=400),
    "stops in an answer": Faults(hole_at=400),
    "resets": Faults(reset_hello=True),
    "refuses the secret": Faults(),
}


def failing_scrapes(one: Target) -> None:
    for _ in range(SCRAPES):
        assert value(scrape(one, 0.5), "asterisk_up") == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_connection_that_fails_leaves_nothing_to_the_garbage_collector(fault: str) -> None:
    with (
        SimulatedPbx(DemoSettings(channels=20, endpoints=20)) as pbx,
        FaultyProxy(pbx.port, FAULTS[fault]) as proxy,
        target(
            proxy.port,
            username=pbx.username,
            secret=Secret("wrong" if fault == "refuses the secret" else pbx.secret),
            timeout=0.5,
            events=True,
        ) as one,
    ):
        failing_scrapes(one)
        assert not left_by(lambda: failing_scrapes(one))


def test_a_port_where_nobody_listens_leaves_nothing_to_the_garbage_collector() -> None:
    with target(free_port("127.0.0.1"), timeout=0.5, events=True) as one:
        failing_scrapes(one)
        assert not left_by(lambda: failing_scrapes(one))


def test_lost_connections_leave_nothing_to_the_garbage_collector() -> None:
    with (
        SimulatedPbx(DemoSettings(channels=20, endpoints=20)) as pbx,
        FaultyProxy(pbx.port) as proxy,
        target(proxy.port, username=pbx.username, secret=Secret(pbx.secret), events=True) as one,
    ):

        def reconnect() -> None:
            for _ in range(REMEMBERED_SESSIONS):
                proxy.kick()
                until(lambda: one.stats.up_since("events") is None, "the loss")
                listening(one)
                until(lambda: value(scrape(one), "asterisk_up") == 1, "the poll link")

        listening(one)
        reconnect()
        assert not left_by(reconnect)
