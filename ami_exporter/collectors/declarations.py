"""The nouns of a collector: metrics, rows, known labels, folds, trackers, context.

A collector is a declaration. What it declares is either polled (list actions folded item by item into gauges and into
Asterisk's own counters, built anew by each poll) or counted (events turned into counters and histograms, which live in
the target's event store). Folds and trackers return samples; they know no sockets, no time and no exposition.
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
"""Label sets of a metric whose labels hold only words of ours and technologies: fifty causes of forty technologies. The
configuration's cap does not go below, for it would cut totals; more would be no truth."""


Sent = Callable[["Context", tuple[str, ...]], bool]
"""Whether a server sends something, for these values of a metric's open labels (a technology, a trunk)."""


class Origin(Enum):
    """Where a metric's values come from, and so how long they live."""

    POLL = "poll"  # built anew by each poll, absent while the PBX is down
    EVENTS = "events"  # kept in the event store, still there while the PBX is down
    EXPORTER = "exporter"  # about the exporter and its links


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """A metric family. Identity is the object: two collectors never share one.

    closed names, for a label, all values (or the common ones) that exist beforehand: they appear at 0 as soon as the
    metric's open labels are known. limits: the most values a label may have; the rest is dropped
    and counted.
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
    """Whether this server sends what it is made of: where it does not, nothing exists at 0. None: every server does."""
    beforehand: tuple[str, ...] = ()
    """Values of its one open label that exist beside those that the context knows."""
    open_labels: tuple[str, ...] = field(init=False)
    """Labels whose values only a poll, an event or the context can name."""
    is_total: bool = field(init=False)
    """Whether the PBX's configuration cannot make it grow: all its labels are closed, or technologies."""
    group_size: int = field(init=False)
    """Label sets for each value of the open labels, as far as they are known beforehand."""

    def __post_init__(self) -> None:
        open_labels = tuple(label for label in self.labels if label not in self.closed)
        is_total = frozenset(open_labels) <= {"technology"}
        size = 1 if is_total else prod(len(values) for values in self.closed.values())
        for name, value in (("open_labels", open_labels), ("is_total", is_total), ("group_size", size)):
            object.__setattr__(self, name, value)

    def group(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """Return what a cap takes or leaves as a whole: a queue with all its states, or the sum over them was wrong."""
        if not self.closed or self.is_total:
            return labels
        return tuple(value for label, value in zip(self.labels, labels, strict=True) if label not in self.closed)

    def cap(self, limit: int) -> int:
        """Return the label sets it may have where the configuration allows so many of a metric."""
        return max(limit, MAX_CLOSED_SETS) if self.is_total else limit


def gauge(name: str, text: str, *labels: str, closed: Mapping[str, tuple[str, ...]] = NO_CLOSED) -> Metric:
    """Declare a polled gauge. The text ends with its source, as in "(AMI QueueStatus: Calls)"."""
    return Metric(name, "gauge", text, labels, Origin.POLL, closed)


def polled_counter(name: str, text: str, *labels: str, closed: Mapping[str, tuple[str, ...]] = NO_CLOSED) -> Metric:
    """Declare one of Asterisk's own counters: absent while the PBX is down, may be reset by it."""
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
    """Declare a gauge that events raise and lower: absent without an event link, 0 when one begins."""
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


Sample = tuple[Metric, tuple[str, ...], float]
"""Metric, label values in the metric's order, value (for a histogram: one observation)."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """A trunk as configured or found: which channels are its own, and what tells whether it is up."""

    name: str
    technology: str = ""
    endpoint: str = ""
    registrations: tuple[str, ...] = ()
    channels_limit: int | None = None

    @property
    def is_pattern(self) -> bool:
        """Whether its endpoint is a glob, which may stand for several."""
        return any(character in self.endpoint for character in "*?[")


class OwnLogins(Protocol):
    """Knows the logins of this exporter."""

    def told_by(self, event: str, account: str, address: tuple[str, int] | None) -> bool:
        """Whether this security event of AMI tells of one of them. Asked once for each event.

        address: host and port that the event names; None when it cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Context:
    """What folds and trackers may know beside their messages. Frozen: swapped whole by reload and discovery."""

    trunks: Mapping[str, Trunk] = field(default_factory=lambda: MappingProxyType({}))
    trunk_names: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}))
    """(technology, endpoint) as in a channel's name → trunk."""
    trunk_patterns: tuple[tuple[str, str], ...] = ()
    """(fnmatch pattern over "TECHNOLOGY/endpoint", trunk), for what trunk_names does not hold."""
    technologies: tuple[str, ...] = ()
    """Channel technologies this PBX has loaded, as its actions tell, and Local."""
    names: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    """Human names: kind ("queue") → id → name."""
    version: tuple[int, ...] = ()
    """Asterisk's version, such as (22, 10, 1); empty where it is not known."""
    now: float = 0.0
    """Wall clock of the poll, Unix seconds."""
    start_time: float | None = None
    """Unix seconds at which Asterisk started, where FullyBooted told its Uptime."""
    tells_start: bool = False  # so that a restart would be seen
    reload: Reload | None = None  # as CoreStatus last told it
    fully_booted: bool | None = None
    """None where this user cannot know (no read=system)."""
    event_classes: frozenset[str] = frozenset()
    """Manager classes the event link asks for: what else happens is not seen."""
    pbx_ahead: float = 0.0
    """The PBX's clock less ours, seconds (Ping: Timestamp): its lists hold times by its own clock."""
    destination: Callable[[str], str | None] = lambda _number: None
    """A number dialled → its class of destinations; None where it has none."""
    tenant: Callable[[Message], str] = lambda _message: "other"
    """An item or event of a channel → its tenant."""
    dids: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Inbound numbers as they come in → the names they are counted by."""
    seen_direction: Callable[[str], str | None] = lambda _uniqueid: None
    """Uniqueid of a trunk's channel → the direction in which events saw it begin; None where they did not."""
    own_logins: OwnLogins | None = None
    """Tells our own logins apart, to leave them out of security events."""

    def trunk(self, technology: str, endpoint: str) -> str | None:
        """Name of the trunk that an endpoint is, or None."""
        found = self.trunk_names.get((technology, endpoint))
        if found is not None or not self.trunk_patterns:
            return found
        whole = f"{technology}/{endpoint}"
        return next((name for pattern, name in self.trunk_patterns if fnmatchcase(whole, pattern)), None)


Labels = Callable[[Message, Context], "tuple[str, ...] | None"]
Value = Callable[[Message], "float | None"]
Where = Callable[[Message], bool]


class Unreadable(Exception):  # noqa: N818 - a state, named as one
    """An answer that came in full, and yet is not what a collector reads: the collector fails, and says why."""


Read = Callable[[Message], Sequence[Message]]
"""Makes items of one message: of a console command's response, its rows. Raises Unreadable."""


def one(_message: Message) -> float:
    """Count: each item or event weighs 1."""
    return 1.0


def no_labels(_message: Message, _context: Context) -> tuple[str, ...]:
    """Label values of a metric without labels."""
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of list item, or one event, becomes samples of one metric.

    source is the action whose items are folded, or None for events. items are the Event names (the first the
    modern one, then older ones that mean the same). labels or value may answer None: this item says nothing.
    What is counted or summed is 0 for every known label set that no item of a complete list has; maxima, minima and
    plain values are absent there.
    """

    metric: Metric
    source: Action | None
    items: tuple[str, ...]
    labels: Labels = no_labels
    value: Value = one
    where: Where | None = None
    reduce: Reduce = "sum"
    read: Read | None = None
    """Makes items of the one response there is; they have no Event. One reader for several rules reads once."""


@dataclass(frozen=True, slots=True)
class ZeroSeries:
    """An item (source: action) or event (source: None) that names open label values: metrics then exist at 0.

    values yields the open labels' values in each metric's own order of open labels.
    """

    metrics: tuple[Metric, ...]
    source: Action | None
    items: tuple[str, ...]
    values: Labels


class Fold(Protocol):
    """One poll's aggregation of one collector; made anew for each poll."""

    def item(self, action: Action, message: Message) -> None:
        """Take one item of an answer (or a single response, whose Event is absent)."""

    def finish(self, complete: frozenset[Action]) -> Iterable[Sample]:
        """Publish only what the complete lists allow."""


@runtime_checkable
class Resumable(Fold, Protocol):
    """A fold of several lists, of which a poll may ask some again and let the others rest."""

    def again(self, context: Context, resting: frozenset[Action]) -> Fold:
        """Return the next poll's fold: it knows what the resting lists told, and nothing of the others.

        This one may be used no more for the resting lists' items: what they told is shared.
        """


class Tracker(Protocol):
    """Follows calls, legs or callers through their events. Bounded; lives in the event store; one thread."""

    def event(self, message: Message, context: Context, now: float) -> Iterable[Sample]:
        """Take one of the events it asked for; now is monotonic seconds."""

    def reset(self) -> None:
        """Forget everything in flight: the link was lost, ends may have been missed."""

    def expire(self, now: float) -> Iterable[Sample]:
        """Drop what is too old to be true; may publish what only waiting could tell."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A tracker with the events it wants."""

    events: tuple[str, ...]
    make: Callable[[], Tracker]
    watch: Callable[[Tracker, Message], None] | None = None
    """Feeds a tracker facts from polls (codec of a channel): the items of the actions in `watched`."""
    watched: tuple[Action, ...] = ()
    """Actions whose items are shown to `watch` when some collector polls them; it makes none be sent."""
    direction: Callable[[Tracker, str], str | None] | None = None
    """Of one that follows trunk channels: Context.seen_direction."""


@dataclass(frozen=True, slots=True, eq=False)
class Collector:
    """A subject: everything the exporter knows of it. Identity is the object.

    polls: each entry is a tuple of alternatives in order of preference, the first permitted one is sent. A poll whose
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
    """The label that include and exclude in the configuration choose by."""
    hears: tuple[str, ...] = ()
    """Events the mask must bring though no rule counts them: they are handed on (canary calls)."""
    passive: bool = False
    """Its event rules ask for no class of their own: they see what the rules of others bring."""
