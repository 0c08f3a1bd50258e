"""The exporter's own counters for one target: links, logins, events received, gaps, drops.

Counters with closed labels exist at 0 from the start. Threads of links and scrapes write here, under one lock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Lock
from typing import Final, Literal, get_args

from ami_exporter.ami.errors import Kind, Reason
from ami_exporter.collectors.declarations import LabelSet, Metric
from ami_exporter.exposition.own_metrics import (
    CERTIFICATE,
    EVENTS_GAP,
    EVENTS_RECEIVED,
    LINK_CONNECTS,
    LINK_UP,
    LOGIN_FAILURES,
    PROTOCOL_ERRORS,
    SERIES_DROPPED,
)
from ami_exporter.exposition.writer import Family

LinkName = Literal["poll", "events", "user_events"]
LINKS: tuple[LinkName, ...] = get_args(LinkName)
EVENT_LINKS: tuple[LinkName, ...] = ("events", "user_events")
REASONS: tuple[str, ...] = get_args(Reason)
LATELY_SECONDS: Final = 900.0
"""As long as the alert AsteriskSeriesDropped looks back."""


class TargetStats:
    """The exporter's own counters of one target. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float], links: Collection[LinkName]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._up: dict[LinkName, float | None] = dict.fromkeys(links)
        self._connects = dict.fromkeys(links, 0)
        self._failures = dict.fromkeys(REASONS, 0)
        self._errors = dict.fromkeys([kind.value for kind in Kind], 0)
        self._dropped: dict[str, int] = {}
        self._dropped_at: dict[str, float] = {}
        self._received = 0
        self._certificate_ends: float | None = None
        self._gap = 0.0
        self._gap_end = 0.0  # end of the last closed gap
        self._gap_since: float | None = clock() if self._event_links() else None

    def use_links(self, links: Collection[LinkName]) -> None:
        """Use these links from now on; links that stay keep their state."""
        with self._lock:
            self._up = {link: self._up.get(link) for link in links}
            self._connects = {link: self._connects.get(link, 0) for link in links}
            if self._gap_since is None and any(self._up[link] is None for link in self._event_links()):
                self._gap_since = self._clock()
            self._end_gap()

    def link_up(self, link: LinkName) -> None:
        """Note an accepted login. Once all event links are up, the gap ends."""
        with self._lock:
            self._up[link] = self._clock()
            self._connects[link] = self._connects.get(link, 0) + 1
            self._end_gap()

    def _event_links(self) -> list[LinkName]:
        return [link for link in EVENT_LINKS if link in self._up]

    def _end_gap(self) -> None:
        if self._gap_since is not None and all(self._up[link] is not None for link in self._event_links()):
            self._gap_end = self._clock()
            self._gap += self._gap_end - self._gap_since
            self._gap_since = None

    def link_down(self, link: LinkName, alive_at: float) -> None:
        """Note a lost or closed link. For an event link a gap begins at its last sign of life (monotonic seconds).

        Events sent after that sign may be lost. Time that a gap has counted is never counted again.
        """
        with self._lock:
            if link not in self._up:  # a reload has removed the link
                return
            since, self._up[link] = self._up[link], None
            if link in EVENT_LINKS:
                begin = max(alive_at, since or 0.0, self._gap_end)
                self._gap_since = begin if self._gap_since is None else min(self._gap_since, begin)

    def up_since(self, link: LinkName) -> float | None:
        """Return the monotonic time of the login; None while the link is down."""
        with self._lock:
            return self._up.get(link)

    def login_failed(self, reason: Reason) -> None:
        """Count a connection whose login was not accepted."""
        with self._lock:
            self._failures[reason] += 1

    def certificate(self, ends: float | None) -> None:
        """Note when the server's certificate ends (Unix seconds); None if no handshake was completed."""
        with self._lock:
            self._certificate_ends = ends or self._certificate_ends

    def protocol_errors(self, kind: str, count: int = 1) -> None:
        with self._lock:
            self._errors[kind] += count

    def dropped(self, metric: Metric, _labels: tuple[str, ...] = ()) -> None:
        with self._lock:
            self._dropped[metric.name] = self._dropped.get(metric.name, 0) + 1
            self._dropped_at[metric.name] = self._clock()

    def received(self, events: int) -> None:
        with self._lock:
            self._received += events

    @property
    def events_received(self) -> int:
        return self._received

    @property
    def series_dropped(self) -> int:
        with self._lock:
            return sum(self._dropped.values())

    @property
    def dropping(self) -> list[str]:
        """The metrics of which label sets were refused lately."""
        with self._lock:
            now = self._clock()
            return sorted(name for name, at in self._dropped_at.items() if now - at <= LATELY_SECONDS)

    def gap(self) -> float:
        """Return the seconds without one of the event links, an open gap included."""
        with self._lock:
            return self._gap + (0.0 if self._gap_since is None else self._clock() - self._gap_since)

    def families(self) -> list[Family]:
        gap = self.gap()
        with self._lock:
            listens = bool(self._event_links())
            told: dict[Metric, dict[LabelSet, float]] = {
                LINK_UP: {(link,): float(since is not None) for link, since in self._up.items()},
                LINK_CONNECTS: {(link,): float(count) for link, count in self._connects.items()},
                LOGIN_FAILURES: {(reason,): float(count) for reason, count in self._failures.items()},
                EVENTS_RECEIVED: {(): float(self._received)} if listens else {},
                EVENTS_GAP: {(): gap} if listens else {},
                PROTOCOL_ERRORS: {(kind,): float(count) for kind, count in self._errors.items()},
                SERIES_DROPPED: {(name,): float(count) for name, count in self._dropped.items()},
                CERTIFICATE: {} if self._certificate_ends is None else {(): self._certificate_ends},
            }
        return [Family(metric, values) for metric, values in told.items() if values]
