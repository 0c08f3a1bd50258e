"""`tenants:` of a target: which field of a channel names the tenant, and how."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from ami_exporter.config import scalars
from ami_exporter.config.patterns import repeats_repetition
from ami_exporter.config.scalar_types import PeopleName, Strict, Text, WithinError


def _tenant_pattern(value: object) -> str:
    compiled = scalars.pattern(value)
    if list(compiled.groupindex) != ["tenant"]:
        raise ValueError(f"found {scalars.found(value)}, expected one named group, (?P<tenant>…)")
    if repeats_repetition(compiled.pattern):
        raise ValueError(f"found {scalars.found(value)}, where a repeated group holds a repetition, expected none")
    return compiled.pattern


def _source(value: object) -> object:
    return value if value in ("Tenantid", "AccountCode") else scalars.wrong(value, "Tenantid or AccountCode")


class TenantsDoc(Strict):
    """Channels and calls by tenant."""

    source: Annotated[Literal["Tenantid", "AccountCode"], BeforeValidator(_source)] = Field(
        default="Tenantid",
        alias="from",
        description="the header of a channel: Tenantid (Asterisk 18.25, 20.10, 21.5, 22 on; default) or AccountCode",
    )
    map: dict[Text, PeopleName] = Field(default={}, description="value of the header → name of the tenant")
    pattern: Annotated[str | None, BeforeValidator(_tenant_pattern)] = Field(
        default=None, description="regular expression on the whole value; its group `tenant` is the name"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.map and self.pattern is not None:
            raise WithinError((), "found map and pattern, expected one of them at most")
        if self.source == "AccountCode" and not self.map and self.pattern is None:
            raise WithinError((), "found AccountCode alone, expected map or pattern too: account codes may be numbers")
        return self
