"""`custom:` as pydantic models: metrics of one's own, from list actions and from events.

The rules: gauges come from list actions and commands, counters and histograms from events; a metric's name is its own;
a label comes from an allow-list of fields or a column of a command, is closed by a map, or is declared unsafe.
`docs/custom-metrics.md` explains them to people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator
from pydantic import ValidationInfo as Info

from ami_exporter.config import scalars
from ami_exporter.config.commanddoc import Command, LinePattern, ReadDoc
from ami_exporter.config.databasedoc import DATABASE, Family, check_family
from ami_exporter.config.faults import either, suggest
from ami_exporter.config.labelfields import COLUMN_REFUSAL, REFUSAL, may_be_column, may_be_label
from ami_exporter.config.scalar_types import (
    AnyText,
    Buckets,
    FieldName,
    LabelName,
    Number,
    Strict,
    Switch,
    Text,
    WithinError,
    facts,
    integer,
    schema,
)

TYPES: Final = ("gauge", "counter", "histogram")
REDUCES: Final = ("sum", "max", "min", "last")
OUR_PREFIX: Final = "asterisk_custom_"
TAKEN_PREFIXES: Final = ("asterisk_", "ami_exporter_", "process_", "python_", "scrape_")
"""Names that this exporter, its client library and Prometheus itself give, now or later."""
TAKEN_SUFFIXES: Final = ("_total", "_bucket", "_sum", "_count", "_created")
"""What Prometheus appends; only a counter's own `_total` may be written."""
TAKEN_LABELS: Final = ("le", "quantile")


def _metric_name(value: object, info: Info) -> str:
    if not isinstance(value, str) or not re.fullmatch(scalars.METRIC_NAME, value):
        scalars.wrong(value, "a metric name of letters, digits and underscores that does not begin with a digit")
    if value in facts(info).metrics:
        raise ValueError(f"found the name of a built-in metric, expected a name that begins with {OUR_PREFIX}")
    if value == "up" or (value.startswith(TAKEN_PREFIXES) and not value.startswith(OUR_PREFIX)):
        raise ValueError(
            f"found a name whose prefix is kept for built-in metrics, expected a name that begins with {OUR_PREFIX}"
        )
    return value


def _custom_label(name: str) -> str:
    if name in TAKEN_LABELS:
        raise ValueError(f"found the label {name}, which Prometheus needs for itself, expected another name")
    return name


def _one_field(value: object, expected: str = "the name of a field or a mapping") -> object:
    if isinstance(value, str):
        return {"field": value}
    return value if isinstance(value, dict) else scalars.wrong(value, expected)


def _label(value: object) -> object:
    return _one_field(value)


def _value(value: object) -> object:
    return None if value == "count" else _one_field(value, "count, the name of a field or a mapping")


def _texts(value: object) -> object:
    if isinstance(value, str):
        return [value]
    return value if isinstance(value, list) and value else scalars.wrong(value, "text or a list of texts")


def _action(value: object, info: Info) -> str:
    known = facts(info).actions
    if not isinstance(value, str) or value not in known:
        near = suggest(value, known, most=3) if isinstance(value, str) else ""
        expected = "a read-only list action that may be sent, as docs/fields.md lists"
        raise ValueError(f"found {scalars.found(value)}, expected {expected}{near}")
    return value


def _event(value: object, info: Info) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z0-9_-]{1,80}", value):
        scalars.wrong(value, "the name of an event, as AMI writes it")
    if value.lower() in facts(info).unheard:
        raise ValueError(
            "found an event that is never asked for, expected one of another class than dtmf, agi and aoc: "
            "those carry PINs, what scripts say and what calls cost"
        )
    return value


def _type(value: object) -> str:
    return scalars.choice(value, TYPES)


def _reduce(value: object) -> str:
    return scalars.choice(value, REDUCES)


def _texts_unique_aside_case(value: dict[str, object]) -> dict[str, object]:
    folded: dict[str, str] = {}
    for key in value:
        if key.lower() in folded:
            raise WithinError(
                (key,),
                "found a text that is there already in another case, expected each text once: "
                "case does not matter here",
            )
        folded[key.lower()] = key
    return value


class LabelDoc(Strict):
    """A label taken from a field."""

    field: FieldName = Field(description="the field of the item, event or row")
    map: Annotated[dict[str, Text], AfterValidator(_texts_unique_aside_case)] | None = Field(
        default=None, description="field text (case aside) → label value; a text that is not listed leaves the item out"
    )
    other: Text | None = Field(default=None, description="label value for texts that the map does not list")
    max: Annotated[int, *integer(1, 10_000)] | None = Field(
        default=None, description="at most so many values; the rest is dropped and counted"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.other is not None and self.map is None:
            raise WithinError(("other",), "found other without map, expected both or neither")
        if self.max is not None and self.map is not None:
            raise WithinError(("max",), "found max with map, expected one of them: a map is bounded already")
        return self


class ValueDoc(Strict):
    """A number taken from a field."""

    field: FieldName = Field(description="the field of the item, event or row")
    scale: Number = Field(default=1.0, description="the number is multiplied by this, as in 0.001 for milliseconds")
    map: Annotated[dict[str, Number], AfterValidator(_texts_unique_aside_case)] | None = Field(
        default=None, description="field text (case aside) → number; a text that is not listed leaves the item out"
    )
    other: Number | None = Field(default=None, description="number for texts that the map does not list")
    minimum: Number | None = Field(
        default=None, description="a smaller number means that it is not known, as -1 often does: the item is left out"
    )
    reduce: (
        Annotated[Literal["sum", "max", "min", "last"], PlainValidator(_reduce), schema("string", enum=list(REDUCES))]
        | None
    ) = Field(default=None, description="how items with the same labels become one gauge (default: sum)")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.other is not None and self.map is None:
            raise WithinError(("other",), "found other without map, expected both or neither")
        if self.scale == 0:
            raise WithinError(("scale",), "found the number 0, expected another: it would make every value 0")
        return self


class MetricDoc(Strict):
    """A metric."""

    name: Annotated[str, PlainValidator(_metric_name), schema("string", pattern=f"^{scalars.METRIC_NAME}$")] = Field(
        description="begins with asterisk_custom_, or with a prefix of your own"
    )
    type: Annotated[
        Literal["gauge", "counter", "histogram"], PlainValidator(_type), schema("string", enum=list(TYPES))
    ] = Field(description="gauge: from a list action; counter, histogram: from events")
    help: Text = Field(description="one sentence for people")
    value: Annotated[ValueDoc | None, BeforeValidator(_value)] = Field(
        default=None, description="count (default), or the field to read"
    )
    labels: dict[Annotated[LabelName, AfterValidator(_custom_label)], Annotated[LabelDoc, BeforeValidator(_label)]] = (
        Field(default={}, description="label → field")
    )
    buckets: Buckets | None = Field(default=None, description="a histogram's upper bounds")

    @model_validator(mode="after")
    def _check(self) -> Self:
        suffix = next((suffix for suffix in TAKEN_SUFFIXES if self.name.endswith(suffix)), None)
        if self.type == "counter" and suffix != "_total":
            raise WithinError(("name",), "found a counter, expected a name that ends with _total")
        if self.type != "counter" and suffix is not None:
            raise WithinError(("name",), f"found a {self.type}, expected a name that does not end with {suffix}")
        if (self.type == "histogram") != (self.buckets is not None):
            if self.buckets is None:
                raise WithinError((), "found a histogram without buckets, expected buckets: a list of rising numbers")
            raise WithinError(("buckets",), f"found buckets of a {self.type}, expected them only with type histogram")
        if self.type == "histogram" and self.value is None:
            raise WithinError(("value",), "found a histogram of a count, expected value: the field to observe")
        if self.type != "gauge" and self.value is not None and self.value.reduce is not None:
            raise WithinError(("value", "reduce"), f"found reduce with a {self.type}, expected it only with type gauge")
        if self.type == "counter" and self.value is not None and self.value.scale < 0:
            raise WithinError(
                ("value", "scale"), "found a negative number, expected a positive one: a counter only rises"
            )
        return self


def _fields(entry: Mapping[str, object]) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """The places of an entry that name a field, as it is written, and what they say."""
    where, metrics = entry.get("where"), entry.get("metrics")
    for field in where if isinstance(where, dict) else ():
        yield ("where", field, "[key]"), field
    for index, metric in enumerate(metrics if isinstance(metrics, list) else ()):
        plain = metric if isinstance(metric, dict) else {}
        labels, value = plain.get("labels"), plain.get("value", "count")
        places = [(("labels", name), label) for name, label in labels.items()] if isinstance(labels, dict) else []
        for steps, written in [*places, (("value",), value)]:
            field = written.get("field") if isinstance(written, dict) else written
            if isinstance(field, str) and field != "count":
                yield ("metrics", index, *steps, "field"), field


class CustomDoc(Strict):
    """Metrics from one list action, one event or one console command."""

    action: Annotated[str, PlainValidator(_action), schema("string")] | None = Field(
        default=None, description="a read-only list action"
    )
    item: Text | None = Field(default=None, description="the Event name of its items, where it has several")
    family: Family | None = Field(
        default=None, description="with action: DBGetTree: the one family of Asterisk's database to read, as in DND"
    )
    event: Annotated[str, PlainValidator(_event), schema("string")] | None = Field(
        default=None, description="the event to count"
    )
    command: Command | None = Field(
        default=None, description="a console command that only shows something; needs command_user on the target"
    )
    read: ReadDoc | None = Field(default=None, description="how the command's output becomes rows")
    expect: Text | None = Field(
        default=None, description="a text that the command's output must hold, else the collector fails"
    )
    within: LinePattern | None = Field(
        default=None,
        description="a regular expression for section headings of the output; its named groups are fields of the rows "
        "below",
    )
    empty: Text | None = Field(default=None, description="a text of the command's output that means: none")
    where: dict[FieldName, Annotated[list[AnyText], BeforeValidator(_texts)]] = Field(
        default={}, description="field → the text, or list of texts, that it must have (case aside)"
    )
    unsafe_labels: Switch = Field(
        default=False, description="true: labels may be fields outside the allow-list, personal data included"
    )
    metrics: list[MetricDoc] = Field(description="what to make of them", min_length=1)

    @model_validator(mode="after")
    def _check(self, info: Info) -> Self:
        given = [name for name in ("action", "event", "command") if getattr(self, name) is not None]
        if len(given) != 1:
            found = f"found {' and '.join(given)}" if given else "found no action, event or command"
            raise WithinError(tuple(given[1:2]), f"{found}, expected exactly one of them")
        if self.item is not None and self.action is None:
            raise WithinError(
                ("item",), f"found item with {'an ' * (given[0] == 'event')}{given[0]}, expected it only with action"
            )
        items = facts(info).actions.get(self.action or "", ())
        if self.item is not None and items and self.item not in items:
            raise WithinError(
                ("item",), f"found {scalars.found(self.item)}, expected {either(items)}{suggest(self.item, items)}"
            )
        if self.action is not None and self.item is None and len(items) != 1:
            raise WithinError(
                (), f"found no item, expected item: {either(items) if items else 'the Event name of the items'}"
            )
        return self

    @model_validator(mode="after")
    def _check_database(self) -> Self:
        check_family(self.action, self.family, unsafe=self.unsafe_labels, metrics=self.metrics)
        return self

    @model_validator(mode="after")
    def _check_labels(self, info: Info) -> Self:
        if self.action == DATABASE:  # its fields have rules of their own
            return self
        items = facts(info).actions.get(self.action or "", ())
        item = self.item or self.event or (items[0] if len(items) == 1 else None)
        for index, metric in enumerate(self.metrics):
            for name, label in metric.labels.items():
                if label.map is not None or self.unsafe_labels:
                    continue
                if self.command is not None:
                    allowed, refusal = may_be_column(label.field), COLUMN_REFUSAL
                else:
                    allowed, refusal = may_be_label(item, label.field), REFUSAL
                if not allowed:
                    raise WithinError(("metrics", index, "labels", name, "field"), refusal)
        return self

    @model_validator(mode="after")
    def _check_command(self) -> Self:
        if self.command is not None:
            if self.read is None:
                raise WithinError((), "found a command without read, expected read: fields, match or table")
            return self
        for key in ("read", "expect", "within", "empty"):
            if getattr(self, key) is not None:
                raise WithinError((key,), f"found {key} without command, expected it only with command")
        return self

    @model_validator(mode="before")
    @classmethod
    def _check_fields(cls, data: object) -> object:
        """Refuse fields that no item or event can have: titles of a console's output may have blanks, headers not."""
        if isinstance(data, dict) and "command" not in data:
            for steps, field in _fields(data):
                try:
                    scalars.header(field)
                except ValueError as error:
                    raise WithinError(steps, str(error)) from None
        return data

    @model_validator(mode="after")
    def _check_types(self) -> Self:
        for index, metric in enumerate(self.metrics):
            if self.event is None and metric.type != "gauge":
                source = "list" if self.command is None else "command"
                raise WithinError(
                    ("metrics", index, "type"),
                    f"found a {metric.type} of a {source}{' action' * (source == 'list')}, expected gauge: "
                    f"a {source} says what is now, only events can be counted",
                )
            if self.event is not None and metric.type == "gauge":
                raise WithinError(
                    ("metrics", index, "type"),
                    "found a gauge of an event, expected counter or histogram: "
                    "an event says what happened, not what is now",
                )
        return self
