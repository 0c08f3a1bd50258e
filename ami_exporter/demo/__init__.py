"""A simulated PBX that speaks real AMI over loopback."""

import contextlib
import socket

from .listing import Dialect
from .rights import User
from .simulated_pbx import SimulatedPbx
from .simulation import DemoSettings

__all__ = ["DemoSettings", "Dialect", "SimulatedPbx", "User", "run_demo_pbx"]


def run_demo_pbx(
    *,
    channels: int = 0,
    endpoints: int = 60,
    queues: int = 4,
    dialect: str = "modern",
    seed: int = 1,
    speed: float = 1.0,
) -> SimulatedPbx:
    """Start the PBX of ``ami-exporter demo``; log in with its ``username`` and ``secret``, ``stop`` it at the end.

    ``dialect``: "modern" or "1.1"; ``speed``: simulated seconds per real second.
    Raises OSError if no loopback port is available.
    """
    host = _loopback()
    settings = DemoSettings(channels=channels, endpoints=endpoints, queues=queues, seed=seed, speed=speed)
    pbx = SimulatedPbx(settings, host=host, dialect=dialect)
    pbx.start()
    return pbx


def _loopback() -> str:
    """The loopback address of this host: a container or a namespace may lack the IPv4 one, the IPv6 one or both."""
    for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
        with (
            contextlib.suppress(OSError),
            socket.create_server((host, 0), family=family) as server,
            socket.create_connection(server.getsockname()[:2], timeout=1.0),
        ):
            return host
    raise OSError("neither 127.0.0.1 nor ::1 can be reached here; try `ip link set lo up`")
