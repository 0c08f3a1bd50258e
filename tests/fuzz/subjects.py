"""What is fuzzed: functions of bytes that return when the program is right, whatever the bytes.

`tests/fuzz/fuzz.py` runs them under coverage-guided atheris, `test_fuzz_subjects.py` under hypothesis in `make test`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from ami_exporter.ami.actions import ACTIONS, Action, AnswerForm
from ami_exporter.ami.answer import Answer, Outcome
from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.errors import ProtocolError
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Context, Metric, Trunk
from ami_exporter.collectors.registry import builtin
from ami_exporter.config.faults import ConfigErrors
from ami_exporter.config.load import load
from ami_exporter.exposition.caps import Caps
from ami_exporter.exposition.formats import Format
from ami_exporter.exposition.text import render
from ami_exporter.exposition.writer import Family, Writer
from ami_exporter.pbx.event_counters import EventCounters
from ami_exporter.pbx.plan import PING, EnabledCollector, Plan, make_plan
from ami_exporter.pbx.poll_run import PollFault, PollRun
from ami_exporter.pbx.target import events_of
from ami_exporter.web.negotiate import choose_format
from ami_exporter.web.params import BadRequestError, page_parameters, scrape_params
from tests.support import hostile_lists
from tests.support.config_catalogue import catalogue
from tests.support.targets import parsed

COLLECTORS = builtin()
CAPS = Caps(50, lambda _metric, _labels: None, lambda _metric, _labels: True)
TRUNK = Trunk("telco", "PJSIP", "telco", ("telco",), 30)
CONTEXT = Context(
    trunks={"telco": TRUNK},
    trunk_names={("PJSIP", "telco"): "telco"},
    trunk_patterns=(("SIP/t*", "telco"),),
    technologies=("Local", "PJSIP"),
    names={"queue": {"sales": 'The "Sales"'}},
    now=1_700_000_000.0,
    start_time=1_600_000_000.0,
)


def codec(data: bytes) -> None:
    """Messages or ProtocolError, the same ones whatever pieces the bytes come in; the first byte says which pieces."""
    size, wire = (data[0] % 64) + 1 if data else 1, data[1:]
    whole, pieces = _decoded([wire]), _decoded([wire[at : at + size] for at in range(0, len(wire), size)])
    if whole[1] == pieces[1] == "":
        assert whole[0] == pieces[0]


def _decoded(chunks: list[bytes]) -> tuple[list[list[tuple[str, str]]], str]:
    decoder = Decoder()
    found: list[list[tuple[str, str]]] = []
    try:
        for chunk in chunks:
            found.extend(message.pairs() for message in decoder.feed(chunk))
        decoder.end()
    except ProtocolError as error:
        return found, str(error.kind)
    return found, ""


def strangers(data: bytes) -> None:
    """A text behind any value of the recorded lists; the first two bytes say which value."""
    place = hostile_lists.ITEMS[int.from_bytes(data[:2], "big") % len(hostile_lists.ITEMS)]
    hostile_lists.check(place, data[2:].decode("utf-8", "surrogateescape"))


def scrape(data: bytes) -> None:
    """All collectors fold whatever messages the bytes hold, polled and counted: no fault, valid text, finite values.

    Of the collectors only those are built that some message concerns, and of the text only what the messages changed is
    parsed: the rest is the same each time, and would take 97 % of the time.
    """
    messages = _messages(data)
    names = {message.get("event", "") for message in messages}
    names |= {name.lower() for name in names}
    concerned = tuple(collector for collector in COLLECTORS if not names.isdisjoint(_wanted(collector.name)))
    families = _families(concerned, messages)
    assert len({family.metric.name for family in families}) == len(families), "a family came twice"
    text = render(_changed(families, _zeros(concerned)), Format.TEXT_004).decode()
    assert all(math.isfinite(value) for value in parsed(text).values())


def _families(collectors: tuple[Collector, ...], messages: Sequence[Message]) -> list[Family]:
    """What a target's poll and event link make of the messages."""
    plan, by_item = _plan(collectors)
    store = EventCounters(collectors, CONTEXT, CAPS)
    writer = Writer(CAPS)
    poll = PollRun(plan, [EnabledCollector(collector) for collector in collectors], CONTEXT, writer)
    poll.show(store.watched, store.watch)
    for now, message in enumerate(messages):
        for action in by_item.get(message.get("event", ""), ()):
            poll.item(action, message)
        store.feed([message], float(now))
    store.expire(1e6)
    answers = {action: Answer(Outcome.COMPLETE, "", 0.0, 1) for action in (PING, *plan.actions)}
    results = poll.results(answers, writer, 0.0)
    assert [result.name for result in results if result.fault is PollFault.INTERNAL] == []
    store.know(poll.named(answers))
    return [family for result in results for family in result.families] + store.families()


def _changed(families: Sequence[Family], zeros: Mapping[Metric, Family]) -> list[Family]:
    """The families with those label sets alone that are not as they are without any message."""
    changed = []
    for family in families:
        usual = zeros.get(family.metric, Family(family.metric))
        values = {key: value for key, value in family.values.items() if usual.values.get(key) != value}
        histograms = {key: value for key, value in family.histograms.items() if usual.histograms.get(key) != value}
        if values or histograms:
            changed.append(Family(family.metric, values, histograms))
    return changed


def _messages(data: bytes) -> list[Message]:
    messages: list[Message] = []
    try:
        for message in Decoder().feed(data):
            messages.append(message)  # noqa: PERF402 - those before an error count too
    except ProtocolError:
        pass
    return messages


@cache
def _zeros(collectors: tuple[Collector, ...]) -> Mapping[Metric, Family]:
    families = _families(collectors, [])
    parsed(render(families, Format.TEXT_004).decode())
    return {family.metric: family for family in families}


@cache
def _wanted(name: str) -> frozenset[str]:
    """Names of the items of a collector, and in lower case of the events it counts; "" is a response."""
    collector = next(each for each in COLLECTORS if each.name == name)
    _, by_item = _plan((collector,))
    return frozenset(by_item) | {event.lower() for event in events_of(collector)}


@cache
def _plan(collectors: tuple[Collector, ...]) -> tuple[Plan, Mapping[str, tuple[Action, ...]]]:
    plan = make_plan(
        [EnabledCollector(collector) for collector in collectors], frozenset(name.lower() for name in ACTIONS)
    )
    by_item: dict[str, tuple[Action, ...]] = {}
    for action in plan.actions:
        if action == PING:
            continue
        for item in action.spec.items if action.spec.form in (AnswerForm.LIST, AnswerForm.EVENT) else ("",):
            by_item[item] = (*by_item.get(item, ()), action)
    return plan, by_item


def configuration(data: bytes) -> None:
    """Settings, or all faults at once, each on one line."""
    faults: list[str] | None = None
    try:
        load("fuzz.yml", data.decode("utf-8", "surrogateescape"), catalogue({}))
    except ConfigErrors as errors:
        faults = [str(fault) for fault in errors.faults]
    assert faults is None or (faults and not any("\n" in fault for fault in faults))


def url(data: bytes) -> None:
    """Parameters, or one line that says what is valid; a format for any Accept."""
    names = ["channels", "core", "queues"]
    messages = []
    for targets in (None, ["pbx1", "pbx2"]):
        try:
            found = scrape_params(data, targets=targets, collectors=names)
            assert found.select.collect | found.select.exclude <= set(names)
            assert found.target is None or found.target in (targets or ())
            page_parameters(data, targets or [])
        except BadRequestError as error:
            messages.append(str(error))
    assert all(message.isprintable() for message in messages)
    choose_format(data.decode("latin-1"))


SUBJECTS: Mapping[str, Callable[[bytes], None]] = {
    "codec": codec,
    "strangers": strangers,
    "scrape": scrape,
    "configuration": configuration,
    "url": url,
}


def quiet() -> None:
    """No log lines while millions of inputs run."""
    logging.getLogger("ami_exporter").setLevel(logging.CRITICAL)
