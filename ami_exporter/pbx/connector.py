"""Opening a target's links: through the login gate, counted, and logged once per change of state."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from ami_exporter.ami.errors import AmiError, LoginRefused
from ami_exporter.ami.link import Link, Tls
from ami_exporter.ami.login import Credentials
from ami_exporter.ami.message import Message
from ami_exporter.config.target_settings import AmiUser, TargetSettings
from ami_exporter.pbx.login_backoff import LoginBackoff
from ami_exporter.pbx.state_log import StateLog
from ami_exporter.pbx.stats import LinkName, TargetStats

log = logging.getLogger(__name__)

#: Sessions of ours that a late security event may still name: two links, and some reconnections of each.
REMEMBERED_SESSIONS = 16


class LoginPaused(Exception):  # noqa: N818 - a state, named as one
    """No login is tried now: earlier ones were refused."""


def make_link(
    settings: TargetSettings,
    classes: Iterable[str] = (),
    on_event: Callable[[Message], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Link:
    """A link to a target, not yet open; with classes it listens to events."""
    tls = None if settings.tls is None else Tls(settings.tls.ca_file, settings.tls.server_name, settings.tls.verify)
    user = Credentials(settings.username, settings.secret.reveal(), settings.md5)
    return Link(settings.host, settings.port, user, tls=tls, classes=classes, on_event=on_event, clock=clock)


class OwnSessions:
    """Our own ends of AMI connections, known as soon as they are connected: before the login's security event."""

    def __init__(self) -> None:
        self._links: deque[Link] = deque(maxlen=REMEMBERED_SESSIONS)

    def add(self, link: Link) -> None:
        """Remember a link that is about to connect."""
        self._links.append(link)

    def __contains__(self, address: object) -> bool:
        return any(link.local_address == address for link in tuple(self._links))


def user_link(
    settings: TargetSettings, user: AmiUser, sessions: OwnSessions, clock: Callable[[], float] = time.monotonic
) -> Link:
    """A link to a target for another user of its, not yet open; its login is remembered as one of ours."""
    link = make_link(replace(settings, username=user.username, secret=user.secret.now()), clock=clock)
    sessions.add(link)
    return link


class Connector:
    """Opens links of one target. A refused login closes the gate for both links."""

    def __init__(
        self, settings: TargetSettings, gate: LoginBackoff, stats: TargetStats, clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._gate = gate
        self._stats = stats
        self._clock = clock
        self._details: dict[LinkName, str] = {}
        self._lost: set[LinkName] = set()  # lost, and not yet seen at work again
        self._state_log = StateLog(log)
        self.sessions = OwnSessions()

    def open(
        self,
        name: LinkName,
        deadline: float,
        classes: Iterable[str] = (),
        on_event: Callable[[Message], None] | None = None,
    ) -> Link:
        """Connect and log in. Raises LoginPaused without trying, or the AmiError that says what went wrong."""
        self._reload_secret()
        closed_for = self._gate.closed_for()
        if closed_for > 0:
            raise LoginPaused(f"the last login was refused; the next is tried in {closed_for:.0f} s, or after a reload")
        link = make_link(self._settings, classes, on_event, self._clock)
        self.sessions.add(link)
        try:
            link.open(deadline)
        except AmiError as error:
            self._stats.login_failed(error.reason)
            self.count_errors(link)
            text = f"{error}"
            if isinstance(error, LoginRefused):
                self._gate.refused()
                text += "; further logins wait up to 60 s each, so that fail2ban does not ban this host"
            self._changed(name, logging.WARNING, "cannot connect to Asterisk", text)
            raise
        self._gate.accepted()
        self._stats.link_up(name)
        self._details[name] = ""
        if name not in self._lost:
            self.works(name)
        return link

    def _reload_secret(self) -> None:
        """Take a secret whose file was changed, and try it at once."""
        secret = self._settings.secret.now()
        if secret != self._settings.secret:
            self._settings = replace(self._settings, secret=secret)
            self._gate.open()
            log.info("the secret's file has changed", extra={"target": self._settings.name})

    def works(self, name: LinkName) -> None:
        """Note that an open link does its work.

        After a loss only this is news: a link that is opened and lost in each scrape would be two lines a scrape.
        """
        self._lost.discard(name)
        self._changed(name, logging.INFO, "connected to Asterisk", "")

    def lost(self, name: LinkName, link: Link, reason: str) -> None:
        """Note that an open link is gone; an empty reason: we logged off."""
        self._stats.link_down(name, link.alive_at)
        self.count_errors(link)
        if reason and name in self._lost:
            self._details[name] = reason
        elif reason:
            self._lost.add(name)
            self._changed(name, logging.WARNING, "connection to Asterisk lost", reason)
        else:
            self._changed(name, logging.INFO, "logged off", "")

    def count_errors(self, link: Link) -> None:
        """Take over what a link has counted of violations of the protocol."""
        for kind, count in link.protocol_errors.items():
            self._stats.protocol_errors(kind, count)
        link.protocol_errors.clear()

    def detail(self, name: LinkName) -> str:
        """Why a link is down, for the status page; empty when it is up or was never tried."""
        return self._details.get(name, "")

    def _changed(self, name: LinkName, level: int, message: str, error: str) -> None:
        self._details[name] = error
        extra = {"target": self._settings.name, "link": name} | ({"error": error} if error else {})
        self._state_log.note((name,), (message, error), level, message, **extra)
