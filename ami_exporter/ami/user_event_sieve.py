"""Lets UserEvents through, in a session that receives nothing else.

Asterisk writes Event, Privilege, the channel's headers and the event's name before the text of the dialplan
(app_userevent.c). So everything up to the name is genuine, and the text behind it may continue in any number of
packets. These are ignored, unless one looks like a whole UserEvent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ami_exporter.ami.event_sieve import EventSieve, begins_well
from ami_exporter.ami.header_orders import Era
from ami_exporter.ami.message import Message
from ami_exporter.ami.sift import Look, look

USER_EVENT = "userevent"


def is_user_event(message: Message) -> bool:
    """Whether this looks like a UserEvent."""
    return message.get("event", "").lower() == USER_EVENT


class UserEventSieve:
    """The UserEvents of one session. clock: monotonic seconds."""

    #: Each packet has to be looked at.
    idle = False

    def __init__(self, clock: Callable[[], float]) -> None:
        self._torn = EventSieve(clock)
        self._doubtful = 0

    @property
    def era(self) -> Era:
        """The versions whose header orders apply."""
        return self._torn.era

    @era.setter
    def era(self, era: Era) -> None:
        self._torn.era = era

    def take_doubtful(self) -> int:
        """Return how many packets were torn or not UserEvents since the last call."""
        doubtful, self._doubtful = self._doubtful, 0
        return doubtful + self._torn.take_doubtful()

    def take(self, message: Message) -> Iterator[Message]:
        """Yield the UserEvents that are certainly genuine."""
        begins = begins_well(message) and is_user_event(message)
        if begins and not self._torn.waits and self._is_whole(message):
            yield message
        elif begins or self._torn.waits:
            yield from self._only(self._torn.take(message))
        elif message.get("event") != "FullyBooted":  # FullyBooted follows every login
            self._doubtful += 1

    def pause(self) -> Iterator[Message]:
        """Yield events that were waiting for more, because nothing more has arrived."""
        return self._only(self._torn.pause())

    def overdue(self) -> Iterator[Message]:
        """Stop waiting for a rest that is overdue."""
        return self._only(self._torn.overdue())

    def _is_whole(self, message: Message) -> bool:
        return USER_EVENT in message and look(self.era, USER_EVENT, message.layout.names) is Look.PLAIN

    def _only(self, events: Iterable[Message]) -> Iterator[Message]:
        for event in events:
            if is_user_event(event):
                yield event
            else:
                self._doubtful += 1
