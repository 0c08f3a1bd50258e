"""A PBX whose answers a test replaces one by one: obedient by default, any number of connections at once."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from ami_exporter.ami.actions import ACTIONS
from tests.support.ami_server import BANNER, FULLY_BOOTED, SECONDS, Ended, Fields, Session
from tests.support.ami_wire import packet

Item = Sequence[tuple[str, str]]
Hook = Callable[[Session, Fields], None]

CALL: Item = (
    *(("Event", "Status"), ("Channel", "PJSIP/1001-00000001"), ("ChannelState", "6"), ("Application", "Dial")),
    *(("Uniqueid", "1.1"), ("Linkedid", "1.1"), ("Seconds", "7")),
)
QUEUE: Item = (("Event", "QueueParams"), ("Queue", "sales"), ("Calls", "3"), ("Holdtime", "5"), ("Completed", "9"))
LISTS: Mapping[str, Sequence[Item]] = {"Status": [CALL], "QueueStatus": [QUEUE], "BridgeList": []}


class ScriptedPbx:
    """Serves every client in a thread of its own.

    lists: the items of the list actions it offers, besides Ping. hooks: what it does instead for an action by name, or
    as soon as a client connects ("connect"); a hook answers for itself. `seen` are the actions of all sessions, as
    (session number, name).
    """

    def __init__(
        self,
        lists: Mapping[str, Sequence[Item]] = LISTS,
        hooks: Mapping[str, Hook] | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        banner: bytes = BANNER,
        boot: bytes = FULLY_BOOTED,
    ) -> None:
        self.lists = dict(lists)
        self.hooks = dict(hooks or {})
        self.banner, self.boot = banner, boot
        self.seen: list[tuple[int, str]] = []
        self.sessions: list[Session] = []
        self._tls = tls
        self._failures: list[BaseException] = []
        self._threads: list[threading.Thread] = []
        self._listen(0)

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._failures and error is None:
            raise self._failures[0]

    def _start(self) -> None:
        acceptor = threading.Thread(target=self._accept, name="scripted-pbx", daemon=True)
        acceptor.start()
        self._threads.append(acceptor)

    def stop(self) -> None:
        """Close the port and every connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.kick()
        for thread in self._threads:
            thread.join(SECONDS)
            assert not thread.is_alive(), "a script has not ended"
        self._threads.clear()

    def restart(self) -> None:
        """After `stop`: listen on the same port again."""
        self._listen(self.port)
        self._start()

    def kick(self) -> None:
        """Cut every connection there is now, and none that is made meanwhile."""
        for session in tuple(self.sessions):
            with contextlib.suppress(OSError):
                session.connection.shutdown(socket.SHUT_RDWR)

    def names(self, session: int | None = None) -> list[str]:
        """Actions received, of one session (from 0) or of all."""
        return [name for number, name in self.seen if session in (None, number)]

    def _accept(self) -> None:
        listener = self._listener
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                session = Session(connection)
                connection.settimeout(None)  # an event link may be quiet for long; `stop` ends them all
                self.sessions.append(session)
                self._converse(session, len(self.sessions) - 1)
            except (Ended, OSError):
                pass  # the client left, or the test is over
            except BaseException as failure:  # noqa: BLE001 - raised in the test's own thread
                self._failures.append(failure)
            finally:
                connection.close()

    def _converse(self, session: Session, number: int) -> None:
        if "connect" in self.hooks:
            self.hooks["connect"](session, {})
            return
        session.send(self.banner)
        while True:
            action = session.action()
            name = action["Action"]
            self.seen.append((number, name))
            self.hooks.get(name, self.obey)(session, action)
            if name == "Logoff":
                return

    def obey(self, session: Session, action: Fields) -> None:
        """Answer as a healthy server does."""
        name = action["Action"]
        if name == "Login":
            session.answer(action, ("Message", "Authentication accepted"))
            session.send(self.boot)
        elif name == "Challenge":
            session.answer(action, ("Challenge", "123456789"))
        elif name == "ListCommands":
            session.answer(action, *((offered, "does it (Priv: <none>)") for offered in ("Ping", *self.lists)))
        elif name in self.lists:
            session.send(*self.answer(action, self.lists[name]))
        elif name in ("Ping", "Events", "Logoff"):
            session.answer(action, response="Goodbye" if name == "Logoff" else "Success")
        else:
            session.answer(action, ("Message", "Permission denied"), response="Error")

    @staticmethod
    def answer(action: Fields, items: Sequence[Item]) -> list[bytes]:
        """Response, items and completion of a list, each a packet."""
        own = ("ActionID", action["ActionID"])
        end = ACTIONS[action["Action"]].complete
        return [
            packet(("Response", "Success"), own, ("EventList", "start"), ("Message", "list will follow")),
            *(packet(*item, own) for item in items),
            packet(("Event", end), own, ("EventList", "Complete"), ("ListItems", str(len(items)))),
        ]
