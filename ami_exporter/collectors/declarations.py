"""The parts of a collector: metrics, rules, zero series, folds, trackers, context.

A collector is a declaration. Its metrics are either polled (list actions folded item by item into gauges and Asterisk's
own counters, rebuilt by each poll) or counted (events turned into counters and histograms, which the target's event
counters keep). Folds and trackers return samples; they know nothing of sockets, clocks and exposition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from math import prod
from types import MappingProxyType
from typing import Final, Literal, Protocol, runtime_checkable

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.reloads import Reload

NO_CLOSED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})

MetricType = Literal["gauge", "counter", "histogram"]
Reduce = Literal["sum", "max", "min", "last"]

MAX_CLOSED_SETS: Final = 2000
"""Most label sets of a metric whose labels are closed or technologies: fifty causes for forty technologies.

A lower cap in the configuration does not apply to them, because it would cut totals.
"""


LabelSet = tuple[str, ...]
"""Label values in the order of their metric's labels."""

Sent = Callable[["Context", LabelSet], bool]
"""Tells whether a server sends something, for these values of a metric's open labels (a technology, a trunk)."""


class Origin(Enum):
    """Where a metric's values come from, which decides how long they are kept."""

    POLL = "poll"  # rebuilt by each poll, absent while the PBX is down
    EVENTS = "events"  # kept by the event counters, also while the PBX is down
    EXPORTER = "exporter"  # about the exporter and its links


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """A metric family. Identity is the object: two collectors never share one.

    closed: for a label, all its values or the common ones, which appear at 0 as soon as the metric's open labels are
    known. limits: the most values of a label; others are dropped and counted.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    origin: Origin = Origin.POLL
    closed: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_CLOSED)
    buckets: tuple[float, ...] = ()
    limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    sent: Sent | None = None
    """Whether a server sends the events; if not, nothing appears at 0. None: every server does."""
    beforehand: tuple[str, ...] = ()
    """Values of its one open label that always exist, besides those of the context."""
    open_labels: tuple[str, ...] = field(init=False)
    """Labels whose values come from a poll, an event or the context."""
    is_total: bool = field(init=False)
    """Whether its size does not depend on the PBX's configuration: all labels are closed, or technologies."""
    group_size: int = field(init=False)
    """Number of label sets for each value of the open labels."""

    def __post_init__(self) -> None:
        open_labels = tuple(label for label in self.labels if label not in self.closed)
        is_total = frozenset(open_labels) <= {"technology"}
        size = 1 if is_total else prod(len(values) for values in self.closed.values())
        for name, value in (("open_labels", open_labels), ("is_total", is_total), ("group_size", size)):
            object.__setattr__(self, name, value)

    def group(self, labels: LabelSet) -> LabelSet:
        """Return what a cap keeps or drops as a whole, such as a queue with all its states, so that sums stay right."""
        if not self.closed or self.is_total:
            return labels
        return tuple(value for label, value in zip(self.labels, labels, strict=True) if label not in self.closed)

    def cap(self, limit: int) -> int:
        """Return the most label sets it may have under this limit of the configuration."""
        return max(limit, MAX_CLOSED_SETS) if self.is_total else limit


def gauge(name: str, text: str, *labels: str, closed: Mapping[str, tuple[str, ...]] = NO_CLOSED) -> Metric:
    """Declare a polled gauge. The text ends with its source, as in "(AMI QueueStatus: Calls)"."""
    return Metric(name, "gauge", text, labels, Origin.POLL, closed)


def polled_counter(name: str, text: str, *labels: str, closed: Mapping[str, tuple[str, ...]] = NO_CLOSED) -> Metric:
    """Declare one of Asterisk's own counters: absent while the PBX is down, and the PBX may reset it."""
    return Metric(name, "counter", text, labels, Origin.POLL, closed)


def counter(
    name: str,
    text: str,
    *labels: str,
    closed: Mapping[str, tuple[str, ...]] = NO_CLOSED,
    sent: Sent | None = None,
    beforehand: tuple[str, ...] = (),
) -> Metric:
    """Declare a counter of events, kept by the exporter."""
    return Metric(name, "counter", text, labels, Origin.EVENTS, closed, sent=sent, beforehand=beforehand)


def event_gauge(name: str, text: str, *labels: str, sent: Sent | None = None) -> Metric:
    """Declare a gauge that events raise and lower: absent without an event link, 0 when the link begins."""
    return Metric(name, "gauge", text, labels, Origin.EVENTS, sent=sent)


def histogram(
    name: str,
    text: str,
    *labels: str,
    buckets: tuple[float, ...],
    closed: Mapping[str, tuple[str, ...]] = NO_CLOSED,
    sent: Sent | None = None,
) -> Metric:
    """Declare a histogram of events; buckets are upper bounds in the metric's base unit, rising, without +Inf."""
    return Metric(name, "histogram", text, labels, Origin.EVENTS, closed, buckets, sent=sent)


Sample = tuple[Metric, LabelSet, float]
"""Metric, label set, value (for a histogram: one observation)."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """A configured or discovered trunk: which channels belong to it, and what tells whether it is up."""

    name: str
    technology: str = ""
    endpoint: str = ""
    registrations: tuple[str, ...] = ()
    channel_limit: int | None = None

    @property
    def is_pattern(self) -> bool:
        """Whether its endpoint is a glob, which may match several."""
        return any(character in self.endpoint for character in "*?[")


class OwnLoginFilter(Protocol):
    """Recognises the logins of this exporter."""

    def caused(self, event: str, account: str, address: tuple[str, int] | None) -> bool:
        """Whether one of them caused this security event of AMI. Call it once for each event.

        address: host and port that the event names; None when it cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Context:
    """What folds and trackers know besides their messages. Frozen: reload and discovery replace it."""

    trunks: Mapping[str, Trunk] = field(default_factory=lambda: MappingProxyType({}))
    trunk_names: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}))
    """(technology, endpoint) of a channel's name → trunk."""
    trunk_patterns: tuple[tuple[str, str], ...] = ()
    """(fnmatch pattern over "TECHNOLOGY/endpoint", trunk), for endpoints that are not in trunk_names."""
    technologies: tuple[str, ...] = ()
    """Channel technologies that this PBX has loaded, judged by its actions, and Local."""
    names: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    """Human names: kind ("queue") → id → name."""
    version: tuple[int, ...] = ()
    """Asterisk's version, such as (22, 10, 1); empty if unknown."""
    now: float = 0.0
    """Wall clock of the poll, Unix seconds."""
    start_time: float | None = None
    """Unix seconds at which Asterisk started, if FullyBooted gave its Uptime."""
    tells_start: bool = False  # whether a restart would be noticed
    reload: Reload | None = None  # of the latest CoreStatus
    fully_booted: bool | None = None
    """None if this user cannot know (no read=system)."""
    pbx_ahead: float = 0.0
    """The PBX's clock minus ours, seconds (Ping: Timestamp): its lists use its own clock."""
    destination: Callable[[str], str | None] = lambda _number: None
    """A dialled number → its class of destinations; None if it has none."""
    tenant: Callable[[Message], str] = lambda _message: "other"
    """An item or event of a channel → its tenant."""
    dids: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Inbound numbers as received → the names that they are counted by."""
    seen_direction: Callable[[str], str | None] = lambda _uniqueid: None
    """Uniqueid of a trunk's channel → its direction, if events showed how it began."""
    own_logins: OwnLoginFilter | None = None
    """Recognises our own logins, which security metrics leave out."""

    def trunk(self, technology: str, endpoint: str) -> str | None:
        """Return the name of an endpoint's trunk, or None."""
        found = self.trunk_names.get((technology, endpoint))
        if found is not None or not self.trunk_patterns:
            return found
        whole = f"{technology}/{endpoint}"
        return next((name for pattern, name in self.trunk_patterns if fnmatchcase(whole, pattern)), None)


Labels = Callable[[Message, Context], "LabelSet | None"]
Value = Callable[[Message], "float | None"]
Where = Callable[[Message], bool]


class Unreadable(Exception):  # noqa: N818 - a state, named as one
    """A complete answer that a collector cannot read: the collector fails and says why."""


Read = Callable[[Message], Sequence[Message]]
"""Makes items of one message, such as rows of a console command's response. Raises Unreadable."""


def one(_message: Message) -> float:
    """Count: each item or event weighs 1."""
    return 1.0


def no_labels(_message: Message, _context: Context) -> LabelSet:
    """Label values of a metric without labels."""
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of list item, or one event, becomes samples of one metric.

    source: the action whose items are folded, or None for events. items: the Event names, the current one first, then
    older ones with the same meaning. labels or value may return None, which skips the item. Counts and sums are 0 for
    every known label set without an item in a complete list; maxima, minima and plain values are absent.
    """

    metric: Metric
    source: Action | None
    items: tuple[str, ...]
    labels: Labels = no_labels
    value: Value = one
    where: Where | None = None
    reduce: Reduce = "sum"
    read: Read | None = None
    """Makes items of the single response; they have no Event. Rules that share a reader share its items."""


@dataclass(frozen=True, slots=True)
class ZeroSeries:
    """An item (source: action) or event (source: None) that names open label values, whose metrics then exist at 0.

    values returns the open labels' values in each metric's order of open labels.
    """

    metrics: tuple[Metric, ...]
    source: Action | None
    items: tuple[str, ...]
    values: Labels


class Fold(Protocol):
    """One collector's aggregation in one poll."""

    def item(self, action: Action, message: Message) -> None:
        """Take one item of an answer (or a single response, whose Event is absent)."""

    def finish(self, complete: frozenset[Action]) -> Iterable[Sample]:
        """Publish only what the complete lists allow."""


@runtime_checkable
class Resumable(Fold, Protocol):
    """A fold of several lists, some of which a poll may request while it serves the others again."""

    def again(self, context: Context, resting: frozenset[Action]) -> Fold:
        """Return the next poll's fold, which keeps the items of the resting lists only.

        Do not pass items of the resting lists to this fold any more, because both share them.
        """


class Tracker(Protocol):
    """Follows calls, legs or callers through their events. Bounded; used by one thread."""

    def event(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        """Take one of the events it asked for; now is monotonic seconds."""

    def reset(self) -> None:
        """Forget everything unfinished, because the link was lost and ends may have been missed."""

    def expire(self, now: float) -> Iterable[Sample]:
        """Drop entries that are too old; may return samples that needed a wait."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A tracker with the events it wants."""

    events: tuple[str, ...]
    make: Callable[[], Tracker]
    watch: Callable[[Tracker, Message], None] | None = None
    """Passes polled items of the actions in `watched` to a tracker (codec of a channel)."""
    watched: tuple[Action, ...] = ()
    """Actions whose items `watch` gets if a collector polls them; it does not cause them to be sent."""
    direction: Callable[[Tracker, str], str | None] | None = None
    """For a tracker that follows trunk channels: Context.seen_direction."""


@dataclass(frozen=True, slots=True, eq=False)
class Collector:
    """A subject: everything the exporter knows about it. Identity is the object.

    polls: each entry is a tuple of alternatives in order of preference; the first permitted one is sent. A poll whose
    alternatives are all missing is reported as unavailable and hides nothing else.
    """

    name: str
    title: str
    metrics: tuple[Metric, ...]
    polls: tuple[tuple[Action, ...], ...] = ()
    rules: tuple[Rule, ...] = ()
    zero_series: tuple[ZeroSeries, ...] = ()
    fold: Callable[[Context], Fold] | None = None
    tracked: tuple[Tracked, ...] = ()
    enabled: Literal["auto", False] = "auto"
    min_interval: float = 0.0
    filter_label: str = ""
    """The label that include and exclude in the configuration apply to."""
    hears: tuple[str, ...] = ()
    """Events that must be received although no rule counts them (canary calls)."""
    passive: bool = False
    """Its event rules request no classes: they see the events that other collectors request."""
