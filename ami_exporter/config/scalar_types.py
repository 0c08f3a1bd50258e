"""Building blocks of the document models: annotated scalar types, the strict base, faults that know where within."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, PlainValidator, WithJsonSchema
from pydantic import ValidationInfo as Info

from ami_exporter.config import scalars
from ami_exporter.config.catalogue import Catalogue


class WithinError(ValueError):
    """A fault at a place below the value that was checked."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        self.path = path
        super().__init__(message)


class Strict(BaseModel):
    """Base of all parts of the document: no coercion, no unknown keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True)


def facts(info: Info) -> Catalogue:
    """Give the catalogue that the loader passes as validation context."""
    return info.context if isinstance(info.context, Catalogue) else Catalogue()


def schema(kind: str, **more: Any) -> WithJsonSchema:
    """Say what editors are told of a scalar."""
    return WithJsonSchema({"type": kind, **more})


def integer(low: int, high: int) -> tuple[PlainValidator, WithJsonSchema]:
    """Declare a whole number within bounds."""
    return PlainValidator(partial(scalars.integer, low=low, high=high)), schema("integer", minimum=low, maximum=high)


Text = Annotated[str, PlainValidator(scalars.text), schema("string", minLength=1)]
AnyText = Annotated[str, PlainValidator(scalars.any_text), schema("string")]
Sendable = Annotated[str, PlainValidator(scalars.sendable), schema("string", minLength=1, pattern="^[^\\r\\n\\0]*$")]
Switch = Annotated[bool, PlainValidator(scalars.switch), schema("boolean")]
Number = Annotated[float, PlainValidator(scalars.number), schema("number")]
Duration = Annotated[
    float, PlainValidator(scalars.duration), schema("string", pattern=f"^{scalars.DURATION}$", examples=["9s", "5m"])
]
Pattern = Annotated[re.Pattern[str], PlainValidator(scalars.pattern), schema("string", format="regex", minLength=1)]
Header = Annotated[str, PlainValidator(scalars.header), schema("string", pattern=f"^{scalars.HEADER}$")]
FieldName = Annotated[str, PlainValidator(scalars.field_name), schema("string", pattern=r"^\S(.{0,98}\S)?$")]
LabelName = Annotated[
    str, PlainValidator(scalars.label_name), schema("string", pattern=f"^(?!__){scalars.LABEL_NAME}$")
]
TargetName = Annotated[str, PlainValidator(scalars.target_name), schema("string", pattern=f"^{scalars.TARGET_NAME}$")]
ClassName = Annotated[str, PlainValidator(scalars.class_name), schema("string", pattern=f"^{scalars.CLASS_NAME}$")]
Dialled = Annotated[str, PlainValidator(scalars.dialled), schema("string", pattern=f"^{scalars.DIALLED}$")]
PeopleName = Annotated[str, PlainValidator(scalars.name_for_people), schema("string", minLength=1)]
Buckets = Annotated[
    tuple[float, ...],
    PlainValidator(scalars.buckets),
    schema("array", items={"type": "number"}, minItems=1, maxItems=scalars.MAX_BUCKETS),
]


Address = Annotated[tuple[str, int | None], PlainValidator(scalars.address), schema("string", minLength=1)]
Match = Annotated[str, PlainValidator(scalars.trunk_match), schema("string", pattern="^[A-Za-z0-9_]+/.+$")]
SecretText = Annotated[str, PlainValidator(scalars.secret), schema("string", minLength=1)]
Enabled = Annotated[
    Literal["auto"] | bool, PlainValidator(scalars.enabled), WithJsonSchema({"enum": ["auto", True, False]})
]
