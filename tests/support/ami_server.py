"""A scripted AMI server on loopback: each test says what it sends, byte for byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Self

from tests.support.ami_wire import packet

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from types import TracebackType

#: Seconds after which a test that hangs fails instead.
SECONDS = 10.0
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
FULLY_BOOTED = packet(
    ("Event", "FullyBooted"),
    ("Privilege", "system,all"),
    ("Uptime", "100"),
    ("LastReload", "50"),
)
COMMANDS = ("Ping", "Status", "CoreStatus", "QueueStatus")

Fields = dict[str, str]


class Ended(Exception):  # noqa: N818 - not an error: the client closed the connection
    """The client has closed the connection."""


class Session:
    """One client, as the script sees it."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(SECONDS)
        self.connection = connection
        self.seen: list[Fields] = []
        self._buffer = b""

    def send(self, *data: bytes) -> None:
        """Send bytes at once."""
        self.connection.sendall(b"".join(data))

    def action(self) -> Fields:
        """Wait for the next action: its headers as sent."""
        while b"\r\n\r\n" not in self._buffer:
            data = self.connection.recv(65536)
            if not data:
                raise Ended
            self._buffer += data
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.seen.append(fields)
        return fields

    def expect(self, name: str) -> Fields:
        """Wait for an action, which must be this one."""
        fields = self.action()
        assert fields["Action"] == name, f"expected {name}, the client sent {fields['Action']}"
        return fields

    def answer(self, action: Fields, *headers: tuple[str, str], response: str = "Success") -> None:
        """Send a response that echoes the ActionID."""
        self.send(packet(("Response", response), ("ActionID", action["ActionID"]), *headers))

    def log_in(
        self, *, banner: bytes = BANNER, boot: bytes = FULLY_BOOTED, commands: Sequence[str] = COMMANDS
    ) -> Fields:
        """Greet and play a login that succeeds, up to and with ListCommands; return the Login action."""
        self.send(banner)
        login = self.expect("Login")
        self.answer(login, ("Message", "Authentication accepted"))
        self.send(boot)
        self.answer(self.expect("ListCommands"), *((name, "does it (Priv: <none>)") for name in commands))
        return login

    def poll_ready(self, *, banner: bytes = BANNER) -> None:
        """Play the whole opening of a poll link."""
        self.log_in(banner=banner)
        self.answer(self.expect("Events"), ("Events", "Off"))

    def until_closed(self) -> None:
        """Read until the client closes; a Logoff is answered."""
        with contextlib.suppress(Ended, ConnectionError):
            while True:
                action = self.action()
                if action["Action"] == "Logoff":
                    self.answer(action, ("Message", "Thanks for all the fish."), response="Goodbye")
                    return


class AmiServer:
    """Serves one client after another with a script, in a thread; a failure in the script fails the test."""

    def __init__(
        self, script: Callable[[Session], None], tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> None:
        self._script = script
        self._tls = tls
        self._failures: list[BaseException] = []
        self._listener = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=5
        )
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="ami-script", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "the script has not ended"
        if self._failures and error is None:
            raise self._failures[0]

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # the test is over
            try:
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                self._script(Session(connection))
            except (Ended, ConnectionError):
                pass
            except OSError as failure:
                if self._tls is None:  # a client that refuses the certificate is the test's wish
                    self._failures.append(failure)
            except BaseException as failure:  # noqa: BLE001 - raised in the test's own thread
                self._failures.append(failure)
            finally:
                connection.close()
