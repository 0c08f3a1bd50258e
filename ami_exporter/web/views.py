"""The web's interface to the rest of the program: one Protocol, and the plain data it returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from ami_exporter.exposition.formats import Format


class Busy(Exception):  # noqa: N818 - a state, named as one
    """Other scrapes leave no time for this one (a 503). The text says what to do."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which collectors a scrape wants: those in `collect`, or all but `exclude`; both empty means all.

    They are never both set: the web answers such a request with a 400.
    """

    collect: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DiscoveredTarget:
    """One configured target for `/sd`, with its labels from the configuration."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


class LinkState(Enum):
    """State of one AMI connection, in words for people."""

    UP = "up"
    DOWN = "down"
    OPENING = "opening"  # no login was accepted or refused yet
    OFF = "off"  # disabled in the configuration (`events: false`), or not needed yet


class CollectorState(Enum):
    """Result of a collector in the last scrape, in words for people."""

    OK = "ok"
    FAULT = "fault"
    UNAVAILABLE = "not offered"  # this server does not have its actions, or this user lacks the rights
    WAITING = "waiting"  # enabled, but no scrape has happened yet


@dataclass(frozen=True, slots=True)
class LinkView:
    """One AMI connection of a target; `since` is the Unix time of its last change, None before the first."""

    name: str
    state: LinkState
    since: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CollectorView:
    """One collector of a target; times in seconds. `advice` says how to fix a fault or a missing right, or is empty."""

    name: str
    state: CollectorState
    duration: float | None = None
    age: float | None = None
    reason: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class CanaryView:
    """One canary. `result` of the last call is empty until one has ended; `last` and `next` are Unix times."""

    name: str
    result: str = ""
    why: str = ""
    last: float | None = None
    next: float | None = None


@dataclass(frozen=True, slots=True)
class TargetView:
    """One target on the status page.

    `up` is None before the first attempt; `since` is the Unix time of its last change. `events_per_second` is None if
    no event link is configured. `missing_rights`: actions that need write=reporting, which the user lacks (a fault);
    `further_rights`: actions that write=system would add (optional); `missing_classes`: classes of read= whose events
    do not arrive. `scraped`: Unix time of the last scrape; `took`: its duration in seconds. `series_dropped`: label
    sets refused since the start; `dropping`: metrics with recently refused label sets.
    """

    name: str
    up: bool | None
    since: float | None = None
    version: str = ""
    advice: str = ""
    links: Sequence[LinkView] = ()
    collectors: Sequence[CollectorView] = ()
    missing_rights: str = ""
    further_rights: str = ""
    missing_classes: Sequence[str] = ()
    events_per_second: float | None = None
    series: int | None = None
    series_dropped: int = 0
    dropping: Sequence[str] = ()
    address: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    scraped: float | None = None
    took: float | None = None
    canaries: Sequence[CanaryView] = ()


@dataclass(frozen=True, slots=True)
class StatusView:
    """What the status page shows; times are Unix seconds. `reload_error` is empty after a good (re)load."""

    exporter_version: str
    now: float
    started: float
    targets: Sequence[TargetView] = ()
    loaded: float | None = None
    reload_error: str = ""


@dataclass(frozen=True, slots=True)
class ReloadOutcome:
    """Result of a reload; `message` says what changed, or lists the faults, one per line."""

    ok: bool
    message: str


class Service(Protocol):
    """The program behind the web. Must be thread-safe."""

    def target_names(self) -> Sequence[str]:
        """Return the names of all configured targets."""

    def collector_names(self) -> Sequence[str]:
        """Return the names of all collectors a scrape may choose."""

    def scrape(self, target: str | None, select: Selection, header_timeout: str | None, fmt: Format) -> bytes:
        """Poll and return the exposition body; blocks until the scrape's own deadline.

        `target` is None on the telemetry path: the exporter's own metrics, plus the PBX's if exactly one is
        configured. `header_timeout` is the raw X-Prometheus-Scrape-Timeout-Seconds. Raises LookupError if `target`
        was removed since it was checked (a 400), Busy; any other exception is a bug (a 500).
        """

    def discovery(self) -> Sequence[DiscoveredTarget]:
        """Return the targets for `/sd`."""

    def status(self) -> StatusView:
        """Return what the status page shows."""

    def config_text(self) -> str:
        """Return the effective configuration as YAML, secrets and numbers masked."""

    def ready(self) -> bool:
        """Whether scrapes can be answered; must not block."""

    def reload(self) -> ReloadOutcome:
        """Reload the configuration; a bad one changes nothing."""
