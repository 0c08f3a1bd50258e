"""Which classes of events an event link really gets: those it asked for, without those its user turns out to lack.

AMI does not reveal a user's `read=`. An event proves its class; a quiet PBX proves nothing. So a class counts as
granted until a poll sees something that must have raised an event, and none came: a channel that began after the login
(call), a caller who joined a queue (agent), another login of ours (security). FullyBooted follows each login (system).
For the other classes nobody can tell. A class that one login lacked counts as lacking after the next, too, until an
event proves it: a user's rights rarely change, a connection often does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from ami_exporter.ami.actions import Action
from ami_exporter.ami.event_classes import EVENT_CLASSES
from ami_exporter.ami.message import Message
from ami_exporter.collectors.fields import to_number
from ami_exporter.collectors.lists import CORE_SHOW_CHANNELS, QUEUE_STATUS, STATUS, channel_age
from ami_exporter.collectors.vocabulary import INTERNAL

LATE_SECONDS: Final = 5.0
"""Seconds: longer than an event takes to arrive; lists give ages in whole seconds."""
BOOT_SECONDS: Final = 60.0
"""FullyBooted comes with the login, or once a starting server has loaded its modules."""
MAX_NAMES: Final = 500
"""Event names to remember; Asterisk has 150."""
BOOTS_FROM: Final = (1, 2)
MODERN_FROM: Final = (2,)
"""AMI versions: FullyBooted since Asterisk 11; since 12 security events, and class agent for callers of queues."""

_NAMED_BY: Final[Mapping[str, str]] = MappingProxyType(
    {"call": "newchannel", "agent": "queuecallerjoin", "security": "successfulauth", "system": "fullybooted"}
)
"""Class → the event that proves it. If no rule wants that event, an eventfilter may suppress it."""
_ALWAYS_WANTED: Final = frozenset({"fullybooted"})


class EventRights:
    """Follows one event link. clock: monotonic seconds; wanted: names (lower case) of the events that rules want.

    The link's thread reports events, poll threads report items; sets are replaced whole, never changed.
    """

    def __init__(self, asked: Iterable[str], clock: Callable[[], float], wanted: Callable[[], frozenset[str]]) -> None:
        self._asked = frozenset(asked)
        self._clock = clock
        self._wanted = wanted
        self._ami: tuple[int, ...] = ()
        self._since: float | None = None
        self._names: set[str] = set()
        self._heard: frozenset[str] = frozenset()
        self._missed: frozenset[str] = frozenset()

    def begun(self, ami: tuple[int, ...]) -> None:
        """Note an accepted login. ami: the server's AMI version."""
        self._missed -= self._heard
        self._names, self._heard = set(), frozenset()
        self._ami, self._since = ami, self._clock()

    def ended(self) -> None:
        """Note that the link is lost: it has no class."""
        self._since = None

    def heard(self, names: set[str]) -> None:
        """Take the names of events that the link has brought: each is looked at once."""
        for name in names - self._names:
            self._heard |= EVENT_CLASSES.get(name.lower(), frozenset())
            if len(self._names) < MAX_NAMES:
                self._names.add(name)

    @property
    def watched(self) -> tuple[Action, ...]:
        """Lists whose items may prove that a class is missing; none once all is known, because they are long."""
        if self._since is None:
            return ()
        channels = (STATUS, CORE_SHOW_CHANNELS) if self._would_be_missed("call") else ()
        return (*channels, QUEUE_STATUS) if self._would_be_missed("agent") else channels

    def item(self, _action: Action, message: Message) -> None:
        """Take one item of these lists."""
        kind = message.get("event")
        if kind == "QueueEntry":
            if self._ami >= MODERN_FROM and self._must_have_sent(to_number(message.get("wait"))):
                self._missed |= {"agent"}
        elif (
            kind in ("Status", "CoreShowChannel")
            and self._must_have_sent(channel_age(message))
            and message.get("channel", "").partition("/")[0] not in INTERNAL
        ):
            self._missed |= {"call"}

    def _must_have_sent(self, age: float | None) -> bool:
        """Whether something of this age (seconds) began after the login, long enough ago for its event to be here."""
        since = self._since
        if since is None or age is None or age <= LATE_SECONDS:
            return False
        return self._clock() - since - age > LATE_SECONDS

    def _would_be_missed(self, name: str) -> bool:
        """Whether the class is still in question, and a rule wants the event that proves it."""
        if name not in self._asked or name in self._heard or name in self._missed:
            return False
        if name == "agent" and self._ami < MODERN_FROM:  # a queue may send nothing of that class
            return False
        return _NAMED_BY[name] in _ALWAYS_WANTED | self._wanted()

    def given(self, polls_since: float | None) -> frozenset[str]:
        """Return the classes that the link has, none while it is down. polls_since: login of the poll link."""
        since = self._since
        return frozenset[str]() if since is None else self._asked - self._lacks(since, polls_since)

    def missed(self, polls_since: float | None) -> frozenset[str]:
        """Return the requested classes that the link turned out to lack; none while it is down."""
        since = self._since
        return frozenset[str]() if since is None else self._lacks(since, polls_since)

    def _lacks(self, since: float, polls_since: float | None) -> frozenset[str]:
        now = self._clock()
        if self._would_be_missed("system") and self._ami >= BOOTS_FROM and now - since > BOOT_SECONDS:
            self._missed |= {"system"}
        announced = polls_since is not None and polls_since - since > LATE_SECONDS and now - polls_since > LATE_SECONDS
        if announced and self._ami >= MODERN_FROM and self._would_be_missed("security"):
            self._missed |= {"security"}
        return self._missed - self._heard
