"""`custom:`: the user's own metrics of list actions, events and console commands. `custom_rules.py` checks them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, Literal

from ami_exporter.config import custom_rules as rules
from ami_exporter.config import scalars
from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.kinds import (
    BUCKETS,
    FIELD,
    FOLDED,
    NUMBER,
    SWITCH,
    TEXT,
    ListOf,
    MapOf,
    Named,
    Position,
    Short,
    choice,
    known,
    scalar,
    whole,
)
from ami_exporter.config.labelfields import is_checked
from ami_exporter.config.model import Key, Keyed, Model, Problems, in_fields, keys_of
from ami_exporter.config.numbers import hidden_keys
from ami_exporter.config.patterns import MAX_PATTERN, line_pattern

_PART: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"
FAMILY: Final = rf"{_PART}(/{_PART}){{0,3}}"
LINE_PATTERN: Final = scalar(line_pattern, "string", format="regex", minLength=1, maxLength=MAX_PATTERN)

MetricType = Literal["gauge", "counter", "histogram"]
Reduce = Literal["sum", "max", "min", "last"]


def _family(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(FAMILY, value):
        scalars.wrong(value, "the name of one family of the database, such as DND or SIP/Registry, without wildcards")
    return value


def _one_field(value: object) -> object:
    return {"field": value} if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class CustomLabel(Model):
    """A label taken from a field.

    `values`: field text (lower case) → label value, None for an open label. `checked`: a text that looks like a number
    or an address becomes `other`.
    """

    name: str
    field: Annotated[str, FIELD, "the field of the item, event or row"]
    values: Annotated[
        Mapping[str, str] | None,
        MapOf(FOLDED, TEXT, mask=hidden_keys),
        "field text (ignoring case) → label value; a text that is not listed leaves the item out",
        "map",
    ] = None
    other: Annotated[str | None, TEXT, "label value for texts that the map does not list"] = None
    limit: Annotated[int | None, whole(1, 10_000), "at most so many values; the rest is dropped and counted", "max"] = (
        None
    )
    checked: bool = False

    @classmethod
    def wrong_together(cls, given: Mapping[str, Any], _catalogue: Catalogue) -> Problems:
        return rules.of_label(given)

    @classmethod
    def from_file(cls, given: Mapping[str, Any], at: Position) -> CustomLabel:
        return cls(str(at.steps[-1]), **given)


@dataclass(frozen=True, slots=True)
class CustomValue(Model):
    """A number taken from a field."""

    field: Annotated[str, FIELD, "the field of the item, event or row"]
    scale: Annotated[float, NUMBER, "the number is multiplied by this, as in 0.001 for milliseconds"] = 1.0
    values: Annotated[
        Mapping[str, float] | None,
        MapOf(FOLDED, NUMBER, mask=hidden_keys),
        "field text (ignoring case) → number; a text that is not listed leaves the item out",
        "map",
    ] = None
    other: Annotated[float | None, NUMBER, "number for texts that the map does not list"] = None
    reduce: Annotated[
        Reduce | None,
        choice("sum", "max", "min", "last"),
        "how items with the same labels become one gauge (default: sum)",
    ] = None
    minimum: Annotated[
        float | None,
        NUMBER,
        "a smaller number means that it is not known, as -1 often does: the item is left out",
    ] = None

    @classmethod
    def wrong_together(cls, given: Mapping[str, Any], _catalogue: Catalogue) -> Problems:
        return rules.of_value(given)


VALUE: Final = Short(
    Keyed(CustomValue),
    dict,
    "count, the name of a field or a mapping",
    {"type": "string"},
    words=(("count", None),),
    expand=_one_field,
)
LABELS: Final = Named(
    scalar(rules.label, "string", pattern=f"^(?!__){scalars.LABEL_NAME}$"),
    Short(Keyed(CustomLabel), dict, "the name of a field or a mapping", {"type": "string"}, expand=_one_field),
    ", such as `labels: {queue: Queue}`",
    public=True,
)


@dataclass(frozen=True, slots=True)
class CustomMetric(Model):
    """A metric."""

    name: Annotated[
        str,
        known(rules.metric_name, pattern=f"^{scalars.METRIC_NAME}$"),
        "begins with asterisk_custom_, or with a prefix of your own",
    ]
    type: Annotated[
        MetricType,
        choice("gauge", "counter", "histogram"),
        "gauge: from a list action; counter, histogram: from events",
    ]
    help: Annotated[str, TEXT, "one sentence for people"]
    value: Annotated[CustomValue | None, VALUE, "count (default), or the field to read"] = None
    labels: Annotated[tuple[CustomLabel, ...], LABELS, "label → field"] = ()
    buckets: Annotated[tuple[float, ...], BUCKETS, "a histogram's upper bounds"] = ()

    @classmethod
    def wrong_together(cls, given: Mapping[str, Any], _catalogue: Catalogue) -> Problems:
        return rules.of_metric(given)


@dataclass(frozen=True, slots=True)
class FieldsRead(Model):
    """`Key: value` lines."""

    begin: Annotated[str | None, TEXT, "the key that a record begins with; left out: one record"] = None


@dataclass(frozen=True, slots=True)
class MatchRead:
    """A regular expression with named groups; each line that it matches is a row."""

    pattern: str


@dataclass(frozen=True, slots=True)
class TableRead(Model):
    """A table with a line of titles."""

    head: Annotated[str, TEXT, "what the line of titles begins with"]
    end: Annotated[str | None, TEXT, "a text of the line after the last row"] = None
    titles: Annotated[
        tuple[str, ...],
        ListOf(TEXT),
        "the titles from left to right, where only one space stands between some of them",
    ] = ()


Read = FieldsRead | MatchRead | TableRead


def _if(kind: type[Read]) -> Any:
    return lambda read: read if isinstance(read, kind) else None


class CommandRead(Model):
    """How the output becomes rows: one of three."""

    @classmethod
    def further_keys(cls) -> Mapping[str, Key]:
        pattern = "a regular expression; each line it matches is a row of its named groups"
        return {
            "fields": Key(Keyed(FieldsRead), "Key: value lines", _if(FieldsRead)),
            "match": Key(LINE_PATTERN, pattern, lambda read: read.pattern if isinstance(read, MatchRead) else None),
            "table": Key(Keyed(TableRead), "a table with a line of titles", _if(TableRead)),
        }

    @classmethod
    def wrong_together(cls, given: Mapping[str, Any], _catalogue: Catalogue) -> Problems:
        written = [name for name, read in given.items() if read is not None]
        if len(written) != 1:
            said = " and ".join(written) or "none"
            yield (), f"found {said}, expected exactly one of fields, match, table"

    @classmethod
    def from_file(cls, given: Mapping[str, Any], _at: Position) -> Read:
        if given["match"] is not None:
            return MatchRead(given["match"])
        read: FieldsRead | TableRead = given["fields"] or given["table"]
        return read


@dataclass(frozen=True, slots=True)
class CommandSettings(Model):
    """A console command and how its output becomes rows. The file has its keys in the entry."""

    command: Annotated[
        str,
        known(rules.command, minLength=1),
        "a console command that only shows something; needs command_user on the target",
    ]
    read: Annotated[
        Read,
        Keyed(CommandRead, ", such as `read: {match: '…'}`, or fields, or table"),
        "how the command's output becomes rows",
    ]
    expect: Annotated[str | None, TEXT, "a text that the command's output must hold, else the collector fails"] = None
    empty: Annotated[str | None, TEXT, "a text of the command's output that means: none"] = None
    within: Annotated[
        str | None,
        LINE_PATTERN,
        "a regular expression for section headings of the output; its named groups are fields of the rows below",
    ] = None


WHERE: Final = MapOf(
    FIELD,
    Short(
        ListOf(FOLDED, least=1),
        list,
        "text or a list of texts",
        {"type": "string"},
        expand=lambda value: [value] if isinstance(value, str) else value or None,
    ),
    ", such as `where: {Status: Registered}`",
)
_METRIC: Final = "`{name: asterisk_custom_x, type: gauge, help: …}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomMetricsSettings(Model):
    """Metrics from one list action, one event or one console command."""

    action: Annotated[str | None, known(rules.action), "a read-only list action"] = None
    item: Annotated[str | None, TEXT, "the Event name of its items, where it has several"] = None
    event: Annotated[str | None, known(rules.event), "the event to count"] = None
    where: Annotated[
        Mapping[str, tuple[str, ...]],
        WHERE,
        "field → the text, or list of texts, that it must have (ignoring case)",
    ] = field(default_factory=dict)
    metrics: Annotated[
        tuple[CustomMetric, ...],
        ListOf(Keyed(CustomMetric, f", such as {_METRIC}"), 1, form=f", a dash before each metric: `- {_METRIC[1:]}"),
        "what to make of them",
    ]
    unsafe_labels: Annotated[
        bool, SWITCH, "true: labels may be fields outside the allow-list, personal data included"
    ] = False
    command: CommandSettings | None = None
    family: Annotated[
        str | None,
        scalar(_family, "string", pattern=f"^{FAMILY}$"),
        "with action: DBGetTree: the one family of Asterisk's database to read, as in DND",
    ] = None

    @classmethod
    def further_keys(cls) -> Mapping[str, Key]:
        return {name: _of_command(key) for name, key in keys_of(CommandSettings).items()}

    @classmethod
    def wrong_as_written(cls, plain: Mapping[str, object]) -> Problems:
        return rules.impossible_fields(plain)

    @classmethod
    def wrong_together(cls, given: Mapping[str, Any], catalogue: Catalogue) -> Problems:
        return rules.of_entry(given, catalogue)

    @classmethod
    def from_file(cls, given: Mapping[str, Any], _at: Position) -> CustomMetricsSettings:
        fields = in_fields(cls, given)
        command = None if given["command"] is None else CommandSettings(**in_fields(CommandSettings, given))
        entry = cls(**fields, command=command)
        return replace(entry, metrics=tuple(_with_labels(metric, entry) for metric in entry.metrics))


def _of_command(key: Key) -> Key:
    return replace(
        key, required=False, default=None, field=None, of=lambda entry: entry.command and key.of(entry.command)
    )


def _with_labels(metric: CustomMetric, entry: CustomMetricsSettings) -> CustomMetric:
    return replace(metric, labels=tuple(_label(label, entry) for label in metric.labels))


def _label(label: CustomLabel, entry: CustomMetricsSettings) -> CustomLabel:
    if label.values is not None:
        return label
    if entry.family is not None:  # the label `family` has one value
        return replace(label, values={entry.family.lower(): entry.family})
    of_command = entry.command is not None
    checked = not entry.unsafe_labels and is_checked(entry.event, label.field, of_command=of_command)
    return replace(label, checked=checked)
