"""The settings of the targets: what the file may hold, and what the other rooms read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, ClassVar, Final, Literal

from ami_exporter.config import scalars
from ami_exporter.config.ami_user import SECRET_KEYS, AmiUser
from ami_exporter.config.canary_settings import CanarySettings
from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.custom_settings import CustomMetricsSettings
from ami_exporter.config.faults import Fault, suggest
from ami_exporter.config.kinds import (
    ANY_TEXT,
    BUCKETS,
    DURATION,
    LABEL_NAME,
    PATTERN,
    SENDABLE,
    SWITCH,
    TARGET_NAME,
    TEXT,
    ListOf,
    MapOf,
    Position,
    Scalar,
    Short,
    known,
    scalar,
    whole,
)
from ami_exporter.config.model import Key, Keyed, Model, Problems, in_fields, keys_of
from ami_exporter.config.numbers import hidden, hidden_keys
from ami_exporter.config.secret import Secret
from ami_exporter.config.tenant_settings import PEOPLE_NAME, TenantSettings

PORT: Final = 5038
TLS_PORT: Final = 5039
TIMEOUT: Final = 9.0
"""Seconds: a little less than Prometheus' default of 10 s."""
SERIES_PER_METRIC: Final = 1000
QUEUE_WAIT_BUCKETS: Final = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0)
"""Seconds."""
NAME_KINDS: Final = ("queue",)
"""Kinds of things that can have names for people."""

Enabled = Literal["auto"] | bool
ENABLED: Final = Scalar(lambda value, _: scalars.enabled(value), {"enum": ["auto", True, False]})


def _collector(name: object, catalogue: Catalogue) -> object:
    if name not in catalogue.collectors:
        near = suggest(str(name), catalogue.collectors)
        raise ValueError(f"found an unknown collector, expected one that `ami-exporter metrics` lists{near}")
    return name


@dataclass(frozen=True, slots=True)
class AmiTlsSettings(Model):
    """AMI over TLS."""

    OTHER_WORDS: ClassVar[Mapping[str, str]] = {"ca": "ca_file", "insecure_skip_verify": "verify"}

    ca_file: Annotated[
        str | None, TEXT, "PEM file of the authority behind the PBX's certificate (else: the system's)"
    ] = None
    server_name: Annotated[str | None, SENDABLE, "name in the certificate, where it is not the address"] = None
    verify: Annotated[
        bool, SWITCH, "false: accept any certificate, so anyone between can read the secret (default true)"
    ] = True

    @classmethod
    def from_file(cls, given: Mapping[str, Any], at: Position) -> AmiTlsSettings:
        ca_file = given["ca_file"]
        return cls(**{**given, "ca_file": None if ca_file is None else str(at.outside.folder / ca_file)})


@dataclass(frozen=True, slots=True)
class CollectorSettings(Model):
    """One collector; settings that are not written have its own default."""

    OTHER_WORDS: ClassVar[Mapping[str, str]] = {"interval": "min_interval"}

    enabled: Annotated[
        Enabled | None,
        ENABLED,
        "auto (default): silent about what the server lacks; true: that is a fault; false: off",
    ] = None
    min_interval: Annotated[float | None, DURATION, "poll at most so often; between, serve the last answer"] = None
    source: Annotated[str | None, TEXT, "the action to poll, where there is a choice"] = None
    include: Annotated[
        re.Pattern[str] | None, PATTERN, "regular expression on whole names: only these get own series"
    ] = None
    exclude: Annotated[
        re.Pattern[str] | None, PATTERN, "regular expression on whole names: these get none; beats include"
    ] = None

    def wants(self, name: str) -> bool:
        """Tell whether the filters let this name through."""
        if self.exclude is not None and self.exclude.fullmatch(name):
            return False
        return self.include is None or self.include.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class TrunkSettings(Model):
    """One trunk."""

    name: Annotated[str, SENDABLE, "value of the label trunk"]
    match: Annotated[
        str,
        scalar(scalars.trunk_match, "string", pattern="^[A-Za-z0-9_]+/.+$"),
        "TECH/endpoint of its channels; the endpoint may be a glob",
    ]
    registration: Annotated[str | None, SENDABLE, "its outbound registration, whose state says whether it is up"] = None
    channel_limit: Annotated[int | None, whole(1, 1_000_000), "channels the provider allows"] = None


@dataclass(frozen=True, slots=True)
class Limits(Model):
    """Bounds that protect Prometheus."""

    series_per_metric: Annotated[
        int,
        whole(1, 1_000_000),
        "label sets of one metric on one target (default 1000); the rest is counted as dropped",
    ] = SERIES_PER_METRIC


COLLECTORS: Final = MapOf(
    known(_collector),
    Keyed(CollectorSettings, ", such as `{enabled: true}`, or false, or auto"),
    ", such as `collectors: {queues: {enabled: false}}`",
    public=True,
)
TRUNKS: Final = Short(
    ListOf(Keyed(TrunkSettings, ', such as `{name: telco, match: "PJSIP/telco"}`')),
    list,
    'auto or a list of trunks, such as `[{name: telco, match: "PJSIP/telco"}]`',
    {"const": "auto"},
    words=(("auto", "auto"),),
)
TLS: Final = Short(
    Keyed(AmiTlsSettings),
    dict,
    "true, false or a mapping, such as `{ca_file: FILE}`",
    {"type": "boolean"},
    words=((False, None),),
    expand=lambda value: {} if value is True else value,
)
NAMES: Final = MapOf(
    scalar(lambda kind: scalars.choice(kind, NAME_KINDS), "string"),
    MapOf(ANY_TEXT, TEXT, ', such as `{"600": Support}`'),
    ', such as `names: {queue: {"600": Support}}`',
)
DIALLED: Final = scalar(scalars.dialled, "string", hidden, pattern=f"^{scalars.DIALLED}$")
DESTINATIONS: Final = MapOf(
    scalar(scalars.class_name, "string", pattern=f"^{scalars.CLASS_NAME}$"),
    ListOf(DIALLED, least=1, most=1000, form=', such as `["112", "911"]`'),
    public=True,
    most=20,
)
CANARIES: Final = MapOf(
    TARGET_NAME,
    Keyed(
        CanarySettings,
        ', such as `{channel: "PJSIP/+493012345@telco", user: {username: …, secret_file: FILE}}`',
    ),
    ", a name for each: `canaries: {telco: {channel: …, user: …}}`",
    public=True,
)
ONLY_IN_FILE: Final = {
    "address": Key(
        scalar(scalars.address, "string", minLength=1),
        "HOST[:PORT] of the PBX's manager interface; port 5038, with tls 5039",
        of=lambda target: target.endpoint,
    ),
    "username": Key(SENDABLE, "the AMI user, as in manager.conf", of=lambda target: target.username),
    **SECRET_KEYS,
    "md5": Key(
        SWITCH,
        "MD5 challenge instead of the plain secret (default: where there is no TLS)",
        of=lambda target: target.md5,
    ),
}
"""Keys of a target that do not correspond to one field each. `external.py` checks which are needed."""


@dataclass(frozen=True, slots=True)
class TargetSettings(Model):
    """One PBX."""

    OTHER_WORDS: ClassVar[Mapping[str, str]] = {
        "host": "address",
        "server": "address",
        "user": "username",
        "login": "username",
        "password": "secret",
        "password_file": "secret_file",
    }

    name: str
    host: str
    username: str
    secret: Secret
    port: int = PORT
    md5: bool = False
    tls: Annotated[AmiTlsSettings | None, TLS, "AMI over TLS; true: with the defaults"] = None
    timeout: Annotated[float, DURATION, "longest poll (default 9s); a scrape's own timeout shortens it"] = TIMEOUT
    labels: Annotated[
        Mapping[str, str],
        MapOf(LABEL_NAME, ANY_TEXT, ", such as `labels: {site: berlin}`"),
        "labels of this target in /sd",
    ] = field(default_factory=dict)
    collectors: Annotated[Mapping[str, CollectorSettings], COLLECTORS, "settings by collector"] = field(
        default_factory=dict
    )
    events: Annotated[bool, SWITCH, "false: no event connection, no counters of events (default true)"] = True
    trunks: Annotated[Literal["auto"] | tuple[TrunkSettings, ...], TRUNKS, "auto (default), or the list of trunks"] = (
        "auto"
    )
    names: Annotated[Mapping[str, Mapping[str, str]], NAMES, "names for people, by kind and id"] = field(
        default_factory=dict
    )
    names_file: Annotated[str | None, TEXT, "CSV file of id,name: names of queues"] = None
    limits: Annotated[Limits, Keyed(Limits, ", such as `limits: {series_per_metric: 1000}`"), "bounds"] = Limits()
    queue_wait_buckets: Annotated[tuple[float, ...], BUCKETS, "bounds of asterisk_queue_wait_seconds, seconds"] = (
        QUEUE_WAIT_BUCKETS
    )
    command_user: Annotated[
        AmiUser | None,
        Keyed(AmiUser, ", such as `command_user: {username: ami_cli, secret_file: FILE}`"),
        "the AMI user that runs console commands, with write=command and nothing else",
    ] = None
    canaries: Annotated[
        Mapping[str, CanarySettings],
        CANARIES,
        "calls made again and again, to see whether a trunk carries them",
    ] = field(default_factory=dict)
    destinations: Annotated[
        Mapping[str, tuple[str, ...]],
        DESTINATIONS,
        "classes of outbound destinations: prefixes, the longest wins; of emergency, whole numbers",
    ] = field(default_factory=dict)
    dids: Annotated[
        Mapping[str, str],
        MapOf(DIALLED, PEOPLE_NAME, mask=partial(hidden_keys, whole=True)),
        "inbound numbers as the provider sends them, and the names they are counted by",
    ] = field(default_factory=dict)
    tenants: Annotated[
        TenantSettings | None,
        Keyed(TenantSettings, ", such as `tenants: {from: Tenantid}`"),
        "channels and calls by tenant",
    ] = None

    @property
    def endpoint(self) -> str:
        """HOST:PORT, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All its secrets, so that none is ever logged."""
        users = [one.user for one in self.canaries.values()]
        if self.command_user is not None:
            users.append(self.command_user)
        return (self.secret, *(user.secret for user in users))

    @classmethod
    def further_keys(cls) -> Mapping[str, Key]:
        return ONLY_IN_FILE

    @classmethod
    def exclusive(cls) -> tuple[str, ...]:
        return tuple(SECRET_KEYS)

    @classmethod
    def about_unknown(cls, key: str, _value: object, catalogue: Catalogue) -> str:
        if key in catalogue.collectors:
            return f"; a collector is switched by `collectors: {{{key}: {{enabled: false}}}}`"
        return "; the port belongs to the address: `address: pbx1.example.net:5038`" if key == "port" else ""

    @classmethod
    def wrong_together(cls, given: Mapping[str, Any], _catalogue: Catalogue) -> Problems:
        seen: dict[str, str] = {}
        for name, numbers in given["destinations"].items():
            for index, number in enumerate(numbers):
                if number in seen:
                    message = f"found a number of {seen[number]} again, expected each number once"
                    yield ("destinations", name, index), message
                seen[number] = name

    @classmethod
    def from_file(cls, given: Mapping[str, Any], at: Position) -> TargetSettings:
        name = str(at.steps[-1])
        host, port = given["address"] or ("", None)
        tls, md5, of_file = given["tls"], given["md5"], at.outside.names.get(name, {})
        names = given["names"]
        return cls(
            name=name,
            host=host,
            port=port or (PORT if tls is None else TLS_PORT),
            username=given["username"] or "",
            secret=at.outside.secrets.get(at.steps, Secret("")),
            md5=tls is None if md5 is None else md5,
            **in_fields(cls, given)
            | {"names": names | {"queue": {**of_file, **names.get("queue", {})}} if of_file else names},
        )


TARGET_FORM: Final = "{address: pbx1.example.net, username: exporter, secret_file: FILE}"


@dataclass(frozen=True, slots=True)
class Settings(Model):
    """The whole configuration. `custom` applies to every target; `warnings`: valid settings, probably mistakes."""

    targets: Annotated[
        Mapping[str, TargetSettings],
        MapOf(
            TARGET_NAME,
            Keyed(TargetSettings, f", such as `pbx1: {TARGET_FORM}`"),
            f", a name for each: `targets: {{pbx1: {TARGET_FORM}}}`",
            public=True,
        ),
        "the PBXs by name",
    ] = field(default_factory=dict)
    custom: Annotated[
        tuple[CustomMetricsSettings, ...],
        ListOf(
            Keyed(CustomMetricsSettings, ", with action, event or command, and metrics"),
            form=", a dash before each entry: `- action: …` or `- event: …`",
        ),
        "metrics of your own",
    ] = ()
    warnings: tuple[Fault, ...] = ()

    @classmethod
    def further_keys(cls) -> Mapping[str, Key]:
        """`defaults:` has no field, because each target contains them."""
        shared = Keyed(TargetSettings, ", such as `defaults: {username: exporter}`", template=True)
        return {"defaults": Key(shared, "any target setting, for all targets")}

    @classmethod
    def about_unknown(cls, key: str, value: object, _catalogue: Catalogue) -> str:
        if suggest(key, keys_of(cls)):
            return ""
        if key in _OTHER_FILES:
            return f"; {_OTHER_FILES[key]}"
        if key in {*keys_of(TargetSettings), *TargetSettings.OTHER_WORDS, "port"}:
            return f"; a target's settings stand below its name: `targets: {{pbx1: {TARGET_FORM}}}`"
        return "; a target stands below `targets:`, indented" if isinstance(value, dict) else ""


_PROMETHEUS: Final = "this is Prometheus' own configuration, expected the exporter's, with `targets:`"
_WEB: Final = "this belongs in the file of --web.config.file"
_OTHER_FILES: Final = {
    **dict.fromkeys(("global", "scrape_configs", "rule_files", "alerting", "remote_write", "remote_read"), _PROMETHEUS),
    **dict.fromkeys(("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"), _WEB),
}
"""First keys of files that are taken for ours, and whose they are."""

DOCUMENT: Final = Keyed(Settings)
"""The whole file."""
