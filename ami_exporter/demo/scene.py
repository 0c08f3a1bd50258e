"""The input of every answer: the world, the time, and the settings of the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .engine import Timeline
from .listing import Dialect
from .load import StaticLoad
from .world import UPTIME_AT_START, World

VERSIONS = {Dialect.MODERN: ("11.0.0", "22.10.1"), Dialect.OLD: ("1.1", "1.8.32.3")}


@dataclass(slots=True)
class Scene:
    """``clock`` returns Unix time; ``started`` is its value when the simulation began."""

    world: World
    time: Timeline
    clock: Callable[[], float]
    started: float
    dialect: Dialect
    load: StaticLoad = field(default_factory=StaticLoad)
    system_name: str = "4711"

    @property
    def booted(self) -> float:
        """Unix time at which the PBX claims to have started."""
        return self.started - UPTIME_AT_START

    @property
    def reloaded(self) -> float:
        """Unix time of the last reload; the start if there was none."""
        moment = self.world.reloaded
        return self.booted if moment is None else self.world.unix(moment)

    @property
    def ami_version(self) -> str:
        """The AMI version in the banner and in CoreSettings."""
        return VERSIONS[self.dialect][0]
