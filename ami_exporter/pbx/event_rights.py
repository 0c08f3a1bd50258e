"""Which classes of events one event link was given: what it asked for, but for those that its user turns out to lack.

AMI does not tell a user's `read=`. An event of a class proves it; a quiet PBX proves nothing. So a class counts as
given until polls see what must have raised an event and none came: a channel that began after the login (call), a
caller who joined a queue (agent), another login of ours (security). FullyBooted follows each login (system). Of the
others nobody can tell.
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
"""An event is on its way for less; lists tell ages in whole seconds."""
BOOT_SECONDS: Final = 60.0
"""FullyBooted comes with the login, or when a server that is starting has loaded its modules."""
MAX_NAMES: Final = 500
"""Event names that need no second look; Asterisk has 150."""
BOOTS_FROM: Final = (1, 2)
MODERN_FROM: Final = (2,)
"""AMI versions: FullyBooted since Asterisk 11; since 12 security events, and class agent for callers of queues."""

_NAMED_BY: Final[Mapping[str, str]] = MappingProxyType(
    {"call": "newchannel", "agent": "queuecallerjoin", "security": "successfulauth", "system": "fullybooted"}
)
"""Class → the event whose absence tells; where no rule wants it, an eventfilter may leave it out."""
_ALWAYS_WANTED: Final = frozenset({"fullybooted"})


class EventRights:
    """Follows one event link. clock: monotonic seconds; wanted: names (lower case) of the events that rules want.

    The link's thread tells of events, those of polls tell of items; sets are only ever replaced whole.
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
        """A login was accepted. ami: the server's AMI version."""
        self._names = set()
        self._heard = self._missed = frozenset()
        self._ami, self._since = ami, self._clock()

    def ended(self) -> None:
        """The link is lost: nothing is given."""
        self._since = None

    def heard(self, names: set[str]) -> None:
        """Take the names of events that the link has brought: each is looked at once."""
        for name in names - self._names:
            self._heard |= EVENT_CLASSES.get(name.lower(), frozenset())
            if len(self._names) < MAX_NAMES:
                self._names.add(name)

    @property
    def watched(self) -> tuple[Action, ...]:
        """Lists whose items may tell what is missing: none once all is known, for they are long."""
        if self._since is None:
            return ()
        channels = (STATUS, CORE_SHOW_CHANNELS) if self._would_be_missed("call") else ()
        return (*channels, QUEUE_STATUS) if self._would_be_missed("agent") else channels

    def item(self, _action: Action, message: Message) -> None:
        """Take one item of these lists."""
        kind = message.get("event")
        if kind == "QueueEntry":
            if self._ami >= MODERN_FROM and self._must_have_told(to_number(message.get("wait"))):
                self._missed |= {"agent"}
        elif (
            kind in ("Status", "CoreShowChannel")
            and self._must_have_told(channel_age(message))
            and message.get("channel", "").partition("/")[0] not in INTERNAL
        ):
            self._missed |= {"call"}

    def _must_have_told(self, age: float | None) -> bool:
        """Whether something of this age (seconds) began after the login, long enough ago for its event to be here."""
        since = self._since
        if since is None or age is None or age <= LATE_SECONDS:
            return False
        return self._clock() - since - age > LATE_SECONDS

    def _would_be_missed(self, name: str) -> bool:
        """Whether it is still to be found out if the class is given, and the event that tells is wanted."""
        if name not in self._asked or name in self._heard or name in self._missed:
            return False
        if name == "agent" and self._ami < MODERN_FROM:  # a queue may send nothing of that class
            return False
        return _NAMED_BY[name] in _ALWAYS_WANTED | self._wanted()

    def given(self, polls_since: float | None) -> frozenset[str]:
        """The classes that the link has; none while it is down. polls_since: login of the poll link, monotonic."""
        since = self._since
        return frozenset[str]() if since is None else self._asked - self._lacks(since, polls_since)

    def missed(self, polls_since: float | None) -> frozenset[str]:
        """The classes asked for that the link turned out to lack; none while it is down."""
        since = self._since
        return frozenset[str]() if since is None else self._lacks(since, polls_since)

    def _lacks(self, since: float, polls_since: float | None) -> frozenset[str]:
        now = self._clock()
        missed = set(self._missed - self._heard)
        if self._would_be_missed("system") and self._ami >= BOOTS_FROM and now - since > BOOT_SECONDS:
            missed.add("system")
        announced = polls_since is not None and polls_since - since > LATE_SECONDS and now - polls_since > LATE_SECONDS
        if announced and self._ami >= MODERN_FROM and self._would_be_missed("security"):
            missed.add("security")
        return frozenset(missed)
