"""Channels of a server before Asterisk 12: follows them through masquerades and groups them into calls. Pure.

A masquerade swaps two channels: from then on the server uses the Uniqueid of each for the other. Whatever follows a
channel to its end must not follow the Uniqueid, so each channel here has an identity: the Uniqueid of its Newchannel.

There is no Linkedid. A call begins with an incoming channel (Ring), or with one that dials without having come in
(Originate). A dialled channel joins the call that Dial, AgentCalled or a bridge names. The names of the two halves of a
Local channel show that they belong together; they never begin a call, because another channel has dialled them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ami_exporter.ami.concluded import STAND_INS

if TYPE_CHECKING:
    from ami_exporter.ami.message import Message

MAX_CHANNELS: Final = 50_000
"""Maximum channels remembered, five times those of the largest PBX we know of: about 100 MB when full. Beyond that, the
oldest is forgotten, whose Hangup was most likely missed."""

DOWN, RING, UP = "0", "4", "6"
_MADE_TO_DIAL: Final = frozenset({DOWN, "1"})
_PASSING: Final = ("<MASQ>", "<ZOMBIE>")


@dataclass(slots=True, eq=False)
class Call:
    """The channels of one call; id is empty until the call is known."""

    id: str = ""
    members: list[FollowedChannel] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Dial:
    """One run of the Dial application. raw: the Uniqueid that the server uses for the caller.

    result: of the unanswered legs, known when the Dial ends. held: Hangups of legs that wait for this result.
    """

    raw: str
    answered: bool = False
    result: str = ""
    held: list[Held] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class FollowedChannel:
    """A channel. uid: its identity; raw: the Uniqueid that the server uses for it now.

    created: its Newchannel, until its call is known. named: Dial or AgentCalled said that it was dialled; member: the
    queue member it rings. ended: the result of its leg has been reported. asked: the server said who hangs up.
    last_dial: the result of the last Dial it ran.
    """

    uid: str
    raw: str
    name: str
    state: str
    created: Message | None
    call: Call
    made_to_dial: bool = False
    came_in: bool = False
    named: bool = False
    member: str = ""
    dial: Dial | None = None
    ended: bool = False
    asked: bool = False
    last_dial: str = ""

    @property
    def technology(self) -> str:
        """The part of its name before the slash."""
        return self.name.partition("/")[0]

    @property
    def is_inner_half(self) -> bool:
        """Whether it is the half of a Local channel that runs the dialplan on behalf of the dialled half."""
        return self.technology == "Local" and self.name.endswith(";2")

    @property
    def is_stand_in(self) -> bool:
        """Whether it was created only to be swapped with another channel."""
        return self.technology in STAND_INS

    @property
    def is_leg(self) -> bool:
        """Whether it was dialled: an event said so, or it was created to dial out and did not come in."""
        return self.named or (self.made_to_dial and not self.came_in and not self.is_stand_in)


@dataclass(frozen=True, slots=True)
class Held:
    """A Hangup held back until the result of its leg is known. since: monotonic seconds."""

    since: float
    channel: FollowedChannel
    cause: str
    hangup: Message


class Channels:
    """The current channels, by current Uniqueid and by name."""

    def __init__(self) -> None:
        self._by_raw: dict[str, FollowedChannel] = {}
        self._by_name: dict[str, FollowedChannel] = {}

    def __len__(self) -> int:
        return len(self._by_raw)

    def at(self, raw: str) -> FollowedChannel | None:
        """The channel for which the server uses this Uniqueid now."""
        return self._by_raw.get(raw)

    def called(self, name: str) -> FollowedChannel | None:
        return self._by_name.get(name)

    def identity(self, raw: str) -> str:
        """The Uniqueid that a channel had when it was created. Safe to call from any thread."""
        found = self._by_raw.get(raw)
        return raw if found is None else found.uid

    def add(self, created: Message) -> FollowedChannel:
        """Add the channel that a Newchannel announces."""
        if len(self._by_raw) >= MAX_CHANNELS:
            self.remove(next(iter(self._by_raw.values())))
        raw, name, state = created.get("uniqueid", ""), created.get("channel", ""), created.get("channelstate", "")
        channel = FollowedChannel(raw, raw, name, state, created, Call(), state in _MADE_TO_DIAL, state == RING)
        other = self._by_name.get(_other_half(name)) if name.startswith("Local/") else None
        channel.call = channel.call if other is None else other.call
        channel.call.members.append(channel)
        self._by_raw[raw] = self._by_name[name] = channel
        return channel

    def remove(self, channel: FollowedChannel) -> None:
        """Forget a channel that has ended."""
        if self._by_raw.get(channel.raw) is channel:
            del self._by_raw[channel.raw]
        if self._by_name.get(channel.name) is channel:
            del self._by_name[channel.name]
        if channel in channel.call.members:
            channel.call.members.remove(channel)

    def masquerade(self, clone: str, original: str) -> None:
        """Swap the clone and the original."""
        one, other = self._by_name.get(clone), self._by_name.get(original)
        if one is None or other is None or one is other:
            return
        one.raw, other.raw = other.raw, one.raw
        self._by_raw[one.raw], self._by_raw[other.raw] = one, other

    def rename(self, raw: str, name: str) -> None:
        """Rename a channel when its driver does; ignore the temporary names of a masquerade."""
        channel = self._by_raw.get(raw)
        if channel is None or channel.name == name or name.endswith(_PASSING):
            return
        if self._by_name.get(channel.name) is channel:
            del self._by_name[channel.name]
        channel.name = name
        self._by_name[name] = channel


def begin(channel: FollowedChannel) -> list[FollowedChannel]:
    """Begin a call with this channel unless it has one: return the channels whose call is now known, this one first."""
    call = channel.call
    if call.id:
        return []
    call.id = channel.uid
    return [channel, *(member for member in call.members if member is not channel)]


def join(one: FollowedChannel, other: FollowedChannel) -> list[FollowedChannel]:
    """Put two channels into one call: return those whose call is now known. Two existing calls stay separate."""
    kept, gone = (one.call, other.call) if one.call.id or not other.call.id else (other.call, one.call)
    if kept is gone or gone.id:
        return []
    for member in gone.members:
        member.call = kept
    kept.members.extend(gone.members)
    return list(gone.members) if kept.id else []


def _other_half(name: str) -> str:
    return f"{name[:-1]}{'2' if name.endswith(';1') else '1'}"
