"""Channels of a server before Asterisk 12: which is which through masquerades, and which belong to one call. Pure.

A masquerade puts one channel into another's place: from then on the Uniqueid of each is written of the other. What
follows a channel to its end must follow the channel, not the Uniqueid, so here each has an identity, the Uniqueid of
its own Newchannel.

There is no Linkedid. A call begins with a channel that comes in (Ring), or with one that dials though it did not come
in (Originate). A channel that was dialled joins the call that Dial, AgentCalled or a bridge names. The halves of a
Local channel belong together by name, and begin no call: somebody has dialled them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ami_exporter.ami.concluded import STAND_INS

if TYPE_CHECKING:
    from ami_exporter.ami.message import Message

MAX_CHANNELS: Final = 50_000
"""Channels remembered at a time, five times those of the largest PBX we know of: some 100 MB when full. Then the oldest
is forgotten, whose Hangup was most likely missed."""

DOWN, RING, UP = "0", "4", "6"
_MADE_TO_DIAL: Final = frozenset({DOWN, "1"})
_PASSING: Final = ("<MASQ>", "<ZOMBIE>")


@dataclass(slots=True, eq=False)
class Call:
    """Channels of one call, or of what is not yet known to be one (no id)."""

    id: str = ""
    members: list[FollowedChannel] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Dial:
    """One run of the dial application. raw: the Uniqueid that the server writes of who dials.

    result: of the legs that it leaves unanswered, once it has ended. held: the ends of legs that wait for it.
    """

    raw: str
    answered: bool = False
    result: str = ""
    held: list[Held] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class FollowedChannel:
    """A channel. uid: its identity; raw: the Uniqueid by which the server writes of it now.

    created: its Newchannel, until its call is known. named: Dial or AgentCalled said that it was dialled; member: the
    queue member it rings. ended: how its leg ended has been told. asked: the server said who hangs up. last_dial: how
    the last Dial that it ran has ended.
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
        """What stands before the slash of its name."""
        return self.name.partition("/")[0]

    @property
    def is_inner_half(self) -> bool:
        """Whether it is the half of a Local channel that runs the dialplan for the one that was dialled."""
        return self.technology == "Local" and self.name.endswith(";2")

    @property
    def is_stand_in(self) -> bool:
        """Whether it was made only to give its place to another one."""
        return self.technology in STAND_INS

    @property
    def is_leg(self) -> bool:
        """Whether it was dialled: somebody said so, or it was made to dial and did not come in."""
        return self.named or (self.made_to_dial and not self.came_in and not self.is_stand_in)


@dataclass(frozen=True, slots=True)
class Held:
    """A Hangup that waits until the result of its leg is known. since: monotonic seconds."""

    since: float
    channel: FollowedChannel
    cause: str
    hangup: Message


class Channels:
    """The channels that are there, by the Uniqueid of now and by name."""

    def __init__(self) -> None:
        self._by_raw: dict[str, FollowedChannel] = {}
        self._by_name: dict[str, FollowedChannel] = {}

    def __len__(self) -> int:
        return len(self._by_raw)

    def at(self, raw: str) -> FollowedChannel | None:
        """The channel of which the server writes under this Uniqueid."""
        return self._by_raw.get(raw)

    def called(self, name: str) -> FollowedChannel | None:
        """The channel of this name."""
        return self._by_name.get(name)

    def identity(self, raw: str) -> str:
        """The Uniqueid that a channel had at its beginning; any thread may ask."""
        found = self._by_raw.get(raw)
        return raw if found is None else found.uid

    def add(self, created: Message) -> FollowedChannel:
        """Take a Newchannel."""
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
        """The clone takes the original's place, and the original what was the clone's."""
        one, other = self._by_name.get(clone), self._by_name.get(original)
        if one is None or other is None or one is other:
            return
        one.raw, other.raw = other.raw, one.raw
        self._by_raw[one.raw], self._by_raw[other.raw] = one, other

    def rename(self, raw: str, name: str) -> None:
        """Take a name that a driver gives; those of a masquerade come and go with it."""
        channel = self._by_raw.get(raw)
        if channel is None or channel.name == name or name.endswith(_PASSING):
            return
        if self._by_name.get(channel.name) is channel:
            del self._by_name[channel.name]
        channel.name = name
        self._by_name[name] = channel


def begin(channel: FollowedChannel) -> list[FollowedChannel]:
    """A call begins with this channel, if it is in none: return the channels whose call is known now, it first."""
    call = channel.call
    if call.id:
        return []
    call.id = channel.uid
    return [channel, *(member for member in call.members if member is not channel)]


def join(one: FollowedChannel, other: FollowedChannel) -> list[FollowedChannel]:
    """Two channels belong together: return those whose call is known now. Two calls that are joined stay two."""
    kept, gone = (one.call, other.call) if one.call.id or not other.call.id else (other.call, one.call)
    if kept is gone or gone.id:
        return []
    for member in gone.members:
        member.call = kept
    kept.members.extend(gone.members)
    return list(gone.members) if kept.id else []


def _other_half(name: str) -> str:
    return f"{name[:-1]}{'2' if name.endswith(';1') else '1'}"
