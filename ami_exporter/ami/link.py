"""One AMI session: connect, log in, send actions, receive events, log off. Synchronous; one thread at a time."""

from __future__ import annotations

import secrets
import time
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from ami_exporter.ami import login
from ami_exporter.ami.actions import ACTIONS, AnswerForm
from ami_exporter.ami.answer import Answer, Outcome
from ami_exporter.ami.boot import Boot, booted
from ami_exporter.ami.codec import encode, encode_headers
from ami_exporter.ami.errors import AmiError, ConnectFailed, Kind, LinkClosed, ProtocolError, StaleLink, Timeout
from ami_exporter.ami.event_classes import USER_EVENTS
from ami_exporter.ami.event_sieve import EventSieve
from ami_exporter.ami.exchange import LISTS_ANNOUNCED_FROM, Exchange, stray_kind
from ami_exporter.ami.header_orders import Era
from ami_exporter.ami.session import Session
from ami_exporter.ami.shapes import ShapeLibrary
from ami_exporter.ami.tls import Tls
from ami_exporter.ami.user_event_sieve import UserEventSieve, is_user_event

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Mapping

    from ami_exporter.ami.actions import Action
    from ami_exporter.ami.exchange import TornItem
    from ami_exporter.ami.login import Credentials, LoginPace
    from ami_exporter.ami.message import Message
    from ami_exporter.ami.originate import CanaryCall

__all__ = ["Answer", "Boot", "Link", "Outcome"]

#: Seconds for which a poll link waits for FullyBooted if the server was starting at the login.
BOOT_SECONDS = 300.0
#: Events kept for `read_events` while an answer is awaited: one second of the busiest server known.
MAX_EVENTS_KEPT = 50_000
#: The first AMI version that always sends FullyBooted; 1.1 was both Asterisk 1.6 and 1.8.
BOOT_FROM = (1, 2)
#: For a link that shares the processor with no other scrape.
NO_TURN: AbstractContextManager[object] = nullcontext()


class Link:
    """One session with one server. Deadlines are times of `clock` (monotonic seconds).

    Two profiles: without `classes` a poll link, whose events are off and which has `exchange`; with them an event
    link, which has `read_events` and `read_ready`. `on_event` takes the broadcast events that reach a poll link all the
    same (FullyBooted). After any error but ForbiddenAction the link is closed; make a new one. library: packet
    shapes that all links have learned. turn: a lock, held while answers are decoded and handed on.

    UserEvents need an event link with the class `user` alone, and are refused on any other. A UserEvent ends with text
    of the dialplan, so whatever follows it in the stream may be text, too: a link of its own accepts nothing else.
    """

    def __init__(
        self,
        host: str,
        port: int,
        credentials: Credentials,
        *,
        tls: Tls | None = None,
        classes: Iterable[str] = (),
        on_event: Callable[[Message], None] | None = None,
        pace: LoginPace | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        token: Callable[[], str] = lambda: secrets.token_hex(8),
        library: ShapeLibrary | None = None,
        turn: AbstractContextManager[object] = NO_TURN,
    ) -> None:
        classes = tuple(classes)
        shapes = partial((library or ShapeLibrary()).of, bool(classes))
        self._session = Session(host, port, self._stray, tls=tls, clock=clock, token=token, known=shapes)
        self._clock, self._wall, self._turn = clock, wall, turn
        self._credentials, self._poll = credentials, not classes
        self._mask = login.event_mask(classes or ("system",))
        self._on_event, self._pace = on_event, pace
        self._events: list[Message] = []
        self._unasked: set[str] = set()  # ActionIDs without a waiting caller
        self._user_events = frozenset(classes) == USER_EVENTS
        self._sieve: EventSieve | UserEventSieve = UserEventSieve(clock) if self._user_events else EventSieve(clock)
        self._events_off_at: float | None = None
        self._events_off = False
        #: Whether the server ended the last exchange, rather than we because of what it sent.
        self.ended_by_server = False
        #: Names (lower case) of the actions that the server offers to this user.
        self.commands: frozenset[str] = frozenset()
        #: The last FullyBooted; None if none came (no read=system, or the server is still starting).
        self.boot: Boot | None = None

    @property
    def alive_at(self) -> float:
        """The last time at which the server was certainly sending (monotonic seconds); also for a closed link."""
        return self._session.alive_at

    @property
    def closed(self) -> bool:
        return self._session.closed

    @property
    def closed_because(self) -> str:
        return self._session.closed_because

    @property
    def version(self) -> tuple[int, ...]:
        """The AMI version of the greeting, such as (11, 0, 0)."""
        return self._session.version

    @property
    def local_address(self) -> tuple[str, int] | None:
        """Our end of the connection (host, port), which security events of our own logins name."""
        return self._session.local_address

    @property
    def certificate_ends(self) -> float | None:
        """Unix seconds at which the server's certificate ends; None without TLS."""
        return self._session.certificate_ends

    @property
    def protocol_errors(self) -> Counter[str]:
        """Kind → number of protocol errors of the server (ami_exporter_protocol_errors_total)."""
        return self._session.protocol_errors

    def close(self) -> None:
        """Log off and close; raises nothing if the server does not answer."""
        self._session.close()

    def __repr__(self) -> str:
        return f"<Link {'poll' if self._poll else 'events'} {'closed' if self.closed else 'open'}>"

    def offers(self, action: str) -> bool:
        return action.lower() in self.commands

    def open(self, deadline: float) -> None:
        """Connect, log in and learn the commands.

        Raises ConnectFailed, Timeout, TlsFailed, ProtocolError, LoginRefused; each has a `reason`.
        """
        try:
            self._session.connect(deadline)
            self._sieve.era = Era.of(self._session.version)
            self._log_in(deadline)
            # The server answers in order, and FullyBooted directly follows the login: when this answer arrives,
            # FullyBooted has arrived or will not come (no read=system, or the server is still starting).
            self.refresh_commands(deadline)
            if self._poll:
                booting = self.boot is None and self._session.version >= BOOT_FROM
                self._events_off_at = self._clock() + BOOT_SECONDS if booting else 0.0
                self._turn_events_off(deadline)
        except LinkClosed as error:
            raise ConnectFailed(f"{error}; the login was not finished") from error
        except AmiError as error:
            raise self._session.fail(error) from None
        except BaseException:
            self._session.drop()
            raise

    def _log_in(self, deadline: float) -> None:
        if self._pace is not None:
            self._pace.begin(deadline)
        user = self._credentials
        headers = [("Username", user.username), ("Secret", user.secret)]
        if user.md5:
            challenge = self._session.ask("Challenge", [("AuthType", "MD5")], deadline)
            login.check_login(challenge)
            key = login.challenge_key(challenge.get("challenge", ""), user.secret)
            headers = [("AuthType", "MD5"), ("Username", user.username), ("Key", key)]
        login.check_login(self._session.ask("Login", [*headers, ("Events", self._mask)], deadline))
        if self._pace is not None:
            self._pace.accepted()

    def refresh_commands(self, deadline: float, first_answer_timeout: float | None = None) -> None:
        """Ask what the server offers to this user: modules are loaded after AMI answers, and on a reload.

        Raises Timeout, LinkClosed, and StaleLink as `exchange` does.
        """
        answer = self._session.ask("ListCommands", (), deadline, first_answer_timeout)
        if answer.get("response", "").lower() == "error":  # the server cannot tell, so everything may be tried
            self.commands = frozenset(name.lower() for name in ACTIONS)
        else:
            self.commands = login.parse_commands(answer)

    def _turn_events_off(self, deadline: float, first_answer_timeout: float | None = None) -> None:
        """Turn events off; while the server is starting, only after its FullyBooted."""
        if self._events_off_at is None or (self.boot is None and self._clock() < self._events_off_at):
            return
        self._events_off_at = None
        self._session.ask("Events", [("EventMask", "off")], deadline, first_answer_timeout)
        self._events_off = True

    def exchange(
        self,
        actions: Iterable[Action],
        on_item: Callable[[Action, Message], None],
        deadline: float,
        first_answer_timeout: float | None = None,
        on_torn: TornItem | None = None,
    ) -> Mapping[Action, Answer]:
        """Send all actions at once, cheap ones first, and pass each item to `on_item` as it arrives.

        Every action gets an answer; if one is `cut` or exceeds its `deadline`, the link is closed, because a reader
        that stops holds locks in the PBX. Raises StaleLink if nothing came within `first_answer_timeout` seconds,
        LinkClosed if the link was closed before, and whatever `on_item` raises.
        """
        self._session.connected()
        self._turn_events_off(deadline, first_answer_timeout)
        exchange = self._send(actions, on_item, on_torn)
        try:
            if exchange.unfinished:
                messages = self._session.read_first(deadline, first_answer_timeout)
                with self._turn:
                    exchange.take(messages)
            while exchange.unfinished:
                messages = self._session.read(deadline)
                with self._turn:
                    exchange.take(messages)
        except StaleLink:
            raise
        except Timeout as error:
            exchange.give_up(Outcome.DEADLINE, str(error))
        except (LinkClosed, ProtocolError) as error:
            self.ended_by_server = isinstance(error, LinkClosed)
            exchange.give_up(Outcome.CUT, str(error))
        except BaseException:
            self._session.drop()
            raise
        finally:
            self._session.protocol_errors.update(exchange.errors)
        return exchange.answers

    def _send(
        self, actions: Iterable[Action], on_item: Callable[[Action, Message], None], on_torn: TornItem | None
    ) -> Exchange:
        """Queue all actions, cheap ones first."""
        ordered = sorted(dict.fromkeys(actions), key=lambda action: action.spec.cost)
        in_flight = {self._session.next_id(): action for action in ordered}
        announced = self._session.version >= LISTS_ANNOUNCED_FROM
        exchange = Exchange(
            in_flight,
            on_item,
            self._stray,
            self._clock,
            lists_announced=announced,
            era=self._sieve.era,
            on_torn=on_torn,
        )
        self._session.expect_output(
            {action_id for action_id, action in in_flight.items() if action.spec.form is AnswerForm.COMMAND}
        )
        self._session.connected().queue([encode(action, action_id) for action_id, action in in_flight.items()])
        return exchange

    def originate(self, call: CanaryCall, deadline: float) -> Message:
        """Start a canary call and return the response. No other action changes anything on the PBX.

        Success means that the call was queued; events tell its outcome. Raises Timeout, LinkClosed.
        """
        return self._session.answer_to(call.call_id, call.headers(), deadline)

    def read_events(self, deadline: float) -> list[Message]:
        """Wait for events until the deadline and return all that have arrived; none after the deadline.

        Raises LinkClosed when the session has ended, ProtocolError when the stream can no longer be decoded.
        """
        self._take_kept()
        try:
            while not self._events:
                for message in self._session.read(deadline, keep=True):
                    self._stray(message)
                self._take_kept()
        except Timeout:
            self._take_kept()
        except (LinkClosed, ProtocolError):
            self._take_kept()
            if not self._events:
                raise
        return self.kept_events()

    def kept_events(self) -> list[Message]:
        """Return the events that came while an answer was awaited."""
        if not self._sieve.idle:
            self._take_kept()
            if doubtful := self._sieve.take_doubtful():
                self._session.protocol_errors[Kind.DOUBTFUL_EVENT] += doubtful
        events, self._events = self._events, []
        return events

    def read_ready(self, room: memoryview) -> tuple[int, list[Message]]:
        """Read what has arrived without blocking; return the number of bytes and the events in them.

        room: the buffer to use; its size is the number if TLS holds more, of which epoll does not know. If the session
        has ended or the stream can no longer be decoded, the link is closed and `closed_because` says why; events that
        arrived before are still returned.
        """
        size = 0
        try:
            data = self._session.connected().receive_ready(room)
            if data is not None:
                size = len(room) if self._session.connected().unread else len(data)
                self._take_all(self._session.decoded(data))
        except AmiError as error:
            self._session.fail(error)
        return size, self.kept_events()

    def _take_all(self, messages: Iterable[Message]) -> None:
        """Take what came at once: routine events as they are."""
        found: list[Message] = []
        try:
            found.extend(messages)
        finally:
            if self._sieve.idle and all(message.layout.routine for message in found):
                self._events += found
            else:
                for message in found:
                    self._stray(message)

    def fileno(self) -> int:
        """The connection's descriptor, for epoll. Raises LinkClosed."""
        return self._session.connected().fileno()

    def send(self, action: str) -> None:
        """Send Ping or Logoff without waiting; `read_ready` takes the answer as a sign of life."""
        stream, action_id = self._session.connected(), self._session.next_id()
        self._unasked.add(action_id)
        stream.queue([encode_headers([("Action", action), ("ActionID", action_id)])])
        stream.flush()

    def drop(self) -> None:
        """Close at once, without a goodbye."""
        self._session.drop()

    def _stray(self, message: Message) -> None:
        """Take a message of no action in flight: a broadcast event or a protocol error."""
        if message.get("actionid") in self._unasked and "event" not in message:
            self._unasked.discard(message["actionid"])
            return
        if not self._poll and not message.get("actionid", "").startswith(self._session.prefix):
            for event in self._sieve.take(message):
                self._take_event(event)
            return
        kind = stray_kind(message, self._session.prefix)
        if kind is None:
            self._take_event(message)
        else:
            self._session.protocol_errors[kind] += 1

    def _take_kept(self) -> None:
        """Take events that no longer wait for the rest of a torn event."""
        for event in (*self._sieve.overdue(), *self._sieve.pause()):
            self._take_event(event)

    def _take_event(self, event: Message) -> None:
        if event["event"] == "FullyBooted" and not self._events_off:
            self.boot = booted(event, self._clock(), self._wall())
        if not self._poll:
            if is_user_event(event) and not self._user_events:
                self._session.protocol_errors[Kind.DOUBTFUL_EVENT] += 1
                return
            if len(self._events) >= MAX_EVENTS_KEPT:
                if self.closed:
                    return
                raise self._session.fail(LinkClosed(f"more than {MAX_EVENTS_KEPT} events came before an answer"))
            self._events.append(event)
        elif self._on_event is not None:
            self._on_event(event)
