"""The built-in collectors, shaped by one target's settings."""

from __future__ import annotations

from ami_exporter.collectors.declarations import Collector
from ami_exporter.collectors.registry import builtin
from ami_exporter.config.target_settings import TargetSettings


def built_for(settings: TargetSettings) -> tuple[Collector, ...]:
    """Return all built-in collectors; one that did not change since an earlier call is the same object."""
    tenants = settings.tenants
    return builtin(
        settings.queue_wait_buckets,
        settings.destinations,
        settings.dids.values(),
        () if tenants is None else tenants.map.values(),
    )
