"""A simulated PBX that speaks real AMI over loopback."""

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
    """The PBX of ``ami-exporter demo``, started; log in with its ``username`` and ``secret``, ``stop`` it at the end.

    ``dialect``: "modern" or "1.1"; ``speed``: simulated seconds per real second.
    Raises OSError when no loopback port can be had.
    """
    settings = DemoSettings(channels=channels, endpoints=endpoints, queues=queues, seed=seed, speed=speed)
    pbx = SimulatedPbx(settings, dialect=dialect)
    pbx.start()
    return pbx
