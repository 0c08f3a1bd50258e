"""One connection to a server: greeting, questions and answers, decoding, end. Link decides what to ask."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from typing import TYPE_CHECKING

from ami_exporter.ami import login
from ami_exporter.ami.codec import Decoder, encode_headers
from ami_exporter.ami.errors import AmiError, Kind, LinkClosed, ProtocolError, StaleLink, Timeout
from ami_exporter.ami.header_orders import Era
from ami_exporter.ami.shapes import KnownShapes
from ami_exporter.ami.stream import Stream
from ami_exporter.ami.tls import Tls

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from ami_exporter.ami.message import Message

#: Seconds that a polite goodbye may take.
LOGOFF_SECONDS = 0.5


class Session:
    """A connection with questions that are answered by ActionID. Deadlines are times of `clock` (monotonic seconds).

    on_stray takes each message that does not answer the question under way. known: packet shapes of other links, by
    era.
    """

    def __init__(
        self,
        host: str,
        port: int,
        on_stray: Callable[[Message], None],
        *,
        tls: Tls | None = None,
        clock: Callable[[], float] = time.monotonic,
        token: Callable[[], str] = lambda: secrets.token_hex(8),
        known: Callable[[Era], KnownShapes] = lambda _era: KnownShapes(),
    ) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._on_stray = on_stray
        self._clock = clock
        self._known = known
        self._sequence = 0
        self._stream: Stream | None = None
        self._decoder = Decoder()
        self._closed_because = "the link is not open"
        #: Prefix of this session's ActionIDs. Nobody can guess it, so text in events cannot forge an answer.
        self.prefix = f"{token()}-"
        self._alive_at = clock()
        #: The AMI version of the greeting, such as (11, 0, 0).
        self.version: tuple[int, ...] = ()
        #: Our end of the connection (host, port), which security events of our own logins name.
        self.local_address: tuple[str, int] | None = None
        #: Unix seconds at which the server's certificate ends; None without TLS.
        self.certificate_ends: float | None = None
        #: Kind → number of protocol errors of the server (ami_exporter_protocol_errors_total).
        self.protocol_errors: Counter[str] = Counter()

    @property
    def closed(self) -> bool:
        return self._stream is None

    @property
    def closed_because(self) -> str:
        return self._closed_because

    @property
    def alive_at(self) -> float:
        """The last time at which the server was certainly sending: bytes that were read later may have waited since."""
        return self._alive_at if self._stream is None else self._stream.alive_at

    def close(self) -> None:
        """Log off and close; raises nothing if the server does not answer."""
        if self._stream is None:
            return
        try:
            self.ask("Logoff", (), self._clock() + LOGOFF_SECONDS)
        except AmiError:
            pass
        finally:
            self.drop()

    def drop(self) -> None:
        """Close at once, without a goodbye."""
        if self._stream is not None:
            self._alive_at = self._stream.alive_at
            self._stream.close()
            self._stream = None
        self._on_stray = _ignore  # it belongs to whoever has us: without a cycle both are freed at once

    def connect(self, deadline: float) -> None:
        """Connect and read the greeting."""
        self._stream = Stream.connect(self._host, self._port, self._tls, deadline, self._clock)
        self.local_address = self._stream.local_address
        self.certificate_ends = self._stream.certificate_ends
        greeting = b""
        while b"\n" not in greeting and len(greeting) <= login.MAX_BANNER:
            try:
                data = self.connected().receive(deadline)
            except Timeout as error:
                raise Timeout(login.silence(greeting)) from error
            if not data:
                raise login.no_greeting(greeting)
            greeting += data
        line, _, rest = greeting.partition(b"\n")
        self.version = login.parse_banner(line)
        self._decoder = Decoder(known=self._known(Era.of(self.version)))
        for message in self._decoder.feed(rest):
            self._on_stray(message)

    def ask(
        self,
        name: str,
        params: Iterable[tuple[str, str]],
        deadline: float,
        first_answer_timeout: float | None = None,
    ) -> Message:
        """Send an action of the session itself and return its response; a Timeout closes the link."""
        action_id = self.next_id()
        headers = [("Action", name), ("ActionID", action_id), *params]
        return self.answer_to(action_id, headers, deadline, first_answer_timeout)

    def answer_to(
        self,
        action_id: str,
        headers: Iterable[tuple[str, str]],
        deadline: float,
        first_answer_timeout: float | None = None,
    ) -> Message:
        """Send a whole packet and return the response to its ActionID; a Timeout closes the link."""
        self.connected().queue([encode_headers(headers)])
        answer = None
        messages = self.read_first(deadline, first_answer_timeout)
        while True:
            for message in messages:
                if answer is None and message.get("actionid") == action_id and "event" not in message:
                    answer = message
                else:
                    self._on_stray(message)
            if answer is not None:
                return answer
            messages = self.read(deadline)

    def connected(self) -> Stream:
        """Return the open stream; raises LinkClosed when there is none."""
        if self._stream is None:
            raise LinkClosed(self._closed_because)
        return self._stream

    def expect_output(self, commands: Container[str]) -> None:
        """Accept the output of commands with these ActionIDs also in the form of Asterisk 13 and older."""
        self._decoder.commands = commands

    def next_id(self) -> str:
        """Return an ActionID that was not used before."""
        self._sequence += 1
        return f"{self.prefix}{self._sequence}"

    def read_first(self, deadline: float, seconds: float | None) -> Iterator[Message]:
        """Return the messages of the first bytes after a question; StaleLink when none come in time."""
        limit = deadline if seconds is None else min(deadline, self._clock() + seconds)
        try:
            return self.read(limit)
        except Timeout as error:
            if limit < deadline:
                raise StaleLink("nothing came back on an idle connection: it is half open") from error
            raise

    def read(self, deadline: float, *, keep: bool = False) -> Iterator[Message]:
        """Return the messages of the next bytes. A fault closes the link; a Timeout too, unless `keep`."""
        try:
            data = self.connected().receive(deadline)
        except Timeout as error:
            if keep:
                raise
            raise self.fail(error) from None
        return self.decoded(data)

    def decoded(self, data: memoryview) -> Iterator[Message]:
        """Yield the messages of some bytes; no bytes mean that the connection has ended. An error closes the link."""
        try:
            if data:
                yield from self._decoder.feed(data)
                return
            self._decoder.end()
        except ProtocolError as error:
            if error.kind is not Kind.CUT_PACKET:
                raise self.fail(error) from None
            self.protocol_errors[error.kind] += 1
        raise self.fail(LinkClosed(self.connected().end_reason))

    def fail(self, error: AmiError) -> AmiError:
        """Close the link because of an error and return the error to raise."""
        if self._stream is not None:
            self._closed_because = str(error)
            if isinstance(error, ProtocolError):
                self.protocol_errors[error.kind] += 1
        self.drop()
        return error


def _ignore(_message: Message) -> None:
    """Nothing arrives on a closed connection."""
