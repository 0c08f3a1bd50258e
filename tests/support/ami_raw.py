"""A minimal AMI client and listener for tests: the independent second opinion, without code of ami_exporter.

It knows one thing: packets of `Key: Value` lines, ended by a blank line. For tests of how a server writes them there
is `ami_packets.py`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TypeAlias

from tests.support.ami_socket import END, READ_SIZE, AmiSocket

Fields: TypeAlias = dict[str, str]


def fields_of(packet: bytes) -> Fields:
    """Header name as sent → its last value; lines without a colon are left out."""
    lines = (line.partition(b":") for line in packet.split(b"\r\n"))
    return {key.decode(): value.strip().decode(errors="replace") for key, colon, value in lines if colon}


class RawAmi(AmiSocket):
    """One AMI session for a test: logs in at once, sends any action, reads packets until a deadline."""

    def __init__(self, port: int, username: str, secret: str, *, events: str = "off", seconds: float = 10.0) -> None:
        super().__init__(port, seconds)
        self._number = 0
        try:
            self._login(username, secret, events)
        except BaseException:
            self.close()
            raise

    def action(self, name: str, **headers: str) -> Fields:
        """Send one action and return its Response; events that come in between are passed over."""
        action_id = self.send(name, **headers)
        return self._packet_for(action_id, lambda fields: "Response" in fields)

    def items(self, name: str, complete: str, **headers: str) -> list[Fields]:
        """Return the items of a list action that came before the event `complete`; [] when refused or empty."""
        action_id = self.send(name, **headers)
        response = self._packet_for(action_id, lambda fields: "Response" in fields)
        if response["Response"] == "Error":
            return []
        found: list[Fields] = []
        while True:
            # IAXpeers has items without ActionID, so every event counts: this session asked for no others.
            fields = self.read()
            if fields.get("Event") == complete:
                return found
            found.append(fields)

    def command(self, command: str) -> str:
        """What a CLI command prints, through the action Command (Asterisk 14 and later)."""
        action_id = self.send("Command", Command=command)
        deadline = time.monotonic() + self.seconds
        while True:
            packet = self.until(END, deadline)
            if f"ActionID: {action_id}\r\n".encode() in packet:
                outputs = [line for line in packet.split(b"\r\n") if line.startswith(b"Output: ")]
                return "\n".join(line.removeprefix(b"Output: ").decode(errors="replace") for line in outputs)

    def originate(self, channel: str, **headers: str) -> None:
        """Start a call without waiting for it to be answered."""
        answer = self.action("Originate", Channel=channel, Async="true", **headers)
        if answer["Response"] != "Success":
            raise RuntimeError(f"Originate of {channel}: {answer}")

    def send(self, name: str, **headers: str) -> str:
        """Send one action and return its ActionID."""
        self._number += 1
        action_id = f"raw-{self._number}"
        pairs = {"Action": name, "ActionID": action_id, **headers}
        self.sock.sendall("".join(f"{key}: {value}\r\n" for key, value in pairs.items()).encode() + b"\r\n")
        return action_id

    def read(self) -> Fields:
        """Return the next packet; TimeoutError after the session's seconds."""
        return fields_of(self.until(END))

    def _login(self, username: str, secret: str, events: str) -> None:
        answer = self.action("Login", Username=username, Secret=secret, Events=events)
        if answer.get("Response") != "Success":
            raise PermissionError(f"AMI login of {username!r}: {answer}")

    def _packet_for(self, action_id: str, wanted: Callable[[Fields], bool]) -> Fields:
        deadline = time.monotonic() + self.seconds
        while True:
            fields = fields_of(self.until(END, deadline))
            if fields.get("ActionID") == action_id and wanted(fields):
                return fields


class EventRecorder:
    """Listens on a connection of its own, in a thread, and keeps every event packet, grouped by event name.

    Packets are kept as bytes and parsed when asked about: a slow reader would make Asterisk drop events.
    """

    def __init__(self, port: int, username: str, secret: str, *, events: str = "on") -> None:
        self._ami = RawAmi(port, username, secret, events=events)
        self._packets: dict[str, list[bytes]] = {}
        self._lock = threading.Lock()
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="event-recorder", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; what was recorded stays."""
        with contextlib.suppress(OSError):
            self._ami.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(5.0)
        self._ami.close()

    def events(self, name: str, where: Callable[[Fields], bool] = lambda _: True) -> list[Fields]:
        """Return the recorded events of this name, parsed, in the order they came."""
        with self._lock:
            packets = list(self._packets.get(name, ()))
        return [fields for fields in map(fields_of, packets) if where(fields)]

    def names(self) -> Mapping[str, int]:
        """How many events of each name were recorded."""
        with self._lock:
            return {name: len(packets) for name, packets in self._packets.items()}

    def total(self) -> int:
        """How many events were recorded."""
        return sum(self.names().values())

    def count_by(
        self, name: str, *keys: str, where: Callable[[Fields], bool] = lambda _: True
    ) -> Counter[tuple[str, ...]]:
        """Count events of this name by the values of some headers ("" where one is missing)."""
        return Counter(tuple(fields.get(key, "") for key in keys) for fields in self.events(name, where))

    def sum_of(self, name: str, key: str, where: Callable[[Fields], bool] = lambda _: True) -> float:
        """Sum of a numeric header over the events of this name that carry it."""
        return sum(float(fields[key]) for fields in self.events(name, where) if fields.get(key))

    def wait_for(self, condition: Callable[[EventRecorder], bool], seconds: float) -> None:
        """Poll until the condition holds; TimeoutError says what was recorded by then."""
        deadline = time.monotonic() + seconds
        while not condition(self):
            if time.monotonic() > deadline:
                raise TimeoutError(f"events recorded in {seconds} s: {dict(sorted(self.names().items()))}")
            self.ended.wait(0.05)

    def wait_quiet(self, seconds: float = 1.0, within: float = 30.0) -> None:
        """Wait until for this long no event came but those that Debian's test builds of Asterisk send by the clock."""
        deadline = time.monotonic() + within
        count, since = self._untimed(), time.monotonic()
        while time.monotonic() - since < seconds:
            if time.monotonic() > deadline:
                raise TimeoutError(f"events still arrive after {within} s")
            self.ended.wait(0.05)
            if (now := self._untimed()) != count:
                count, since = now, time.monotonic()

    def _untimed(self) -> int:
        names = self.names()
        return sum(names.values()) - names.get("TestEvent", 0)

    def _listen(self) -> None:
        self._ami.sock.settimeout(None)
        buffer = self._ami.buffer
        try:
            while True:
                *packets, rest = bytes(buffer).split(END)
                self._keep(packets)
                buffer[:] = rest
                data = self._ami.sock.recv(READ_SIZE)
                if not data:
                    return
                buffer += data
        except OSError:
            return
        finally:
            self.ended.set()

    def _keep(self, packets: list[bytes]) -> None:
        with self._lock:
            # Test builds of Asterisk end a TestEvent with one blank line too many.
            for packet in (packet.lstrip(b"\r\n") for packet in packets):
                if packet.startswith(b"Event: "):
                    name = packet[7 : packet.index(b"\r\n")].decode()
                    self._packets.setdefault(name, []).append(packet)
