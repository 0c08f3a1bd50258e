"""`custom:` on Asterisk's database: one named family, and nothing of it but counts and what a map names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Protocol

from pydantic import PlainValidator

from ami_exporter.config import scalars
from ami_exporter.config.scalar_types import WithinError, schema

DATABASE: Final = "DBGetTree"
_PART: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"
FAMILY: Final = rf"{_PART}(/{_PART}){{0,3}}"


def _family(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(FAMILY, value):
        scalars.wrong(value, "the name of one family of the database, such as DND or SIP/Registry, without wildcards")
    return value


Family = Annotated[str, PlainValidator(_family), schema("string", pattern=f"^{FAMILY}$")]


class FieldOf(Protocol):
    """A label or a value taken from a field."""

    @property
    def field(self) -> str:
        """The field, in lower case."""

    @property
    def map(self) -> Mapping[str, object] | None:
        """Field text → what becomes of it."""


class MetricOf(Protocol):
    """A metric with its value and labels."""

    @property
    def value(self) -> FieldOf | None:
        """Where its value comes from; None: it counts."""

    @property
    def labels(self) -> Mapping[str, FieldOf]:
        """Label → where it comes from."""


def check_family(action: str | None, family: str | None, *, unsafe: bool, metrics: Sequence[MetricOf]) -> None:
    """Raise WithinError for a database without family, a family without database, and fields without a map."""
    if action != DATABASE:
        if family is not None:
            raise WithinError(("family",), f"found family without action: {DATABASE}, expected it only there")
        return
    if family is None:
        raise WithinError(
            (),
            f"found {DATABASE} without family, expected family: the name of one: without it Asterisk dumps its whole"
            " database, passwords included",
        )
    if unsafe:
        raise WithinError(("unsafe_labels",), "found unsafe_labels on the database, expected a map for each label")
    for index, metric in enumerate(metrics):
        if metric.value is not None and metric.value.map is None:
            raise WithinError(
                ("metrics", index, "value"),
                "found a value of the database as it stands, expected count or a map: values hold numbers and secrets",
            )
        for name, label in metric.labels.items():
            if label.map is None and label.field != "family":
                raise WithinError(
                    ("metrics", index, "labels", name, "field"),
                    "found a field of the database that may hold a number or a secret, expected Family, or a map that"
                    " names the few texts you want to tell apart",
                )
