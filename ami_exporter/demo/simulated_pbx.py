"""The simulated PBX behind a real socket: one thread, one selector, any number of sessions."""

from __future__ import annotations

import contextlib
import queue
import random
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Self

from .ami_session import REJECT_DELAY, ClientSession, House
from .connection import ClientConnection
from .listing import Dialect
from .load import StaticLoad, static_load
from .old_listings import NOT_THERE, old_load
from .rights import NONE, User, classes
from .scene import Scene
from .simulation import DemoSettings, Simulation
from .wire import event

# Steps of the simulation are batched: waking up costs more than a step.
SIMULATION_TICK = 0.1
# Maximum steps of the simulation between two polls of the sockets, so that catching up never starves them.
STEPS_AT_ONCE = 2000
LONGEST_NAP = 5.0
# A client that reads this slowly is disconnected, as with the ``writetimeout = 5000`` that the documentation recommends
# (Asterisk's default is 100 ms).
WRITE_TIMEOUT = 5.0
# Users with one class of write= and none of read=, as console commands and canary calls need them.
COMMAND_USER, CANARY_USER = "demo_cli", "demo_canary"
SINGLE_RIGHT = {COMMAND_USER: "command", CANARY_USER: "originate"}


def unix_clock() -> Callable[[], float]:
    """A clock of Unix time that never jumps: it starts at the current time and follows the monotonic clock."""
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()


def _single(secret: str) -> list[User]:
    return [User(name, secret, NONE, classes(right)) for name, right in SINGLE_RIGHT.items()]


def _load(settings: DemoSettings, scene: Scene) -> StaticLoad:
    load = static_load(settings.channels, scene.world, age=3600.0)
    return old_load(load, scene.world) if scene.dialect is Dialect.OLD else load


def _not_there(scene: Scene) -> frozenset[str]:
    return NOT_THERE if scene.dialect is Dialect.OLD else NONE


class SimulatedPbx:
    """A PBX with live traffic that speaks AMI on ``host``:``port`` (0: any free port; kept over restarts).

    ``read`` and ``write`` are the main user's classes, as in manager.conf; ``users`` are further users, besides
    COMMAND_USER and CANARY_USER, which have the same secret and one right each;
    ``missing`` names actions whose module is not loaded. ``settings`` describes the company and its traffic.
    ``clock`` returns Unix time; after moving a fake clock, call ``wake``.
    ``write_timeout`` and ``reject_delay`` are seconds: how long a client may read nothing, and a refused login waits.
    """

    def __init__(
        self,
        settings: DemoSettings | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        dialect: Dialect | str = Dialect.MODERN,
        username: str = "demo",
        secret: str = "demo",  # noqa: S107 - for a PBX that does not exist, on loopback
        read: str = "all",
        write: str = "all",
        users: Sequence[User] = (),
        missing: Collection[str] = (),
        clock: Callable[[], float] | None = None,
        write_timeout: float = WRITE_TIMEOUT,
        reject_delay: float = REJECT_DELAY,
    ) -> None:
        self.host, self.port, self.username, self.secret = host, port, username, secret
        settings = settings or DemoSettings()
        started = (clock := clock or unix_clock())()
        self.simulation = Simulation(settings, started, self._broadcast, Dialect(dialect))
        self.scene = Scene(self.simulation.world, self.simulation.time, clock, started, Dialect(dialect))
        self.scene.load = _load(settings, self.scene)
        everyone = [User(username, secret, classes(read), classes(write)), *_single(secret), *users]
        chance = random.Random(settings.seed)  # noqa: S311 - a simulation, not a secret
        self.house = House(
            self.scene,
            {user.name.lower(): user for user in everyone},
            lambda: str(chance.randrange(10**8, 10**9)),
            self.simulation.ami_security,
            self.simulation.originator.take,
            reject_delay,
            frozenset(name.lower() for name in missing) | _not_there(self.scene),
        )
        self._write_timeout = write_timeout
        self._connections: dict[socket.socket, ClientConnection] = {}
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._running = self._behind = False
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        """Listen and start the simulation; return the port."""
        self._selector = selectors.DefaultSelector()
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, self.port), family=family, backlog=128)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._waker, self._alarm = socket.socketpair()
        for sock in (self._waker, self._alarm):
            sock.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._alarm, selectors.EVENT_READ)
        self._running = True
        self._thread = threading.Thread(target=self._live, name=f"demo-pbx-{self.port}", daemon=True)
        self._thread.start()
        return self.port

    def stop(self) -> None:
        """Close all connections and the socket. ``start`` reopens the same port; the world stands still meanwhile."""
        if self._thread is None:
            return
        self._do(self._finish)
        self._thread.join(timeout=10)
        self._thread = None

    def _finish(self) -> None:
        self._running = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """HOST:PORT, with an IPv6 host in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def actions(self) -> Counter[str]:
        """How often each action was received, unknown ones as "?"."""
        return Counter(self.house.actions)

    @property
    def sessions(self) -> list[str]:
        """User names of the open sessions, "" for one that has not logged in."""
        return [one.session.user.name if one.session.user else "" for one in list(self._connections.values())]

    def wake(self) -> None:
        """Make the thread look at its clock now."""
        with contextlib.suppress(OSError):  # a full pipe wakes the thread too, and an ended thread needs no waking
            self._waker.send(b"\0")

    def _do(self, job: Callable[[], None]) -> None:
        self._jobs.put(job)
        self.wake()

    def _live(self) -> None:
        try:
            while self._running:
                self._turn()
        finally:
            for connection in list(self._connections.values()):
                self._drop(connection)
            for sock in (self._listener, self._alarm, self._waker):
                sock.close()
            self._selector.close()

    def _turn(self) -> None:
        ready = self._selector.select(self._nap())
        now = time.monotonic()
        for key, events in ready:
            if key.fileobj is self._listener:
                self._accept(now)
            elif key.fileobj is self._alarm:
                self._alarm.recv(4096)
            elif events & selectors.EVENT_READ:
                key.data.read(now)
        while not self._jobs.empty():
            self._jobs.get()()
        self._behind = not self.simulation.advance(self.scene.clock(), STEPS_AT_ONCE)
        for connection in list(self._connections.values()):
            self._settle(connection, now)

    def _nap(self) -> float:
        """Seconds until something is due, unless a socket becomes ready before."""
        if self._behind:
            return 0.0
        now = time.monotonic()
        due = [connection.next_check() - now for connection in self._connections.values()]
        due.append(max(SIMULATION_TICK, self.simulation.due_in(self.scene.clock())))
        return max(0.0, min(LONGEST_NAP, *due))

    def _accept(self, now: float) -> None:
        try:
            sock, address = self._listener.accept()
        except OSError:  # the client has already gone
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = ClientConnection(
            sock, ClientSession(self.house, sock.getsockname(), address), now, self._write_timeout
        )
        self._connections[sock] = connection
        self._selector.register(sock, selectors.EVENT_READ, connection)

    def _settle(self, connection: ClientConnection, now: float) -> None:
        """Write pending bytes, act on expired timeouts, and drop the connection if it is closed."""
        if connection.wants_write or connection.session.closing:
            connection.write(now)
        connection.check(now)
        if connection.gone:
            self._drop(connection)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.wants_write else 0)
        if self._selector.get_key(connection.sock).events != wanted:
            self._selector.modify(connection.sock, wanted, connection)

    def _drop(self, connection: ClientConnection) -> None:
        del self._connections[connection.sock]
        self._selector.unregister(connection.sock)
        connection.sock.close()

    def _broadcast(self, name: str, privilege: str, body: str) -> None:
        """Send an event to every session that may and wants to read it; render it once, and only if there is one."""
        takers = [one for one in self._connections.values() if privilege in one.session.mask]
        if takers:
            data = event(name, privilege, body)
            for connection in takers:
                connection.put(data)
