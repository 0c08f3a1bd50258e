"""Checked document → the settings that the other rooms read."""

from __future__ import annotations

from collections.abc import Mapping

from ami_exporter.config.canarydoc import CanaryDoc
from ami_exporter.config.commanddoc import ReadDoc
from ami_exporter.config.customdoc import CustomDoc, LabelDoc, MetricDoc, ValueDoc
from ami_exporter.config.document import Document, TargetDoc, TlsDoc
from ami_exporter.config.external import External
from ami_exporter.config.labelfields import is_checked
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import (
    PORT,
    TLS_PORT,
    AmiTlsSettings,
    AmiUser,
    CanarySettings,
    CollectorSettings,
    CommandSettings,
    CustomLabel,
    CustomMetric,
    CustomMetricsSettings,
    CustomValue,
    FieldsRead,
    Limits,
    MatchRead,
    Settings,
    TableRead,
    TargetSettings,
    TenantSettings,
    TrunkSettings,
)


def build(document: Document, externals: Mapping[str, External]) -> Settings:
    """Turn the document, and what was read for it, into settings."""
    return Settings(
        targets={name: _target(name, target, externals[name]) for name, target in document.targets.items()},
        custom=tuple(_custom(entry) for entry in document.custom),
    )


def _target(name: str, doc: TargetDoc, external: External) -> TargetSettings:
    host, port = doc.address or ("", None)
    tls = None if doc.tls is None else _tls(doc.tls, external)
    names = {"queue": external.names | doc.names.get("queue", {})} if external.names or doc.names else {}
    return TargetSettings(
        name=name,
        host=host,
        port=port or (PORT if tls is None else TLS_PORT),
        username=doc.username or "",
        secret=external.secret,
        md5=tls is None if doc.md5 is None else doc.md5,
        tls=tls,
        timeout=doc.timeout,
        labels=doc.labels,
        collectors={key: CollectorSettings(**collector.__dict__) for key, collector in doc.collectors.items()},
        events=doc.events,
        trunks="auto" if doc.trunks is None else tuple(TrunkSettings(**trunk.__dict__) for trunk in doc.trunks),
        names=names,
        names_file=doc.names_file,
        limits=Limits(doc.limits.series_per_metric),
        queue_wait_buckets=doc.queue_wait_buckets,
        destinations={name: tuple(numbers) for name, numbers in doc.destinations.items()},
        dids=doc.dids,
        tenants=None if doc.tenants is None else TenantSettings(**doc.tenants.__dict__),
        command_user=None
        if doc.command_user is None
        else AmiUser(doc.command_user.username, external.users["command_user",]),
        canaries={
            key: _canary(canary, external.users["canaries", key, "user"]) for key, canary in doc.canaries.items()
        },
    )


def _canary(doc: CanaryDoc, secret: Secret) -> CanarySettings:
    return CanarySettings(
        channel=doc.channel,
        user=AmiUser(doc.user.username, secret),
        interval=doc.interval,
        ring_timeout=int(doc.ring_timeout),
        duration=int(doc.duration),
        audio=doc.audio,
        max_calls_per_day=doc.max_calls_per_day,
        internal=doc.internal,
    )


def _tls(doc: TlsDoc, external: External) -> AmiTlsSettings:
    ca_file = None if doc.ca_file is None else str(external.folder / doc.ca_file)
    return AmiTlsSettings(ca_file, doc.server_name, doc.verify)


def _custom(doc: CustomDoc) -> CustomMetricsSettings:
    return CustomMetricsSettings(
        action=doc.action,
        item=doc.item,
        event=doc.event,
        where={field: tuple(text.lower() for text in texts) for field, texts in doc.where.items()},
        metrics=tuple(_metric(metric, doc) for metric in doc.metrics),
        unsafe_labels=doc.unsafe_labels,
        command=None
        if doc.command is None or doc.read is None
        else CommandSettings(doc.command, _read(doc.read), doc.expect, doc.empty, doc.within),
        family=doc.family,
    )


def _read(doc: ReadDoc) -> FieldsRead | MatchRead | TableRead:
    if doc.fields is not None:
        return FieldsRead(doc.fields.begin)
    if doc.table is not None:
        return TableRead(doc.table.head, doc.table.end, tuple(doc.table.titles))
    return MatchRead(doc.match or "")


def _metric(doc: MetricDoc, entry: CustomDoc) -> CustomMetric:
    return CustomMetric(
        name=doc.name,
        type=doc.type,
        help=doc.help,
        value=None if doc.value is None else _value(doc.value),
        labels=tuple(_label(name, label, entry) for name, label in doc.labels.items()),
        buckets=doc.buckets or (),
    )


def _label(name: str, doc: LabelDoc, entry: CustomDoc) -> CustomLabel:
    values = None if doc.map is None else {text.lower(): value for text, value in doc.map.items()}
    if values is None and entry.family is not None:  # the label `family`, whose one value is known beforehand
        values = {entry.family.lower(): entry.family}
    checked = (
        values is None
        and not entry.unsafe_labels
        and is_checked(entry.event, doc.field, of_command=entry.command is not None)
    )
    return CustomLabel(name, doc.field, values, doc.other, doc.max, checked)


def _value(doc: ValueDoc) -> CustomValue:
    values = None if doc.map is None else {text.lower(): value for text, value in doc.map.items()}
    return CustomValue(doc.field, doc.scale, values, doc.other, doc.reduce or "sum", doc.minimum)
