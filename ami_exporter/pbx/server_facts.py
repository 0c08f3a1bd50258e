"""What a target has learned of its server beside metrics, and the Context made of it.

Technologies from the actions offered, version, start and reload from FullyBooted and the core's answers, trunks from
the configuration or found, whether queues and endpoints come from a database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock
from types import MappingProxyType

from ami_exporter.ami.actions import Action
from ami_exporter.ami.link import Boot, Link
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Context, OwnLogins, Trunk
from ami_exporter.collectors.dialstrings import Classes
from ami_exporter.collectors.fields import to_number
from ami_exporter.collectors.reloads import Reload, last_reload, written_start
from ami_exporter.collectors.sent import asterisk_version, version_by_banner
from ami_exporter.collectors.tenants import Tenants
from ami_exporter.collectors.trunk_discovery import DISCOVERY, Discovery
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.server_start import ServerStart
from ami_exporter.pbx.trunk_context import configured_trunks, technologies, trunk_names, trunk_patterns

SETTINGS = Action("CoreSettings")
STATUS = Action("CoreStatus")
PING = Action("Ping")
_DISCOVERY = frozenset(action.name for action in DISCOVERY)
#: Realtime queues and endpoints are read from a database by these lists: no more often than once a minute.
REALTIME_ACTIONS = ("QueueStatus", "PJSIPShow")
REALTIME_MIN_INTERVAL = 60.0


class ServerFacts:
    """Facts of one target's server. Both links' threads call it.

    clock: monotonic seconds; wall: Unix seconds. publish takes the new Context whenever a fact changes; restarted is
    called each time the server turns out to have been started anew.
    """

    def __init__(
        self,
        settings: TargetSettings,
        event_classes: frozenset[str],
        own_logins: OwnLogins,
        clock: Callable[[], float],
        wall: Callable[[], float],
        *,
        publish: Callable[[Context], None],
        restarted: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._event_classes = event_classes
        self._own_logins = own_logins
        self._clock = clock
        self._wall = wall
        self._lock = Lock()
        self._classes, self._tenants = Classes(settings.destinations), _tenants(settings)
        self._configured = self._trunks = _configured(settings)
        self._discovery = Discovery()
        self._technologies: tuple[str, ...] = technologies(())
        self.commands: frozenset[str] = frozenset()
        """What ListCommands named last, in lower case."""
        self._start = ServerStart()
        self._ahead = 0.0
        self._status: Message | None = None  # of CoreStatus, not looked at yet
        self._reload: Reload | None = None
        self._booted: bool | None = None
        self._publish = publish
        self._restarted = restarted
        self.realtime = False
        self.version = ""
        self._by_banner: tuple[int, ...] = ()
        """Asterisk's version where CoreSettings is refused and the greeting tells it."""
        publish(self.context())

    def configure(self, settings: TargetSettings, event_classes: frozenset[str]) -> None:
        """Take new settings; trunks found stay until the next poll finds them again."""
        with self._lock:
            if settings.trunks != "auto" or self._settings.trunks != "auto":
                self._configured = self._trunks = _configured(settings)
            self._settings = settings
            self._classes, self._tenants = Classes(settings.destinations), _tenants(settings)
            self._event_classes = event_classes
        self._publish(self.context())

    @property
    def booting(self) -> bool:
        """True while the server is known to be starting: modules are still to come."""
        return self._booted is False

    def offered(self, link: Link) -> None:
        """Take what the server offers to this user now."""
        with self._lock:
            self._technologies = technologies(link.commands)
            self.commands = link.commands
            self._by_banner = version_by_banner(link.version)
            if link.boot is not None:
                self._booted = True
        self._publish(self.context())

    def connected(self, boot: Boot | None) -> bool:
        """Take what a login and the lists of `wants` have told; True when the server was started anew since."""
        status, self._status = self._status, None
        restarted = self._take(boot, "" if status is None else written_start(status))
        if status is not None:
            reloaded = None if boot is None or boot.reloaded is None else boot.wall - boot.reloaded
            self._take_reload(status, reloaded)
        return restarted

    def booted(self, boot: Boot | None) -> bool:
        """Take a FullyBooted; True when the server was started anew."""
        return self._take(boot, "")

    def alive(self, at: float) -> None:
        """Note a sign of life (monotonic seconds) of a link that `connected` has been told of."""
        with self._lock:
            self._start.alive(at)

    def _take_reload(self, status: Message, reloaded: float | None) -> None:
        """Take a CoreStatus; reloaded: Unix time of the last reload, where the login before it has told."""
        with self._lock:
            known, start = self._reload, self._start.known
            if start is None:
                return
            self._reload = last_reload(status, known, start.wall, self._wall())
            new = self._reload is not None and (known is None or known.written != self._reload.written)
            if self._reload is not None and new and reloaded is not None:
                self._reload = replace(self._reload, time=reloaded)

    def _take(self, boot: Boot | None, written: str) -> bool:
        with self._lock:
            # None came although this user may see it: the server is starting. Else nobody can tell.
            self._booted = boot is not None or (None if self._start.known is None else False)
            told = boot or Boot(None, self._clock(), self._wall())
            restarted = self._start.told(told.uptime, told.at, told.wall - told.at, written)
        if restarted:
            self._restarted()
        self._publish(self.context())
        return restarted

    @property
    def watched(self) -> tuple[Action, ...]:
        """Actions whose items say something here too, whoever has them polled."""
        return (PING, SETTINGS, STATUS, *DISCOVERY) if self._discovers else (PING, SETTINGS, STATUS)

    @property
    def _discovers(self) -> bool:
        """Whether trunks are to be found, or the registrations of those configured."""
        trunks = self._configured.values()
        return self._settings.trunks == "auto" or any(t.technology == "PJSIP" and not t.registrations for t in trunks)

    def wants(self, link: Link) -> tuple[Action, ...]:
        """Actions to ask once after connecting: what folds must know before the first item."""
        return tuple(action for action in self.watched if link.offers(action.name))

    def item(self, action: Action, message: Message) -> None:
        """Take one item of the lists asked for knowledge's sake, or polled anyway."""
        if action.name in _DISCOVERY:
            self._discovery.item(action, message)
        elif action == SETTINGS:
            self.realtime = message.get("corerealtimeenabled", "").lower() == "yes"
            self.version = message.get("asteriskversion", "")
        elif action == STATUS:
            self._status = message
        elif action == PING:
            told = to_number(message.get("timestamp"))
            self._ahead = 0.0 if told is None else told - self._wall()

    def finish(self, complete: frozenset[Action]) -> bool:
        """End a round of items; True when the trunks changed. What an incomplete list would tell stays as it was."""
        discovery, self._discovery = self._discovery, Discovery()
        status, self._status = self._status, None
        if status is not None:
            self._take_reload(status, None)
        if not self._discovers or not complete.intersection(DISCOVERY):
            return False
        with self._lock:
            known = self._trunks
            if self._settings.trunks == "auto":
                self._trunks = discovery.found(complete, known)
            else:
                self._trunks = discovery.linked(complete, self._configured, known)
            changed = dict(known) != dict(self._trunks)
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
                version=asterisk_version(self.version) or self._by_banner,
                start_time=None if self._start.known is None else self._start.known.wall,
                pbx_ahead=self._ahead,
                tells_start=self._start.is_told,
                reload=self._reload,
                fully_booted=self._booted,
                event_classes=self._event_classes,
                own_logins=self._own_logins,
                destination=self._classes.of,
                dids=self._settings.dids,
                tenant=self._tenants.of,
            )


def _tenants(settings: TargetSettings) -> Tenants:
    one = settings.tenants
    return Tenants() if one is None else Tenants(one.source.lower(), one.map, one.pattern)


def _configured(settings: TargetSettings) -> Mapping[str, Trunk]:
    return configured_trunks(() if settings.trunks == "auto" else settings.trunks)
