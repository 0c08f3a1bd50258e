"""A bare AMI client for tests: bytes out, packets in, nothing clever, nothing shared with the product's own client."""

from __future__ import annotations

import socket
import time
from types import TracebackType
from typing import Self

Packet = list[tuple[str, str]]
DEADLINE = 10.0
SECRET = "demo"


class PacketClient:
    """One connection; reads have a deadline and say what they were waiting for."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.buffer = b""
        self.banner = self.until(b"\r\n").decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sock.close()

    def until(self, mark: bytes, *, start: int = 0) -> bytes:
        """Everything up to and with the mark."""
        end = time.monotonic() + DEADLINE
        while (place := self.buffer.find(mark, start)) < 0:
            if time.monotonic() > end:
                raise TimeoutError(f"no {mark!r}, got {self.buffer[-500:]!r}")
            data = self.sock.recv(1 << 18)
            if not data:
                raise EOFError(f"closed before {mark!r}, got {self.buffer[-500:]!r}")
            start = max(0, len(self.buffer) - len(mark))
            self.buffer += data
        place += len(mark)
        taken, self.buffer = self.buffer[:place], self.buffer[place:]
        return taken

    def packet(self) -> Packet:
        """The next packet, its lines as (name, value)."""
        lines = self.until(b"\r\n\r\n").decode("utf-8", "surrogateescape").split("\r\n")
        return [(name, value) for name, _colon, value in (line.partition(": ") for line in lines if line)]

    def send(self, *headers: tuple[str, str]) -> None:
        """One action."""
        text = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self.sock.sendall(f"{text}\r\n".encode())

    def ask(self, action: str, *headers: tuple[str, str]) -> Packet:
        """Send one action and read one packet."""
        self.send(("Action", action), *headers)
        return self.packet()

    def login(self, username: str = "demo", secret: str = SECRET, events: str = "off") -> Packet:
        """Log in; the response, whatever it is."""
        return self.ask("Login", ("Username", username), ("Secret", secret), ("Events", events))

    def answer(self, action: str, *headers: tuple[str, str]) -> list[Packet]:
        """Every packet of one answer: up to the response of a Ping that follows it, without that."""
        self.send(("Action", action), ("ActionID", "asked"), *headers)
        self.send(("Action", "Ping"), ("ActionID", "fence"))
        packets: list[Packet] = []
        while ("ActionID", "fence") not in (packet := self.packet()):
            packets.append(packet)
        return packets

    def at_end(self) -> bytes:
        """What is left until the server closes the connection."""
        while data := self.sock.recv(1 << 18):
            self.buffer += data
        return self.buffer


def value(packet: Packet, name: str) -> str:
    """The first value of that header, "" when there is none."""
    return next((text for key, text in packet if key == name), "")


def named(packets: list[Packet], event: str) -> list[Packet]:
    """The events of that name."""
    return [packet for packet in packets if packet[0] == ("Event", event)]
