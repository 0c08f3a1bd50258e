"""What `asterisk -rx` says, counted: the truth that figures are compared with. No AMI, no code of ami_exporter."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from tests.support.asterisk_server import AsteriskServer

Counts = dict[tuple[str, ...], float]

_CONTACT = {"Avail": "reachable", "Unavail": "unreachable", "NonQual": "unmonitored", "Unknown": "unknown"}
_BEST_FIRST = ("reachable", "unmonitored", "unknown", "unreachable")
_PEER = {"OK": "reachable", "LAGGED": "lagged", "UNREACHABLE": "unreachable", "Unmonitored": "unmonitored"}
_DEVICE = {
    "Not in use": "not_in_use",
    "In use": "in_use",
    "Busy": "busy",
    "Unavailable": "unavailable",
    "Ringing": "ringing",
    "On Hold": "on_hold",
    "Invalid": "invalid",
    "Unknown": "unknown",
    "Ring+Inuse": "ring_in_use",
}
_HINT = {"Idle": "not_in_use", "InUse": "in_use", "Unavailable": "unavailable", "Ringing": "ringing", "Busy": "busy"}
_REGISTRATION = {
    "Registered": "registered",
    "Unregistered": "unregistered",
    "Rejected": "rejected",
    "Request Sent": "pending",
    "Auth. Sent": "pending",
    "Timeout": "timeout",
}


def counts(keys: list[tuple[str, ...]]) -> Counts:
    """How often each key is there."""
    return {key: float(number) for key, number in Counter(keys).items()}


def channels(server: AsteriskServer) -> list[list[str]]:
    """Fields of `core show channels concise`, without the hidden channels of conferences, which AMI does not list."""
    lines = [line.split("!") for line in server.cli("core show channels concise").splitlines() if "!" in line]
    return [fields for fields in lines if not fields[0].startswith("CBAnn/")]


def bridges(server: AsteriskServer) -> list[tuple[str, str, int]]:
    """(technology, type, channels) of each bridge."""
    found = re.findall(r"^[0-9a-f-]{36} .*? +(\d+) (\w+) +(\w+) +[\d:]+$", server.cli("bridge show all"), re.MULTILINE)
    return [(technology, kind, int(number)) for number, kind, technology in found]


def pjsip_endpoints(server: AsteriskServer) -> Mapping[str, tuple[str, int, str]]:
    """Endpoint → (device state, channels, reachability: unavailable is unreachable, else by its best contact)."""
    found = {}
    for block in server.cli("pjsip show endpoints").split("\n Endpoint:  ")[2:]:
        head = re.match(r"(.+?)(?:/\S+)?  +(\w[\w+ ]*?)  +(\d+) of ", block)
        assert head is not None, block
        contacts = {
            _CONTACT[word]
            for word in re.findall(r"^ +Contact: .* (Avail|Unavail|NonQual|Unknown) ", block, re.MULTILINE)
        }
        best = next((state for state in _BEST_FIRST if state in contacts), None)
        name, state = head[1], _DEVICE[head[2]]
        reach = "unreachable" if state == "unavailable" else best or "reachable"
        found[name] = (state, int(head[3]), reach)
    return found


def pjsip_contacts(server: AsteriskServer) -> list[tuple[str, str]]:
    """(AOR, status as in the console) of each contact, those of the configuration included."""
    text = server.cli("pjsip show contacts")
    return re.findall(r"^  Contact:  (.+?)/sip:\S+ +\S+ (Avail|Unavail|NonQual|Unknown) ", text, re.MULTILINE)


def pjsip_registrations(server: AsteriskServer) -> dict[str, str]:
    """Registration → state."""
    text = server.cli("pjsip show registrations")
    rows = re.findall(r"^ (\S.*?)/sip:\S+ +\S.*? +(Registered|Unregistered|Rejected) ", text, re.MULTILINE)
    return {name: _REGISTRATION[state] for name, state in rows}


def registry(server: AsteriskServer, command: str) -> Counts:
    """States of `iax2 show registry` or `sip show registry`."""
    words = "|".join(map(re.escape, _REGISTRATION))
    return counts(
        [(_REGISTRATION[word],) for word in re.findall(rf" ({words})\b", server.cli(command).partition("\n")[2])]
    )


def peers(server: AsteriskServer, command: str) -> Mapping[str, str]:
    """Peer → reachability, of `sip show peers` or `iax2 show peers`."""
    listed, _, _summary = server.cli(command).strip().rpartition("\n")
    rows = re.findall(r"^(\S+?)(?:/\S*)? .* (OK|LAGGED|UNREACHABLE|Unmonitored|UNKNOWN)\b", listed, re.MULTILINE)
    return {name: _PEER.get(state, "unknown") for name, state in rows}


def queues(server: AsteriskServer) -> Mapping[str, str]:
    """Queue → its block of `queue show`."""
    blocks = server.cli("queue show").strip().split("\n\n")
    return {block.partition(" has ")[0].strip(): block for block in blocks}


def members(block: str) -> list[tuple[str, str | None]]:
    """(device state, pause reason: None when not paused, "none" when none was given) of each member of a queue."""
    found = []
    for line in re.split(r"No Callers|Callers", block.partition("Members:")[2])[0].strip().splitlines():
        state = re.search(rf"\(({'|'.join(map(re.escape, _DEVICE))})\)", line)
        assert state is not None, line
        paused = re.search(r"\(paused(?::(.*?))? was ", line)
        found.append((_DEVICE[state[1]], (paused[1] or "none") if paused else None))
    return found


def hints(server: AsteriskServer) -> Counts:
    """Hints by state."""
    return counts([(_HINT[word],) for word in re.findall(r" State:(\w+)", server.cli("core show hints"))])


def conferences(server: AsteriskServer) -> Mapping[str, tuple[int, bool]]:
    """Room → (participants, locked)."""
    rows = re.findall(r"^(.+?) +(\d+) +\d+ (Yes|No) ", server.cli("confbridge list"), re.MULTILINE)
    return {name: (int(number), locked == "Yes") for name, number, locked in rows}


def parking(server: AsteriskServer) -> Mapping[str, tuple[int, int]]:
    """Lot → (spaces, parked calls)."""
    found = {}
    for name in re.findall(r"^Parking Lot: (\S+)", server.cli("parking show"), re.MULTILINE):
        text = server.cli(f"parking show {name}")
        spaces = re.search(r"Parking Spaces +: +(\d+)-(\d+)", text)
        assert spaces is not None
        found[name] = (int(spaces[2]) - int(spaces[1]) + 1, len(re.findall(r"^ +Channel +:", text, re.MULTILINE)))
    return found


def new_messages(server: AsteriskServer) -> Mapping[tuple[str, str], int]:
    """(context, mailbox) → new messages."""
    rows = re.findall(r"^(\S+) +(\d+) .* (\d+)$", server.cli("voicemail show users"), re.MULTILINE)
    return {(context, mailbox): int(number) for context, mailbox, number in rows}


def agents(server: AsteriskServer) -> Counts:
    """Agents by state: logged off, on a call, idle."""
    words = {"UNAVAILABLE": "logged_off", "INUSE": "on_call", "NOT_INUSE": "idle"}
    states = re.findall(r"^\d+ .* (UNAVAILABLE|INUSE|NOT_INUSE)\b", server.cli("agent show all"), re.MULTILINE)
    return counts([(words[state],) for state in states])
