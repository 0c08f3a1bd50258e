"""List actions on channels, bridges, queues and services. Fields and order as in Asterisk 22."""

from __future__ import annotations

from collections.abc import Callable, Collection

from . import blocks
from .items import bridge_item, channel_item, status_item
from .listing import Listing
from .scene import Scene
from .wire import AmiRequest, headers, item
from .world import Agent, Mailbox, Member, Queue, QueuedCaller


def status(scene: Scene, _request: AmiRequest) -> Listing:
    items = [status_item(chan, scene.time.now) for chan in scene.world.channels.values()]
    load = scene.load
    tail = f"Items: {len(items) + load.channels}\r\n"
    loaded, count = load.status, load.channels
    return Listing("Channel status will follow", "StatusComplete", items, tail, loaded=loaded, loaded_count=count)


def core_show_channels(scene: Scene, _request: AmiRequest) -> Listing:
    items = [channel_item(chan, scene.time.now) for chan in scene.world.channels.values()]
    loaded, count = scene.load.core, scene.load.channels
    return Listing("Channels will follow", "CoreShowChannelsComplete", items, loaded=loaded, loaded_count=count)


def bridge_list(scene: Scene, _request: AmiRequest) -> Listing:
    items = [bridge_item(bridge) for bridge in scene.world.bridges.values()]
    loaded, count = scene.load.bridge_list, scene.load.bridges
    return Listing("Bridge listing will follow", "BridgeListComplete", items, loaded=loaded, loaded_count=count)


def queue_status(scene: Scene, request: AmiRequest) -> Listing:
    """QueueStatus, with the filters Queue and Member."""
    items = queue_rows(scene, request, lambda member: blocks.member(member, scene.world, listed=True))
    return Listing("Queue status will follow", "QueueStatusComplete", items)


def queue_rows(
    scene: Scene, request: AmiRequest, member_row: Callable[[Member], str], left_out: Collection[str] = ()
) -> list[str]:
    """The items of QueueStatus; ``left_out``: headers of queues and callers that older servers do not have."""
    wanted = request.get("Member")
    items = []
    for queue in _queues(scene, request):
        params = headers(*(pair for pair in _queue_params(queue) if pair[0] not in left_out))
        items.append(item("QueueParams", params, id_first=False))
        items += [
            item("QueueMember", member_row(member), id_first=False)
            for member in queue.members
            if wanted in {"", member.name, member.endpoint.device}
        ]
        for place, waiting in enumerate(queue.waiting, start=1):
            row = _queue_entry(queue, waiting, place, scene)
            items.append(
                item("QueueEntry", headers(*(pair for pair in row if pair[0] not in left_out)), id_first=False)
            )
    return items


def queue_summary(scene: Scene, request: AmiRequest) -> Listing:
    """QueueSummary, with the filter Queue."""
    items = [
        item("QueueSummary", _queue_summary(queue, scene.time.now), id_first=False) for queue in _queues(scene, request)
    ]
    return Listing("Queue summary will follow", "QueueSummaryComplete", items)


def _queues(scene: Scene, request: AmiRequest) -> list[Queue]:
    wanted = request.get("Queue").lower()
    return [queue for queue in scene.world.queues if wanted in {"", queue.name.lower()}]


def _queue_params(queue: Queue) -> tuple[tuple[str, object], ...]:
    ended = queue.completed + queue.abandoned
    in_level = queue.completed_in_level + queue.abandoned_in_level
    return (
        ("Queue", queue.name),
        ("Max", queue.limit),
        ("Strategy", queue.strategy),
        ("Calls", len(queue.waiting)),
        ("Holdtime", queue.hold_time),
        ("TalkTime", queue.talk_time),
        ("Completed", queue.completed),
        ("Abandoned", queue.abandoned),
        ("ServiceLevel", queue.service_level),
        ("ServicelevelPerf", f"{_percent(queue.completed_in_level, queue.completed):2.1f}"),
        ("ServicelevelPerf2", f"{_percent(in_level, ended):2.1f}"),
        ("Weight", queue.weight),
    )


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def _queue_entry(queue: Queue, waiting: QueuedCaller, place: int, scene: Scene) -> tuple[tuple[str, object], ...]:
    chan = waiting.channel
    return (
        ("Queue", queue.name),
        ("Position", place),
        ("Channel", chan.name),
        ("Uniqueid", scene.world.places.get(chan.uniqueid, chan.uniqueid)),
        ("CallerIDNum", chan.caller.number or "unknown"),
        ("CallerIDName", chan.caller.name or "unknown"),
        ("ConnectedLineNum", chan.connected.number or "unknown"),
        ("ConnectedLineName", chan.connected.name or "unknown"),
        ("Wait", int(scene.time.now - waiting.since)),
        ("Priority", 0),
    )


def _queue_summary(queue: Queue, now: float) -> str:
    present = [m for m in queue.members if m.endpoint.state not in {"UNAVAILABLE", "INVALID"}]
    return headers(
        ("Queue", queue.name),
        ("LoggedIn", len(present)),
        ("Available", sum(_available(member) for member in present)),
        ("Callers", len(queue.waiting)),
        ("HoldTime", queue.hold_time),
        ("TalkTime", queue.talk_time),
        ("LongestHoldTime", max((int(now - waiting.since) for waiting in queue.waiting), default=0)),
    )


def _available(member: Member) -> bool:
    return member.endpoint.state in {"NOT_INUSE", "UNKNOWN"} and not member.paused


def agents(scene: Scene, _request: AmiRequest) -> Listing:
    """Agents (app_agent_pool). CallStarted ends in a bare LF, as in Asterisk 22."""
    items = [item("Agents", _agent(agent, scene), id_first=False) for agent in scene.world.agents]
    return Listing("Agents will follow", "AgentsComplete", items)


def _agent(agent: Agent, scene: Scene) -> str:
    start = headers(("Agent", agent.number), ("Name", agent.name))
    if agent.channel is None:
        return f"{start}Status: AGENT_LOGGEDOFF\r\n"
    state = "Status: AGENT_IDLE\r\n"
    if agent.talking_to:
        started = scene.world.unix(agent.call_started)
        state = f"Status: AGENT_ONCALL\r\nTalkingToChan: {agent.talking_to}\r\nCallStarted: {started}\n"
    login = f"LoggedInTime: {scene.world.unix(agent.login)}\r\n"
    return start + state + login + blocks.channel(agent.channel)


def confbridge_list_rooms(scene: Scene, _request: AmiRequest) -> Listing:
    """ConfbridgeListRooms: an error if there is no conference."""
    items = [
        item(
            "ConfbridgeListRooms",
            headers(
                ("Conference", room.name),
                ("Parties", len(room.bridge.channels)),
                ("Marked", room.marked),
                ("Locked", "Yes" if room.locked else "No"),
                ("Muted", "Yes" if room.muted else "No"),
            ),
        )
        for room in scene.world.conferences.values()
    ]
    message = "Confbridge conferences will follow"
    return Listing(message, "ConfbridgeListRoomsComplete", items, empty="No active conferences.")


def parkinglots(scene: Scene, _request: AmiRequest) -> Listing:
    items = [
        item(
            "Parkinglot",
            headers(
                ("Name", lot.name),
                ("StartSpace", lot.first),
                ("StopSpace", lot.last),
                ("Timeout", lot.timeout),
            ),
        )
        for lot in scene.world.lots
    ]
    return Listing("Parking lots will follow", "ParkinglotsComplete", items)


def parked_calls(scene: Scene, request: AmiRequest) -> Listing:
    """ParkedCalls, with the filter ParkingLot."""
    wanted = request.get("ParkingLot")
    items = [
        item("ParkedCall", blocks.parked(one, lot, scene.time.now), id_first=False)
        for lot in scene.world.lots
        if wanted in {"", lot.name}
        for one in lot.parked
    ]
    return Listing("Parked calls will follow", "ParkedCallsComplete", items, f"Total: {len(items)}\r\n")


def voicemail_users(scene: Scene, _request: AmiRequest) -> Listing:
    items = [item("VoicemailUserEntry", headers(*voicemail_fields(box))) for box in scene.world.mailboxes]
    empty = "There are no voicemail users currently defined."
    return Listing(
        "Voicemail user list will follow", "VoicemailUserEntryComplete", items, empty=empty, empty_kind="Success"
    )


def voicemail_fields(box: Mailbox) -> tuple[tuple[str, object], ...]:
    return (
        ("VMContext", "default"),
        ("VoiceMailbox", box.number),
        ("Fullname", box.name),
        ("Email", f"{box.number}@example.net"),
        ("Pager", ""),
        ("ServerEmail", "asterisk"),
        ("FromString", "Voicemail"),
        ("MailCommand", "/usr/sbin/sendmail -t"),
        ("Language", "en"),
        ("TimeZone", ""),
        ("Callback", ""),
        ("Dialout", ""),
        ("UniqueID", ""),
        ("ExitContext", ""),
        ("SayDurationMinimum", 2),
        ("SayEnvelope", "Yes"),
        ("SayCID", "No"),
        ("AttachMessage", "Yes"),
        ("AttachmentFormat", "wav"),
        ("DeleteMessage", "No"),
        ("VolumeGain", "0.00"),
        ("CanReview", "No"),
        ("CanMarkUrgent", "Yes"),
        ("CallOperator", "No"),
        ("MaxMessageCount", 100),
        ("MaxMessageLength", 180),
        ("NewMessageCount", box.new),
        ("OldMessageCount", box.old),
    )
