"""The YAML document as pydantic models: what each key may hold. Strict, and nothing unknown.

A target is checked after `defaults` were merged into it; `external.py` checks which keys a target cannot do
without, so here every key has a default. Nulls never come this far: None means "not written". Descriptions go into
the JSON Schema that editors show.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic import ValidationInfo as Info

from ami_exporter.config import scalars
from ami_exporter.config.canarydoc import CanaryDoc
from ami_exporter.config.customdoc import CustomDoc
from ami_exporter.config.faults import suggest
from ami_exporter.config.scalar_types import (
    Address,
    AnyText,
    Buckets,
    ClassName,
    Dialled,
    Duration,
    Enabled,
    LabelName,
    Match,
    Pattern,
    PeopleName,
    SecretText,
    Sendable,
    Strict,
    Switch,
    TargetName,
    Text,
    WithinError,
    facts,
    integer,
)
from ami_exporter.config.target_settings import QUEUE_WAIT_BUCKETS, SERIES_PER_METRIC, TIMEOUT
from ami_exporter.config.tenantsdoc import TenantsDoc
from ami_exporter.config.userdoc import AmiUserDoc

NAME_KINDS = ("queue",)
"""Kinds of things that can be given names for people."""


class TlsDoc(Strict):
    """AMI over TLS."""

    ca_file: Text | None = Field(
        default=None, description="PEM file of the authority behind the PBX's certificate (else: the system's)"
    )
    server_name: Sendable | None = Field(
        default=None, description="name in the certificate, where it is not the address"
    )
    verify: Switch = Field(
        default=True, description="false: accept any certificate, so anyone between can read the secret (default true)"
    )


class CollectorDoc(Strict):
    """One collector."""

    enabled: Enabled | None = Field(
        default=None,
        description="auto (default): silent about what the server lacks; true: that is a fault; false: off",
    )
    min_interval: Duration | None = Field(
        default=None, description="poll at most so often; between, serve the last answer"
    )
    source: Text | None = Field(default=None, description="the action to poll, where there is a choice")
    include: Pattern | None = Field(
        default=None, description="regular expression on whole names: only these get own series"
    )
    exclude: Pattern | None = Field(
        default=None, description="regular expression on whole names: these get none; beats include"
    )


class TrunkDoc(Strict):
    """One trunk."""

    name: Sendable = Field(description="value of the label trunk")
    match: Match = Field(description="TECH/endpoint of its channels; the endpoint may be a glob")
    registration: Sendable | None = Field(
        default=None, description="its outbound registration, whose state says whether it is up"
    )
    channel_limit: Annotated[int, *integer(1, 1_000_000)] | None = Field(
        default=None, description="channels the provider allows"
    )


class LimitsDoc(Strict):
    """Bounds that protect Prometheus."""

    series_per_metric: Annotated[int, *integer(1, 1_000_000)] = Field(
        default=SERIES_PER_METRIC,
        description="label sets of one metric on one target (default 1000); the rest is counted as dropped",
    )


def _collector_name(name: str, info: Info) -> str:
    known = facts(info).collectors
    if name not in known:
        names = ", ".join(sorted(known))
        raise ValueError(f"found an unknown collector, expected one of: {names}{suggest(name, known)}")
    return name


def _name_kind(kind: str) -> str:
    return scalars.choice(kind, NAME_KINDS)


def _tls(value: object) -> object:
    if isinstance(value, bool):
        return {} if value else None
    return value if isinstance(value, dict) else scalars.wrong(value, "true, false or a mapping")


def _trunks(value: object) -> object:
    if value == "auto":
        return None
    return value if isinstance(value, list) else scalars.wrong(value, "auto or a list of trunks")


Collectors = dict[Annotated[str, AfterValidator(_collector_name)], CollectorDoc]
Labels = dict[LabelName, AnyText]
Names = dict[Annotated[str, AfterValidator(_name_kind)], dict[str, Text]]


class TargetDoc(Strict):
    """One PBX."""

    address: Address | None = Field(
        default=None, description="HOST[:PORT] of the PBX's manager interface; port 5038, with tls 5039"
    )
    username: Sendable | None = Field(default=None, description="the AMI user, as in manager.conf")
    secret: SecretText | None = Field(default=None, description="its secret; better: secret_file or secret_env")
    secret_file: Text | None = Field(default=None, description="file that holds nothing but the secret")
    secret_env: Text | None = Field(default=None, description="environment variable that holds the secret")
    md5: Switch | None = Field(
        default=None, description="MD5 challenge instead of the plain secret (default: where there is no TLS)"
    )
    tls: Annotated[TlsDoc | None, BeforeValidator(_tls)] = Field(
        default=None, description="AMI over TLS; true: with the defaults"
    )
    timeout: Duration = Field(
        default=TIMEOUT, description="longest poll (default 9s); a scrape's own timeout shortens it"
    )
    labels: Labels = Field(default={}, description="labels of this target in /sd")
    collectors: Collectors = Field(default={}, description="settings by collector")
    events: Switch = Field(default=True, description="false: no event connection, no counters of events (default true)")
    trunks: Annotated[list[TrunkDoc] | None, BeforeValidator(_trunks)] = Field(
        default=None, description="auto (default), or the list of trunks"
    )
    names: Names = Field(default={}, description="names for people, by kind and id")
    names_file: Text | None = Field(default=None, description="CSV file of id,name: names of queues")
    limits: LimitsDoc = Field(default=LimitsDoc(), description="bounds")
    queue_wait_buckets: Buckets = Field(
        default=QUEUE_WAIT_BUCKETS, description="bounds of asterisk_queue_wait_seconds, seconds"
    )
    command_user: AmiUserDoc | None = Field(
        default=None, description="the AMI user that runs console commands, with write=command and nothing else"
    )
    canaries: dict[TargetName, CanaryDoc] = Field(
        default={}, description="calls made again and again, to see whether a trunk carries them"
    )
    destinations: Annotated[
        dict[ClassName, Annotated[list[Dialled], Field(min_length=1, max_length=1000)]], Field(max_length=20)
    ] = Field(
        default={},
        description="classes of outbound destinations: prefixes, the longest wins; of emergency, whole numbers",
    )
    dids: dict[Dialled, PeopleName] = Field(
        default={}, description="inbound numbers as the provider sends them, and the names they are counted by"
    )

    tenants: TenantsDoc | None = Field(default=None, description="channels and calls by tenant")

    @model_validator(mode="after")
    def _check_destinations(self) -> Self:
        seen: dict[str, str] = {}
        for name, numbers in self.destinations.items():
            for index, number in enumerate(numbers):
                if number in seen:
                    where = ("destinations", name, index)
                    raise WithinError(where, f"found a number of {seen[number]} again, expected each number once")
                seen[number] = name
        return self


class Document(Strict):
    """The whole file."""

    defaults: TargetDoc = Field(default=TargetDoc(), description="any target setting, for all targets")
    targets: dict[TargetName, TargetDoc] = Field(default={}, description="the PBXs by name")
    custom: list[CustomDoc] = Field(default=[], description="metrics of your own")
