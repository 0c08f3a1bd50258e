"""The settings, checked and complete: what the other rooms read.

No pydantic here: it would cost every start 60 ms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    from ami_exporter.config.faults import Fault
    from ami_exporter.config.secret import Secret

PORT = 5038
TLS_PORT = 5039
TIMEOUT = 9.0
"""Seconds: half a second and a bit under Prometheus' own default of 10 s."""
SERIES_PER_METRIC = 1000
QUEUE_WAIT_BUCKETS = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0)
"""Seconds."""

Enabled = Literal["auto"] | bool
MetricType = Literal["gauge", "counter", "histogram"]
Reduce = Literal["sum", "max", "min", "last"]


@dataclass(frozen=True, slots=True)
class AmiTlsSettings:
    """AMI over TLS. No `ca_file`: the system's authorities. No `server_name`: the host of the address."""

    ca_file: str | None = None
    server_name: str | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """One collector on one target; what was not set is None, and then the collector's own default holds.

    `enabled`: auto is silent about what the server does not offer, True makes it a fault.
    `min_interval`: seconds. `source`: the action to poll, of the collector's alternatives.
    `include`, `exclude`: matched against the whole name of what the collector has one series for (queue,
    endpoint, trunk, …); exclude wins.
    """

    enabled: Enabled | None = None
    min_interval: float | None = None
    source: str | None = None
    include: re.Pattern[str] | None = None
    exclude: re.Pattern[str] | None = None

    def wants(self, name: str) -> bool:
        """Tell whether the filters let this name through."""
        if self.exclude is not None and self.exclude.fullmatch(name):
            return False
        return self.include is None or self.include.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class TrunkSettings:
    """One trunk. `match`: `TECH/endpoint`, the endpoint may be a glob (`*`, `?`, `[a-c]`), case matters.

    `registration`: name of its outbound registration; `channel_limit`: the channels the provider allows.
    """

    name: str
    match: str
    registration: str | None = None
    channel_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """`series_per_metric`: label sets of one metric on one target; the rest is counted as dropped."""

    series_per_metric: int = SERIES_PER_METRIC


@dataclass(frozen=True, slots=True)
class AmiUser:
    """Another AMI user of the same PBX, for one purpose alone."""

    username: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class CanarySettings:
    """A call made again and again, to see whether a trunk carries it. Times in seconds.

    `channel`: `TECH/…` as Originate has it. `audio`: none, rtp (both ways, as RTCP tells), tone (the dialplan listens).
    `internal`: the destination is an extension of one's own. `user`: who may originate, and nothing else.
    """

    channel: str
    user: AmiUser
    interval: float = 900.0
    ring_timeout: int = 20
    duration: int = 10
    audio: Literal["none", "rtp", "tone"] = "none"
    max_calls_per_day: int = 100
    internal: bool = False


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """Whom a channel belongs to. `source`: the header that says so.

    `map`: its value → name of the tenant. `pattern`: an expression whose group `tenant` is the name.
    """

    source: Literal["Tenantid", "AccountCode"] = "Tenantid"
    map: Mapping[str, str] = field(default_factory=dict)
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """One PBX. `timeout` in seconds. `names`: kind (queue) → id → name, with `names_file` merged in.

    `command_user`: who runs console commands, and nothing else; None: nobody does. `canaries`: by name.
    `destinations`: class → prefixes of numbers dialled; of `emergency`, whole numbers. `dids`: inbound number → name.
    `tenants`: None counts by no tenant.
    """

    name: str
    host: str
    username: str
    secret: Secret
    port: int = PORT
    md5: bool = False
    tls: AmiTlsSettings | None = None
    timeout: float = TIMEOUT
    labels: Mapping[str, str] = field(default_factory=dict)
    collectors: Mapping[str, CollectorSettings] = field(default_factory=dict)
    events: bool = True
    trunks: Literal["auto"] | tuple[TrunkSettings, ...] = "auto"
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    names_file: str | None = None
    limits: Limits = Limits()
    queue_wait_buckets: tuple[float, ...] = QUEUE_WAIT_BUCKETS
    command_user: AmiUser | None = None
    canaries: Mapping[str, CanarySettings] = field(default_factory=dict)
    destinations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dids: Mapping[str, str] = field(default_factory=dict)
    tenants: TenantSettings | None = None

    @property
    def endpoint(self) -> str:
        """HOST:PORT, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All its secrets, so that none is ever logged."""
        users = [one.user for one in self.canaries.values()]
        if self.command_user is not None:
            users.append(self.command_user)
        return (self.secret, *(user.secret for user in users))


@dataclass(frozen=True, slots=True)
class CustomLabel:
    """A label taken from a field (lower case).

    `values`: closed: field text → label value; what is not in it becomes `other`, or, when `other` is None,
    leaves the item out. `limit`: at most so many values, the rest are dropped and counted. `checked`: a text that looks
    like a number or an address becomes `other`.
    """

    name: str
    field: str
    values: Mapping[str, str] | None = None
    other: str | None = None
    limit: int | None = None
    checked: bool = False


@dataclass(frozen=True, slots=True)
class CustomValue:
    """A number taken from a field (lower case), times `scale`.

    `values`: field text → number; what is not in it becomes `other`, or, when that is None, leaves the item
    out.
    `minimum`: a smaller number (after `scale`) means that it is not known, and leaves the item out.
    `reduce`: how the items of one poll that have the same labels become one gauge.
    """

    field: str
    scale: float = 1.0
    values: Mapping[str, float] | None = None
    other: float | None = None
    reduce: Reduce = "sum"
    minimum: float | None = None


@dataclass(frozen=True, slots=True)
class CustomMetric:
    """`value` None: count. `buckets`: upper bounds without +Inf, of histograms only."""

    name: str
    type: MetricType
    help: str
    value: CustomValue | None = None
    labels: tuple[CustomLabel, ...] = ()
    buckets: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldsRead:
    """`Key: value` lines. `begin`: the key that a record begins with; None: all is one record."""

    begin: str | None = None


@dataclass(frozen=True, slots=True)
class MatchRead:
    """A regular expression with named groups; each line that it matches is a row."""

    pattern: str


@dataclass(frozen=True, slots=True)
class TableRead:
    """A table. `head`: what its title line begins with; `end`: a text of the line after it; `titles`: left to right."""

    head: str
    end: str | None = None
    titles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """A console command and how its output becomes rows.

    `expect`: a text without which the output is no answer. `empty`: a text that means none. `within`: a regular
    expression for section headings, whose named groups are fields of all rows below.
    """

    command: str
    read: FieldsRead | MatchRead | TableRead
    expect: str | None = None
    empty: str | None = None
    within: str | None = None


@dataclass(frozen=True, slots=True)
class CustomMetricsSettings:
    """Metrics from one source: the items of a list action, an event, or the rows of a console command.

    `where`: field (lower case) → allowed texts. `unsafe_labels`: labels may be any field, as it stands. `family`: which
    part of Asterisk's database DBGetTree reads.
    """

    action: str | None
    item: str | None
    event: str | None
    where: Mapping[str, tuple[str, ...]]
    metrics: tuple[CustomMetric, ...]
    unsafe_labels: bool = False
    command: CommandSettings | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the configuration says. `custom` holds on every target; `warnings`: what is hardly meant so."""

    targets: Mapping[str, TargetSettings]
    custom: tuple[CustomMetricsSettings, ...] = ()
    warnings: tuple[Fault, ...] = ()
