"""An AMI client for tests of what a server says, word for word."""

from __future__ import annotations

from tests.support.ami_socket import END, AmiSocket

Packet = list[tuple[str, str]]
DEADLINE = 10.0
SECRET = "demo"


class PacketClient(AmiSocket):
    """Says what it is told to, and gives packets as lists: order and repeated headers included."""

    def __init__(self, port: int) -> None:
        super().__init__(port, DEADLINE)

    def packet(self) -> Packet:
        """The next packet, its lines as (name, value)."""
        lines = self.until(END).decode("utf-8", "surrogateescape").split("\r\n")
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


def value(packet: Packet, name: str) -> str:
    """The first value of that header, "" when there is none."""
    return next((text for key, text in packet if key == name), "")


def named(packets: list[Packet], event: str) -> list[Packet]:
    """The events of that name."""
    return [packet for packet in packets if packet[0] == ("Event", event)]
