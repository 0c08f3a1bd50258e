"""Kinds of values. Each checks a value of the file, describes itself to editors, and writes a setting for `/config`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ami_exporter.config import scalars
from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.faults import Path as Steps
from ami_exporter.config.numbers import hidden
from ami_exporter.config.scalars import found
from ami_exporter.config.secret import Secret

WRONG: Final = object()
"""What `read` returns after it has noted a fault."""
KEY: Final = "[key]"
"""Last step of a path that points to a key instead of its value."""

Shape = dict[str, Any]
"""JSON Schema."""


def as_it_is(value: Any) -> Any:
    return value


def unlike(value: object) -> str:
    """End the message "found text, expected a mapping" for settings written as in manager.conf."""
    return "; a setting is written `KEY: VALUE`" if isinstance(value, str) and re.search(r"\w\s*=", value) else ""


@dataclass(frozen=True, slots=True)
class Outside:
    """What was read from elsewhere: secrets by the path of their user, names by target.

    Relative paths start at `folder`.
    """

    folder: Path = Path()
    secrets: Mapping[Steps, Secret] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Position:
    """The position of a value, what it is checked against, and where its faults go."""

    steps: Steps
    catalogue: Catalogue
    note: Callable[[Steps, str], None]
    outside: Outside

    def at(self, *steps: str | int) -> Position:
        """Return a position below this one."""
        return Position((*self.steps, *steps), self.catalogue, self.note, self.outside)

    def fault(self, message: str, *below: str | int) -> None:
        """Note a fault here, or below."""
        self.note((*self.steps, *below), message)


class ValueKind:
    """One kind of value."""

    __slots__ = ()

    def read(self, value: object, at: Position) -> Any:
        """Return the setting, or WRONG after noting a fault."""
        raise NotImplementedError

    def shape(self, models: dict[str, Shape]) -> Shape:
        """Describe the value as JSON Schema; schemas of its mappings go into `models`."""
        raise NotImplementedError

    def written(self, setting: Any) -> object:
        """Return a setting as the file writes it; None leaves it out."""
        return setting

    def below(self, _step: str | int) -> ValueKind | None:
        """Return the kind of the value at a key or index."""
        return None

    def shows(self, _key: str) -> bool:
        """Whether a message may name a key of this value: a setting, or a name that is public anyway."""
        return False


@dataclass(frozen=True, slots=True)
class Scalar(ValueKind):
    """A single value. `check` raises ValueError."""

    check: Callable[[object, Catalogue], Any]
    form: Shape
    write: Callable[[Any], object] = as_it_is

    def read(self, value: object, at: Position) -> Any:
        try:
            return self.check(value, at.catalogue)
        except ValueError as error:
            at.fault(str(error))
            return WRONG

    def shape(self, _models: dict[str, Shape]) -> Shape:
        return dict(self.form)

    def written(self, setting: Any) -> object:
        return None if setting is None else self.write(setting)


def scalar(
    check: Callable[[object], Any], type_: str, write: Callable[[Any], object] = as_it_is, **form: Any
) -> Scalar:
    """Make a kind from a check of the value alone."""
    return Scalar(lambda value, _: check(value), {"type": type_, **form}, write)


def known(check: Callable[[object, Catalogue], Any], **form: Any) -> Scalar:
    """Make a kind of text that is checked against the catalogue."""
    return Scalar(check, {"type": "string", **form})


def whole(low: int, high: int) -> Scalar:
    """A whole number within bounds."""
    return scalar(lambda value: scalars.integer(value, low, high), "integer", minimum=low, maximum=high)


def choice(*words: str) -> Scalar:
    """One of a few words."""
    return scalar(lambda value: scalars.choice(value, words), "string", enum=list(words))


def seconds(check: Callable[[float], float] = float) -> Scalar:
    """A duration, written as 9s. `check` raises ValueError for one that is too short or too long."""
    return scalar(
        lambda value: check(scalars.duration(value)),
        "string",
        scalars.duration_text,
        pattern=f"^{scalars.DURATION}$",
        examples=["9s", "5m"],
    )


@dataclass(frozen=True, slots=True)
class ListOf(ValueKind):
    """A list; in the settings a tuple."""

    items: ValueKind
    least: int = 0
    most: int | None = None
    form: str = ""

    def read(self, value: object, at: Position) -> Any:
        if not isinstance(value, list):
            at.fault(f"found {found(value)}, expected a list{self.form}{unlike(value)}")
            return WRONG
        if len(value) < self.least:
            at.fault(f"found {found(value)}, expected at least one entry{self.form}")
            return WRONG
        if self.most is not None and len(value) > self.most:
            at.fault(f"found {len(value)} entries, expected at most {self.most}")
            return WRONG
        read = tuple(self.items.read(item, at.at(index)) for index, item in enumerate(value))
        return WRONG if any(item is WRONG for item in read) else read

    def shape(self, models: dict[str, Shape]) -> Shape:
        bounds = {"minItems": self.least or None, "maxItems": self.most}
        return {
            "type": "array",
            "items": self.items.shape(models),
            **{name: bound for name, bound in bounds.items() if bound is not None},
        }

    def written(self, setting: Any) -> object:
        """Leave out an empty list if it could not be read again."""
        return [self.items.written(item) for item in setting] if len(setting) >= self.least else None

    def below(self, _step: str | int) -> ValueKind | None:
        return self.items


@dataclass(frozen=True, slots=True)
class MapOf(ValueKind):
    """A mapping whose keys a person chooses. `public`: metrics and URLs show these names."""

    keys: Scalar
    values: ValueKind
    form: str = ""
    public: bool = False
    most: int | None = None
    mask: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    """Hides keys in what is written."""

    def read(self, value: object, at: Position) -> Any:
        if not isinstance(value, dict):
            at.fault(f"found {found(value)}, expected a mapping{self.form}{unlike(value)}")
            return WRONG
        if self.most is not None and len(value) > self.most:
            at.fault(f"found {len(value)} entries, expected at most {self.most}")
            return WRONG
        read: dict[str, Any] = {}
        right = True
        for key, inner in value.items():
            name, setting = self.keys.read(key, at.at(key, KEY)), self.values.read(inner, at.at(key))
            if name is not WRONG and name in read:
                message = "found a text that differs from an earlier one only in case, expected each text once"
                at.fault(f"{message}: case does not matter here", key)
                right = False
            right = right and name is not WRONG and setting is not WRONG
            read[name] = setting
        return self.gathered(read) if right else WRONG

    def gathered(self, read: dict[str, Any]) -> Any:
        """Make the setting from the entries."""
        return read

    def shape(self, models: dict[str, Shape]) -> Shape:
        pattern, values = self.keys.form.get("pattern"), self.values.shape(models)
        most = {} if self.most is None else {"maxProperties": self.most}
        names = (
            {"additionalProperties": values}
            if pattern is None
            else {"additionalProperties": False, "patternProperties": {pattern: values}}
        )
        return {"type": "object", **names, **most}

    def written(self, setting: Any) -> object:
        if setting is None:
            return None
        return self.mask({name: self.values.written(inner) for name, inner in setting.items()})

    def below(self, _step: str | int) -> ValueKind | None:
        return self.values

    def shows(self, key: str) -> bool:
        return self.public and re.fullmatch(scalars.TARGET_NAME, key) is not None


@dataclass(frozen=True, slots=True)
class Named(MapOf):
    """A mapping whose values have their key as `name`; in the settings a tuple."""

    def gathered(self, read: dict[str, Any]) -> Any:
        return tuple(read.values())

    def written(self, setting: Any) -> object:
        return {item.name: self.values.written(item) for item in setting}


@dataclass(frozen=True, slots=True)
class Short(ValueKind):
    """A kind that also has a short form.

    words: alternatives and the settings they mean. expand: makes the long form of another short form.
    """

    kind: ValueKind
    long: type
    expected: str
    short: Shape
    words: tuple[tuple[str | bool, object], ...] = ()
    expand: Callable[[object], object] = as_it_is

    def read(self, value: object, at: Position) -> Any:
        for word, meaning in self.words:
            if type(value) is type(word) and value == word:
                return meaning
        expanded = self.expand(value)
        if isinstance(expanded, self.long):
            return self.kind.read(expanded, at)
        try:
            scalars.wrong(value, self.expected)
        except ValueError as error:
            at.fault(str(error))
        return WRONG

    def shape(self, models: dict[str, Shape]) -> Shape:
        return {"anyOf": [self.short, self.kind.shape(models)]}

    def written(self, setting: Any) -> object:
        for word, meaning in self.words:
            if setting == meaning:
                return word
        return self.kind.written(setting)

    def below(self, step: str | int) -> ValueKind | None:
        return self.kind.below(step)

    def shows(self, key: str) -> bool:
        return self.kind.shows(key)


def kinds_along(root: ValueKind, steps: Steps) -> Iterator[ValueKind | None]:
    """Yield the kinds along a path, the root's first; None where the path leaves the schema."""
    kind: ValueKind | None = root
    yield kind
    for step in steps:
        kind = None if kind is None else kind.below(step)
        yield kind


def _compiled(value: object) -> re.Pattern[str]:
    return scalars.pattern(value)


TEXT: Final = scalar(scalars.text, "string", minLength=1)
ANY_TEXT: Final = scalar(scalars.any_text, "string")
FOLDED: Final = scalar(lambda value: scalars.any_text(value).lower(), "string", hidden)
"""A text whose case does not matter."""
SENDABLE: Final = scalar(scalars.sendable, "string", minLength=1, pattern="^[^\\r\\n\\0]*$")
SECRET: Final = scalar(scalars.secret, "string", minLength=1)
SWITCH: Final = scalar(scalars.switch, "boolean")
NUMBER: Final = scalar(scalars.number, "number")
DURATION: Final = seconds()
PATTERN: Final = scalar(_compiled, "string", lambda compiled: compiled.pattern, format="regex", minLength=1)
FIELD: Final = scalar(scalars.field_name, "string", pattern=r"^\S(.{0,98}\S)?$")
LABEL_NAME: Final = scalar(scalars.label_name, "string", pattern=f"^(?!__){scalars.LABEL_NAME}$")
TARGET_NAME: Final = scalar(scalars.target_name, "string", pattern=f"^{scalars.TARGET_NAME}$")
BUCKETS: Final = scalar(
    scalars.buckets,
    "array",
    lambda bounds: list(bounds) or None,
    items={"type": "number"},
    minItems=1,
    maxItems=scalars.MAX_BUCKETS,
)
