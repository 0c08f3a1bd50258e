"""The examination: two logins, and one request for each list that the configuration needs. Only this part does I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ami_exporter.ami.actions import Action
from ami_exporter.ami.errors import AmiError
from ami_exporter.ami.event_classes import EVENT_CLASSES
from ami_exporter.ami.link import Answer, Link
from ami_exporter.ami.message import Message
from ami_exporter.commands.doctor.findings import Verdict, verdict

#: How long to wait for the security event of our own second login.
ANNOUNCED_SECONDS = 1.5
SETTINGS = Action("CoreSettings")


@dataclass(frozen=True, slots=True)
class Listened:
    """What the event link saw. system: FullyBooted came; security: our other login was announced.

    seen: classes of the events that happened to arrive. fault: why there was no event link beside the poll link.
    """

    system: bool = False
    security: bool = False
    seen: frozenset[str] = frozenset()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything learned about a server. address: our end of the connection, which its permit= must contain."""

    ami: tuple[int, ...]
    address: str
    commands: frozenset[str]
    version: str = ""
    answers: dict[Action, Answer] = field(default_factory=dict)
    listened: Listened | None = None
    fields: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """Action and kind of item (lower case) → the headers its items had."""


class Examiner:
    """Examines one server. connect: makes an unopened link for these event classes; clock: monotonic seconds."""

    def __init__(self, connect: Callable[[Sequence[str]], Link], timeout: float, clock: Callable[[], float]) -> None:
        self._connect = connect
        self._timeout = timeout
        self._clock = clock
        self._version = ""
        self._fields: dict[tuple[str, str], frozenset[str]] = {}

    def examine(self, choices: Sequence[tuple[Action, ...]], classes: Sequence[str]) -> Examination:
        """Log in, listen briefly if there are event classes, ask for each list. Raises AmiError."""
        link = self._open(())
        try:
            listened = self._listen(link, classes) if classes else None
            ami, address, commands = link.version, (link.local_address or ("", 0))[0], link.commands
            answers: dict[Action, Answer] = {}
            for alternatives in ((SETTINGS,), *choices):
                for action in alternatives:
                    if action not in answers:
                        if link.closed:
                            link = self._open(())
                        answers[action] = self._ask(link, action)
                    if verdict(answers[action]) is Verdict.WORKS:
                        break
        finally:
            link.close()
        return Examination(ami, address, commands, self._version, answers, listened, self._fields)

    def _open(self, classes: Sequence[str]) -> Link:
        link = self._connect(classes)
        link.open(self._clock() + self._timeout)
        return link

    def _ask(self, link: Link, action: Action) -> Answer:
        return link.exchange((action,), self._item, self._clock() + self._timeout)[action]

    def _item(self, action: Action, message: Message) -> None:
        if action == SETTINGS:
            self._version = message.get("asteriskversion", "")
        kind = action.name, message.get("event", "").lower()
        self._fields[kind] = self._fields.get(kind, frozenset()).union(message.layout.names)

    def _listen(self, first: Link, classes: Sequence[str]) -> Listened:
        """Open the event link, then log in and off a third time: the link should receive an event about this login."""
        try:
            events = self._open(classes)
        except AmiError as error:
            return Listened(system=first.boot is not None, fault=str(error))
        try:
            self._open(()).close()
            return self._hear(events, first)
        except AmiError as error:
            return Listened(system=first.boot is not None, fault=str(error))
        finally:
            events.close()

    def _hear(self, events: Link, first: Link) -> Listened:
        deadline = self._clock() + ANNOUNCED_SECONDS
        seen: set[str] = set()
        while "security" not in seen and self._clock() < deadline:
            for event in events.read_events(deadline):
                seen |= EVENT_CLASSES.get(event["event"].lower(), frozenset())
        return Listened(first.boot is not None, "security" in seen, frozenset(seen))
