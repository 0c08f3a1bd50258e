"""Lists as Asterisk 1.8 answers them (AMI 1.1): for each list the items, its announcement and its end.

tests/captures/old has real captures. Lists introduced later are in NOT_THERE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from . import blocks
from .listings import queue_rows, queue_summary, voicemail_fields
from .load import StaticLoad
from .scene import Scene
from .wire import ID_MARK, AmiRequest, headers, item, response
from .world import CHANNEL_STATES, DEVICE_STATES, Agent, Channel, Member, Parked, ParkingLot, SimulatedEndpoint, World

NOT_THERE = frozenset(
    name.lower()
    for name in (
        *("BridgeList", "BridgeDestroy", "ConfbridgeListRooms", "Parkinglots", "FAXStats", "DeviceStateList"),
        *("ExtensionStateList", "PJSIPShowEndpoints", "PJSIPShowContacts", "PJSIPShowAors", "PJSIPShowMaintenance"),
        *("PJSIPShowRegistrationsOutbound", "PJSIPUnregister", "DAHDIShowChannels", "DAHDIShowStatus", "DAHDIHangup"),
        *("PRIShowSpans", "DBGetTree", "LoggerRotate"),
    )
)
# Channels without dialplan: dialled ones and parked calls.
DIALLED, PARKED = ("AppDial", "AppDial2", "AppQueue"), "Park"
APPLICATIONS = {PARKED: "Parked Call", "AgentRequest": "Dial"}
"""Application → its name in Asterisk 1.8."""


def old_list(message: str, complete: str, items: list[str], end: str = ID_MARK, loaded: bytes = b"") -> bytes:
    """A list. ``end``: the headers of its last event, with ActionID; lists that count their items are announced."""
    announced = "EventList: start\r\n" if end.startswith("EventList") else ""
    head = f"Response: Success\r\n{ID_MARK}{announced}Message: {message}\r\n\r\n{''.join(items)}"
    return head.encode("utf-8", "surrogateescape") + loaded + f"Event: {complete}\r\n{end}\r\n".encode()


def _counted(number: int) -> str:
    return f"EventList: Complete\r\nListItems: {number}\r\n{ID_MARK}"


def _raw(world: World, chan: Channel) -> str:
    return world.places.get(chan.uniqueid, chan.uniqueid)


def _parties(chan: Channel, blank: str = blocks.UNKNOWN) -> tuple[tuple[str, str], ...]:
    return (
        *(("CallerIDNum", chan.caller.number or blank), ("CallerIDName", chan.caller.name or blank)),
        *(("ConnectedLineNum", chan.connected.number or blank), ("ConnectedLineName", chan.connected.name or blank)),
    )


def _partner(chan: Channel) -> Channel | None:
    """The channel connected to this one."""
    if chan.bridge is None or chan.bridge.type != "basic":
        return None
    return next((other for other in chan.bridge.channels if other is not chan), None)


def status_item(chan: Channel, now: float, world: World) -> str:
    """Status: a channel without dialplan has fewer headers."""
    partner = _partner(chan)
    bridged = () if partner is None else (("BridgedChannel", partner.name), ("BridgedUniqueid", _raw(world, partner)))
    if chan.application in (*DIALLED, PARKED):
        own = [("Account", chan.endpoint.account), ("State", CHANNEL_STATES[chan.state])]
    else:
        state = ("ChannelState", str(chan.state)), ("ChannelStateDesc", CHANNEL_STATES[chan.state])
        place = ("Context", chan.context), ("Extension", chan.exten), ("Priority", "1")
        own = [("Accountcode", chan.endpoint.account), *state, *place, ("Seconds", str(int(now - chan.created)))]
    body = headers(("Channel", chan.name), *_parties(chan), *own, *bridged, ("Uniqueid", _raw(world, chan)))
    return item("Status", f"Privilege: Call\r\n{body}", id_first=False)


def channel_item(chan: Channel, now: float, world: World) -> str:
    seconds, partner = int(now - chan.created), _partner(chan)
    caller, connected = chan.caller, chan.connected
    body = headers(
        *(("Channel", chan.name), ("UniqueID", _raw(world, chan)), ("Context", chan.context)),
        *(("Extension", "" if chan.application in DIALLED else chan.exten), ("Priority", 1)),
        *(("ChannelState", chan.state), ("ChannelStateDesc", CHANNEL_STATES[chan.state])),
        ("Application", APPLICATIONS.get(chan.application, chan.application)),
        *(("ApplicationData", chan.data), ("CallerIDnum", caller.number), ("CallerIDname", caller.name)),
        *(("ConnectedLineNum", connected.number), ("ConnectedLineName", connected.name)),
        ("Duration", f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"),
        ("AccountCode", chan.endpoint.account),
        ("BridgedChannel", "" if partner is None else partner.name),
        ("BridgedUniqueID", "" if partner is None else _raw(world, partner)),
    )
    return item("CoreShowChannel", body)


def old_load(load: StaticLoad, world: World) -> StaticLoad:
    """The static channels, in the form of these lists."""
    status = "".join(status_item(chan, 0.0, world) for chan in load.still)
    core = "".join(channel_item(chan, 0.0, world) for chan in load.still)
    return StaticLoad(load.channels, load.bridges, status.encode(), core.encode(), b"", load.still)


def _status(scene: Scene, _request: AmiRequest) -> bytes:
    items = [status_item(chan, scene.time.now, scene.world) for chan in scene.world.channels.values()]
    end = f"{ID_MARK}Items: {len(items) + scene.load.channels}\r\n"
    return old_list("Channel status will follow", "StatusComplete", items, end, scene.load.status)


def _core_show_channels(scene: Scene, _request: AmiRequest) -> bytes:
    items = [channel_item(chan, scene.time.now, scene.world) for chan in scene.world.channels.values()]
    end = _counted(len(items) + scene.load.channels)
    return old_list("Channels will follow", "CoreShowChannelsComplete", items, end, scene.load.core)


def _queue_status(scene: Scene, request: AmiRequest) -> bytes:
    items = queue_rows(scene, request, lambda member: _member(member, scene.world), left_out=_LATER_OF_QUEUES)
    return old_list("Queue status will follow", "QueueStatusComplete", items)


def _queue_summary(scene: Scene, request: AmiRequest) -> bytes:
    return old_list("Queue summary will follow", "QueueSummaryComplete", queue_summary(scene, request).items)


_LATER_OF_QUEUES = ("ServicelevelPerf2", "Priority")


def _member(member: Member, world: World) -> str:
    return headers(
        *(("Queue", member.queue.name), ("Name", member.name), ("Location", member.endpoint.device)),
        *(("Membership", member.membership), ("Penalty", member.penalty), ("CallsTaken", member.calls)),
        ("LastCall", world.unix(member.last_call)),
        *(("Status", DEVICE_STATES[member.endpoint.state]), ("Paused", int(member.paused))),
    )


def _agents(scene: Scene, _request: AmiRequest) -> bytes:
    items = [item("Agents", _agent(agent, scene.world), id_first=False) for agent in scene.world.agents]
    return old_list("Agents will follow", "AgentsComplete", items)


def _agent(agent: Agent, world: World) -> str:
    if agent.channel is None:
        state, channel, login, talking = "AGENT_LOGGEDOFF", "n/a", 0, "n/a"
    else:
        state = "AGENT_ONCALL" if agent.talking_to else "AGENT_IDLE"
        channel, login, talking = agent.channel.name, world.unix(agent.login), agent.talking_to or "n/a"
    return headers(
        *(("Agent", agent.number), ("Name", agent.name), ("Status", state), ("LoggedInChan", channel)),
        *(("LoggedInTime", login), ("TalkingTo", "n/a"), ("TalkingToChan", talking)),
    )


def _parked_calls(scene: Scene, _request: AmiRequest) -> bytes:
    items = [
        item("ParkedCall", _parked(one, lot, scene.time.now), id_first=False)
        for lot in scene.world.lots
        for one in lot.parked
    ]
    return old_list("Parked calls will follow", "ParkedCallsComplete", items, f"Total: {len(items)}\r\n{ID_MARK}")


def _parked(one: Parked, lot: ParkingLot, now: float) -> str:
    who = ("Parkinglot", lot.name), ("Exten", one.space), ("Channel", one.channel.name), ("From", one.parker)
    timeout = max(0, int(lot.timeout - (now - one.since)))
    return headers(*who, ("Timeout", timeout), *_parties(one.channel, ""))


def _voicemail(scene: Scene, _request: AmiRequest) -> bytes:
    if not scene.world.mailboxes:
        return response("Success", "There are no voicemail users currently defined.").encode()
    later = ("FromString", "CanMarkUrgent", "OldMessageCount")
    boxes = []
    for box in scene.world.mailboxes:
        fields = headers(*(pair for pair in voicemail_fields(box) if pair[0] not in later))
        boxes.append(f"{ID_MARK}Event: VoicemailUserEntry\r\n{fields}\r\n")
    return old_list("Voicemail user list will follow", "VoicemailUserEntryComplete", boxes)


def _of(tech: str, scene: Scene) -> list[SimulatedEndpoint]:
    return [endpoint for endpoint in scene.world.endpoints if endpoint.tech == tech]


def _peer(peer: SimulatedEndpoint) -> tuple[str, str, str]:
    """Host, port and status of a peer."""
    contact = peer.contacts[0]
    host, _colon, port = contact.address.partition(":")
    reachable = contact.status == "Reachable"
    return host, port, f"OK ({contact.rtt * 1000:.0f} ms)" if reachable else "UNREACHABLE"


def _sip_peers(scene: Scene, _request: AmiRequest) -> bytes:
    items = []
    for peer in _of("SIP", scene):
        host, port, status = _peer(peer)
        body = headers(
            *(("Channeltype", "SIP"), ("ObjectName", peer.name), ("ChanObjectType", "peer")),
            *(("IPaddress", host), ("IPport", port), ("Dynamic", "no" if peer.trunk else "yes")),
            *(("Forcerport", "no"), ("VideoSupport", "no"), ("TextSupport", "no"), ("ACL", "no")),
            *(("Status", status), ("RealtimeDevice", "no")),
        )
        items.append(item("PeerEntry", body))
    return old_list("Peer status list will follow", "PeerlistComplete", items, _counted(len(items)))


def _iax_peers(scene: Scene, _request: AmiRequest) -> bytes:
    items = []
    for peer in _of("IAX2", scene):
        host, port, status = _peer(peer)
        body = headers(
            *(("Channeltype", "IAX"), ("ObjectName", peer.name), ("ChanObjectType", "peer"), ("IPaddress", host)),
            *(("Mask", "255.255.255.255"), ("Port", port), ("Dynamic", "No"), ("Trunk", "Yes")),
            *(("Encryption", "No"), ("Status", status)),
        )
        items.append(item("PeerEntry", body))
    end = f"{ID_MARK}ListItems: {len(items)}\r\n"
    return old_list("IAX Peer status list will follow", "PeerlistComplete", items, end)


def _sip_registry(scene: Scene, _request: AmiRequest) -> bytes:
    items = []
    for one in scene.world.registrations:
        if one.tech == "SIP":
            state = {"Rejected": "No Authentication", "Unregistered": "Request Sent"}.get(one.status, one.status)
            body = headers(
                *(("Host", one.host), ("Port", 5060), ("Username", one.username), ("Domain", one.host)),
                *(("DomainPort", 5060), ("Refresh", 120), ("State", state), ("RegistrationTime", 0)),
            )
            items.append(item("RegistryEntry", body))
    return old_list("Registrations will follow", "RegistrationsComplete", items, _counted(len(items)))


def _iax_registry(scene: Scene, _request: AmiRequest) -> bytes:
    items = [
        item(
            "RegistryEntry",
            headers(
                *(("Host", one.host), ("DNSmanager", "N"), ("Username", one.username)),
                ("Perceived", "192.0.2.1:4569" if one.status == "Registered" else "<Unregistered>"),
                *(("Refresh", 60), ("State", one.status)),
            ),
        )
        for one in scene.world.registrations
        if one.tech == "IAX2"
    ]
    return old_list("Registrations will follow", "RegistrationsComplete", items, _counted(len(items)))


ANSWERS: Mapping[str, Callable[[Scene, AmiRequest], bytes]] = MappingProxyType(
    {
        "status": _status,
        "coreshowchannels": _core_show_channels,
        "queuestatus": _queue_status,
        "queuesummary": _queue_summary,
        "agents": _agents,
        "parkedcalls": _parked_calls,
        "voicemailuserslist": _voicemail,
        "sippeers": _sip_peers,
        "sipshowregistry": _sip_registry,
        "iaxpeerlist": _iax_peers,
        "iaxregistry": _iax_registry,
    }
)
"""Action in lower case → its answer; all other actions are answered as in Asterisk 22."""
