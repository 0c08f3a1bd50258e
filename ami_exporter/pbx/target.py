"""One PBX: joins its links, collectors and event counters into a scrape."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ami_exporter.ami.concluded import OWN_EVENTS
from ami_exporter.ami.event_classes import USER_EVENTS, classes_of
from ami_exporter.ami.link import Link
from ami_exporter.collectors import canary, core, trunks
from ami_exporter.collectors.declarations import Collector, Context, LabelSet, Metric, Trunk
from ami_exporter.collectors.sent import before_12
from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.exposition.caps import Caps, everything
from ami_exporter.exposition.own_metrics import EVENT_CLASSES
from ami_exporter.exposition.writer import Family, Writer
from ami_exporter.pbx import scrape_metrics
from ami_exporter.pbx.canaries import STARTING_SECONDS, Canaries, Surroundings
from ami_exporter.pbx.command_link import CommandLink
from ami_exporter.pbx.connector import Connector, open_further
from ami_exporter.pbx.event_counters import EventCounters
from ami_exporter.pbx.event_link import EventLink
from ami_exporter.pbx.event_loop import EventLoop
from ami_exporter.pbx.login_backoff import UNHURRIED_SECONDS, LoginBackoff, ReconnectBackoff
from ami_exporter.pbx.plan import EnabledCollector
from ami_exporter.pbx.poll_run import Result
from ami_exporter.pbx.poller import Polled, Poller
from ami_exporter.pbx.server_facts import ServerFacts
from ami_exporter.pbx.shared import Overloaded, Shared
from ami_exporter.pbx.stats import LINKS, LinkName, TargetStats

#: The status page shows the rate of events over the last minute, from counts that scrapes note.
RATE_SECONDS = 60.0
RATE_POINTS = 64


@dataclass(frozen=True, slots=True)
class Clocks:
    """Clocks and randomness, passed in. monotonic and wall in seconds; jitter in [0, 1)."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random


SYSTEM_CLOCKS = Clocks()


class Target:
    """A monitored PBX. `start` opens the event links; `scrape` answers until `stop`.

    loop reads the event links of all targets; whoever made it stops it. None: this target listens to no events.
    gate: what all logins to this PBX share, those of other targets and of a configuration before a reload too.
    shared: what it has in common with the other targets.
    """

    def __init__(
        self,
        settings: TargetSettings,
        collectors: Sequence[Collector],
        clocks: Clocks = SYSTEM_CLOCKS,
        loop: EventLoop | None = None,
        gate: LoginBackoff | None = None,
        *,
        shared: Shared | None = None,
    ) -> None:
        self.settings = settings
        self._clocks = clocks
        self._loop = loop
        self.gate = gate or LoginBackoff(clocks.monotonic)
        self._chosen = choose(settings, collectors)
        self._classes = event_classes(settings, self.collectors)
        self._listens = event_links(self._classes)
        self.stats = TargetStats(clocks.monotonic, ["poll", *self._listens])
        self.connector = Connector(settings, self.gate, self.stats, clocks.monotonic, clocks.wall, shared=shared)
        self.canaries = self._canaries()
        self.counters = EventCounters(self._counting(), Context(), self._caps(), self.canaries.event)
        self.facts = self._server_facts()
        self.commands = CommandLink(
            settings, gate=self.gate, logins=self.connector.logins, stats=self.stats, clock=clocks.monotonic
        )
        self.event_links: dict[LinkName, EventLink] = {}
        self.poller = self._poller()
        self.event_links = {} if loop is None else {name: self._event_link(name, loop) for name in self._listens}
        self.last: Mapping[str, Result] = {}
        self.last_up: bool | None = None
        self.changed_at: float | None = None
        self.last_scrape: tuple[float | None, float | None] = (None, None)
        """When the last scrape ended (Unix time), and its seconds."""
        self._received: deque[tuple[float, int]] = deque([(clocks.monotonic(), 0)], maxlen=RATE_POINTS)

    def _canaries(self) -> Canaries:
        return Canaries(
            self.name,
            self.settings.canaries,
            Surroundings(self._link_for, self._starting, self._listening, self._trunk_full),
            clock=self._clocks.monotonic,
            wall=self._clocks.wall,
            chance=self._clocks.jitter,
        )

    def _server_facts(self) -> ServerFacts:
        return ServerFacts(
            self.settings,
            self.connector.logins,
            self._clocks.monotonic,
            self._clocks.wall,
            publish=self.counters.use,
            restarted=lambda: self.counters.add([(core.BOOTS, (), 1.0)]),
        )

    def _poller(self) -> Poller:
        return Poller(
            self._chosen,
            source(self.settings),
            connector=self.connector,
            commands=self.commands,
            facts=self.facts,
            counters=self.counters,
            rights=lambda: [link.rights for link in self.event_links.values()],
            writer=Writer(self._caps()),
            clock=self._clocks.monotonic,
        )

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def collectors(self) -> tuple[Collector, ...]:
        return tuple(choice.collector for choice in self._chosen)

    def start(self) -> None:
        """Start the event links and canary calls. The PBX may be down."""
        for link in self.event_links.values():
            link.start()
        if self.event_links:
            self.canaries.start()

    def stop(self) -> None:
        """Log off all links; `join` waits for that."""
        self.canaries.stop()
        for link in self.event_links.values():
            link.stop()

    def join(self, timeout: float) -> None:
        until = self._clocks.monotonic() + timeout
        for link in self.event_links.values():
            link.join(max(0.0, until - self._clocks.monotonic()))
        self.poller.close(timeout)

    def reconfigure(self, settings: TargetSettings, collectors: Sequence[Collector]) -> None:
        """Use new settings with the same address and login: links stay, and so do counters of unchanged rules."""
        self.settings = settings
        self._chosen = choose(settings, collectors)
        classes = event_classes(settings, self.collectors)
        self.counters.install(self._counting(), self._caps())
        self.facts.configure(settings)
        self.commands.configure(settings)
        self.canaries.configure(settings.canaries)
        self.poller.configure(self._chosen, source(settings), Writer(self._caps()))
        if self._loop is not None and classes != self._classes:
            self._classes = classes
            self._listen_to(event_links(classes), self._loop)

    def _listen_to(self, listens: Mapping[LinkName, frozenset[str]], loop: EventLoop) -> None:
        """Open and close event links after a reload; one with the same classes stays."""
        before, changed = self.event_links, [name for name in LINKS if listens.get(name) != self._listens.get(name)]
        self._listens = dict(listens)
        gone = [before[name] for name in changed if name in before]
        for link in gone:
            link.stop()
        for link in gone:
            link.join(2.0)
        self.stats.use_links(["poll", *listens])
        self.event_links = {name: self._event_link(name, loop) if name in changed else before[name] for name in listens}
        for name in changed:
            if name in listens:
                self.event_links[name].start(before.get(name))

    def scrape(self, names: frozenset[str], deadline: float, *, events_of_all: bool = True) -> list[Family]:
        """Return all families of these collectors before the deadline (monotonic seconds).

        events_of_all False leaves out the event counters of collectors that were not requested. Raises Overloaded.
        """
        begin = self._clocks.monotonic()
        wanted = names & self.poller.names
        polled = self.poller.poll(wanted, deadline)
        self._note(polled)
        with self.connector.shared.turn:
            return self._families(polled, names, begin, events_of_all=events_of_all)

    def _families(self, polled: Polled, names: frozenset[str], begin: float, *, events_of_all: bool) -> list[Family]:
        now = self._clocks.monotonic()
        self._received.append((now, self.stats.events_received))
        families = scrape_metrics.families(polled, now, now - begin)
        for result in polled.results.values():
            families.extend(result.families)
        metrics = None
        if not events_of_all:
            metrics = frozenset(metric for c in self.collectors if c.name in names for metric in c.metrics)
        families.extend(self.counters.families(metrics))
        if canary.COLLECTOR.name in (names if metrics is not None else self.poller.names):
            families.extend(self.canaries.families())
        families.extend(self.stats.families())
        families.extend(self._given_classes())
        self.last_scrape = (self._clocks.wall(), now - begin)
        return families

    def _given_classes(self) -> list[Family]:
        polls = self.stats.up_since("poll")
        given = {name for link in self.event_links.values() for name in link.rights.given(polls)}
        return [Family(EVENT_CLASSES, {(name,): 1.0 for name in sorted(given)})] if given else []

    @property
    def missed_classes(self) -> frozenset[str]:
        """The classes of read= that the event links asked for and turned out to lack."""
        polls = self.stats.up_since("poll")
        return frozenset[str]().union(*(link.rights.missed(polls) for link in self.event_links.values()))

    def events_per_second(self) -> float | None:
        """Return the rate of events over about a minute, or since the start; None without an event link."""
        if not self.event_links:
            return None
        now, received = self._clocks.monotonic(), self.stats.events_received
        recent = [point for point in tuple(self._received) if now - point[0] <= RATE_SECONDS]
        since, before = recent[0] if recent else self._received[-1]
        return (received - before) / max(now - since, 1.0)

    def _counting(self) -> tuple[Collector, ...]:
        return self.collectors if self.settings.events else ()

    def _caps(self) -> Caps:
        limit = self.settings.limits.series_per_metric
        return Caps(limit, self.stats.dropped, filters(self.settings, self.collectors))

    def _event_link(self, name: LinkName, loop: EventLoop) -> EventLink:
        first = name == "events"
        return EventLink(
            name,
            self._listens[name],
            loop=loop,
            connector=self.connector,
            counters=self.counters,
            stats=self.stats,
            backoff=ReconnectBackoff(self._clocks.jitter),
            clock=self._clocks.monotonic,
            # The second link follows the first: by then trunks and queues are known, and the login is good.
            prepare=self._prepare if first else lambda: self._listening() is not None,
            noticed=self._noticed if first else lambda _event, _link: None,
            begun=self.counters.linked if first else lambda: None,
            lost=self.counters.reset_trackers if first else lambda: None,
        )

    def _link_for(self, user: AmiUser, deadline: float) -> Link:
        clock = self._clocks.monotonic
        return open_further(self.settings, user, deadline, gate=self.gate, logins=self.connector.logins, clock=clock)

    def _starting(self) -> bool:
        """Whether the PBX may be in its first minute, by its start time, or else by how long it has been connected.

        One before Asterisk 12 never gets beyond it.
        """
        known = self.facts.context()
        if before_12(known):  # no call can have an identifier of ours there: it would count as somebody's
            return True
        if known.start_time is not None:
            return known.fully_booted is False or self._clocks.wall() - known.start_time < STARTING_SECONDS
        return (self._listening() or 0.0) < STARTING_SECONDS

    def _listening(self) -> float | None:
        since = self.stats.up_since("events")
        return None if since is None else self._clocks.monotonic() - since

    def _trunk_full(self, channel: str) -> bool | None:
        """Whether the trunk of this channel has at most one free channel; None if that is not known now."""
        trunk = next((one for one in map(self._trunk_at, ends_of(channel)) if one is not None), None)
        if trunk is None or trunk.channel_limit is None:
            return False
        deadline = self._clocks.monotonic() + self.settings.timeout
        try:
            polled = self.poller.poll(frozenset({trunks.COLLECTOR.name}), deadline)
        except Overloaded:
            return None
        found = polled.results.get(trunks.COLLECTOR.name)
        if not polled.up or found is None:
            return None
        counts = next((family.values for family in found.families if family.metric is trunks.CHANNELS), {})
        return sum(n for labels, n in counts.items() if labels[0] == trunk.name) >= trunk.channel_limit - 1

    def _trunk_at(self, end: tuple[str, str]) -> Trunk | None:
        known = self.facts.context()
        name = known.trunk(*end)
        return None if name is None else known.trunks.get(name)

    def _prepare(self) -> bool:
        """Poll once before listening, so that trunks, queues and service levels are known when the first event comes.

        Returns whether the PBX answers. This login may wait longer than the target's timeout for its answer. It waits
        for no scrape of other PBXs: meanwhile events would be missed.
        """
        deadline = self._clocks.monotonic() + max(self.settings.timeout, UNHURRIED_SECONDS)
        polled = self.poller.poll(self.poller.names, deadline, urgent=True)
        self._note(polled)
        return polled.up

    def _note(self, polled: Polled) -> None:
        if polled.up != self.last_up:
            self.changed_at = self._clocks.wall()
        self.last_up = polled.up
        self.last = {**self.last, **polled.results}

    def _noticed(self, event: str, link: Link) -> None:
        """React to a reload, the end of booting, or a changed set of modules."""
        if event == "FullyBooted" and self.facts.booted(link.boot):
            self.poller.forget()  # the link that sees a restart first handles it; the other one will find nothing new
        self.poller.refresh()


_CONFIGURED: Mapping[str, Callable[[TargetSettings], object]] = {
    "canary": lambda settings: settings.canaries,
    "destinations": lambda settings: settings.destinations,
    "dids": lambda settings: settings.dids,
    "tenants": lambda settings: settings.tenants is not None,
}
"""Collectors that need settings: they are off without them."""


def choose(settings: TargetSettings, collectors: Sequence[Collector]) -> list[EnabledCollector]:
    """Return the collectors that are enabled on a target, in their order."""
    chosen = []
    for collector in collectors:
        own = settings.collectors.get(collector.name)
        enabled = collector.enabled if own is None or own.enabled is None else own.enabled
        configured = _CONFIGURED.get(collector.name)
        if configured is not None and not configured(settings):
            enabled = False
        interval = collector.min_interval if own is None or own.min_interval is None else own.min_interval
        if enabled is not False:
            paced = own is not None and own.min_interval is not None
            chosen.append(EnabledCollector(collector, enabled is True, interval, paced))
    return chosen


def source(settings: TargetSettings) -> str | None:
    """Return the action to prefer for channels, if the configuration names one."""
    return next((own.source for own in settings.collectors.values() if own.source is not None), None)


def filters(settings: TargetSettings, collectors: Sequence[Collector]) -> Callable[[Metric, LabelSet], bool]:
    """Return a function that tells whether include and exclude let a label set through."""
    rules = {}
    for collector in collectors:
        own = settings.collectors.get(collector.name)
        if own is not None and collector.filter_label and (own.include or own.exclude):
            for metric in collector.metrics:
                if collector.filter_label in metric.labels:
                    rules[metric] = (metric.labels.index(collector.filter_label), own.wants)

    def allowed(metric: Metric, labels: LabelSet) -> bool:
        rule = rules.get(metric)
        return rule is None or rule[1](labels[rule[0]])

    return allowed if rules else everything


def event_classes(settings: TargetSettings, collectors: Sequence[Collector]) -> frozenset[str]:
    """Return the manager classes that the event links request: those of the events that rules want."""
    if not settings.events:
        return frozenset()
    names = {name for c in collectors if not c.passive for name in events_of(c)}
    if any(one.audio == "tone" for one in settings.canaries.values()):
        names.add(canary.TONE_EVENT)
    return classes_of(names)


def event_links(classes: frozenset[str]) -> dict[LinkName, frozenset[str]]:
    """Return the event links for these classes and what each requests: UserEvents have a link of their own."""
    parts: dict[LinkName, frozenset[str]] = {"events": classes - USER_EVENTS, "user_events": classes & USER_EVENTS}
    return {name: part for name, part in parts.items() if part}


def events_of(collector: Collector) -> set[str]:
    """Return the event names that a collector's rules want, as the rules write them."""
    names = {name for row in collector.rules if row.source is None for name in row.items}
    names |= {name for known in collector.zero_series if known.source is None for name in known.items}
    names |= set(collector.hears)
    return (names | {name for tracked in collector.tracked for name in tracked.events}) - OWN_EVENTS


def ends_of(channel: str) -> list[tuple[str, str]]:
    """Return (technology, part) for each part of a dialled channel that may be the endpoint: PJSIP/49301@telco-a."""
    technology, _, rest = channel.partition("/")
    return [(technology, part) for part in (rest.rpartition("@")[2], rest.partition("/")[0], rest) if part]
