"""The rules of `custom:` entries that involve more than the form of one value.

Gauges come from list actions and commands, counters and histograms from events; a label comes from an allow-list of
fields or a column of a command, is closed by a map, or is declared unsafe. `docs/custom-metrics.md` explains it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ami_exporter.config import scalars
from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.faults import either, suggest
from ami_exporter.config.kinds import KEY
from ami_exporter.config.labelfields import COLUMN_REFUSAL, may_be_column, may_be_label, refusal
from ami_exporter.config.model import Problems
from ami_exporter.config.scalars import found

DATABASE: Final = "DBGetTree"
OUR_PREFIX: Final = "asterisk_custom_"
TAKEN_PREFIXES: Final = ("asterisk_", "ami_exporter_", "process_", "python_", "scrape_")
"""Prefixes that this exporter, its client library and Prometheus reserve."""
TAKEN_SUFFIXES: Final = ("_total", "_bucket", "_sum", "_count", "_created")
"""Suffixes that Prometheus appends; only a counter may end with `_total`."""
TAKEN_LABELS: Final = ("le", "quantile")
WHOLE_DATABASE: Final = (
    f"found {DATABASE} without family, expected family: the name of one: without it Asterisk dumps its whole database,"
    " passwords included"
)
DATABASE_VALUE: Final = (
    "found a value of the database as it stands, expected count or a map: values hold numbers and secrets"
)
DATABASE_LABEL: Final = (
    "found a field of the database that may hold a number or a secret, expected Family, or a map that names the few"
    " texts you want to tell apart"
)
GAUGE_OF_EVENT: Final = (
    "found a gauge of an event, expected counter or histogram: an event says what happened, not what is now"
)
OF_COMMAND: Final = ("read", "expect", "within", "empty")

Given = Mapping[str, Any]


def metric_name(value: object, catalogue: Catalogue) -> str:
    """Check the name of a metric, which must not be taken or reserved."""
    if not isinstance(value, str) or not re.fullmatch(scalars.METRIC_NAME, value):
        scalars.wrong(value, "a metric name of letters, digits and underscores that does not begin with a digit")
    if value in catalogue.metrics:
        raise ValueError(f"found the name of a built-in metric, expected a name that begins with {OUR_PREFIX}")
    if value == "up" or (value.startswith(TAKEN_PREFIXES) and not value.startswith(OUR_PREFIX)):
        raise ValueError(
            f"found a name whose prefix is reserved for built-in metrics, expected a name that begins with {OUR_PREFIX}"
        )
    return value


def label(value: object) -> str:
    name = scalars.label_name(value)
    if name in TAKEN_LABELS:
        raise ValueError(f"found the label {name}, which Prometheus needs for itself, expected another name")
    return name


def action(value: object, catalogue: Catalogue) -> str:
    """Check an action, which must be a list action of the table."""
    known = catalogue.actions
    if not isinstance(value, str) or value not in known:
        near = suggest(value, known, most=3) if isinstance(value, str) else ""
        expected = "a read-only list action that may be sent, as docs/fields.md lists"
        raise ValueError(f"found {found(value)}, expected {expected}{near}")
    return value


def event(value: object, catalogue: Catalogue) -> str:
    """Check the name of an event, which must belong to a class that is requested."""
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z0-9_-]{1,80}", value):
        scalars.wrong(value, "the name of an event, as AMI writes it")
    if value.lower() in catalogue.unheard:
        raise ValueError(
            "found an event that is never requested, expected one of a class other than dtmf, agi and aoc: "
            "those carry PINs, what scripts say and what calls cost"
        )
    return value


def command(value: object, catalogue: Catalogue) -> str:
    """Check a console command, which must only show something."""
    written = scalars.text(value)
    if why := catalogue.refused_command(written):
        raise ValueError(f"found {found(value)}, which is never sent: {why}")
    return written


def of_label(given: Given) -> Problems:
    if given["other"] is not None and given["values"] is None:
        yield ("other",), "found other without map, expected both or neither"
    if given["limit"] is not None and given["values"] is not None:
        yield ("max",), "found max with map, expected one of them: a map is bounded already"


def of_value(given: Given) -> Problems:
    if given["other"] is not None and given["values"] is None:
        yield ("other",), "found other without map, expected both or neither"
    if given["scale"] == 0:
        yield ("scale",), "found the number 0, expected another: it would make every value 0"


def of_metric(given: Given) -> Problems:
    type_, value = given["type"], given["value"]
    suffix = next((suffix for suffix in TAKEN_SUFFIXES if given["name"].endswith(suffix)), None)
    if type_ == "counter" and suffix != "_total":
        yield ("name",), "found a counter, expected a name that ends with _total"
    if type_ != "counter" and suffix is not None:
        yield ("name",), f"found a {type_}, expected a name that does not end with {suffix}"
    if type_ == "histogram" and not given["buckets"]:
        yield (), "found a histogram without buckets, expected buckets: a list of rising numbers"
    if type_ != "histogram" and given["buckets"]:
        yield ("buckets",), f"found buckets of a {type_}, expected them only with type histogram"
    if type_ == "histogram" and value is None:
        yield ("value",), "found a histogram of a count, expected value: the field to observe"
    if type_ != "gauge" and value is not None and value.reduce is not None:
        yield ("value", "reduce"), f"found reduce with a {type_}, expected it only with type gauge"
    if type_ == "counter" and value is not None and value.scale < 0:
        yield ("value", "scale"), "found a negative number, expected a positive one: a counter only rises"


def of_entry(given: Given, catalogue: Catalogue) -> Problems:
    """Check the source of an entry, and what its metrics take from it."""
    wrong = list(_source(given, catalogue))
    if not wrong:
        checks = (_database(given), _labels(given, catalogue), _of_command(given), _types(given))
        wrong = [problem for check in checks for problem in check]
    yield from wrong


def _source(given: Given, catalogue: Catalogue) -> Problems:
    sources = [name for name in ("action", "event", "command") if given[name] is not None]
    if len(sources) != 1:
        said = f"found {' and '.join(sources)}" if sources else "found no action, event or command"
        yield tuple(sources[1:2]), f"{said}, expected exactly one of them"
        return
    item, items = given["item"], catalogue.actions.get(given["action"] or "", ())
    if item is not None and given["action"] is None:
        yield ("item",), f"found item with {'an ' * (sources[0] == 'event')}{sources[0]}, expected it only with action"
    elif item is not None and items and item not in items:
        yield ("item",), f"found {found(item)}, expected {either(items)}{suggest(item, items)}"
    elif given["action"] is not None and item is None and len(items) != 1:
        yield (), f"found no item, expected item: {either(items) if items else 'the Event name of the items'}"


def _database(given: Given) -> Problems:
    """Allow one named family of Asterisk's database, and only counts and mapped values of it."""
    if given["action"] != DATABASE:
        if given["family"] is not None:
            yield ("family",), f"found family without action: {DATABASE}, expected it only there"
        return
    if given["family"] is None:
        yield (), WHOLE_DATABASE
    if given["unsafe_labels"]:
        yield ("unsafe_labels",), "found unsafe_labels on the database, expected a map for each label"
    for index, metric in enumerate(given["metrics"]):
        if metric.value is not None and metric.value.values is None:
            yield ("metrics", index, "value"), DATABASE_VALUE
        for one in metric.labels:
            if one.values is None and one.field != "family":
                yield ("metrics", index, "labels", one.name, "field"), DATABASE_LABEL


def _labels(given: Given, catalogue: Catalogue) -> Problems:
    if given["action"] == DATABASE or given["unsafe_labels"]:
        return
    items = catalogue.actions.get(given["action"] or "", ())
    item = given["item"] or given["event"] or (items[0] if len(items) == 1 else None)
    of_command = given["command"] is not None
    for index, metric in enumerate(given["metrics"]):
        for one in metric.labels:
            allowed = may_be_column(one.field) if of_command else may_be_label(item, one.field)
            if one.values is None and not allowed:
                yield (
                    ("metrics", index, "labels", one.name, "field"),
                    COLUMN_REFUSAL if of_command else refusal(one.field),
                )


def _of_command(given: Given) -> Problems:
    if given["command"] is None:
        for key in OF_COMMAND:
            if given[key] is not None:
                yield (key,), f"found {key} without command, expected it only with command"
    elif given["read"] is None:
        yield (), "found a command without read, expected read: fields, match or table"


def _types(given: Given) -> Problems:
    for index, metric in enumerate(given["metrics"]):
        where = ("metrics", index, "type")
        if given["event"] is None and metric.type != "gauge":
            source = "list" if given["command"] is None else "command"
            said = f"found a {metric.type} of a {source}{' action' * (source == 'list')}, expected gauge"
            yield where, f"{said}: a {source} says what is now, only events can be counted"
        if given["event"] is not None and metric.type == "gauge":
            yield where, GAUGE_OF_EVENT


def impossible_fields(plain: Mapping[str, object]) -> Problems:
    """Refuse names that no header can have; only titles of a console's output may contain spaces."""
    if "command" in plain:
        return
    for steps, field in _fields(plain):
        try:
            scalars.header(field)
        except ValueError as error:
            yield steps, str(error)


def _fields(entry: Mapping[str, object]) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """Yield the places of an entry that name a field, with the name as written."""
    where, metrics = entry.get("where"), entry.get("metrics")
    for field in where if isinstance(where, dict) else ():
        yield ("where", field, KEY), field
    for index, metric in enumerate(metrics if isinstance(metrics, list) else ()):
        plain = metric if isinstance(metric, dict) else {}
        labels, value = plain.get("labels"), plain.get("value", "count")
        places = [(("labels", name), label) for name, label in labels.items()] if isinstance(labels, dict) else []
        for steps, written in [*places, (("value",), value)]:
            field = written.get("field") if isinstance(written, dict) else written
            if isinstance(field, str) and field != "count":
                yield ("metrics", index, *steps, "field"), field
