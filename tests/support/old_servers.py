"""What Asterisk 1.8, 11 and 13 sent (tests/captures/old): its lists, through the real decoder, exchange and folds."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ami_exporter.ami.actions import ACTIONS, Action
from ami_exporter.ami.answer import Answer
from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.errors import Kind
from ami_exporter.ami.exchange import LISTS_ANNOUNCED_FROM, Exchange
from ami_exporter.ami.header_orders import Era
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Context, Trunk
from ami_exporter.collectors.registry import builtin
from ami_exporter.collectors.sent import asterisk_version
from ami_exporter.pbx.plan import EnabledCollector, make_plan, preferred
from ami_exporter.pbx.trunk_context import technologies, trunk_names
from tests.support.collecting import Samples, polled

FOLDER = Path(__file__).parent.parent / "captures" / "old"
VERSIONS = ("1.8", "11", "13")
AMI = {"1.8": (1, 1), "11": (1, 3), "13": (2, 10, 6)}
WHOLE = {"1.8": "1.8.32.3", "11": "11.25.3", "13": "13.38.3"}
TECHNOLOGY = {"1.8": "SIP", "11": "SIP", "13": "PJSIP"}
"""Of the phones and of telco-a."""
BEGINNING = "Asterisk Call Manager/"


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes of one side of a session."""

    client: bool
    data: bytes


@cache
def archive(version: str) -> Mapping[str, bytes]:
    """Every file of a version's archive, by its path."""
    with tarfile.open(FOLDER / f"{version}.tar.xz") as tar:
        opened = ((member.name, tar.extractfile(member)) for member in tar.getmembers() if member.isfile())
        return {name: file.read() for name, file in opened if file is not None}


def scenarios(version: str) -> list[str]:
    """Names of the scenarios, in the order in which they were played."""
    truth = archive(version)["truth.txt"].decode()
    return [line[3:] for line in truth.splitlines() if line.startswith("== ")]


def wants(version: str, scenario: str) -> list[str]:
    """What is right of a scenario, as its truth file says: the lines `want`."""
    truth = archive(version)["truth.txt"].decode().split("\n== ")
    of_it = next(part for part in truth if part.startswith(f"{scenario}\n"))
    return [line[6:] for line in of_it.splitlines() if line.startswith("want: ")]


def lists(version: str, folder: str = "lists") -> list[str]:
    """Actions whose answers are there, without those that have arguments and those that the exporter never sends."""
    there = (path for path in archive(version) if path.startswith(f"{folder}/"))
    names = (path.removeprefix(f"{folder}/").removesuffix(".txt") for path in there)
    return sorted(name for name in names if name in ACTIONS)


def events(version: str, scenario: str) -> bytes:
    """Raw bytes of a scenario's events; what a connection begins with is left out."""
    data = archive(version)[f"events/{scenario}.txt"]
    return data[data.index(b"Event: ") :] if data.startswith(BEGINNING.encode()) else data


def blocks(recorded: bytes) -> Iterator[Block]:
    """The blocks of a session with its head line."""
    position = recorded.index(b"\n") + 1
    while position < len(recorded):
        end = recorded.index(b"\n", position)
        mark, size = recorded[position:end].split()
        yield Block(mark == b">>>", recorded[end + 1 : end + 1 + int(size)])
        position = end + 1 + int(size) + 1


def answer_bytes(version: str, action: str, folder: str = "lists") -> tuple[str, bytes]:
    """The ActionID that was used, and what the server answered."""
    both = list(blocks(archive(version)[f"{folder}/{action}.txt"]))
    request = next(block.data.decode() for block in both if block.client)
    action_id = next(line for line in request.splitlines() if line.startswith("ActionID: ")).removeprefix("ActionID: ")
    return action_id, b"".join(block.data for block in both if not block.client)


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer as the real exchange takes it."""

    answer: Answer
    items: tuple[Message, ...]
    errors: Mapping[Kind, int]


def answered(version: str, name: str, folder: str = "lists") -> Answered:
    """Play one answer through decoder and exchange."""
    action_id, data = answer_bytes(version, name, folder)
    action, items = Action(name), list[Message]()
    strays: list[Message] = []
    exchange = Exchange(
        {action_id: action},
        lambda _action, item: items.append(item),
        strays.append,
        lambda: 0.0,
        lists_announced=AMI[version] >= LISTS_ANNOUNCED_FROM,
        era=Era.of(AMI[version]),
    )
    exchange.take(Decoder().feed(data))
    assert not exchange.unfinished, f"{name} of {version} does not end"
    assert not strays, f"{name} of {version} leaves something over"
    return Answered(exchange.answers[action], tuple(items), dict(exchange.errors))


def context(version: str, seen_direction: Callable[[str], str | None] = lambda _uniqueid: None) -> Context:
    """What the exporter knows of the server."""
    ends = ((TECHNOLOGY[version], "telco-a"), ("IAX2", "branch-b"))
    trunks = {endpoint: Trunk(endpoint, tech, endpoint) for tech, endpoint in ends}
    return replace(
        Context(),
        trunks=trunks,
        trunk_names=trunk_names(trunks),
        technologies=technologies(name.lower() for name in lists(version)),
        version=asterisk_version(WHOLE[version]),
        seen_direction=seen_direction,
    )


def folded(version: str, folder: str = "lists", without: Iterable[str] = (), known: Context | None = None) -> Samples:
    """Samples of every collector for the lists of a folder, but those that `without` names."""
    there = [name for name in lists(version, folder) if name not in without]
    answers = {Action(name): answered(version, name, folder).items for name in there}
    known = known or context(version)
    offered = frozenset(name.lower() for name in there)
    samples: Samples = {}
    for collector in builtin():
        actions = make_plan([EnabledCollector(collector)], offered, preferred(AMI[version])).by_collector[
            collector.name
        ]
        samples |= polled(collector, {action: answers[action] for action in actions if action in answers}, known)
    return samples
