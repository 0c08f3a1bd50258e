"""What the web needs from the rest of the program: one Protocol, and the plain data it hands over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from ami_exporter.exposition.formats import Format


@dataclass(frozen=True, slots=True)
class Selection:
    """Which collectors a scrape wants: those in `collect`, or all but `exclude`; both empty means all.

    Never both filled: the web answers 400 to that.
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
    OPENING = "opening"  # no login has failed, none was accepted yet
    OFF = "off"  # switched off in the configuration (`events: false`), or not needed yet


class CollectorState(Enum):
    """Result of a collector in the last scrape, in words for people."""

    OK = "ok"
    FAULT = "fault"
    UNAVAILABLE = "not offered"  # this server, or this user's rights, do not offer its actions
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
    """One collector of a target; seconds. `advice`: what to do about a fault or a missing right, or empty."""

    name: str
    state: CollectorState
    duration: float | None = None
    age: float | None = None
    reason: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class CanaryView:
    """One canary call: what became of the last (empty: none has ended yet), its end and the next, Unix times."""

    name: str
    result: str = ""
    why: str = ""
    last: float | None = None
    next: float | None = None


@dataclass(frozen=True, slots=True)
class TargetView:
    """One target on the status page.

    `up` is None before the first attempt, `since` the Unix time of its last change. `events_per_second` is
    None where no event link is wanted. `missing_rights`: actions that the AMI user cannot have without
    write=reporting, a fault; `further_rights`: those that write=system would add, a choice; `missing_classes`:
    classes of read= whose events do not come. `scraped`: Unix time of the last scrape, `took`: its seconds.
    `series_dropped`: label sets refused since the start, `dropping`: metrics that had some refused lately.
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
    """How a reload went; `message` is for who asked for it: what changed, or each fault on its own line."""

    ok: bool
    message: str


class Service(Protocol):
    """The program behind the web. Called from several worker threads at once; `ready` from the event loop."""

    def target_names(self) -> Sequence[str]:
        """Return the names of all configured targets."""

    def collector_names(self) -> Sequence[str]:
        """Return the names of all collectors a scrape may choose."""

    def scrape(self, target: str | None, select: Selection, header_timeout: str | None, fmt: Format) -> bytes:
        """Poll and return the exposition body; blocks until the scrape's own deadline.

        `target` None is the telemetry path: the exporter's own metrics, and the PBX's where there is exactly
        one. `header_timeout` is the raw X-Prometheus-Scrape-Timeout-Seconds. Raises only on a bug, which
        becomes a 500; `target` may have been removed since it was checked: LookupError becomes a 400.
        """

    def discovery(self) -> Sequence[DiscoveredTarget]:
        """Return the targets for `/sd`."""

    def status(self) -> StatusView:
        """Return what the status page shows."""

    def config_text(self) -> str:
        """Return the effective configuration as YAML, secrets and numbers masked."""

    def ready(self) -> bool:
        """Say whether scrapes can be answered; must not block."""

    def reload(self) -> ReloadOutcome:
        """Load the configuration again; a bad one changes nothing."""
