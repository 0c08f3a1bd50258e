"""Transcripts of `ami-exporter capture` read back as answers, and folded by every collector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from ami_exporter.ami.actions import Action
from ami_exporter.ami.header_orders import Era
from ami_exporter.ami.message import Message
from ami_exporter.ami.sift import item_of
from ami_exporter.collectors.declarations import Context
from ami_exporter.collectors.registry import builtin
from ami_exporter.collectors.trunk_discovery import DISCOVERY, Discovery
from ami_exporter.commands.capture.torn import OURS
from ami_exporter.pbx.plan import EnabledCollector, make_plan
from ami_exporter.pbx.trunk_context import technologies, trunk_names
from tests.support.collecting import Samples, polled

FOLDER = Path(__file__).parent.parent / "captures"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.txt")))


@dataclass(frozen=True, slots=True)
class Captured:
    """One captured answer: its items and how it ended."""

    items: list[Message] = field(default_factory=list)
    outcome: list[str] = field(default_factory=list)


Answers = Mapping[Action, Captured]


def read(text: str) -> Answers:
    """Every answer of a transcript. A torn item is put together as it was, or left out where that is in doubt."""
    answers: dict[Action, Captured] = {}
    current = Captured()
    era = Era.MODERN
    packets = _packets(text)
    for packet in packets:
        if "action" in packet:
            current = answers[Action(packet["action"])] = Captured()
        elif "answer" in packet:
            current.outcome.append(packet["answer"])
        elif "capture" in packet:
            era = Era.of(tuple(map(int, packet["ami"].split("."))))
        elif "torn" in packet:
            item = item_of(era, list(islice(packets, int(packet["torn"]))), OURS)
            current.items.extend([] if item is None else [item])
        else:
            current.items.append(packet)
    return answers


def read_file(name: str) -> Answers:
    """The transcript of that name in tests/captures."""
    return read((FOLDER / f"{name}.txt").read_text())


def context_of(answers: Answers) -> Context:
    """What the exporter would know of this PBX: its technologies and trunks."""
    discovery = Discovery()
    for action in DISCOVERY:
        for item in answers[action].items if action in answers else ():
            discovery.item(action, item)
    trunks = discovery.found(frozenset(answers), {})
    offered = technologies(action.name.lower() for action in answers)
    return replace(Context(), trunks=trunks, trunk_names=trunk_names(trunks), technologies=offered)


def fold(answers: Answers) -> Samples:
    """Samples of every collector, the opt-in ones included, as one poll would give them."""
    offered = frozenset(action.name.lower() for action in answers)
    context = context_of(answers)
    samples: Samples = {}
    for collector in builtin():
        actions = make_plan([EnabledCollector(collector)], offered).by_collector[collector.name]
        samples |= polled(collector, {action: answers[action].items for action in actions}, context)
    return samples


def lines(samples: Samples) -> list[str]:
    """Samples as text, one a line, sorted."""
    return sorted(f"{' | '.join(key)} = {value:.10g}" for key, value in samples.items())


def expected_file(name: str) -> Path:
    """Where the samples of a capture are written down."""
    return FOLDER / f"{name}.expected"


def _packets(text: str) -> Iterator[Message]:
    for block in text.strip().split("\n\n"):
        parts = (line.partition(":") for line in block.splitlines())
        yield Message.of([(name, value.removeprefix(" ")) for name, _, value in parts])


if __name__ == "__main__":
    for each in NAMES:
        expected_file(each).write_text("\n".join(lines(fold(read_file(each)))) + "\n")
