"""`tenants:` of a target: which field of a channel names the tenant, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from ami_exporter.config import scalars
from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.kinds import TEXT, MapOf, choice, scalar
from ami_exporter.config.model import Model, Problems
from ami_exporter.config.numbers import hidden_keys
from ami_exporter.config.patterns import repeats_repetition
from ami_exporter.config.scalars import found

PEOPLE_NAME: Final = scalar(scalars.name_for_people, "string", minLength=1)


def _pattern(value: object) -> str:
    compiled = scalars.pattern(value)
    if list(compiled.groupindex) != ["tenant"]:
        raise ValueError(f"found {found(value)}, expected one named group, (?P<tenant>…)")
    if repeats_repetition(compiled.pattern):
        raise ValueError(f"found {found(value)}, where a repeated group holds a repetition, expected none")
    return compiled.pattern


@dataclass(frozen=True, slots=True)
class TenantSettings(Model):
    """Channels and calls by tenant."""

    source: Annotated[
        Literal["Tenantid", "AccountCode"],
        choice("Tenantid", "AccountCode"),
        "the header of a channel: Tenantid (Asterisk 18.25, 20.10, 21.5, 22 on; default) or AccountCode",
        "from",
    ] = "Tenantid"
    map: Annotated[
        Mapping[str, str], MapOf(TEXT, PEOPLE_NAME, mask=hidden_keys), "value of the header → name of the tenant"
    ] = field(default_factory=dict)
    pattern: Annotated[
        str | None,
        scalar(_pattern, "string", minLength=1),
        "regular expression on the whole value; its group `tenant` is the name",
    ] = None

    @classmethod
    def wrong_together(cls, given: Mapping[str, Any], _catalogue: Catalogue) -> Problems:
        """Check that account codes, which may be people's numbers, have names."""
        if given["map"] and given["pattern"] is not None:
            yield (), "found map and pattern, expected one of them at most"
        elif given["source"] == "AccountCode" and not given["map"] and given["pattern"] is None:
            yield (), "found AccountCode alone, expected map or pattern too: account codes may be numbers"
