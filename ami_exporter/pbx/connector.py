"""Opens a target's links through the login gate, counts logins, and logs changes of state once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from ami_exporter.ami.errors import AlreadyInUse, AmiError, LoginRefused
from ami_exporter.ami.link import Link
from ami_exporter.ami.login import Credentials, LoginPace
from ami_exporter.ami.message import Message
from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.login_backoff import WINDOW_SECONDS, LoginBackoff, LoginIdentity, LoginPaused
from ami_exporter.pbx.own_logins import OwnLogins
from ami_exporter.pbx.shared import Shared
from ami_exporter.pbx.state_log import StateLog
from ami_exporter.pbx.stats import LinkName, TargetStats

log = logging.getLogger(__name__)

#: Seconds until the next attempt when the user may have one session only, which our other link holds.
ALREADY_IN_USE_SECONDS = 60.0


def make_link(
    settings: TargetSettings,
    classes: Iterable[str] = (),
    on_event: Callable[[Message], None] | None = None,
    *,
    pace: LoginPace | None = None,
    clock: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
    shared: Shared | None = None,
) -> Link:
    """Make a link to a target, not yet open; with classes it receives events."""
    user = Credentials(settings.username, settings.secret.reveal(), settings.md5)
    shared = shared or Shared()
    return Link(
        settings.host,
        settings.port,
        user,
        tls=settings.tls,
        classes=classes,
        on_event=on_event,
        pace=pace,
        clock=clock,
        wall=wall,
        library=shared.library,
        turn=shared.turn,
    )


def open_further(
    settings: TargetSettings,
    user: AmiUser,
    deadline: float,
    *,
    gate: LoginBackoff,
    logins: OwnLogins,
    clock: Callable[[], float] = time.monotonic,
) -> Link:
    """Connect to a target and log in as a user beside its own.

    Raises LoginPaused without trying, or an AmiError.
    """
    secret = user.secret.now()
    attempt = gate.attempt(LoginIdentity(user.username, secret, settings.tls, further=True))
    link = make_link(replace(settings, username=user.username, secret=secret), pace=attempt, clock=clock)
    with attempt, logins.login(link, user.username):
        link.open(deadline)
    return link


class Connector:
    """Opens links of one target through the login gate that all logins to its PBX share."""

    def __init__(
        self,
        settings: TargetSettings,
        gate: LoginBackoff,
        stats: TargetStats,
        clock: Callable[[], float],
        wall: Callable[[], float],
        *,
        shared: Shared | None = None,
    ) -> None:
        self._settings = settings
        self.shared = shared or Shared()
        self._gate = gate
        self._stats = stats
        self._clock = clock
        self._wall = wall
        self._details: dict[LinkName, str] = {}
        self._held_back: dict[LinkName, str] = {}
        self._in_use_until: dict[LinkName, float] = {}
        self._lost: set[LinkName] = set()  # links that were lost and have not worked since
        self._state_log = StateLog(log)
        self.logins = OwnLogins(clock)

    def open(
        self,
        name: LinkName,
        deadline: float,
        classes: Iterable[str] = (),
        on_event: Callable[[Message], None] | None = None,
    ) -> Link:
        """Connect and log in. Raises LoginPaused without trying, or an AmiError."""
        self._reload_secret()
        try:
            return self._open(name, deadline, classes, on_event)
        except LoginPaused as paused:
            self._hold_back(name, f"{paused}")
            raise

    def _open(
        self, name: LinkName, deadline: float, classes: Iterable[str], on_event: Callable[[Message], None] | None
    ) -> Link:
        self._check_in_use(name)
        attempt = self._gate.attempt(LoginIdentity.of(self._settings))
        link = make_link(
            *(self._settings, classes, on_event),
            pace=attempt,
            clock=self._clock,
            wall=self._wall,
            shared=self.shared,
        )
        try:
            with attempt, self.logins.login(link, self._settings.username):
                link.open(deadline)
        except AmiError as error:
            self._stats.certificate(link.certificate_ends)
            self._stats.login_failed(error.reason)
            self.count_errors(link)
            text = f"{error}"
            if isinstance(error, AlreadyInUse):
                self._in_use_until[name] = self._clock() + ALREADY_IN_USE_SECONDS
            elif isinstance(error, LoginRefused):
                text += (
                    f"; the same user and secret are tried again in {WINDOW_SECONDS:.0f} s, so that intrusion"
                    " detection does not ban this host; sooner only with another secret, or after a restart"
                )
            self._changed(name, logging.WARNING, "cannot connect to Asterisk", text)
            raise
        self._stats.certificate(link.certificate_ends)
        self._stats.link_up(name)
        self._details[name] = self._held_back[name] = ""
        if name not in self._lost:
            self.works(name)
        return link

    def _reload_secret(self) -> None:
        """Use the new secret if its file has changed. The gate holds no refusal against a new secret."""
        secret = self._settings.secret.now()
        if secret != self._settings.secret:
            self._settings = replace(self._settings, secret=secret)
            log.info("the secret was reread, because its file has changed", extra={"target": self._settings.name})

    def _check_in_use(self, name: LinkName) -> None:
        left = self._in_use_until.get(name, 0.0) - self._clock()
        if left > 0:
            raise LoginPaused(f"the user was already in use; the next login is tried in {left:.0f} s")

    def _hold_back(self, name: LinkName, why: str) -> None:
        """Note that no login is tried. A reason from this link's own last login says more, and stays."""
        self._held_back[name] = why
        if not self._details.get(name):
            extra = {"target": self._settings.name, "address": self._settings.endpoint, "link": name, "error": why}
            self._state_log.note((name,), LoginPaused, logging.WARNING, "cannot connect to Asterisk", **extra)

    def works(self, name: LinkName) -> None:
        """Note that an open link works.

        After a loss only this is logged: a link that opens and breaks in each scrape would log two lines a scrape.
        """
        self._lost.discard(name)
        self._changed(name, logging.INFO, "connected to Asterisk", "")

    def lost(self, name: LinkName, link: Link, reason: str) -> None:
        """Note that an open link has ended. An empty reason means that we logged off."""
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
        """Add the protocol errors that a link has counted."""
        for kind, count in link.protocol_errors.items():
            self._stats.protocol_errors(kind, count)
        link.protocol_errors.clear()

    def detail(self, name: LinkName) -> str:
        """Return why a link is down, for the status page; empty when it is up or was never tried."""
        return self._details.get(name) or self._held_back.get(name, "")

    def _changed(self, name: LinkName, level: int, message: str, error: str) -> None:
        self._details[name] = error
        where = {"target": self._settings.name, "address": self._settings.endpoint, "link": name}
        extra = where | ({"error": error} if error else {})
        self._state_log.note((name,), (message, error), level, message, **extra)
