"""What a target has learned of its server beside metrics, and the Context made of it.

Technologies from the actions offered, the start time from FullyBooted, trunks from the configuration or found, whether
queues and endpoints come from a database.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from types import MappingProxyType

from ami_exporter.ami.actions import Action
from ami_exporter.ami.link import Boot, Link
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Context, Trunk
from ami_exporter.collectors.trunks import DISCOVERY, Discovery
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.trunk_context import configured_trunks, technologies, trunk_names, trunk_patterns

SETTINGS = Action("CoreSettings")
#: A start time that moves by more than this is another start; less is the jitter of a login.
START_MOVED_SECONDS = 5.0
#: Realtime queues and endpoints are read from a database by these lists: no more often than once a minute.
REALTIME_ACTIONS = ("QueueStatus", "PJSIPShow")
REALTIME_MIN_INTERVAL = 60.0


@dataclass(frozen=True, slots=True)
class _Start:
    """When a server started by the monotonic and by the wall clock, as told at `seen` (monotonic), up for so long."""

    seen: float
    uptime: float
    monotonic: float
    wall: float

    @staticmethod
    def of(seen: float, uptime: float, offset: float) -> _Start:
        """offset: wall clock less monotonic clock."""
        return _Start(seen, uptime, seen - uptime, seen - uptime + offset)

    def restarted(self, known: _Start) -> bool:
        """Tell whether this is a later start than the one known.

        It is when the server has been up for less time than has passed since it was seen; or when it started later by
        both clocks: one that was set moves the wall clock only, a machine that slept the monotonic one.
        """
        if self.uptime + 1.0 < self.seen - known.seen:  # Uptime is in whole seconds
            return True
        moved = (abs(self.monotonic - known.monotonic), abs(self.wall - known.wall))
        return min(moved) > START_MOVED_SECONDS


class ServerFacts:
    """Facts of one target's server. Both links' threads call it.

    clock: monotonic seconds; wall: Unix seconds. publish takes the new Context whenever a fact changes; restarted is
    called each time the server turns out to have been started anew.
    """

    def __init__(
        self,
        settings: TargetSettings,
        event_classes: frozenset[str],
        own_sessions: Container[tuple[str, int]],
        clock: Callable[[], float],
        wall: Callable[[], float],
        *,
        publish: Callable[[Context], None],
        restarted: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._event_classes = event_classes
        self._own_sessions = own_sessions
        self._clock = clock
        self._wall = wall
        self._lock = Lock()
        self._trunks = configured_trunks(() if settings.trunks == "auto" else settings.trunks)
        self._discovery = Discovery()
        self._technologies: tuple[str, ...] = technologies(())
        self._start: _Start | None = None
        self._booted: bool | None = None
        self._publish = publish
        self._restarted = restarted
        self.realtime = False
        self.version = ""
        publish(self.context())

    def configure(self, settings: TargetSettings, event_classes: frozenset[str]) -> None:
        """Take new settings; trunks found stay until the next poll finds them again."""
        with self._lock:
            if settings.trunks != "auto" or self._settings.trunks != "auto":
                self._trunks = configured_trunks(() if settings.trunks == "auto" else settings.trunks)
            self._settings = settings
            self._event_classes = event_classes
        self._publish(self.context())

    @property
    def booting(self) -> bool:
        """True while the server is known to be starting: modules are still to come."""
        return self._booted is False

    def connected(self, link: Link) -> bool:
        """Take what a fresh link knows; True when the server has been started anew since."""
        self.offered(link)
        return self.booted(link.boot)

    def offered(self, link: Link) -> None:
        """Take what the server offers to this user now."""
        with self._lock:
            self._technologies = technologies(link.commands)
            if link.boot is not None:
                self._booted = True
        self._publish(self.context())

    def booted(self, boot: Boot | None) -> bool:
        """Take a FullyBooted, or that a login brought none; True when the server was started anew."""
        with self._lock:
            restarted = self._take_boot(boot)
        if restarted:
            self._restarted()
        self._publish(self.context())
        return restarted

    def _take_boot(self, boot: Boot | None) -> bool:
        if boot is None:
            # None came although this user may see it: the server is starting. Else nobody can tell.
            self._booted = None if self._start is None else False
            return False
        self._booted = True
        if boot.uptime is None:
            return False
        known, self._start = self._start, _Start.of(boot.at, boot.uptime, self._wall() - self._clock())
        restarted = known is not None and self._start.restarted(known)
        if known is not None and not restarted and abs(self._start.wall - known.wall) <= START_MOVED_SECONDS:
            self._start = replace(self._start, wall=known.wall)
        return restarted

    @property
    def watched(self) -> tuple[Action, ...]:
        """Actions whose items say something here too, whoever has them polled."""
        return (SETTINGS, *DISCOVERY) if self._settings.trunks == "auto" else (SETTINGS,)

    def wants(self, link: Link) -> tuple[Action, ...]:
        """Actions to ask once after connecting: what folds must know before the first item."""
        return tuple(action for action in self.watched if link.offers(action.name))

    def item(self, action: Action, message: Message) -> None:
        """Take one item of the lists asked for knowledge's sake, or polled anyway."""
        if action == SETTINGS:
            self.realtime = message.get("corerealtimeenabled", "").lower() == "yes"
            self.version = message.get("asteriskversion", "")
        elif action in DISCOVERY:
            self._discovery.item(action, message)

    def finish(self, complete: frozenset[Action]) -> bool:
        """End a round of items; True when the trunks changed. What an incomplete list would tell stays as it was."""
        discovery, self._discovery = self._discovery, Discovery()
        if self._settings.trunks != "auto" or not complete.intersection(DISCOVERY):
            return False
        found = discovery.finish(complete, self._trunks)
        with self._lock:
            changed = dict(found) != dict(self._trunks)
            self._trunks = found
        if changed:
            self._publish(self.context())
        return changed

    def min_interval(self, action: Action) -> float:
        """Seconds for which a complete answer to this action is served again, however quick it was."""
        return REALTIME_MIN_INTERVAL if self.realtime and action.name.startswith(REALTIME_ACTIONS) else 0.0

    def context(self) -> Context:
        """Everything known, frozen for folds and trackers."""
        with self._lock:
            trunks: Mapping[str, Trunk] = MappingProxyType(dict(self._trunks))
            return Context(
                trunks=trunks,
                trunk_names=trunk_names(trunks),
                trunk_patterns=trunk_patterns(trunks),
                technologies=self._technologies,
                names=self._settings.names,
                now=self._wall(),
                start_time=None if self._start is None else self._start.wall,
                fully_booted=self._booted,
                event_classes=self._event_classes,
                own_sessions=self._own_sessions,
            )
