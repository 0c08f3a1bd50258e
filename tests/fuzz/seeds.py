"""First inputs for the fuzzer: what the simulated PBX really says, and the configuration files of the tests."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from pathlib import Path

from ami_exporter.ami.actions import ACTIONS
from ami_exporter.ami.event_classes import EVENT_NAMES
from ami_exporter.ami.header_orders import VOCABULARY
from ami_exporter.demo import DemoSettings, SimulatedPbx
from tests.support.ami_wire import packet
from tests.support.hostile_texts import HOSTILE

CONFIG = Path(__file__).parent.parent / "config"
LISTEN_SECONDS = 1.0
QUERIES = [
    b"collect[]=channels&collect[]=core",
    b"target=pbx1&exclude%5B%5D=queues",
    b"target=%00",
    b"application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2",
]


def seeds(subject: str) -> list[bytes]:
    """Inputs of one subject."""
    if subject == "url":
        return QUERIES
    if subject == "configuration":
        return [file.read_bytes() for file in sorted(CONFIG.glob("*/*.yml"))]
    if subject == "strangers":
        return [
            number.to_bytes(2, "big") + text.encode("utf-8", "surrogateescape") for number, text in enumerate(HOSTILE)
        ]
    packets = wire()
    return [b"\x07" + each for each in packets] if subject == "codec" else packets


def dictionary(subject: str) -> list[str]:
    """Words in the fuzzer's own notation that bytes put together by chance would hardly ever make."""
    found = {word for seed in seeds(subject) for word in re.findall(rb"[A-Za-z][A-Za-z_-]{2,40}", seed)}
    if subject in ("codec", "scrape", "strangers"):
        found |= {name.encode() for name in EVENT_NAMES.values()} | {b"\r\n\r\nEvent: ", b"\r\nResponse: Success\r\n"}
    if subject == "strangers":
        found |= {f"\r\n{name}: ".encode() for name in VOCABULARY}
    return sorted("".join(chr(byte) if chr(byte).isalnum() else f"\\x{byte:02x}" for byte in word) for word in found)


def wire() -> list[bytes]:
    """Answers of every list action, and the events of a second."""
    with SimulatedPbx(DemoSettings(channels=4)) as pbx, socket.create_connection(("127.0.0.1", pbx.port)) as sock:
        sock.settimeout(0.2)
        sock.sendall(packet(("Action", "Login"), ("Username", pbx.username), ("Secret", pbx.secret)))
        for name in sorted(ACTIONS.keys() - {"Command"}):
            sock.sendall(packet(("Action", name), ("ActionID", name)))
        data, until = b"", time.monotonic() + LISTEN_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                data += sock.recv(65536)
    packets = [each + b"\r\n\r\n" for each in data.split(b"\r\n\r\n") if each]
    different = {each.split(b"\r\n", 1)[0]: each for each in packets}
    return [*different.values(), *(b"".join(packets[at : at + 8]) for at in range(0, min(400, len(packets)), 8))]
