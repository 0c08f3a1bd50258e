"""The one schema: settings are frozen dataclasses whose annotations say what the file may hold.

    channel_limit: Annotated[int | None, whole(1, 1_000_000), "channels the provider allows"] = None

An annotation holds the kind of value, a description for people and editors, and the key in the file where it differs
from the field's name. A field without a default must be written. Reading, JSON Schema and `/config` follow from it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Final, get_origin, get_type_hints

from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.faults import Path as Steps
from ami_exporter.config.faults import either, suggest
from ami_exporter.config.kinds import KEY, WRONG, Position, Shape, ValueKind, unlike
from ami_exporter.config.scalars import found

REFERENCE: Final = "docs/ami-exporter.reference.yml"
FEW: Final = 6
"""Most keys that a message lists; for more it names the page."""
Problems = Iterator[tuple[Steps, str]]
"""Paths below a mapping, each with a message."""


def _nowhere(_settings: Any) -> None:
    """A key that the settings do not keep."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a mapping. `of`: gets its value from the settings. `field`: None if no field holds the value."""

    kind: ValueKind
    about: str
    of: Callable[[Any], object] = _nowhere
    field: str | None = None
    required: bool = False
    default: object = None


class Model:
    """A mapping of the file. A subclass overrides what its fields cannot say."""

    __slots__ = ()
    OTHER_WORDS: ClassVar[Mapping[str, str]] = {}
    """Keys of other programs, and their names here."""

    @classmethod
    def further_keys(cls) -> Mapping[str, Key]:
        """Keys of the file that no single field holds."""
        return {}

    @classmethod
    def wrong_as_written(cls, _plain: Mapping[str, object]) -> Problems:
        """Check the mapping as written; after a problem nothing else is checked."""
        return iter(())

    @classmethod
    def wrong_together(cls, _given: Mapping[str, Any], _catalogue: Catalogue) -> Problems:
        """Check values that are valid by themselves against each other."""
        return iter(())

    @classmethod
    def about_unknown(cls, _key: str, _value: object, _catalogue: Catalogue) -> str:
        """Say more about a key that does not exist."""
        return ""

    @classmethod
    def from_file(cls, given: Mapping[str, Any], _at: Position) -> Any:
        """Make the settings from checked values, by field, defaults included."""
        return cls(**in_fields(cls, given))

    @classmethod
    def exclusive(cls) -> tuple[str, ...]:
        """Return the keys that exclude each other."""
        return ()


def in_fields(model: type[Model], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that fields hold as they are."""
    return {key.field: given[key.field] for key in keys_of(model).values() if key.field is not None}


_KEYS: Final[dict[type[Model], Mapping[str, Key]]] = {}


def keys_of(model: type[Model]) -> Mapping[str, Key]:
    if model not in _KEYS:
        _KEYS[model] = _all_keys(model)
    return _KEYS[model]


def _all_keys(model: type[Model]) -> Mapping[str, Key]:
    hints = get_type_hints(model, include_extras=True)
    own: tuple[Field[Any], ...] = fields(model) if is_dataclass(model) else ()
    declared = (_declared(field, hints[field.name]) for field in own if get_origin(hints[field.name]) is Annotated)
    return {**model.further_keys(), **dict(declared)}


def _declared(field: Field[Any], hint: Any) -> tuple[str, Key]:
    kind, about, *name = hint.__metadata__
    default = field.default if field.default_factory is MISSING else field.default_factory()
    required = default is MISSING
    key = Key(kind, about, attrgetter(field.name), field.name, required, None if required else default)
    return (name[0] if name else field.name), key


@dataclass(frozen=True, slots=True)
class Keyed(ValueKind):
    """A mapping with the keys of a model. `template`: it is only checked, as `defaults:` are."""

    model: type[Model]
    form: str = ""
    template: bool = False

    def read(self, value: object, at: Position) -> Any:
        if not isinstance(value, dict):
            at.fault(f"found {found(value)}, expected a mapping{self.form}{unlike(value)}")
            return WRONG
        given = self._given(value, at)
        if given is None:
            return WRONG
        wrong = list(self.model.wrong_together(given, at.catalogue))
        for steps, message in wrong:
            at.fault(message, *steps)
        if wrong:
            return WRONG
        return None if self.template else self.model.from_file(given, at)

    def _given(self, value: dict[str, object], at: Position) -> dict[str, Any] | None:
        wrong = list(self.model.wrong_as_written(value))
        for steps, message in wrong:
            at.fault(message, *steps)
        if wrong:
            return None
        keys, right = keys_of(self.model), True
        for name in value.keys() - keys.keys():
            at.fault(unknown(self.model, name, value[name], at.catalogue), name, KEY)
            right = False
        given: dict[str, Any] = {}
        for name, key in keys.items():
            setting = key.default
            if name in value:
                setting = key.kind.read(value[name], at.at(name))
            elif key.required:
                at.fault(f"found no {name}, expected {name}: {key.about}")
                setting = WRONG
            right = right and setting is not WRONG
            given[key.field or name] = setting
        return given if right else None

    def shape(self, models: dict[str, Shape]) -> Shape:
        name = self.model.__name__
        if name not in models:
            models[name] = {}
            models[name] = self._shape(models)
        return {"$ref": f"#/$defs/{name}"}

    def _shape(self, models: dict[str, Shape]) -> Shape:
        keys = keys_of(self.model)
        shape: Shape = {
            "description": inspect.cleandoc(self.model.__doc__ or "").partition("\n\n")[0].replace("\n", " "),
            "type": "object",
            "additionalProperties": False,
            "properties": {name: {"description": key.about, **key.kind.shape(models)} for name, key in keys.items()},
        }
        if required := [name for name, key in keys.items() if key.required]:
            shape["required"] = required
        exclusive = self.model.exclusive()
        pairs = [[one, other] for index, one in enumerate(exclusive) for other in exclusive[index + 1 :]]
        if pairs:
            shape["allOf"] = [{"not": {"required": pair}} for pair in pairs]
        return shape

    def written(self, setting: Any) -> object:
        if setting is None:
            return None
        written = {name: key.kind.written(key.of(setting)) for name, key in keys_of(self.model).items()}
        return {name: value for name, value in written.items() if value is not None}

    def below(self, step: str | int) -> ValueKind | None:
        key = keys_of(self.model).get(str(step))
        return None if key is None else key.kind

    def shows(self, key: str) -> bool:
        return key in keys_of(self.model)


def unknown(model: type[Model], name: str, value: object, catalogue: Catalogue) -> str:
    """Say that a key does not exist, and which one may have been meant."""
    if more := model.about_unknown(name, value, catalogue):
        return f"found an unknown key{more}"
    keys = list(keys_of(model))
    other = model.OTHER_WORDS.get(name)
    near = f'; did you mean "{other}"?' if other in keys else suggest(name, keys)
    expected = f"one of those in {REFERENCE}{near}" if near or len(keys) > FEW else either(keys)
    return f"found an unknown key, expected {expected}"
