"""What a target has learned about its server besides metrics, and the Context made of it.

Technologies come from the offered actions; version, start and reload from FullyBooted and the core's answers; trunks
from the configuration or from discovery. CoreSettings tells whether queues and endpoints come from a database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock
from types import MappingProxyType

from ami_exporter.ami.actions import Action
from ami_exporter.ami.link import BOOT_SECONDS, Boot, Link
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Context, OwnLoginFilter, Trunk
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
    """Facts about one target's server. The threads of both links call it.

    clock: monotonic seconds; wall: Unix seconds. publish takes the new Context whenever a fact changes; restarted is
    called for each detected restart of the server.
    """

    def __init__(
        self,
        settings: TargetSettings,
        own_logins: OwnLoginFilter,
        clock: Callable[[], float],
        wall: Callable[[], float],
        *,
        publish: Callable[[Context], None],
        restarted: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._own_logins = own_logins
        self._clock = clock
        self._wall = wall
        self._lock = Lock()
        self._classes, self._tenants = Classes(settings.destinations), _tenants(settings)
        self._configured = self._trunks = _configured(settings)
        self._discovery = Discovery()
        self._technologies: tuple[str, ...] = technologies(())
        self.commands: frozenset[str] = frozenset()
        """The latest names of ListCommands, in lower case."""
        self._start = ServerStart()
        self._ahead = 0.0
        self._status: Message | None = None  # a CoreStatus that has not been used yet
        self._reload: Reload | None = None
        self._booted: bool | None = None
        self._booting_until = 0.0
        self._publish = publish
        self._restarted = restarted
        self.realtime = False
        self.version = ""
        self._by_banner: tuple[int, ...] = ()
        """Asterisk's version where CoreSettings is refused and the greeting tells it."""
        publish(self.context())

    def configure(self, settings: TargetSettings) -> None:
        """Use new settings; discovered trunks stay until the next poll finds them again."""
        with self._lock:
            if settings.trunks != "auto" or self._settings.trunks != "auto":
                self._configured = self._trunks = _configured(settings)
            self._settings = settings
            self._classes, self._tenants = Classes(settings.destinations), _tenants(settings)
        self._publish(self.context())

    @property
    def booting(self) -> bool:
        """Whether the server is known to be starting, so that modules are still loading."""
        return self._fully_booted is False

    @property
    def _fully_booted(self) -> bool | None:
        over = self._booted is False and self._clock() > self._booting_until
        return None if over else self._booted

    def offered(self, link: Link) -> None:
        """Take the actions that the server offers to this user now."""
        with self._lock:
            self._technologies = technologies(link.commands)
            self.commands = link.commands
            self._by_banner = version_by_banner(link.version)
            if link.boot is not None:
                self._booted = True
        self._publish(self.context())

    def connected(self, boot: Boot | None) -> bool:
        """Take the facts of a login and of the lists of `wants`; return whether the server has restarted since."""
        status, self._status = self._status, None
        restarted = self._take(boot, "" if status is None else written_start(status))
        if status is not None:
            reloaded = None if boot is None or boot.reloaded is None else boot.wall - boot.reloaded
            self._take_reload(status, reloaded)
        return restarted

    def booted(self, boot: Boot | None) -> bool:
        """Take a FullyBooted; return whether the server has restarted."""
        return self._take(boot, "")

    def alive(self, at: float) -> None:
        """Note a sign of life (monotonic seconds) of a link that `connected` knows."""
        with self._lock:
            self._start.alive(at)

    def _take_reload(self, status: Message, reloaded: float | None) -> None:
        """Take a CoreStatus. reloaded: Unix time of the last reload, if the login before it gave one."""
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
            if boot is not None:
                self._booted = True
            elif not self._start.is_same(written):  # a user who no longer sees FullyBooted sees the same start
                # The server is starting, if this user may see that event. Otherwise it is unknown.
                self._booted = False if self._start.tells_uptime else None
                self._booting_until = self._clock() + BOOT_SECONDS
            known = boot or Boot(None, self._clock(), self._wall())
            restarted = self._start.logged_in(known.uptime, known.at, known.wall - known.at, written)
            if restarted:
                self._reload = None
        if restarted:
            self._restarted()
        self._publish(self.context())
        return restarted

    @property
    def watched(self) -> tuple[Action, ...]:
        """Actions whose items hold facts, whichever collector polls them."""
        return (PING, SETTINGS, STATUS, *DISCOVERY) if self._discovers else (PING, SETTINGS, STATUS)

    @property
    def _discovers(self) -> bool:
        """Whether to discover trunks, or the registrations of configured ones."""
        trunks = self._configured.values()
        return self._settings.trunks == "auto" or any(t.technology == "PJSIP" and not t.registrations for t in trunks)

    def wants(self, link: Link) -> tuple[Action, ...]:
        """Return the actions to send once after connecting: folds need their facts before the first item."""
        return tuple(action for action in self.watched if link.offers(action.name))

    def item(self, action: Action, message: Message) -> None:
        """Take one item of the lists in `watched`, whether polled for these facts or for a collector."""
        if action.name in _DISCOVERY:
            self._discovery.item(action, message)
        elif action == SETTINGS:
            self.realtime = message.get("corerealtimeenabled", "").lower() == "yes"
            self.version = message.get("asteriskversion", "")
        elif action == STATUS:
            self._status = message
        elif action == PING:
            theirs = to_number(message.get("timestamp"))
            self._ahead = 0.0 if theirs is None else theirs - self._wall()

    def finish(self, complete: frozenset[Action]) -> bool:
        """End a round of items; return whether the trunks changed. Incomplete lists change nothing."""
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
        """Return the seconds for which a complete answer to this action is served again at least."""
        return REALTIME_MIN_INTERVAL if self.realtime and action.name.startswith(REALTIME_ACTIONS) else 0.0

    def context(self) -> Context:
        """Return all facts, frozen for folds and trackers."""
        with self._lock:
            trunks: Mapping[str, Trunk] = MappingProxyType(dict(self._trunks))
            start = None if self._booted is False else self._start.known  # while booting, that may be the start before
            return Context(
                trunks=trunks,
                trunk_names=trunk_names(trunks),
                trunk_patterns=trunk_patterns(trunks),
                technologies=self._technologies,
                names=self._settings.names,
                now=self._wall(),
                version=asterisk_version(self.version) or self._by_banner,
                start_time=None if start is None else start.wall,
                pbx_ahead=self._ahead,
                tells_start=self._start.is_known,
                reload=self._reload,
                fully_booted=self._fully_booted,
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
