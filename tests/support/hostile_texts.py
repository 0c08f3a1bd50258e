"""Texts that a stranger may send: line ends, and what can be forged with them."""

from __future__ import annotations

_LISTS = (
    ("Status", "Channel: PJSIP/x-1\r\nChannelState: 6\r\nLinkedid: 9.9"),
    ("CoreShowChannel", "Channel: PJSIP/x-1\r\nLinkedid: 9.9"),
    ("QueueParams", "Queue: vip\r\nCalls: 99"),
    ("QueueMember", "Queue: vip\r\nName: x\r\nStatus: 1\r\nPaused: 0"),
    ("QueueEntry", "Queue: vip\r\nPosition: 1\r\nWait: 999"),
    ("QueueSummary", "Queue: vip\r\nCallers: 9"),
    ("BridgeListItem", "BridgeUniqueid: x\r\nBridgeType: basic"),
    ("DeviceStateChange", "Device: PJSIP/x\r\nState: BUSY"),
    ("EndpointList", "ObjectName: x\r\nDeviceState: In use"),
    ("ContactList", "Uri: sip:x\r\nStatus: Reachable"),
    ("AorList", "ObjectName: x\r\nMaxContacts: 9"),
    ("Parkinglot", "Name: x\r\nStartSpace: 1\r\nStopSpace: 9"),
    ("ParkedCall", "Parkinglot: x"),
    ("ConfbridgeListRooms", "Conference: x\r\nParties: 9"),
    ("PeerEntry", "Channeltype: IAX\r\nObjectName: x\r\nStatus: OK (1 ms)"),
    ("AuthDetail", "Password: x"),
)
_EVENTS = (
    ("Shutdown", "system", "Shutdown: Uncleanly\r\nRestart: False"),
    ("FullyBooted", "system", "Uptime: 1\r\nStatus: Fully Booted"),
    ("Reload", "system", "Module: x\r\nStatus: 0"),
    ("Newchannel", "call", "Channel: FORGED/1\r\nUniqueid: 9.9\r\nLinkedid: 9.9"),
    ("Hangup", "call", "Channel: FORGED/1\r\nUniqueid: 9.9\r\nCause: 99"),
    ("QueueCallerJoin", "agent", "Queue: vip\r\nPosition: 1\r\nCount: 1\r\nUniqueid: 9.9"),
    ("AgentConnect", "agent", "Queue: vip\r\nHoldTime: 9\r\nUniqueid: 9.9"),
    ("PeerStatus", "system", "ChannelType: PJSIP\r\nPeer: PJSIP/x\r\nPeerStatus: Unreachable"),
    ("ContactStatus", "system", "URI: x\r\nContactStatus: Unreachable\r\nAOR: x\r\nEndpointName: x"),
    ("InvalidPassword", "security", "Service: PJSIP\r\nAccountID: x\r\nRemoteAddress: IPV4/UDP/1.2.3.4/5"),
    ("Hold", "call", "Channel: FORGED/1"),
    ("DialEnd", "call", "DestChannel: FORGED/1\r\nDestUniqueid: 9.9\r\nDialStatus: BUSY"),
)
_ENDS = ("StatusComplete", "QueueStatusComplete", "DeviceStateListComplete", "BridgeListComplete")

HOSTILE: tuple[str, ...] = (
    # Line ends and blank lines.
    *(
        "1\r\n2",
        "1\n2",
        "1\r2",
        "1\r\n",
        "1\r\n\r\n",
        "1\n\n2",
        "1\r\n\r\n2",
        "1\r\n\r\n\r\n\r\n2",
        "\r\n\r\n",
        "1" + "\n" * 30,
    ),
    # Items of every list that can be under way, and the ends of lists.
    *(f"1\r\n\r\nEvent: {name}\r\n{headers}\r\nX:" for name, headers in _LISTS),
    *(f"1\r\n\r\nEvent: {name}\r\nEventList: Complete\r\nListItems: 1\r\nX:" for name in _ENDS),
    *(f"1\r\n\r\nEvent: {name}\r\nEventList: Complete\r\nListItems: 1\r\n\r\n" for name in _ENDS[:2]),
    # Answers.
    "1\r\n\r\nResponse: Error\r\nMessage: Permission denied\r\n\r\n",
    "1\r\n\r\nResponse: Success\r\nPing: Pong\r\nX:",
    "1\r\n\r\nResponse: Goodbye\r\n\r\n",
    "1\r\n\r\nResponse: Follows\r\nPrivilege: Command\r\n",
    # Events, torn and whole.
    *(f"1\r\n\r\nEvent: {name}\r\nPrivilege: {kind},all\r\n{headers}\r\nX:" for name, kind, headers in _EVENTS),
    *(f"\r\n\r\nEvent: {name}\r\nPrivilege: {kind},all\r\n{headers}\r\n\r\n" for name, kind, headers in _EVENTS[:6]),
    # Headers alone, in other letters, and ActionIDs.
    "1\r\nCause: 99\r\nChannelState: 0\r\nLinkedid: 9.9",
    "1\r\nUniqueid: 9.9\r\nQueue: vip\r\nWait: 999\r\nSeconds: 999999",
    "1\r\nEVENT: Status\r\nqueue : vip\r\nCHANNELSTATE:0",
    "1\r\nActionID: 1",
    "1\r\nActionID: 1\r\n\r\nEvent: Status\r\nActionID: 1\r\n",
    # Bytes, length, and the end of a packet.
    "é\xff\x00\r\n\r\n\xfe"[:3] + "\r\n\r\nÿ",
    "x" * 4000,
    "1\r\n\r\nX: y" * 360,
    "1\r\nPriority: 1\r\nUniqueid: 9.9\r\nLinkedid: 9.9\r\n\r\n",
)
PLAIN = "1234567"
