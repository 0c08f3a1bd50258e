"""The simulation: world, simulated time, scenarios. Settings and the times of ``advance`` decide everything."""

from __future__ import annotations

from dataclasses import dataclass

from . import callcentre
from .canary import Originator
from .conversation import Conversation
from .dice import Dice
from .engine import Timeline
from .life import Life
from .listing import Dialect
from .media import Rtcp
from .occasions import Occasions
from .old_dialect import OldDialect
from .queueing import QueueDesk
from .sticks import Radio
from .switch import Switch, Tell
from .traffic import Traffic
from .world import World


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """The simulated company. ``endpoints``: SIP endpoints, trunks included; ``channels``: additional static channels.

    ``speed``: simulated seconds per real second. ``traffic``: multiplies the call rates, 0 for no calls.
    ``warmup``: seconds simulated before the start, so that nothing begins at zero.
    """

    channels: int = 0
    endpoints: int = 60
    queues: int = 4
    seed: int = 1
    speed: float = 1.0
    traffic: float = 1.0
    warmup: float = 240.0


class Simulation:
    """``tell`` takes the events; ``started`` is the Unix time of simulated second 0."""

    def __init__(self, settings: DemoSettings, started: float, tell: Tell, dialect: Dialect = Dialect.MODERN) -> None:
        self.settings, self.started = settings, started
        dice = Dice(settings.seed)
        self.world = World(started, settings.speed)
        self.time = Timeline(-settings.warmup)
        is_old = dialect is Dialect.OLD
        callcentre.build(self.world, dice, settings.endpoints, settings.queues, "SIP" if is_old else "PJSIP")
        self._muted = True
        self._tell = tell
        listener: Tell = OldDialect(self.world, self._speak) if is_old else self._speak
        self.switch = Switch(self.world, self.time, dice, listener)
        self.switch.on_up = Rtcp(self.switch, dice).begin
        desk, conversation = QueueDesk(self.switch, dice), Conversation(self.switch, dice)
        traffic = Traffic(self.switch, dice, desk, conversation)
        self.life = Life(self.switch, dice, desk)
        self.originator = Originator(self.switch, dice)
        if settings.traffic > 0:
            traffic.begin(settings.traffic)
            Occasions(self.switch, dice, traffic).begin()
            self.life.begin()
            Radio(self.switch, Dice(settings.seed)).begin()
        self.time.advance(0.0)
        self._muted = False

    def _speak(self, name: str, privilege: str, body: str) -> None:
        if not self._muted:
            self._tell(name, privilege, body)

    def advance(self, unix_now: float, max_steps: int = 1 << 60) -> bool:
        """Run the simulation up to this Unix time; return False if ``max_steps`` were not enough."""
        return self.time.advance((unix_now - self.started) * self.settings.speed, max_steps)

    def due_in(self, unix_now: float) -> float:
        """Real seconds until the next step."""
        return self.time.next_at / self.settings.speed - (unix_now - self.started)

    def ami_security(self, name: str, account: str, extra: dict[str, str]) -> None:
        """Send a security event of the AMI server itself."""
        self.life.security(name, "AMI", account, extra)
