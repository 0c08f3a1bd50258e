"""All built-in collectors, in the order of the catalogue. No other module names them."""

from __future__ import annotations

from collections.abc import Iterable

from ami_exporter.collectors import (
    agents,
    bridges,
    canary,
    channels,
    conferences,
    contacts,
    core,
    dahdi,
    destinations,
    devices,
    dids,
    endpoints,
    events,
    fax,
    lifecycle,
    mobile,
    parking,
    queue_averages,
    queue_members,
    queues,
    recordings,
    registrations,
    rtcp,
    security,
    taskprocessors,
    tenants,
    trunks,
    voicemail,
)
from ami_exporter.collectors.declarations import Collector, Metric
from ami_exporter.collectors.queue_callers import WAIT_BUCKETS


def builtin(
    queue_wait_buckets: tuple[float, ...] = WAIT_BUCKETS,
    classes: Iterable[str] = (),
    did_names: Iterable[str] = (),
    tenant_names: Iterable[str] = (),
) -> tuple[Collector, ...]:
    """Return every built-in collector; equal arguments give the same objects. Buckets are in seconds."""
    return (
        core.COLLECTOR,
        lifecycle.COLLECTOR,
        channels.COLLECTOR,
        bridges.COLLECTOR,
        trunks.COLLECTOR,
        endpoints.COLLECTOR,
        contacts.COLLECTOR,
        registrations.COLLECTOR,
        devices.COLLECTOR,
        dahdi.COLLECTOR,
        mobile.COLLECTOR,
        queues.collector(queue_wait_buckets),
        queue_averages.COLLECTOR,
        queue_members.COLLECTOR,
        agents.COLLECTOR,
        conferences.COLLECTOR,
        parking.COLLECTOR,
        *voicemail.COLLECTORS,
        fax.COLLECTOR,
        rtcp.COLLECTOR,
        recordings.COLLECTOR,
        destinations.collector(tuple(classes)),
        dids.collector(tuple(sorted(set(did_names)))),
        tenants.collector(tuple(sorted(set(tenant_names)))),
        security.COLLECTOR,
        events.COLLECTOR,
        taskprocessors.COLLECTOR,
        canary.COLLECTOR,
    )


def metrics(collectors: Iterable[Collector]) -> tuple[Metric, ...]:
    return tuple(metric for collector in collectors for metric in collector.metrics)
