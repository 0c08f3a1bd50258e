"""The state of the simulated PBX: plain data, read by the list actions and changed by the scenarios."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

# Number of each device state in QueueMember: Status (include/asterisk/devicestate.h).
DEVICE_STATES = {
    "UNKNOWN": 0,
    "NOT_INUSE": 1,
    "INUSE": 2,
    "BUSY": 3,
    "INVALID": 4,
    "UNAVAILABLE": 5,
    "RINGING": 6,
    "RINGINUSE": 7,
    "ONHOLD": 8,
}
# The PBX has run for three days and some hours before the demo starts: uptime panels look real.
UPTIME_AT_START = 271_733.0
DOWN, RING, RINGING, UP = 0, 4, 5, 6
CHANNEL_STATES = {DOWN: "Down", RING: "Ring", RINGING: "Ringing", UP: "Up"}


@dataclass(frozen=True, slots=True)
class Party:
    """A number and a name, as in a caller ID."""

    number: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """The RTCP figures of a line: loss (share), jitter and round trip (seconds), share of calls without audio."""

    loss: float = 0.0005
    jitter: float = 0.003
    rtt: float = 0.02
    silent: float = 0.0


@dataclass(slots=True, eq=False)
class Contact:
    """An address at which an endpoint is reachable. ``expires`` is simulated time, 0 = static; ``rtt`` in seconds."""

    address: str
    status: str = "Reachable"
    rtt: float = 0.02
    expires: float = 0.0
    user_agent: str = ""


@dataclass(slots=True, eq=False)
class SimulatedEndpoint:
    """A phone or a trunk of any technology."""

    tech: str
    name: str
    party: Party
    codec: str = "alaw"
    user_agent: str = ""
    trunk: bool = False
    registration: str = ""
    media: Media = field(default_factory=Media)
    account: str = ""
    contacts: list[Contact] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    memberships: list[Member] = field(default_factory=list)
    state: str = "NOT_INUSE"

    @property
    def device(self) -> str:
        """The device name, as spelled in interfaces and device states."""
        return f"{self.tech}/{self.name}"

    @property
    def bound(self) -> list[Contact]:
        """The registered contacts; lists omit removed ones."""
        return [contact for contact in self.contacts if contact.status != "Removed"]

    @property
    def free(self) -> bool:
        """Whether a call sent here would ring."""
        return self.state == "NOT_INUSE" and not self.channels


@dataclass(slots=True, eq=False)
class Bridge:
    """A bridge and the channels in it."""

    uniqueid: str
    technology: str = "simple_bridge"
    type: str = "basic"
    creator: str = ""
    name: str = ""
    channels: list[Channel] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Channel:
    """One channel; times are simulated seconds."""

    name: str
    uniqueid: str
    linkedid: str
    endpoint: SimulatedEndpoint
    created: float
    state: int
    exten: str
    context: str
    caller: Party = field(default_factory=Party)
    connected: Party = field(default_factory=Party)
    application: str = ""
    data: str = ""
    bridge: Bridge | None = None
    held: bool = False
    alive: bool = True
    transcoded_to: str = ""


@dataclass(slots=True, eq=False)
class Member:
    """A member of one queue."""

    queue: Queue
    endpoint: SimulatedEndpoint
    name: str
    membership: str = "static"
    penalty: int = 0
    calls: int = 0
    last_call: float | None = None
    last_pause: float | None = None
    login: float = 0.0
    in_call: bool = False
    paused: bool = False
    reason: str = ""
    wrapup: int = 10
    free_at: float = float("-inf")


@dataclass(slots=True, eq=False)
class QueuedCaller:
    """A caller waiting in a queue."""

    channel: Channel
    since: float
    entered_as: int


@dataclass(slots=True, eq=False)
class Queue:
    """A queue with its settings, its people and its own statistics (times in seconds)."""

    name: str
    strategy: str = "rrmemory"
    limit: int = 0
    service_level: int = 20
    weight: int = 0
    members: list[Member] = field(default_factory=list)
    waiting: list[QueuedCaller] = field(default_factory=list)
    hold_time: int = 0
    talk_time: int = 0
    completed: int = 0
    abandoned: int = 0
    completed_in_level: int = 0
    abandoned_in_level: int = 0
    turn: int = 0


@dataclass(slots=True, eq=False)
class Registration:
    """An outbound registration."""

    tech: str
    name: str
    username: str
    host: str
    status: str = "Registered"


@dataclass(slots=True, eq=False)
class Conference:
    """A conference room that has participants."""

    name: str
    bridge: Bridge
    marked: int = 0
    locked: bool = False
    muted: bool = False


@dataclass(slots=True, eq=False)
class Parked:
    """A parked call."""

    channel: Channel
    space: int
    since: float
    parker: str


@dataclass(slots=True, eq=False)
class ParkingLot:
    """A parking lot."""

    name: str
    first: int
    last: int
    timeout: int
    parked: list[Parked] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Mailbox:
    """A voicemail box."""

    number: str
    name: str
    new: int = 0
    old: int = 0


@dataclass(slots=True, eq=False)
class Agent:
    """An agent of app_agent_pool; ``channel`` is set while logged in."""

    number: str
    name: str
    channel: Channel | None = None
    login: float = 0.0
    talking_to: str = ""
    call_started: float = 0.0


@dataclass(slots=True, eq=False)
class Span:
    """An ISDN span of 30 voice channels; ``alarm`` is "" or Asterisk's word such as "Red Alarm"."""

    number: int
    alarm: str = ""


@dataclass(slots=True, eq=False)
class Stick:
    """A GSM stick; ``rssi`` is 0 to 31, as in AT+CSQ; ``registration`` is in chan_dongle's words."""

    name: str
    rssi: int
    registration: str = "Registered, home network"
    connected: bool = True

    @property
    def state(self) -> str:
        """Its state, in chan_dongle's words."""
        if not self.connected:
            return "Not connected"
        return "Free" if self.registration.startswith("Registered") else "GSM not registered"


@dataclass(slots=True)
class FaxCounts:
    """res_fax's counters since load."""

    current: int = 0
    sent: int = 0
    received: int = 0
    completed: int = 0
    failed: int = 0


@dataclass(slots=True, eq=False)
class World:
    """The whole PBX. ``epoch`` is the Unix time of simulated second 0, ``speed`` is simulated seconds per real one."""

    epoch: float
    speed: float = 1.0
    phones: list[SimulatedEndpoint] = field(default_factory=list)
    trunks: list[SimulatedEndpoint] = field(default_factory=list)
    queues: list[Queue] = field(default_factory=list)
    registrations: list[Registration] = field(default_factory=list)
    lots: list[ParkingLot] = field(default_factory=list)
    mailboxes: list[Mailbox] = field(default_factory=list)
    agents: list[Agent] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    sticks: list[Stick] = field(default_factory=list)
    database: dict[str, str] = field(default_factory=dict)
    fax: FaxCounts = field(default_factory=FaxCounts)
    channels: dict[str, Channel] = field(default_factory=dict)
    bridges: dict[str, Bridge] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    """Uniqueid of a channel → the one that Asterisk 1.8 uses for it after a masquerade."""
    conferences: dict[str, Conference] = field(default_factory=dict)
    calls_processed: int = 0
    reloaded: float | None = None
    serial: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def unix(self, moment: float | None) -> int:
        """Unix time of a simulated moment, 0 for never. Scaled by the speed, so that dates are never in the future."""
        return 0 if moment is None else int(self.epoch + moment / self.speed)

    @property
    def booted(self) -> float:
        """The simulated time at which the PBX was started."""
        return -UPTIME_AT_START * self.speed

    @property
    def endpoints(self) -> list[SimulatedEndpoint]:
        """Trunks and phones of every technology."""
        return self.trunks + self.phones
