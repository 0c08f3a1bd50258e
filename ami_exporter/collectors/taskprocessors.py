"""Task processors: Asterisk's internal queues of work. Opt-in: only the CLI shows them, and that needs `command_user`.

The table is made for people. Columns are found by their titles, which differ by version, and numbers are read from the
right, because names may contain spaces. Names contain serial numbers, endpoints and addresses, which change: the label
is the family, such as `pjsip/distributor` or `stasis/m:manager`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ami_exporter.ami.actions import cli
from ami_exporter.ami.message import Message
from ami_exporter.collectors.cli.output import lines
from ami_exporter.collectors.declarations import Collector, Metric, Reduce, Rule, gauge, polled_counter
from ami_exporter.collectors.fields import labels, number, text
from ami_exporter.collectors.rulefold import RESPONSE

POLL: Final = cli("core show taskprocessors")

DEPTH = gauge(
    "asterisk_taskprocessor_queue_depth",
    "Tasks that wait in the task processors of a family (AMI Command `core show taskprocessors`: In Queue)",
    "name",
)
HIGH_WATER = gauge(
    "asterisk_taskprocessor_queue_high_water",
    "Most tasks that ever waited at once in one task processor of a family "
    "(AMI Command `core show taskprocessors`: Max Depth)",
    "name",
)
PROCESSED = polled_counter(
    "asterisk_taskprocessor_processed_total",
    "Tasks done by the task processors of a family that exist now (AMI Command `core show taskprocessors`: Processed)",
    "name",
)

_TITLE: Final = re.compile(r"Processed|In Queue|Max Depth|Low water|High water|Low time\(us\)|High time\(us\)")
"""Columns after the name (main/taskprocessor.c); Asterisk 13 has the first three."""
_NUMBERS: Final = re.compile(r"(?P<name>\S.*?)(?P<numbers>(?:\s+-?\d+)+)\s*")

_SERIAL: Final = re.compile(r"-[0-9a-f]{8}$")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KIND_OF_TOPIC: Final = re.compile(r"(?:stasis/|sub)[a-z]:[^:/]*")
"""Subscription to a topic: `stasis/m:manager:core`, before 17 `subm:manager:core`; the topic's first word stays."""
_TWO_PARTS: Final = frozenset({"pjsip", "taskpool"})
"""Modules whose second part of the path is a word of their own, not a type of configuration object."""


def family(name: str) -> str:
    """Return a task processor's name without serial number, endpoint, channel or conference."""
    name = _SERIAL.sub("", name.strip())
    if _UUID.fullmatch(name):
        return "unnamed"
    topic = _KIND_OF_TOPIC.match(name)
    if topic:
        return topic[0]
    first, _, rest = name.partition("/")
    return f"{first}/{rest.partition('/')[0]}" if rest and first in _TWO_PARTS else first


def rows(output: Iterable[str]) -> Iterable[tuple[str, dict[str, str]]]:
    """Yield name and numbers by column title (lower case) of each row; other lines are skipped."""
    titles: list[str] = []
    for line in output:
        if not titles:
            titles = _TITLE.findall(line) if line.lstrip().startswith("Processor") else []
            continue
        found = _NUMBERS.fullmatch(line.strip())
        numbers = found["numbers"].split() if found else []
        if found and len(numbers) >= len(titles):
            spare = numbers[: len(numbers) - len(titles)]  # a name that ends in a number of its own
            name = " ".join((found["name"], *spare))
            yield name, dict(zip(map(str.lower, titles), numbers[len(spare) :], strict=True))


def _read(message: Message) -> list[Message]:
    """Return the rows of the response: the family of each task processor and its numbers."""
    found = rows(lines(message))
    return [Message.of([("family", family(name)), *numbers.items()]) for name, numbers in found]


def _rule(metric: Metric, title: str, reduce: Reduce) -> Rule:
    return Rule(metric, POLL, (RESPONSE,), labels(text("family")), number(title), reduce=reduce, read=_read)


COLLECTOR = Collector(
    name="taskprocessors",
    title="Task processors (CLI)",
    metrics=(DEPTH, HIGH_WATER, PROCESSED),
    polls=((POLL,),),
    rules=(
        _rule(DEPTH, "In Queue", "sum"),
        _rule(HIGH_WATER, "Max Depth", "max"),
        _rule(PROCESSED, "Processed", "sum"),
    ),
    enabled=False,
    filter_label="name",
)
