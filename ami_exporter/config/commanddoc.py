"""The part of `custom:` that reads a console command, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, PlainValidator, model_validator
from pydantic import ValidationInfo as Info

from ami_exporter.config import scalars
from ami_exporter.config.patterns import MAX_PATTERN, line_pattern
from ami_exporter.config.scalar_types import Strict, Text, WithinError, facts, schema

LinePattern = Annotated[
    str, PlainValidator(line_pattern), schema("string", format="regex", minLength=1, maxLength=MAX_PATTERN)
]


def _command(value: object, info: Info) -> str:
    written = scalars.text(value)
    if why := facts(info).refused_command(written):
        raise ValueError(f"found {scalars.found(value)}, which is never sent: {why}")
    return written


Command = Annotated[str, PlainValidator(_command), schema("string", minLength=1)]


class FieldsDoc(Strict):
    """`Key: value` lines."""

    begin: Text | None = Field(default=None, description="the key that a record begins with; left out: one record")


class TableDoc(Strict):
    """A table with a line of titles."""

    head: Text = Field(description="what the line of titles begins with")
    end: Text | None = Field(default=None, description="a text of the line after the last row")
    titles: list[Text] = Field(
        default=[], description="the titles from left to right, where one blank only stands between some of them"
    )


class ReadDoc(Strict):
    """How the output becomes rows: one of three."""

    fields: FieldsDoc | None = Field(default=None, description="Key: value lines")
    match: LinePattern | None = Field(
        default=None, description="a regular expression; each line it matches is a row of its named groups"
    )
    table: TableDoc | None = Field(default=None, description="a table with a line of titles")

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in ("fields", "match", "table") if getattr(self, name) is not None]
        if len(given) != 1:
            written = " and ".join(given) or "none"
            raise WithinError((), f"found {written}, expected exactly one of fields, match, table")
        return self
