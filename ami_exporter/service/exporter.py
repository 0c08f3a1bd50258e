"""The program behind the web: all targets, their scrapes, the configuration and its reload."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock, Thread

from ami_exporter.collectors.declarations import Collector
from ami_exporter.config.effective import effective_yaml
from ami_exporter.config.faults import ConfigErrors, counted
from ami_exporter.config.target_settings import Settings, TargetSettings
from ami_exporter.exposition.formats import Format
from ami_exporter.exposition.text import render
from ami_exporter.pbx.event_loop import EventLoop
from ami_exporter.pbx.login_backoff import LoginBackoff
from ami_exporter.pbx.shared import Overloaded, Shared
from ami_exporter.pbx.target import SYSTEM_CLOCKS, Clocks, Target
from ami_exporter.service import statusview
from ami_exporter.service.deadline import scrape_seconds
from ami_exporter.service.ownmetrics import OwnMetrics
from ami_exporter.web.views import Busy, DiscoveredTarget, ReloadOutcome, Selection, StatusView

log = logging.getLogger(__name__)

#: How long `stop` waits for all links to log off.
STOP_SECONDS = 3.0
LOOP_STOP_SECONDS = 1.0

#: Refused scrapes are logged once in so many seconds.
BUSY_LOG_SECONDS = 60.0
BUSY = (
    "scrape refused, because other scrapes leave it no time: scrape less often, or divide the targets between exporters"
    " (--shard)"
)

#: Login gates to keep for PBXs that a reload removed: 0.1 MB.
GATES_OF_GONE = 200

Load = Callable[[], Settings]
CollectorsFor = Callable[[Settings, TargetSettings], Sequence[Collector]]


class Exporter:
    """Implements the web's Service. load: rereads the configuration; raises ConfigErrors.

    collectors_for: all of a target's collectors, in order; the same settings must give the same objects.
    """

    def __init__(
        self, settings: Settings, load: Load, collectors_for: CollectorsFor, clocks: Clocks = SYSTEM_CLOCKS
    ) -> None:
        self._load = load
        self._collectors_for = collectors_for
        self._clocks = clocks
        self._reloading = Lock()
        self._settings = settings
        self._loop = EventLoop(clocks.monotonic)
        self._shared = Shared()
        self._gates: dict[tuple[str, int], LoginBackoff] = {}
        self._targets: Mapping[str, Target] = {name: self._make(one) for name, one in settings.targets.items()}
        self._collector_names = self._all_collector_names()
        self._own = OwnMetrics()
        self._started = self._loaded = clocks.wall()
        self._reload_error = ""
        self._busy_log_at = 0.0

    def start(self) -> None:
        """Start listening to every target's events."""
        for target in self._targets.values():
            target.start()

    def stop(self) -> None:
        """Log off everywhere, within STOP_SECONDS for all targets together."""
        _stop(self._targets.values(), self._clocks.monotonic)
        self._loop.stop(LOOP_STOP_SECONDS)

    def target_names(self) -> Sequence[str]:
        return tuple(self._targets)

    def collector_names(self) -> Sequence[str]:
        return self._collector_names

    def _all_collector_names(self) -> Sequence[str]:
        names = {c.name: None for t in self._targets.values() for c in self._collectors_for(self._settings, t.settings)}
        return tuple(names)

    def scrape(self, target: str | None, select: Selection, header_timeout: str | None, fmt: Format) -> bytes:
        """Return a scrape's body; LookupError for an unknown or removed target, Busy if others leave it no time."""
        self._loop.check()
        families = []
        targets = self._targets
        if target is None:
            families = self._own.families(reload_ok=not self._reload_error, loaded=self._loaded)
            only = next(iter(targets.values())) if len(targets) == 1 else None
        else:
            only = targets[target]
        if only is not None:
            names = frozenset(collector.name for collector in only.collectors)
            names = names & select.collect if select.collect else names - select.exclude
            seconds = scrape_seconds(header_timeout, only.settings.timeout)
            chosen = bool(select.collect or select.exclude)
            try:
                scraped = only.scrape(names, self._clocks.monotonic() + seconds, events_of_all=not chosen)
            except Overloaded:
                raise self._busy() from None
            families = scraped + families
        with self._shared.turn:
            return render(families, fmt)

    def _busy(self) -> Busy:
        """Return the refusal of a scrape, and log it if that has not been done lately."""
        now = self._clocks.monotonic()
        if now >= self._busy_log_at:
            self._busy_log_at = now + BUSY_LOG_SECONDS
            log.warning(BUSY)
        return Busy(BUSY)

    def discovery(self) -> Sequence[DiscoveredTarget]:
        return [DiscoveredTarget(name, target.settings.labels) for name, target in self._targets.items()]

    def status(self) -> StatusView:
        return statusview.view(
            self._targets.values(),
            now=self._clocks.wall(),
            monotonic=self._clocks.monotonic(),
            started=self._started,
            loaded=self._loaded,
            reload_error=self._reload_error,
        )

    def config_text(self) -> str:
        """The effective configuration as YAML, with secrets and numbers masked."""
        return effective_yaml(self._settings)

    def ready(self) -> bool:
        """Always true: the configuration was valid at startup, and a PBX that is down can still be scraped."""
        return True

    def reload(self) -> ReloadOutcome:
        """Reload the configuration; a bad one changes nothing, and a metric and the status page report it."""
        with self._reloading:
            try:
                settings = self._load()
            except ConfigErrors as errors:
                self._reload_error = str(errors)
                log.error("reload failed, nothing changed", extra={"error": self._reload_error})
                return ReloadOutcome(ok=False, message=self._reload_error)
            message = self._use(settings)
            self._loaded = self._clocks.wall()
            self._reload_error = ""
            log.info("configuration reloaded", extra={"changes": message})
            return ReloadOutcome(ok=True, message=message)

    def _make(self, settings: TargetSettings) -> Target:
        gate = self._gates.setdefault((settings.host, settings.port), LoginBackoff(self._clocks.monotonic))
        collectors = self._collectors_for(self._settings, settings)
        return Target(settings, collectors, self._clocks, self._loop, gate, shared=self._shared)

    def _forget_gates(self) -> None:
        """Drop gates of removed PBXs, but only when there are many: the next reload may bring a PBX back."""
        used = {(one.settings.host, one.settings.port) for one in self._targets.values()}
        if len(self._gates) > len(used) + GATES_OF_GONE:
            self._gates = {key: gate for key, gate in self._gates.items() if key in used or not gate.empty}

    def _use(self, settings: Settings) -> str:
        old = self._targets
        self._settings = settings
        targets: dict[str, Target] = {}
        fresh: list[Target] = []
        for name, one in settings.targets.items():
            kept = old.get(name)
            if kept is not None and same_session(kept.settings, one):
                kept.reconfigure(one, self._collectors_for(settings, one))
                targets[name] = kept
            else:
                targets[name] = self._make(one)
                fresh.append(targets[name])
                if kept is not None:
                    targets[name].canaries.adopt(kept.canaries)
        self._targets = targets
        self._collector_names = self._all_collector_names()
        self._forget_gates()
        gone = [target for name, target in old.items() if targets.get(name) is not target]
        _stop(gone, self._clocks.monotonic)
        for target in fresh:
            target.start()
        kept_count = len(targets) - len(fresh)
        return (
            f"{counted(len(targets), 'target')}: {len(fresh)} connected anew, {kept_count} kept, {len(gone)} logged off"
        )


def same_session(one: TargetSettings, other: TargetSettings) -> bool:
    """Whether links can stay open: address, TLS, user, secret and whether events are wanted are unchanged."""
    return all(
        getattr(one, field) == getattr(other, field)
        for field in ("host", "port", "tls", "username", "secret", "md5", "events")
    )


def _stop(targets: Iterable[Target], clock: Callable[[], float]) -> None:
    stopping = list(targets)
    until = clock() + STOP_SECONDS
    for target in stopping:
        target.stop()
    # A PBX may not answer the logoff, so wait for all of them in parallel, STOP_SECONDS in total.
    threads = []
    for target in stopping:
        thread = Thread(target=target.join, args=(STOP_SECONDS,), name="ami-stop", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has none left: wait for this target here
            target.join(max(0.0, until - clock()))
        else:
            threads.append(thread)
    for thread in threads:
        thread.join(max(0.0, until - clock()))
