"""The read-only actions, and the guard that refuses to send anything else.

AMI has no read-only user: QueueReset, BridgeDestroy and others need no right at all, so this table decides what may
be sent. Rights, item and completion names are those of Asterisk 22 (`manager show command NAME`); where
older servers differ, the difference is noted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from ami_exporter.ami.cli_commands import refusal
from ami_exporter.ami.errors import ForbiddenAction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class AnswerForm(Enum):
    """What an answer consists of."""

    SINGLE = "single"  # the response is the answer
    LIST = "list"  # response, items, completion event
    EVENT = "event"  # response, then exactly one item and no completion (FAXStats)
    COMMAND = "command"  # the response carries `Output` lines


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """An action of the table.

    rights: write classes, any one of which suffices; empty: any user may send it.
    items, complete: event names of a list's items and of its end; a list may have several kinds of item.
    empty: texts (lower case) of an `Error` (or a `Success` that starts no list) that mean "there are none".
    cost: rank for the order of sending, cheap ones first: 0 one packet, 1 short, 2 grows with the PBX, 3 dear.
    params: parameters that may be sent. required: parameters that must be sent.
    min_interval: seconds for which a complete answer is served again, unless the configuration sets it.
    counts_items: what ListItems means. True: the number of items, on every version compared (1.8 to 22), because the
    code counts what it writes; None: the same, but objects may vanish meanwhile; False: something else. unmarked: on
    some versions (Asterisk 11) items carry no ActionID.
    """

    name: str
    rights: frozenset[str] = frozenset()
    form: AnswerForm = AnswerForm.LIST
    items: tuple[str, ...] = ()
    complete: str = ""
    empty: tuple[str, ...] = ()
    cost: int = 1
    params: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    min_interval: float = 0.0
    counts_items: bool | None = None
    unmarked: bool = False


#: A family of Asterisk's database, possibly nested. Asterisk puts the name into an SQL LIKE, where % is a wildcard.
DATABASE_FAMILY = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}(?:/[A-Za-z0-9][A-Za-z0-9_.-]{0,62}){0,3}"

_SYSTEM = frozenset({"system"})
_CALL = frozenset({"call"})
_AGENT = frozenset({"agent"})
_COMMAND = frozenset({"command"})
_REPORTING = frozenset({"reporting"})
_SYSTEM_REPORTING = frozenset({"system", "reporting"})
_CALL_REPORTING = frozenset({"call", "reporting"})
_SYSTEM_CALL_REPORTING = frozenset({"system", "call", "reporting"})


def _single(name: str, rights: frozenset[str] = frozenset()) -> ActionSpec:
    return ActionSpec(name, rights, AnswerForm.SINGLE, cost=0)


def _list(
    name: str,
    rights: frozenset[str],
    items: str,
    complete: str = "",
    *,
    cost: int = 1,
    empty: tuple[str, ...] = (),
    params: Iterable[str] = (),
    required: Iterable[str] = (),
    counts_items: bool | None = None,
    unmarked: bool = False,
) -> ActionSpec:
    return ActionSpec(
        name,
        rights,
        AnswerForm.LIST,
        items=tuple(items.split()),
        complete=complete or f"{name}Complete",
        empty=tuple(map(str.lower, empty)),
        cost=cost,
        params=frozenset(params),
        required=frozenset(required),
        counts_items=counts_items,
        unmarked=unmarked,
    )


_TABLE = (
    # Core
    _single("Ping"),
    _single("CoreSettings", _SYSTEM_REPORTING),
    _single("CoreStatus", _SYSTEM_REPORTING),
    # Takes each channel's lock while it writes.
    _list("Status", _SYSTEM_CALL_REPORTING, "Status", cost=3, counts_items=True),
    _list("CoreShowChannels", _SYSTEM_REPORTING, "CoreShowChannel", cost=2, counts_items=True),
    _list("BridgeList", frozenset(), "BridgeListItem"),
    _list("BridgeTechnologyList", frozenset(), "BridgeTechnologyListItem"),
    _list("DeviceStateList", _CALL_REPORTING, "DeviceStateChange", cost=2),
    _list(
        "ExtensionStateList",
        _CALL_REPORTING,
        "ExtensionStatus",
        cost=2,
        empty=("No dialplan hints are available",),
    ),
    _list("PresenceStateList", _CALL_REPORTING, "PresenceStateChange"),
    # Queues, agents, conferences, parking, voicemail, fax
    _list(
        "QueueStatus",
        frozenset(),
        "QueueParams QueueMember QueueEntry",
        cost=2,
        params=("Queue", "Member"),
        counts_items=True,
    ),
    _list("QueueSummary", frozenset(), "QueueSummary", params=("Queue",), counts_items=True),
    _list("Agents", _AGENT, "Agents"),
    _list("ConfbridgeListRooms", _REPORTING, "ConfbridgeListRooms", empty=("No active conferences.",)),
    _list("Parkinglots", _CALL, "Parkinglot", unmarked=True),
    _list("ParkedCalls", _CALL, "ParkedCall", params=("ParkingLot",)),
    _list(  # counts every mailbox on the PBX's disk; without users: Success, and no list
        "VoicemailUsersList",
        _CALL_REPORTING,
        "VoicemailUserEntry",
        "VoicemailUserEntryComplete",
        cost=3,
        empty=("There are no voicemail users currently defined.",),
    ),
    _list("MWIGet", _CALL_REPORTING, "MWIGet", cost=2, params=("Mailbox",)),
    ActionSpec("FAXStats", _REPORTING, AnswerForm.EVENT, ("FAXStats",)),
    _list("FAXSessions", _CALL, "FAXSessionsEntry", "FAXSessionsComplete"),
    # PJSIP
    _list(
        "PJSIPShowEndpoints",
        _SYSTEM,
        "EndpointList",
        "EndpointListComplete",
        cost=3,
        empty=("No endpoints found",),
    ),
    _list(
        "PJSIPShowContacts",
        _SYSTEM,
        "ContactList",
        "ContactListComplete",
        cost=2,
        empty=("No Contacts found",),
    ),
    _list("PJSIPShowAors", _SYSTEM, "AorList", "AorListComplete", cost=2, empty=("No AORs found",)),
    _list(  # for Asterisk 13 to 15, where PJSIPShowContacts does not exist
        "PJSIPShowRegistrationInboundContactStatuses",
        _SYSTEM,
        "ContactStatusDetail",
        "ContactStatusDetailComplete",
        cost=2,
    ),
    _list(  # AuthDetail items hold passwords: the codec drops all of them but the name
        "PJSIPShowRegistrationsOutbound",
        _SYSTEM_REPORTING,
        "OutboundRegistrationDetail AuthDetail",
        "OutboundRegistrationDetailComplete",
        counts_items=False,  # the registrations alone
    ),
    _list("PJSIPShowMaintenance", _SYSTEM_REPORTING, "PJSIPMaintenanceStatus", "PJSIPMaintenanceStatusComplete"),
    # Older and hardware drivers. IAXpeers is not here: its items have no ActionID on any version, IAXpeerlist's have.
    _list("SIPpeers", _SYSTEM_REPORTING, "PeerEntry", "PeerlistComplete", cost=2),
    _list("SIPshowregistry", _SYSTEM_REPORTING, "RegistryEntry", "RegistrationsComplete"),
    _list("IAXpeerlist", _SYSTEM_REPORTING, "PeerEntry", "PeerlistComplete"),
    _list("IAXregistry", _SYSTEM_REPORTING, "RegistryEntry", "RegistrationsComplete"),
    _list("DAHDIShowChannels", frozenset(), "DAHDIShowChannels", cost=2),
    _list("DAHDIShowStatus", frozenset(), "DAHDIShowStatus"),
    _list("PRIShowSpans", frozenset(), "PRIShowSpans"),
    # GSM and 3G sticks and modules: chan_dongle, chan_quectel, which come from outside Asterisk
    _list("DongleShowDevices", _SYSTEM_REPORTING, "DongleDeviceEntry"),
    _list("QuectelShowDevices", _SYSTEM_REPORTING, "QuectelDeviceEntry"),
    _list(  # Asterisk 16.28, 18.14 on; without a family it dumps the whole database, passwords included
        "DBGetTree",
        _SYSTEM_REPORTING,
        "DBGetTreeResponse",
        params=("Family",),
        required=("Family",),
        counts_items=False,  # Asterisk 16 always says 1
    ),
    # CLI, opt-in, and only commands that show what may be seen (cli_commands.py)
    ActionSpec("Command", _COMMAND, AnswerForm.COMMAND, cost=2, params=frozenset({"Command"}), min_interval=60.0),
)

#: Name → what may be sent. There is no way to send an action that is not in this table.
ACTIONS: Mapping[str, ActionSpec] = MappingProxyType({spec.name: spec for spec in _TABLE})


@dataclass(frozen=True, slots=True)
class Action:
    """One action to send; equal name and parameters are the same action.

    Raises ForbiddenAction for a name outside the table, a parameter the table does not name or one it misses, a CLI
    command that cli_commands refuses, and a value with CR, LF or NUL (AMI has no escaping: it
    would start a new header).
    """

    name: str
    params: tuple[tuple[str, str], ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)  # looked up for each item of a list
    spec: ActionSpec = field(init=False, repr=False, compare=False)
    """The action's row in the table."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.name, self.params)))
        spec = ACTIONS.get(self.name)
        if spec is None:
            raise ForbiddenAction(
                f"action {self.name!r} is not in the table of read-only actions and is never sent; "
                f"allowed: {', '.join(sorted(ACTIONS))}"
            )
        for name, value in self.params:
            if name not in spec.params:
                allowed = ", ".join(sorted(spec.params)) or "none"
                raise ForbiddenAction(f"action {self.name}: parameter {name!r} is not allowed; allowed: {allowed}")
            check_value(f"action {self.name}, parameter {name}", value)
        object.__setattr__(self, "spec", spec)
        given = {name for name, value in self.params if value}
        if missing := ", ".join(sorted(spec.required - given)):
            raise ForbiddenAction(f"action {self.name} is never sent without its parameter {missing}")
        if self.name == "DBGetTree":
            self._check_families()
        if spec.form is AnswerForm.COMMAND:
            self._check_command()

    def __hash__(self) -> int:
        return self._hash

    def _check_families(self) -> None:
        families = [value for _, value in self.params]
        if len(families) != 1 or re.fullmatch(DATABASE_FAMILY, families[0]) is None:
            raise ForbiddenAction("action DBGetTree is never sent but with the plain name of one family")

    def _check_command(self) -> None:
        commands = [value for _, value in self.params]
        if len(commands) != 1:
            raise ForbiddenAction(f"CLI commands are sent one at a time, found {len(commands)}")
        if why := refusal(commands[0]):
            raise ForbiddenAction(f"CLI command {commands[0]!r} is never sent: {why}")

    @property
    def is_command(self) -> bool:
        """Whether it runs a console command, which only `command_user` may do, never the poll link."""
        return self.spec.form is AnswerForm.COMMAND

    @property
    def label(self) -> str:
        """The name in metrics and faults: the action's name, or the words of a console command."""
        return self.params[0][1] if self.is_command else self.name


def cli(command: str) -> Action:
    """Make the action `Command`. Raises ForbiddenAction for a console command that cli_commands refuses."""
    return Action("Command", (("Command", command),))


def check_value(where: str, value: str) -> None:
    """Refuse a value that would end its header early. The value is not shown: it may be a secret."""
    if value.isprintable():
        return
    for character, name in (("\r", "CR"), ("\n", "LF"), ("\0", "NUL")):
        if character in value:
            raise ForbiddenAction(f"{where}: the value holds {name}, which AMI cannot carry; remove it")
