"""Channels and calls by tenant of a hosted PBX, from a channel's Tenantid or AccountCode."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ami_exporter.ami.actions import Action
from ami_exporter.ami.concluded import CHANNEL_LINKED
from ami_exporter.ami.message import Message
from ami_exporter.ami.own_calls import PREFIX
from ami_exporter.collectors.calls import MAX_CALLS, MAX_CALLS_COUNTED, RING, UP, Calls, trunk_direction
from ami_exporter.collectors.declarations import (
    Collector,
    Context,
    Metric,
    Sample,
    Tracked,
    ZeroSeries,
    counter,
    gauge,
)
from ami_exporter.collectors.fields import OTHER, is_number_or_address, trunk_of
from ami_exporter.collectors.legs import too_old
from ami_exporter.collectors.lists import CHANNEL_LISTS, CORE_SHOW_CHANNELS, STATUS
from ami_exporter.collectors.vocabulary import DIRECTIONS, INTERNAL

EVENTS: Final = ("Newchannel", CHANNEL_LINKED, "Newstate", "NewAccountCode", "Hangup")
CHANNEL_ITEMS: Final = ("Status", "CoreShowChannel")
MAX_FIELD: Final = 80
"""Characters of a Tenantid or AccountCode to look at: Asterisk keeps no more of an account code."""


_OLD_NAMES: Final = {"accountcode": "account"}
"""As Status has it before Asterisk 12 of channels without a dialplan."""


class Tenants:
    """Tells a channel's tenant. field: tenantid or accountcode, in lower case.

    Without map and pattern the field is the tenant's name, unless it looks like a number or an address.
    """

    def __init__(self, field: str = "", names: Mapping[str, str] | None = None, pattern: str | None = None) -> None:
        self._field = field
        self._names = names or {}
        self._pattern = None if pattern is None else re.compile(pattern)

    def of(self, message: Message) -> str:
        """The tenant of an item or event that has a channel's headers; `other` where nothing names one."""
        written = message.get(self._field) or message.get(_OLD_NAMES.get(self._field, ""), "")
        written = written[:MAX_FIELD]
        if not written:
            return OTHER
        if self._names:
            return self._names.get(written, OTHER)
        if self._pattern is not None:
            found = self._pattern.fullmatch(written)
            written = (found["tenant"] if found else "") or OTHER
        return OTHER if is_number_or_address(written) or not written.isprintable() else written


@dataclass(slots=True)
class _Call:
    seen: float
    tenant: str
    up_at: float | None = None
    talked: float = 0.0


class TenantFold:
    """Channels by their own field; a call's tenant is the first one named by any of its channels."""

    def __init__(self, metrics: _Metrics, context: Context) -> None:
        self._metrics = metrics
        self._tenant = context.tenant
        self._channels: Counter[str] = Counter()
        self._calls: dict[str, str] = {}

    def item(self, _action: Action, message: Message) -> None:
        """Take one channel."""
        linkedid = message.get("linkedid", "")
        if linkedid.startswith(PREFIX) or message.get("channel", "").partition("/")[0] in INTERNAL:
            return
        tenant = self._tenant(message)
        self._channels[tenant] += 1
        if self._calls.get(linkedid, OTHER) == OTHER and len(self._calls) <= MAX_CALLS_COUNTED:
            self._calls[linkedid] = tenant

    def finish(self, complete: frozenset[Action]) -> Iterable[Sample]:
        """Publish when either list of channels is complete."""
        if not complete & CHANNEL_LISTS:
            return
        for tenant in self._metrics.names:
            self._channels.setdefault(tenant, 0)
        yield from ((self._metrics.channels, (tenant,), float(count)) for tenant, count in self._channels.items())
        # Before Asterisk 12 there is no Linkedid, so the number is unknown, not 0.
        if "" in self._calls or len(self._calls) > MAX_CALLS_COUNTED:
            return
        calls = Counter(self._calls.values())
        yield from ((self._metrics.now, (tenant,), float(calls[tenant])) for tenant in self._channels)


class TenantTracker:
    """Counts each call at its last hangup, for the first tenant that any of its channels names."""

    def __init__(self, metrics: _Metrics) -> None:
        self._metrics = metrics
        self._calls = Calls()
        self._known: dict[str, _Call] = {}
        self._call_of: dict[str, str] = {}

    def event(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        """Take one of EVENTS."""
        kind, uniqueid, state = message["event"], message.get("uniqueid", ""), message.get("channelstate")
        if kind in ("Newchannel", CHANNEL_LINKED):
            self._created(uniqueid, message, context, now)
        call_id = self._call_of.get(uniqueid, "")
        call = self._known.get(call_id)
        if call is None:
            return ()
        if call.tenant == OTHER:
            call.tenant = context.tenant(message)
        if state == UP and uniqueid == call_id and call.up_at is None:
            call.up_at = now
        if kind == "Newstate" and state == RING:
            self._calls.rings(uniqueid)
        return self._hangup(uniqueid, call_id, call, state == UP, now) if kind == "Hangup" else ()

    def _created(self, uniqueid: str, message: Message, context: Context, now: float) -> None:
        linkedid = message.get("linkedid", "")
        if linkedid not in self._known:
            if not uniqueid or uniqueid != linkedid or len(self._known) >= MAX_CALLS:
                return
            self._known[linkedid] = _Call(now, OTHER)
        trunk = trunk_of(context, message.get("channel", ""))
        direction = None if trunk is None else trunk_direction(message.get("channelstate"))
        self._calls.created(uniqueid, linkedid, direction, now)
        self._call_of[uniqueid] = linkedid

    def _hangup(self, uniqueid: str, call_id: str, call: _Call, up: bool, now: float) -> Iterator[Sample]:
        del self._call_of[uniqueid]
        if uniqueid == call_id and call.up_at is not None:
            call.talked = now - call.up_at
        ended = self._calls.hangup(uniqueid, up=up)
        if ended is not None:
            del self._known[call_id]
            yield self._metrics.calls, (call.tenant, *ended), 1.0
            yield self._metrics.talk, (call.tenant,), call.talked

    def reset(self) -> None:
        self._calls.reset()
        self._known.clear()
        self._call_of.clear()

    def expire(self, now: float) -> Iterable[Sample]:
        self._calls.expire(now)
        old = set(too_old(self._known, now))
        if old:
            self._known = {call_id: call for call_id, call in self._known.items() if call_id not in old}
            self._call_of = {channel: call for channel, call in self._call_of.items() if call not in old}
        return ()


@dataclass(frozen=True, slots=True)
class _Metrics:
    names: tuple[str, ...]
    channels: Metric
    now: Metric
    calls: Metric
    talk: Metric


_SOURCE: Final = "configuration: tenants"


def _metrics(names: tuple[str, ...]) -> _Metrics:
    named = {"tenant": names} if names else {}
    return _Metrics(
        names,
        gauge(
            "asterisk_tenant_active_channels",
            "Channels by tenant; other: a channel that names none, or none of the configuration's "
            f"(AMI Status, CoreShowChannels: Tenantid, AccountCode; {_SOURCE})",
            "tenant",
            closed=named,
        ),
        gauge(
            "asterisk_tenant_active_calls",
            "Calls by tenant: distinct Linkedids, each with the first tenant that one of its channels names "
            f"(AMI Status, CoreShowChannels: Linkedid, Tenantid, AccountCode; {_SOURCE})",
            "tenant",
            closed=named,
        ),
        counter(
            "asterisk_tenant_calls_total",
            "Calls ended, by the first tenant that one of their channels named; direction and outcome as in "
            f"asterisk_calls_total (AMI events Newchannel, Newstate, NewAccountCode, Hangup; {_SOURCE})",
            "tenant",
            "direction",
            "outcome",
            closed={**named, "direction": (*DIRECTIONS, "internal"), "outcome": ("answered", "unanswered")},
        ),
        counter(
            "asterisk_tenant_talk_seconds_total",
            "Time that the first channels of the tenant's calls were up, counted when the call ends "
            f"(AMI events Newchannel, Newstate, NewAccountCode, Hangup; {_SOURCE})",
            "tenant",
            closed=named,
        ),
    )


@lru_cache(maxsize=64)
def collector(names: tuple[str, ...]) -> Collector:
    """Build the collector for these tenants; without names, tenants are those that channels name.

    Equal names give the same object, so that counts outlive a reload.
    """
    metrics = _metrics(tuple(dict.fromkeys((*names, OTHER))) if names else ())

    def by_tenant(message: Message, context: Context) -> tuple[str, ...]:
        return (context.tenant(message),)

    counted = (metrics.calls, metrics.talk)
    seen = tuple(ZeroSeries(counted, action, CHANNEL_ITEMS, by_tenant) for action in (STATUS, CORE_SHOW_CHANNELS))
    return Collector(
        name="tenants",
        title="Channels and calls by tenant",
        metrics=(metrics.channels, metrics.now, *counted),
        polls=((STATUS, CORE_SHOW_CHANNELS),),
        fold=lambda context: TenantFold(metrics, context),
        zero_series=() if names else (*seen, ZeroSeries(counted, None, ("Newchannel",), by_tenant)),
        tracked=(Tracked(EVENTS, lambda: TenantTracker(metrics)),),
    )


COLLECTOR = collector(())
"""Enabled if the target has tenants."""
