"""The login gate of one PBX. All logins of this exporter to it share the gate, so that nothing bans this host.

Intrusion detection counts log lines by the address in them, over the last ten minutes. Where Asterisk's NOTICE and
SECURITY logs go into one file, one refused login is two lines for a wrong secret and three for an unknown user. Stock
limits are ten (fail2ban's jail `asterisk`), eight (FreePBX) and five (fail2ban's default, Grandstream UCM). So the gate
allows one refusal of the same login in ten minutes, which is below all limits, and two refusals altogether, however
often somebody changes the secret: six lines at most.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Condition
from types import TracebackType
from typing import Self

from ami_exporter.ami.errors import AlreadyInUse, LoginRefused, Timeout
from ami_exporter.config.target_settings import AmiTlsSettings, TargetSettings

#: Intrusion detection looks back ten minutes; half a minute more covers logs that are written and read late.
WINDOW_SECONDS = 630.0
#: Refused logins in one window, for all users together.
MOST_REFUSED = 2
#: Asterisk answers a refused login after one second. A login that has no answer after this long was not refused: the
#: server is slow or gone. After a shorter wait nobody knows, so the login counts as refused until one is accepted, and
#: until then only logins that can wait this long are tried.
REFUSAL_ANSWER_SECONDS = 5.0
#: The same for a login that this server accepted before: a hanging server is likelier than a changed secret.
KNOWN_ANSWER_SECONDS = 2.0
#: Seconds for a login that no scrape waits for: enough for it to be tried at any time, and to settle the doubt.
UNHURRIED_SECONDS = REFUSAL_ANSWER_SECONDS + 1.0
#: Accepted logins to remember: the target's own, one for commands, one for canaries, and a former one.
MOST_ACCEPTED = 4


class LoginPaused(Exception):  # noqa: N818 - a state, named as one
    """No login is tried now, because earlier ones were refused."""


@dataclass(frozen=True, slots=True)
class LoginIdentity:
    """What a login may be refused for. A changed user or secret is tried at once.

    secret: only compared; its type never prints. further: a user other than the target's own, such as the command user.
    All further users together may be refused once in a window, so that one refusal is left for the target's own.
    """

    username: str
    secret: Hashable
    tls: AmiTlsSettings | None = None
    further: bool = False

    @classmethod
    def of(cls, settings: TargetSettings) -> LoginIdentity:
        return cls(settings.username, settings.secret, settings.tls)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A refused login. sure: the server said so; otherwise it had no answer and may have been refused."""

    at: float
    who: LoginIdentity
    sure: bool


class LoginBackoff:
    """Paces the logins to one PBX. clock: monotonic seconds. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._changed = Condition()
        self._busy = False
        self._refusals: list[_Refusal] = []  # the latest, at most MOST_REFUSED
        self._accepted: list[LoginIdentity] = []  # the latest, at most MOST_ACCEPTED

    def closed_for(self, who: LoginIdentity) -> float:
        """Return the seconds until this login may be tried; 0 for now."""
        with self._changed:
            recent = self._recent()
            against = [one.at for one in recent if (one.sure and one.who == who) or (one.who.further and who.further)]
            if len(recent) >= MOST_REFUSED:
                against.append(recent[-MOST_REFUSED].at)
            return max(against) + WINDOW_SECONDS - self._clock() if against else 0.0

    @property
    def empty(self) -> bool:
        """Whether no refusal is remembered, so that the gate may be dropped."""
        with self._changed:
            return not self._busy and not self._recent()

    def attempt(self, who: LoginIdentity) -> LoginAttempt:
        """Start an attempt to log in. Raises LoginPaused while the gate is closed."""
        self._check(who)
        return LoginAttempt(self, who, self._clock)

    def enter(self, who: LoginIdentity, deadline: float) -> None:
        """Wait until no other login is under way, because its refusal counts for this one. Raises LoginPaused."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._busy, max(0.0, deadline - self._clock())):
                raise LoginPaused("another login of this exporter to this PBX has not been answered yet")
            self._check(who)
            in_doubt = any(one.who == who for one in self._recent())
            if in_doubt and deadline - self._clock() < REFUSAL_ANSWER_SECONDS:
                raise LoginPaused(
                    "the last login had no answer in time and may have been refused; the next is tried when"
                    f" {REFUSAL_ANSWER_SECONDS:.0f} s are left to wait for its answer"
                )
            self._busy = True

    def leave(
        self, who: LoginIdentity, *, accepted: bool = False, refused: bool = False, in_doubt: bool = False
    ) -> None:
        """End an attempt. Without an outcome the server did not judge the login."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            if accepted:
                self._refusals = [one for one in self._refusals if one.sure or one.who != who]
                self._accepted = [*(one for one in self._accepted if one != who), who][-MOST_ACCEPTED:]
            elif refused:
                self._accepted = [one for one in self._accepted if one != who]
            if refused or in_doubt:
                self._refusals = [*self._refusals, _Refusal(self._clock(), who, sure=refused)][-MOST_REFUSED:]

    def answer_seconds(self, who: LoginIdentity) -> float:
        """Return how long a login must wait without an answer before it counts as not refused."""
        with self._changed:
            return KNOWN_ANSWER_SECONDS if who in self._accepted else REFUSAL_ANSWER_SECONDS

    def _recent(self) -> list[_Refusal]:
        since = self._clock() - WINDOW_SECONDS
        return [one for one in self._refusals if one.at > since]

    def _check(self, who: LoginIdentity) -> None:
        closed_for = self.closed_for(who)
        if closed_for > 0:
            raise LoginPaused(
                f"an earlier login was refused; the next is tried in {closed_for:.0f} s, so that intrusion detection"
                " does not ban this host; sooner only with another secret or user, or after a restart of the exporter"
            )


class LoginAttempt:
    """One attempt: Link's LoginPace, and a context manager that tells the gate the outcome."""

    def __init__(self, gate: LoginBackoff, who: LoginIdentity, clock: Callable[[], float]) -> None:
        self._gate = gate
        self._who = who
        self._clock = clock
        self._begun: float | None = None

    def begin(self, deadline: float) -> None:
        """Take the gate. Raises LoginPaused if it was closed meanwhile."""
        self._gate.enter(self._who, deadline)
        self._begun = self._clock()

    def accepted(self) -> None:
        """Release the gate after an accepted login."""
        self._begun = None
        self._gate.leave(self._who, accepted=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the gate if it is still held."""
        if self._begun is None:
            return
        waited = self._clock() - self._begun
        self._gate.leave(
            self._who,
            # Intrusion detection does not count "already in use": the secret was right.
            refused=isinstance(error, LoginRefused) and not isinstance(error, AlreadyInUse),
            in_doubt=isinstance(error, Timeout) and waited < self._gate.answer_seconds(self._who),
        )


class ReconnectBackoff:
    """Full-jitter back-off of a reconnecting link: a random part of 1, 2, 4, 5 s; success resets it."""

    def __init__(self, jitter: Callable[[], float], longest: float = 5.0) -> None:
        self._jitter = jitter
        self._longest = longest
        self._failures = 0

    def failed(self) -> float:
        """Return the seconds to wait before the next attempt."""
        ceiling = min(self._longest, 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)
        return ceiling * self._jitter()

    def succeeded(self) -> None:
        self._failures = 0
