"""The configuration in force, as YAML in the form of the file, secrets and numbers masked: what `/config` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml

from ami_exporter.config.numbers import hidden, hidden_keys
from ami_exporter.config.target_settings import FieldsRead, MatchRead

if TYPE_CHECKING:
    from ami_exporter.config.target_settings import (
        AmiUser,
        CanarySettings,
        CollectorSettings,
        CommandSettings,
        CustomLabel,
        CustomMetric,
        CustomMetricsSettings,
        CustomValue,
        Settings,
        TargetSettings,
        TenantSettings,
    )

DURATION_UNITS: Final = ((86400_000, "d"), (3600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms"))


def effective_yaml(settings: Settings) -> str:
    """Write every setting of every target, with defaults filled in."""
    tree = {
        "targets": {name: _target(target) for name, target in settings.targets.items()},
        "custom": [_custom(entry) for entry in settings.custom],
    }
    return yaml.safe_dump(_written(tree), sort_keys=False, allow_unicode=True, width=120)


def duration(seconds: float) -> str:
    """Write a duration as people do: 90.0 is 1m30s."""
    left = round(seconds * 1000)
    text = ""
    for size, unit in DURATION_UNITS:
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _target(target: TargetSettings) -> dict[str, object]:
    host = f"[{target.host}]" if ":" in target.host else target.host
    tls = target.tls
    return {
        "address": f"{host}:{target.port}",
        "username": target.username,
        "secret": str(target.secret),
        "md5": target.md5,
        "tls": False if tls is None else {"ca_file": tls.ca_file, "server_name": tls.server_name, "verify": tls.verify},
        "timeout": duration(target.timeout),
        "labels": dict(target.labels),
        "collectors": {name: _collector(collector) for name, collector in target.collectors.items()},
        "events": target.events,
        "trunks": target.trunks
        if target.trunks == "auto"
        else [
            {
                "name": trunk.name,
                "match": trunk.match,
                "registration": trunk.registration,
                "channel_limit": trunk.channel_limit,
            }
            for trunk in target.trunks
        ],
        "names": {kind: dict(names) for kind, names in target.names.items()},
        "names_file": target.names_file,
        "limits": {"series_per_metric": target.limits.series_per_metric},
        "queue_wait_buckets": list(target.queue_wait_buckets),
        "destinations": {name: [*map(hidden, numbers)] for name, numbers in target.destinations.items()} or None,
        "dids": hidden_keys(target.dids, whole=True) or None,
        "tenants": None if target.tenants is None else _tenants(target.tenants),
        "command_user": None if target.command_user is None else _user(target.command_user),
        "canaries": {name: _canary(one) for name, one in target.canaries.items()} or None,
    }


def _canary(one: CanarySettings) -> dict[str, object]:
    return {
        "channel": hidden(one.channel),
        "interval": duration(one.interval),
        "ring_timeout": duration(one.ring_timeout),
        "duration": duration(one.duration),
        "audio": one.audio,
        "max_calls_per_day": one.max_calls_per_day,
        "internal": one.internal,
        "user": _user(one.user),
    }


def _tenants(one: TenantSettings) -> dict[str, object]:
    written = {"map": hidden_keys(one.map) or None, "pattern": one.pattern}
    return {"from": one.source, **{key: value for key, value in written.items() if value is not None}}


def _user(user: AmiUser) -> dict[str, object]:
    return {"username": user.username, "secret": str(user.secret)}


def _collector(collector: CollectorSettings) -> dict[str, object]:
    return {
        "enabled": collector.enabled,
        "min_interval": None if collector.min_interval is None else duration(collector.min_interval),
        "source": collector.source,
        "include": collector.include.pattern if collector.include else None,
        "exclude": collector.exclude.pattern if collector.exclude else None,
    }


def _custom(entry: CustomMetricsSettings) -> dict[str, object]:
    return {
        "action": entry.action,
        "item": entry.item,
        "event": entry.event,
        "family": entry.family,
        **({} if entry.command is None else _command(entry.command)),
        "where": {name: [*map(hidden, texts)] for name, texts in entry.where.items()},
        "unsafe_labels": entry.unsafe_labels or None,
        "metrics": [_metric(metric) for metric in entry.metrics],
    }


def _command(command: CommandSettings) -> dict[str, object]:
    how = command.read
    if isinstance(how, FieldsRead):
        read: dict[str, object] = {"fields": {"begin": how.begin}}
    elif isinstance(how, MatchRead):
        read = {"match": how.pattern}
    else:
        read = {"table": {"head": how.head, "end": how.end, "titles": list(how.titles) or None}}
    return {
        "command": command.command,
        "read": read,
        "expect": command.expect,
        "within": command.within,
        "empty": command.empty,
    }


def _metric(metric: CustomMetric) -> dict[str, object]:
    return {
        "name": metric.name,
        "type": metric.type,
        "help": metric.help,
        "value": "count" if metric.value is None else _value(metric.value, metric),
        "labels": {label.name: _label(label) for label in metric.labels},
        "buckets": list(metric.buckets) or None,
    }


def _value(value: CustomValue, metric: CustomMetric) -> dict[str, object]:
    return {
        "field": value.field,
        "scale": value.scale,
        "map": None if value.values is None else hidden_keys(value.values),
        "other": value.other,
        "minimum": value.minimum,
        "reduce": value.reduce if metric.type == "gauge" else None,
    }


def _label(label: CustomLabel) -> dict[str, object]:
    values = None if label.values is None else hidden_keys(label.values)
    return {"field": label.field, "map": values, "other": label.other, "max": label.limit}


def _written(node: object) -> object:
    """Leave out what is not set."""
    if isinstance(node, dict):
        return {key: _written(value) for key, value in node.items() if value is not None}
    if isinstance(node, list):
        return [_written(value) for value in node]
    return node
