"""A thousand PBXs in one process that cost next to nothing: recorded answers, sent with the ActionID asked for.

Run as a program: prints the ports, then obeys lines on its standard input.

play RATE     every PBX sends so many events a second to its event link, until told otherwise; answers "playing"
restart I/N   every PBX whose number leaves I when divided by N ends its sessions, listens to nobody for
              DOWN_SECONDS and tells a new start; answers "restarted"
stop          ends the events; answers "PLAYED ...", the events each PBX has sent in all, in the order of the ports
"""

from __future__ import annotations

import argparse
import re
import select
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ami_exporter.demo.simulated_pbx import SimulatedPbx
from ami_exporter.demo.simulation import DemoSettings
from tests.support.flooding_pbx import flood_corpus

#: Stands for the ActionID in a recorded answer.
PLACE = b"0123456789-action-id"
_ACTION = re.compile(rb"Action: ?([^\r\n]+)", re.IGNORECASE)
_ACTION_ID = re.compile(rb"ActionID: ?([^\r\n]+)", re.IGNORECASE)
_EVENTS = re.compile(rb"Events: ?([^\r\n]+)", re.IGNORECASE)
#: Seconds between two portions of one PBX's events: as they come on a telephone system, one here and two there.
PORTION_SECONDS = 0.1
#: Seconds from a PBX's end to its next start.
DOWN_SECONDS = 5.0
_STARTED = re.compile(rb"(CoreStartupDate: )[^\r\n]+(\r\nCoreStartupTime: )[^\r\n]+")
BANNER = b"Asterisk Call Manager/11.0.0\r\n"


def record(channels: int, endpoints: int) -> Mapping[bytes, bytes]:
    """Return each action's answer, by lower-case name, as the simulated PBX gives it at rest."""
    with SimulatedPbx(DemoSettings(channels=channels, endpoints=endpoints, traffic=0, warmup=0)) as pbx:
        link = socket.create_connection((pbx.host, pbx.port))
        login = f"Action: Login\r\nUsername: {pbx.username}\r\nSecret: {pbx.secret}\r\nEvents: off\r\n"
        stream = link.makefile("rb")
        stream.readline()
        answers = {b"login": _ask(link, login.encode())}
        offered = _ask(link, b"Action: ListCommands\r\n")
        answers[b"listcommands"] = offered
        for name in _names(offered):
            answers[name.lower()] = _ask(link, b"Action: " + name + b"\r\n")
        answers[b"challenge"] = _ask(link, b"Action: Challenge\r\nAuthType: MD5\r\n")
        link.close()
    return answers


def _names(listed: bytes) -> Iterator[bytes]:
    for line in listed.split(b"\r\n"):
        name, colon, rest = line.partition(b": ")
        if colon and b"(Priv:" in rest and not name.lower().startswith((b"login", b"logoff", b"queuereset")):
            yield name


def _ask(link: socket.socket, head: bytes) -> bytes:
    """Send an action with the placeholder as ActionID, then a Ping: what comes before the Pong is the answer."""
    end = b"an-end"
    link.sendall(head + b"ActionID: " + PLACE + b"\r\n\r\nAction: Ping\r\nActionID: " + end + b"\r\n\r\n")
    data = b""
    while end not in data or not data.endswith(b"\r\n\r\n"):
        data += link.recv(1 << 16)
    begin = data.rindex(b"Response: Success\r\nActionID: " + end)
    return data[:begin]


@dataclass(slots=True)
class Pbx:
    """One of them: its listening socket, and the session that listens to events."""

    listener: socket.socket
    events: socket.socket | None = None
    played: int = 0
    began: float = 0.0
    #: time.monotonic() of its next start, None while it runs.
    starts: float | None = None
    #: time.time() of its last start, None: as recorded.
    started: float | None = None


@dataclass(slots=True)
class House:
    """All of them, on one epoll."""

    answers: Mapping[bytes, bytes]
    corpus: list[bytes]
    pbxs: list[Pbx]
    rate: float = 0.0
    _begin: float = 0.0
    _started: float = field(default_factory=time.time)
    _epoll: select.epoll = field(default_factory=select.epoll)
    _listeners: dict[int, Pbx] = field(default_factory=dict)
    _sessions: dict[int, tuple[socket.socket, Pbx]] = field(default_factory=dict)
    _partly: dict[int, bytes] = field(default_factory=dict)
    _down: list[Pbx] = field(default_factory=list)

    def serve(self) -> None:
        """Serve until the standard input ends."""
        for pbx in self.pbxs:
            pbx.listener.setblocking(False)
            self._listeners[pbx.listener.fileno()] = pbx
            self._epoll.register(pbx.listener, select.EPOLLIN)
        self._epoll.register(sys.stdin, select.EPOLLIN)
        portion = 0
        while True:
            # A hundredth of them in turn: their events are spread over PORTION_SECONDS.
            for fd, _ in self._epoll.poll(PORTION_SECONDS / 100, 256):
                if fd == sys.stdin.fileno():
                    if not self._obey(sys.stdin.readline()):
                        return
                elif fd in self._listeners:
                    self._accept(self._listeners[fd])
                elif fd in self._sessions:  # it may have ended within this turn
                    self._read(fd)
            now = time.monotonic()
            for pbx in [one for one in self._down if one.starts is not None and one.starts <= now]:
                self._start(pbx)
            portion = self._play_due(portion, now)

    def _play_due(self, portion: int, now: float) -> int:
        while self.rate and self._begin + portion * PORTION_SECONDS / 100 <= now:
            for pbx in self.pbxs[portion % 100 :: 100]:
                self._play(pbx, now)
            portion += 1
        return portion

    def _obey(self, line: str) -> bool:
        command, *numbers = line.split() or [""]
        if command == "play":
            self.rate, self._begin = float(numbers[0]), time.monotonic()
            for pbx in self.pbxs:
                pbx.began = self._begin - pbx.played / self.rate
            _say("playing")
        elif command == "stop":
            self.rate = 0.0
            _say(" ".join(str(pbx.played) for pbx in self.pbxs))
        elif command == "restart":
            chosen, _, of = numbers[0].partition("/")
            for pbx in self.pbxs[int(chosen) :: int(of)]:
                self._end(pbx)
            _say("restarted")
        return bool(line)

    def _end(self, pbx: Pbx) -> None:
        if pbx.starts is not None:
            return
        self._epoll.unregister(pbx.listener)
        del self._listeners[pbx.listener.fileno()]
        for fd in [fd for fd, (_, owner) in self._sessions.items() if owner is pbx]:
            self._close(fd)
        port = pbx.listener.getsockname()[1]
        pbx.listener.close()
        # Bound but not listening: connections are refused, and nobody else gets the port.
        pbx.listener = socket.socket()
        pbx.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        pbx.listener.bind(("127.0.0.1", port))
        pbx.starts = time.monotonic() + DOWN_SECONDS
        self._down.append(pbx)

    def _start(self, pbx: Pbx) -> None:
        self._down.remove(pbx)
        pbx.starts, pbx.started = None, time.time()
        pbx.listener.listen(64)
        pbx.listener.setblocking(False)
        self._listeners[pbx.listener.fileno()] = pbx
        self._epoll.register(pbx.listener, select.EPOLLIN)

    def _accept(self, pbx: Pbx) -> None:
        session, _ = pbx.listener.accept()
        session.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session.settimeout(5.0)
        self._sessions[session.fileno()] = (session, pbx)
        self._epoll.register(session, select.EPOLLIN)
        session.sendall(BANNER)

    def _read(self, fd: int) -> None:
        session, pbx = self._sessions[fd]
        try:
            data = session.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self._close(fd)
            return
        whole, gap, self._partly[fd] = (self._partly.get(fd, b"") + data).rpartition(b"\r\n\r\n")
        if gap:
            try:
                session.sendall(b"".join(self._answer(packet, session, pbx) for packet in whole.split(b"\r\n\r\n")))
            except OSError:
                self._close(fd)

    def _answer(self, packet: bytes, session: socket.socket, pbx: Pbx) -> bytes:
        action, action_id = _ACTION.search(packet), _ACTION_ID.search(packet)
        name = action[1].lower() if action else b""
        booted = b""
        if name == b"login":
            wanted = _EVENTS.search(packet)
            if wanted and b"call" in wanted[1]:
                pbx.events = session
                pbx.began = time.monotonic() - (pbx.played / self.rate if self.rate else 0.0)
            if wanted and b"system" in wanted[1]:
                began = self._started if pbx.started is None else pbx.started
                booted = _fully_booted(time.time() - began)
        answer = self.answers.get(name, b"Response: Error\r\nActionID: " + PLACE + b"\r\nMessage: none\r\n\r\n")
        if pbx.started is not None and name == b"corestatus":
            moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(pbx.started)).encode()
            answer = _STARTED.sub(rb"\g<1>" + moment[:10] + rb"\g<2>" + moment[11:], answer)
        return answer.replace(PLACE, action_id[1] if action_id else b"") + booted

    def _close(self, fd: int) -> None:
        session, pbx = self._sessions.pop(fd)
        if pbx.events is session:
            pbx.events = None
        self._partly.pop(fd, None)
        self._epoll.unregister(fd)
        # What was sent must arrive: an action that nobody read would reset the connection.
        with suppress(OSError):
            session.shutdown(socket.SHUT_WR)
            session.setblocking(False)
            while session.recv(1 << 16):
                pass
        session.close()

    def _play(self, pbx: Pbx, now: float) -> None:
        if pbx.events is None:
            pbx.began = now - pbx.played / self.rate
            return
        due = int((now - pbx.began) * self.rate) - pbx.played
        if due > 0:
            size = len(self.corpus)
            with suppress(OSError):  # the client has closed the link: its end is read next, and what is due waits
                pbx.events.sendall(
                    b"".join(self.corpus[number % size] for number in range(pbx.played, pbx.played + due))
                )
                pbx.played += due


def main() -> None:
    """Run until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--channels", type=int, default=20)
    parser.add_argument("--endpoints", type=int, default=30)
    chosen = parser.parse_args()
    answers = record(chosen.channels, chosen.endpoints)
    corpus = [data for _, privilege, data in flood_corpus() if privilege == "call"]
    pbxs = [Pbx(socket.create_server(("127.0.0.1", 0), backlog=64)) for _ in range(chosen.count)]
    _say(" ".join(str(pbx.listener.getsockname()[1]) for pbx in pbxs))
    House(answers, corpus, pbxs).serve()


def _fully_booted(seconds: float) -> bytes:
    """What follows a login with class system: without it an exporter takes the PBX for one that is starting."""
    uptime = f"Uptime: {seconds:.0f}\r\nLastReload: {seconds:.0f}\r\n"
    return f"Event: FullyBooted\r\nPrivilege: system,all\r\n{uptime}Status: Fully Booted\r\n\r\n".encode()


def _say(answer: str) -> None:
    sys.stdout.write(answer + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
