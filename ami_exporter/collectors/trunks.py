"""Trunks: lines to providers and other PBXs. The context tells which endpoints are trunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.ami.own_calls import PREFIX
from ami_exporter.collectors import trunkevents
from ami_exporter.collectors.declarations import Collector, Context, Sample, Trunk, gauge
from ami_exporter.collectors.fields import trunk_of
from ami_exporter.collectors.lists import (
    AORS,
    CHANNEL_LISTS,
    CORE_SHOW_CHANNELS,
    DEVICE_REACHABILITY,
    IAX_PEERS,
    IAX_REGISTRATIONS,
    INBOUND_CONTACTS,
    MAINTENANCE,
    PEER_LISTS,
    PJSIP_ENDPOINTS,
    PJSIP_REGISTRATIONS,
    SIP_PEERS,
    SIP_REGISTRATIONS,
    STATUS,
    channel_age,
    in_maintenance,
    is_registered,
    names,
    peer_status,
    peer_technology,
    qualified,
    registration_account,
    tells_application,
)
from ami_exporter.collectors.trunk_discovery import members
from ami_exporter.collectors.vocabulary import DEVICE_STATE, DIRECTIONS

INFO = gauge(
    "asterisk_trunk_info",
    "Always 1; what the trunk is made of, one series for each of its registrations: the one configured, else those "
    "whose endpoint setting, section name, outbound_auth or server host is the endpoint's, in this order "
    "(configuration; AMI PJSIPShowRegistrationsOutbound, PJSIPShowEndpoints)",
    "trunk",
    "technology",
    "endpoint",
    "registration",
)
UP = gauge(
    "asterisk_trunk_up",
    "1 when one of its registrations, if any, is Registered and its qualified contact, if any, reachable, else 0; 0 in "
    "maintenance mode; absent when nothing is known (AMI PJSIPShowRegistrationsOutbound: Status; PJSIPShowEndpoints: "
    "DeviceState; PJSIPShowAors: QualifyFrequency; PJSIPShowMaintenance: Status; SIPshowregistry, IAXregistry: State; "
    "SIPpeers, IAXpeerlist: Status)",
    "trunk",
)
CHANNELS = gauge(
    "asterisk_trunk_channels",
    "Channels of the trunk, by the direction in which events saw them begin. Of others, outbound: dialled by Dial or "
    "Queue, or by Originate until it is answered, or not the first channel of its call. Before Asterisk 12 absent "
    "while one is parked that events did not see begin. Canary calls are among them: they take up a channel (AMI "
    "Status, CoreShowChannels: Channel, Application, Linkedid; event Newchannel: ChannelState)",
    "trunk",
    "direction",
    closed={"direction": DIRECTIONS},
)
LIMIT = gauge("asterisk_trunk_channels_limit", "Channels the trunk may have (configuration: channel_limit)", "trunk")
OLDEST = gauge(
    "asterisk_trunk_oldest_channel_age_seconds",
    "Age of the trunk's oldest channel; absent when it has none (AMI Status: Seconds; CoreShowChannels: Duration)",
    "trunk",
)

_DIALLED = frozenset({"AppDial", "AppDial2", "AppQueue"})
_WITHOUT_DIALPLAN = frozenset({"", "Parked Call"})
_ANSWERS = {"reachable": True, "lagged": True, "unreachable": False}

_REGISTRATION_LISTS = {
    PJSIP_REGISTRATIONS: "PJSIP",
    SIP_REGISTRATIONS: "SIP",
    IAX_REGISTRATIONS: "IAX2",
}


class TrunkFold:
    """Joins the channel list with registrations, contacts and peers, trunk by trunk."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # None: a pattern may match any technology. On some PBXs most channels are Local, each with its own name.
        self._technologies = None if context.trunk_patterns else {tech for tech, _ in context.trunk_names}
        self._trunks: dict[str, str | None] = {}
        self._channels = dict.fromkeys(((t, d) for t in context.trunks for d in DIRECTIONS), 0)
        self._oldest: dict[str, int] = {}
        self._undirected: set[str] = set()  # trunks with a channel whose direction nobody can tell
        self._ageless: set[str] = set()  # and those with one whose age the list does not tell
        self._registered: dict[tuple[str, str], bool] = {}
        self._reachable: dict[str, dict[str, bool]] = {tech: {} for tech in PEER_LISTS}
        self._endpoints: dict[str, tuple[str, ...]] = {}  # aor, device state, contacts
        self._qualified: set[str] = set()
        self._maintenance: set[str] = set()

    def again(self, context: Context, resting: frozenset[Action]) -> TrunkFold:
        """Return the next poll's fold, which keeps the items of resting lists."""
        fold = TrunkFold(context)
        if resting & CHANNEL_LISTS:
            fold._channels, fold._oldest = self._channels, self._oldest
            fold._undirected, fold._ageless = self._undirected, self._ageless
        for action, tech in _REGISTRATION_LISTS.items():
            if action in resting:
                fold._registered |= {key: up for key, up in self._registered.items() if key[0] == tech}
        for tech, action in PEER_LISTS.items():
            if action in resting:
                fold._reachable[tech] = self._reachable[tech]
        if PJSIP_ENDPOINTS in resting:
            fold._endpoints = self._endpoints
        if MAINTENANCE in resting:
            fold._maintenance = self._maintenance
        if resting & {AORS, INBOUND_CONTACTS}:
            fold._qualified = self._qualified
        return fold

    def item(self, action: Action, message: Message) -> None:
        """Take one item of any of the lists."""
        take = self._KINDS.get(message.cells[message.layout.event])
        if take is not None:
            take(self, action, message)

    def _channel(self, _action: Action, message: Message) -> None:
        channel = message.get("channel", "")
        if self._technologies is None or channel.partition("/")[0] in self._technologies:
            name = channel.rpartition("-")[0]
            if name not in self._trunks:
                self._trunks[name] = trunk_of(self._context, channel)
            trunk = self._trunks[name]
            if trunk is not None:
                self._count(trunk, message)

    def _count(self, trunk: str, message: Message) -> None:
        uniqueid, linkedid = message.get("uniqueid", ""), message.get("linkedid", "")
        # A canary call occupies one of the trunk's channels; event counters leave it out.
        direction = "outbound" if linkedid.startswith(PREFIX) else self._context.seen_direction(uniqueid)
        direction = direction or _listed_direction(message, uniqueid, linkedid)
        if direction is None:
            self._undirected.add(trunk)
        else:
            key = (trunk, direction)
            self._channels[key] = self._channels.get(key, 0) + 1
        age = channel_age(message)
        if age is None and not tells_application(message):
            self._ageless.add(trunk)
        if age is not None and age > self._oldest.get(trunk, -1):
            self._oldest[trunk] = age

    def _pjsip_registration(self, _action: Action, message: Message) -> None:
        self._register("PJSIP", message.get("objectname"), message.get("status"))

    def _registry(self, action: Action, message: Message) -> None:
        self._register(_REGISTRATION_LISTS[action], registration_account(message, self._context), message.get("state"))

    def _register(self, tech: str, name: str | None, written: str | None) -> None:
        if name and written:
            self._registered[tech, name] = is_registered(written)

    def _endpoint(self, _action: Action, message: Message) -> None:
        name = message.get("objectname", "")
        if self._context.trunk("PJSIP", name) is not None:
            self._endpoints[name] = message.pick(("aor", "devicestate", "contacts"))

    def _aor(self, _action: Action, message: Message) -> None:
        # ContactStatusDetail (Asterisk 13) has AOR and lists endpoints that have registered with us.
        if qualified(message):
            self._qualified.add(message.get("objectname") or message.get("aor", ""))

    def _in_maintenance(self, _action: Action, message: Message) -> None:
        name = in_maintenance(message)
        if name is not None and self._context.trunk("PJSIP", name) is not None:
            self._maintenance.add(name)

    def _peer(self, _action: Action, message: Message) -> None:
        tech, name = peer_technology(message), message.get("objectname")
        reachable = _ANSWERS.get(peer_status(message.get("status", ""))[0])
        if tech and name and reachable is not None and self._context.trunk(tech, name) is not None:
            self._reachable[tech][name] = reachable

    def finish(self, complete: frozenset[Action]) -> Iterable[Sample]:
        """Publish every known trunk; unknown values are left out."""
        for trunk in self._context.trunks.values():
            for registration in trunk.registrations or ("",):
                yield INFO, (trunk.name, trunk.technology, trunk.endpoint, registration), 1.0
            if trunk.channel_limit is not None:
                yield LIMIT, (trunk.name,), float(trunk.channel_limit)
            signs = list(self._signs(trunk, complete))
            if signs:
                yield UP, (trunk.name,), float(all(signs))
        if complete & CHANNEL_LISTS:
            for (name, direction), count in self._channels.items():
                if name not in self._undirected:
                    yield CHANNELS, (name, direction), float(count)
            for name, age in self._oldest.items():
                if name not in self._ageless:
                    yield OLDEST, (name,), float(age)

    def _signs(self, trunk: Trunk, complete: frozenset[Action]) -> Iterator[bool]:
        """Return the signs of complete lists about a trunk: its registration, its endpoint."""
        registered = [up for name in trunk.registrations for up in self._registered_signs(trunk, name, complete)]
        if registered:
            yield any(registered)
        signs: list[bool] = []
        if trunk.technology == "PJSIP":
            maintained = members(trunk, self._maintenance) if MAINTENANCE in complete else []
            endpoints = members(trunk, self._endpoints) if PJSIP_ENDPOINTS in complete else maintained
            for name in endpoints:
                signs.extend([False] if name in maintained else self._endpoint_signs(name))
        elif PEER_LISTS.get(trunk.technology) in complete:
            reachable = self._reachable[trunk.technology]
            signs = [reachable[name] for name in members(trunk, reachable)]
        if signs:
            yield any(signs)

    def _endpoint_signs(self, name: str) -> Iterator[bool]:
        """Return what a PJSIP endpoint's device state says about its contacts, permanent ones included.

        Unavailable means that no contact answers, or that there never was one, which is no sign. Other states are a
        sign only with qualify. PJSIPShowContacts does not list permanent contacts.
        """
        aors, device, contacts = self._endpoints[name]
        asked = any(aor in self._qualified for aor in names(aors))
        state = DEVICE_STATE.get(device.strip().lower(), "unknown")
        if state == "unavailable" and (asked or contacts):
            yield False
        elif asked and state not in DEVICE_REACHABILITY:
            yield True

    def _registered_signs(self, trunk: Trunk, name: str, complete: frozenset[Action]) -> Iterator[bool]:
        """A registration that is missing in its complete list counts as not registered."""
        for action, tech in _REGISTRATION_LISTS.items():
            registered = self._registered.get((tech, name))
            if action in complete and (registered is not None or tech == trunk.technology):
                yield bool(registered)

    # Bound methods would form a reference cycle, left to the garbage collector after every scrape.
    _KINDS: ClassVar = {
        "Status": _channel,
        "CoreShowChannel": _channel,
        "OutboundRegistrationDetail": _pjsip_registration,
        "RegistryEntry": _registry,
        "EndpointList": _endpoint,
        "AorList": _aor,
        "ContactStatusDetail": _aor,
        "PeerEntry": _peer,
        "PJSIPMaintenanceStatus": _in_maintenance,
    }


def _listed_direction(message: Message, uniqueid: str, linkedid: str) -> str | None:
    """Direction of a trunk's channel by its item alone; None where that leaves it open.

    Linkedid is that of the older call once two are joined. Before Asterisk 12 there is none: there a channel that was
    dialled runs AppDial or AppQueue. Status only says that it has no dialplan, as it does of a parked one.
    """
    application = message.get("application", "")
    if application in _DIALLED:
        return "outbound"
    if linkedid:
        return "outbound" if uniqueid != linkedid else "inbound"
    if tells_application(message):
        return "inbound" if application not in _WITHOUT_DIALPLAN else None
    if "context" in message:
        return "inbound"
    return "outbound" if message.get("bridgedchannel") or message.get("state", "").lower() != "up" else None


COLLECTOR = Collector(
    name="trunks",
    title="Trunks: up, channels, calls, failures",
    metrics=(INFO, UP, CHANNELS, LIMIT, OLDEST, *trunkevents.METRICS),
    polls=(
        (PJSIP_REGISTRATIONS,),
        (PJSIP_ENDPOINTS,),
        (AORS, INBOUND_CONTACTS),
        (MAINTENANCE,),
        (SIP_REGISTRATIONS,),
        (IAX_REGISTRATIONS,),
        (SIP_PEERS,),
        (IAX_PEERS,),
        (STATUS, CORE_SHOW_CHANNELS),
    ),
    fold=TrunkFold,
    tracked=(trunkevents.TRACKED,),
    filter_label="trunk",
)
