"""Guards against work and memory that creep in, without a clock: calls made and bytes held for each message.

Bounds are generous (half as much again as now, on every Python version); `make bench` measures what it means.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from ami_exporter.ami.actions import ACTIONS, Action
from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.exchange import Exchange
from ami_exporter.ami.link import Answer, Outcome
from ami_exporter.collectors.declarations import Context, counter, gauge
from ami_exporter.collectors.registry import builtin
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.demo.load import static_load
from ami_exporter.demo.wire import with_action_id
from ami_exporter.demo.world import World
from ami_exporter.exposition.caps import Caps
from ami_exporter.exposition.formats import Format
from ami_exporter.exposition.text import render
from ami_exporter.exposition.writer import Family, Writer
from ami_exporter.pbx.event_counters import EventCounters
from ami_exporter.pbx.plan import make_plan
from ami_exporter.pbx.poll_run import PollRun
from ami_exporter.pbx.target import choose
from tests.support.flooding_pbx import flood_corpus

pytestmark = pytest.mark.slow

STATUS = Action("Status")
CAPS = Caps(1000, lambda _metric, _labels: None, lambda _metric, _labels: True)
CONTEXT = Context(technologies=("Local", "PJSIP"))


def status_pieces(channels: int) -> Iterator[bytes]:
    """The answer to Status as a socket gives it, made piece by piece so that only the reader's memory counts."""
    yield b"Response: Success\r\nActionID: x-1\r\nEventList: start\r\nMessage: Channel status will follow\r\n\r\n"
    some = with_action_id(static_load(100, World(0.0, 1.0), 60.0).status, "x-1")
    for number in range(channels // 100):
        # Another hundred calls each time: names and Linkedids of their own, as on a real PBX.
        yield some.replace(b"0.90000", f"{number}.90000".encode()).replace(b"load-", f"load-{number}".encode())
    yield b"Event: StatusComplete\r\nActionID: x-1\r\nEventList: Complete\r\n\r\n"


def poll(channels: int) -> None:
    """Fold the channels with every collector that wants Status and is on by default."""
    chosen = choose(TargetSettings("pbx", "pbx", "exporter", Secret("x")), builtin())
    plan = make_plan(chosen, frozenset({"status", "ping"}))
    folds = PollRun(plan, chosen, CONTEXT)
    exchange = Exchange({"x-1": STATUS}, folds.item, lambda _: None, lambda: 0.0, lists_announced=True)
    decoder = Decoder()
    for piece in status_pieces(channels):
        exchange.take(decoder.feed(piece))
    assert exchange.answers[STATUS].items == channels


def calls_made(work: Callable[[], object]) -> int:
    """Calls of functions, Python's and C's, that some work makes."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        if event in {"call", "c_call"}:
            calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def peak(work: Callable[[], object]) -> int:
    """Most bytes that some work holds at a time."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_channel_costs_few_calls() -> None:
    a_channel = (calls_made(lambda: poll(2_000)) - calls_made(lambda: poll(1_000))) / 1_000
    assert a_channel < 60


def test_an_event_costs_few_calls() -> None:
    stream = b"".join(data for _, _, data in flood_corpus())
    events = stream.count(b"Event: ")
    on = [chosen.collector for chosen in choose(TargetSettings("pbx", "pbx", "exporter", Secret("x")), builtin())]
    store, decoder = EventCounters(on, CONTEXT, CAPS), Decoder()
    store.feed(decoder.feed(stream), 0.0)
    an_event = calls_made(lambda: store.feed(decoder.feed(stream), 1.0)) / events
    assert an_event < 60


def test_a_scrape_of_a_pbx_without_calls_costs_few_calls() -> None:
    chosen = choose(TargetSettings("pbx", "pbx", "exporter", Secret("x")), builtin())
    offered = frozenset(name.lower() for name in ACTIONS)
    store, writer = EventCounters([one.collector for one in chosen], CONTEXT, CAPS), Writer(CAPS)
    answers = dict.fromkeys(make_plan(chosen, offered).actions, Answer(Outcome.COMPLETE, "", 0.0, 0))

    def scrape() -> None:
        folds = PollRun(make_plan(chosen, offered), chosen, CONTEXT, writer)
        families = [family for result in folds.results(answers, writer, 0.0) for family in result.families]
        assert len(render(families + store.families(), Format.TEXT_004)) > 30_000  # what there is at 0

    scrape()
    assert calls_made(scrape) < 5_000


@pytest.mark.parametrize("fmt", list(Format))
def test_a_series_costs_few_calls(fmt: Format) -> None:
    values: dict[tuple[str, ...], float] = {("PJSIP", f"phone-{number}"): float(number) for number in range(1_000)}
    families = [
        Family(make("asterisk_things", "Things.", "technology", "endpoint"), values) for make in (gauge, counter)
    ]
    assert calls_made(lambda: render(families, fmt)) / 2_000 < 7


def test_memory_of_a_poll_does_not_grow_with_the_channels() -> None:
    poll(100)
    few, many = peak(lambda: poll(1_000)), peak(lambda: poll(10_000))
    # 10,000 messages kept would be 40 MB; what there must be is one Linkedid a call.
    assert many - few < 2_000_000
