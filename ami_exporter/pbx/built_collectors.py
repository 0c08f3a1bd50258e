"""The built-in collectors as one target's settings shape them."""

from __future__ import annotations

from ami_exporter.collectors.declarations import Collector
from ami_exporter.collectors.registry import builtin
from ami_exporter.config.target_settings import TargetSettings


def built_for(settings: TargetSettings) -> tuple[Collector, ...]:
    """All built-in collectors; what did not change since another call is the same object."""
    tenants = settings.tenants
    return builtin(
        settings.queue_wait_buckets,
        settings.destinations,
        settings.dids.values(),
        () if tenants is None else tenants.map.values(),
    )
