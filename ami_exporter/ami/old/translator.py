"""Translates the events of a server before Asterisk 12 into those of Asterisk 12 and later. Without I/O.

Every event is passed on, under the identity of its channel. What only newer servers send is added: Linkedid,
DialBegin and DialEnd of each leg, ChannelState at Hangup, who hung up, AgentConnect, BlindTransfer. The call of a
channel is known only some time after its Newchannel: then CHANNEL_LINKED repeats the Newchannel with its Linkedid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import ClassVar, Final

from ami_exporter.ami.concluded import CHANNEL_LINKED, concluded
from ami_exporter.ami.message import Message
from ami_exporter.ami.old.channels import RING, UP, Channels, FollowedChannel, begin, join
from ami_exporter.ami.old.legs import DialledLegs
from ami_exporter.ami.old.queues import Callers

MODERN_FROM: Final = (2,)
"""AMI version of Asterisk 12."""
_ZOMBIE: Final = "<ZOMBIE>"
_TRANSFERS: Final[Mapping[str, str]] = {"blind": "BlindTransfer", "attended": "AttendedTransfer"}

Take = Callable[["OldEvents", Message, float], Iterable[Message]]


def translator(ami: tuple[int, ...]) -> OldEvents | None:
    """The translator for the events of one link, by the server's AMI version; None for Asterisk 12 and later."""
    return OldEvents() if ami < MODERN_FROM else None


class OldEvents:
    """Translates the events of one link. now: monotonic seconds."""

    def __init__(self) -> None:
        self._channels = Channels()
        self._legs = DialledLegs()
        self._callers = Callers()

    def take(self, events: Iterable[Message], now: float) -> list[Message]:
        """Return the events as newer servers would have sent them."""
        found = list(self._legs.overdue(now))
        for event in events:
            take = self._KINDS.get(event["event"].lower(), OldEvents._other)
            found.extend(take(self, event, now))
        return found

    def overdue(self, now: float) -> list[Message]:
        """Return the events that have waited too long for another one."""
        return list(self._legs.overdue(now))

    def identity(self, uniqueid: str) -> str:
        """The identity of the channel that has this Uniqueid in lists. Safe to call from any thread."""
        return self._channels.identity(uniqueid)

    def _other(self, event: Message, _now: float) -> Iterator[Message]:
        channel = self._channels.at(event.get("uniqueid", ""))
        yield event if channel is None else _with(event, uniqueid=channel.uid)

    def _newchannel(self, event: Message, _now: float) -> Iterator[Message]:
        if not event.get("uniqueid"):
            yield event
            return
        channel = self._channels.add(event)
        if channel.came_in and not channel.is_inner_half:
            begin(channel)
        if channel.call.id:
            channel.created = None
        yield _with(event, linkedid=channel.call.id)

    def _newstate(self, event: Message, _now: float) -> Iterator[Message]:
        channel = self._channels.at(event.get("uniqueid", ""))
        if channel is None:
            yield event
            return
        channel.state = event.get("channelstate", channel.state)
        if channel.state == RING and not channel.is_inner_half:
            channel.came_in = True
            yield from _linked(begin(channel))
        yield _with(event, uniqueid=channel.uid, linkedid=channel.call.id)
        if channel.state == UP:
            yield from self._legs.answered(channel)

    def _dial(self, event: Message, _now: float) -> Iterator[Message]:
        yield event
        raw = event.get("uniqueid", "")
        caller = self._channels.at(raw)
        if event.get("subevent", "").lower() == "end":
            yield from self._legs.dial_ended(raw, caller, event.get("dialstatus", ""))
            return
        leg = self._channels.at(event.get("destuniqueid", ""))
        if leg is not None:
            yield from _joined(caller, leg)
            yield from self._legs.dialled(raw, caller, leg, event.get("dialstring", ""), event)

    def _agent_called(self, event: Message, _now: float) -> Iterator[Message]:
        caller = self._channels.at(event.get("uniqueid", ""))
        yield event if caller is None else _with(event, uniqueid=caller.uid)
        leg = self._channels.called(event.get("destinationchannel", ""))
        if leg is not None:
            yield from _joined(caller, leg)
            yield from self._legs.called(caller, leg, event.get("agentcalled", ""), event)

    def _ring_no_answer(self, event: Message, _now: float) -> Iterator[Message]:
        caller = self._channels.at(event.get("uniqueid", ""))
        yield event if caller is None else _with(event, uniqueid=caller.uid)
        for leg in () if caller is None else caller.call.members:
            if leg.member and leg.member == event.get("member"):
                yield from self._legs.rang_unanswered(leg)

    def _bridge(self, event: Message, _now: float) -> Iterator[Message]:
        yield event
        if event.get("bridgestate", "Link").lower() != "link":
            return
        one, other = (self._channels.at(event.get(name, "")) for name in ("uniqueid1", "uniqueid2"))
        if one is not None and other is not None:
            yield from self._callers.bridged(one.uid, other) or self._callers.bridged(other.uid, one)
            yield from _linked(join(one, other))

    def _masquerade(self, event: Message, _now: float) -> Iterator[Message]:
        self._channels.masquerade(event.get("clone", ""), event.get("original", ""))
        yield event

    def _rename(self, event: Message, _now: float) -> Iterator[Message]:
        self._channels.rename(event.get("uniqueid", ""), event.get("newname", ""))
        yield event

    def _transfer(self, event: Message, now: float) -> Iterator[Message]:
        yield from self._other(event, now)
        name = _TRANSFERS.get(event.get("transfertype", "").lower())
        if name is not None:  # only sent for transfers that succeed
            yield concluded(name, ("result", "Success"))

    def _asked(self, event: Message, now: float) -> Iterator[Message]:
        channel = self._channels.at(event.get("uniqueid", ""))
        if channel is not None:
            channel.asked = True
        return self._other(event, now)

    def _hangup(self, event: Message, now: float) -> Iterator[Message]:
        raw = event.get("uniqueid", "")
        yield from self._legs.caller_hung_up(raw)
        channel = self._channels.at(raw)
        if channel is None:
            yield _with(event, channel=event.get("channel", "").removesuffix(_ZOMBIE))
            return
        self._channels.remove(channel)
        self._callers.gone(channel.uid)
        yield from _hung_up_by(channel)
        hangup = _with(
            event, channel=channel.name, uniqueid=channel.uid, channelstate=channel.state, linkedid=channel.call.id
        )
        lost_place = event.get("channel", "").endswith(_ZOMBIE)
        yield from self._legs.hung_up(channel, hangup, now, lost_place=lost_place)

    def _join(self, event: Message, now: float) -> Iterator[Message]:
        self._callers.joined(self.identity(event.get("uniqueid", "")), event.get("queue", ""), now)
        return self._other(event, now)

    def _leave(self, event: Message, now: float) -> Iterator[Message]:
        self._callers.left(self.identity(event.get("uniqueid", "")), now)
        return self._other(event, now)

    def _connect(self, event: Message, now: float) -> Iterator[Message]:
        self._callers.gone(self.identity(event.get("uniqueid", "")))
        return self._other(event, now)

    def _abandon(self, event: Message, _now: float) -> Iterator[Message]:
        """Drop the event of a stand-in: AMI Redirect took the caller out of the queue, nobody gave up."""
        channel = self._channels.at(event.get("uniqueid", ""))
        if channel is None:
            yield event
            return
        self._callers.gone(channel.uid)
        if not channel.is_stand_in:
            yield _with(event, uniqueid=channel.uid, channel=channel.name)

    # Bound methods would create a reference cycle, which only the garbage collector could free.
    _KINDS: ClassVar[Mapping[str, Take]] = {
        "newchannel": _newchannel,
        "newstate": _newstate,
        "dial": _dial,
        "agentcalled": _agent_called,
        "agentringnoanswer": _ring_no_answer,
        "bridge": _bridge,
        "link": _bridge,
        "masquerade": _masquerade,
        "rename": _rename,
        "transfer": _transfer,
        "hanguprequest": _asked,
        "softhanguprequest": _asked,
        "hangup": _hangup,
        "join": _join,
        "leave": _leave,
        "agentconnect": _connect,
        "queuecallerabandon": _abandon,
    }


TRANSLATED: Final = frozenset(
    {"AgentCalled", "AgentRingNoAnswer", "Bridge", "Dial", "Link", "Masquerade", "Rename", "Transfer", "Unlink"}
)
"""Old events that no rule wants but that the translation needs."""


def _joined(caller: FollowedChannel | None, leg: FollowedChannel) -> Iterator[Message]:
    """The caller begins a call, unless it is in one or is the half of a Local channel that only passes the call on."""
    if caller is None:
        return
    if not caller.is_inner_half:
        yield from _linked(begin(caller))
    yield from _linked(join(caller, leg))


def _linked(channels: Iterable[FollowedChannel]) -> Iterator[Message]:
    """Yield CHANNEL_LINKED for channels whose call was unknown at their Newchannel."""
    for channel in channels:
        created, channel.created = channel.created, None
        if created is not None and not channel.is_stand_in:
            yield _with(created, event=CHANNEL_LINKED, uniqueid=channel.uid, linkedid=channel.call.id)


def _hung_up_by(channel: FollowedChannel) -> Iterator[Message]:
    """Yield who ended a channel if the server has not: before Asterisk 11 only the result of the last Dial tells.

    The event names no channel, so that no reader concludes that this technology always reports it.
    """
    if channel.asked or channel.last_dial in ("", "ANSWER"):
        return
    event = "HangupRequest" if channel.last_dial == "CANCEL" else "SoftHangupRequest"
    yield concluded(event, ("uniqueid", channel.uid))


def _with(event: Message, /, **headers: str) -> Message:
    """The event with these headers set; the same object if nothing changes."""
    if all(event.get(name) == value for name, value in headers.items()):
        return event
    kept = [(name, headers.pop(name, value)) for name, value in event.pairs()]
    return Message.of([*kept, *headers.items()])
