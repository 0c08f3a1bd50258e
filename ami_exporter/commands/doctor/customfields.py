"""Fields that `custom:` rules name and nothing here has: a slip of the pen, which would leave every item out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ami_exporter.ami.actions import ACTIONS
from ami_exporter.ami.header_orders import OPEN_KINDS, ORDERS, Era
from ami_exporter.ami.message import Message
from ami_exporter.collectors.cli.output import lines
from ami_exporter.collectors.cli.readers import Reader
from ami_exporter.collectors.declarations import Unreadable
from ami_exporter.collectors.rulefold import RESPONSE
from ami_exporter.config.custom_settings import CommandSettings, CustomMetricsSettings
from ami_exporter.config.faults import suggest

Seen = Mapping[tuple[str, str], frozenset[str]]
"""Action and kind of item (lower case) → the fields its items had."""


def strange_fields(
    entries: Sequence[CustomMetricsSettings], seen: Seen, outputs: Mapping[str, Message], era: Era
) -> Iterator[str]:
    """Name each field that no item, event or row has, with the nearest that they have.

    outputs: command → what it answered. An item, event or row that has not come, and of which nothing is known, is
    passed over.
    """
    for entry in entries:
        what, known = _known(entry, seen, outputs, era)
        for field in dict.fromkeys(_named(entry)) if known else ():
            near = suggest(field, known)
            # Of events only what this program knows: a newer server may send more.
            if field not in known and (near or entry.event is None):
                yield f"custom: no {what} has the field {field}{near}"


def _named(entry: CustomMetricsSettings) -> Iterator[str]:
    yield from entry.where
    for metric in entry.metrics:
        yield from (label.field for label in metric.labels)
        if metric.value is not None:
            yield metric.value.field


def _known(
    entry: CustomMetricsSettings, seen: Seen, outputs: Mapping[str, Message], era: Era
) -> tuple[str, frozenset[str]]:
    """What an entry's fields are taken from, in words, and all fields it may have; none where that is not known."""
    if entry.command is not None:
        return f"row of `{entry.command.command}`", _columns(entry.command, outputs)
    if entry.event is not None:
        kind = entry.event.lower()
        return f"event {entry.event}", frozenset() if kind in OPEN_KINDS else _written(kind, era)
    if entry.action is None or entry.family is not None:  # a family's fields are checked with the configuration
        return "", frozenset()
    item = entry.item or next(iter(ACTIONS[entry.action].items), RESPONSE)
    what = f"item {item} of {entry.action}" if item else f"answer to {entry.action}"
    return what, seen.get((entry.action, item.lower()), frozenset()) | _written(item.lower(), era)


def _written(kind: str, era: Era) -> frozenset[str]:
    return frozenset(place.name for order in ORDERS[era].get(kind, ()) for place in order)


def _columns(how: CommandSettings, outputs: Mapping[str, Message]) -> frozenset[str]:
    output = outputs.get(how.command)
    try:
        rows = Reader.of(how, lambda: 0.0).rows(lines(output)) if output is not None else ()
    except Unreadable:
        return frozenset()
    return frozenset(name for row in rows for name in row)
