"""Endpoints (phones and trunks): reachability, channels, round trip, for PJSIP, chan_sip and IAX2."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.ami.own_calls import PREFIX
from ami_exporter.collectors.declarations import Collector, Context, Sample, gauge
from ami_exporter.collectors.fields import to_number
from ami_exporter.collectors.lists import (
    AORS,
    CHANNEL_LISTS,
    CONTACT_LISTS,
    CONTACTS,
    CORE_SHOW_CHANNELS,
    DEVICE_REACHABILITY,
    DEVICES,
    IAX_PEERS,
    INBOUND_CONTACTS,
    MAINTENANCE,
    PEER_LISTS,
    PJSIP_ENDPOINTS,
    SIP_PEERS,
    STATUS,
    contact_status,
    in_maintenance,
    names,
    peer_status,
    peer_technology,
    qualified,
)
from ami_exporter.collectors.vocabulary import DEVICE_STATE, REACHABILITY

ENDPOINTS = gauge(
    "asterisk_endpoints",
    "Endpoints by reachability. PJSIP: by the best registered contact, else by device state: unavailable (no contact, "
    "or none that answers) is unreachable, invalid is unknown, what is never qualified unmonitored (AMI "
    "PJSIPShowEndpoints: DeviceState, PJSIPShowContacts: Status, PJSIPShowAors: QualifyFrequency, or DeviceStateList: "
    "State; SIPpeers, IAXpeerlist: Status)",
    "technology",
    "state",
    closed={"state": REACHABILITY},
)
UP = gauge(
    "asterisk_endpoint_up",
    "1 when calls can reach the endpoint, else 0. PJSIP: its device state is not unavailable, invalid or unknown, and "
    "it is not in maintenance mode; others: reachable or lagged, absent when never qualified "
    "(AMI PJSIPShowEndpoints: DeviceState, or DeviceStateList: State; PJSIPShowMaintenance: Status; SIPpeers, "
    "IAXpeerlist: Status)",
    "technology",
    "endpoint",
)
IN_MAINTENANCE = gauge(
    "asterisk_endpoint_maintenance",
    "1 for an endpoint in maintenance mode: it refuses new calls both ways, whatever its contacts answer; from "
    "Asterisk 20.20, 22.10, 23.4 on (AMI PJSIPShowMaintenance: Status)",
    "technology",
    "endpoint",
)
ACTIVE_CHANNELS = gauge(
    "asterisk_endpoint_active_channels",
    "Channels of the endpoint, by their names, without those of canary calls (AMI Status: Channel)",
    "technology",
    "endpoint",
)
RTT = gauge(
    "asterisk_endpoint_rtt_seconds",
    "Round trip of the last qualify, the worst of the endpoint's contacts; absent when there is no answer "
    "(AMI PJSIPShowContacts: RoundtripUsec; SIPpeers, IAXpeerlist: Status)",
    "technology",
    "endpoint",
)

_BEST_FIRST = ("reachable", "unmonitored", "unknown", "unreachable")


# res/res_pjsip/pjsip_options.c
_CONTACT_STATE = {"reachable": "reachable", "unreachable": "unreachable", "nonqualified": "unmonitored"}
_PEER_UP = {"reachable": 1.0, "lagged": 1.0, "unreachable": 0.0, "unknown": 0.0}

_States = Mapping[str, str]


class EndpointFold:
    """Joins endpoint, contact and peer lists with the channel list."""

    def __init__(self, _context: Context) -> None:
        self._devices: dict[str, str] = {}
        self._cached: dict[str, str] = {}
        self._contacts: dict[str, set[str]] = {}
        self._aors: dict[str, list[str]] = {}
        self._qualified: dict[str, bool] = {}
        self._peers: dict[str, dict[str, str]] = {tech: {} for tech in PEER_LISTS}
        self._rtt: dict[tuple[str, str], float] = {}
        self._channels: dict[str, int] = defaultdict(int)
        self._maintenance: set[str] = set()

    def again(self, context: Context, resting: frozenset[Action]) -> EndpointFold:
        """Return the next poll's fold, which keeps the items of resting lists."""
        fold = EndpointFold(context)
        if resting & CHANNEL_LISTS:
            fold._channels = self._channels
        if PJSIP_ENDPOINTS in resting:
            fold._devices, fold._aors = self._devices, self._aors
        if DEVICES in resting:
            fold._cached = self._cached
        if MAINTENANCE in resting:
            fold._maintenance = self._maintenance
        if AORS in resting:
            fold._qualified = self._qualified
        round_trips = {tech for tech, action in PEER_LISTS.items() if action in resting}
        for tech in round_trips:
            fold._peers[tech] = self._peers[tech]
        if resting & CONTACT_LISTS:
            fold._contacts = self._contacts
            round_trips.add("PJSIP")
        fold._rtt = {key: seconds for key, seconds in self._rtt.items() if key[0] in round_trips}
        return fold

    def item(self, _action: Action, message: Message) -> None:
        """Take one item of any of the lists."""
        take = self._KINDS.get(message.cells[message.layout.event])
        if take is not None:
            take(self, message)

    def _channel(self, message: Message) -> None:
        channel = message.get("channel", "")
        # Local channels belong to no endpoint, and each has its own name.
        if not channel.startswith("Local/") and not message.get("linkedid", "").startswith(PREFIX):
            self._channels[channel.rpartition("-")[0]] += 1

    def _endpoint(self, message: Message) -> None:
        name = message.get("objectname")
        if name:
            self._devices[name] = DEVICE_STATE.get(message.get("devicestate", "").strip().lower(), "unknown")
            self._aors[name] = names(message.get("aor"))

    def _aor(self, message: Message) -> None:
        self._qualified[message.get("objectname", "")] = qualified(message)

    def _in_maintenance(self, message: Message) -> None:
        name = in_maintenance(message)
        if name is not None:
            self._maintenance.add(name)

    def _device(self, message: Message) -> None:
        tech, _, name = message.get("device", "").partition("/")
        if tech == "PJSIP" and name:
            self._cached[name] = DEVICE_STATE.get(message.get("state", "").strip().lower(), "unknown")

    def _contact(self, message: Message) -> None:
        # ContactList says Endpoint, ContactStatusDetail EndpointName.
        name = message.get("endpoint") or message.get("endpointname")
        if not name:
            return
        state = _CONTACT_STATE.get(contact_status(message), "unknown")
        self._contacts.setdefault(name, set()).add(state)
        microseconds = to_number(message.get("roundtripusec"))
        # Contacts that do not answer keep N/A or an old value.
        if state == "reachable" and microseconds is not None and microseconds > 0:
            key = ("PJSIP", name)
            self._rtt[key] = max(self._rtt.get(key, 0.0), microseconds / 1e6)

    def _peer(self, message: Message) -> None:
        tech, name = peer_technology(message), message.get("objectname")
        if tech is None or not name:
            return
        state, rtt = peer_status(message.get("status", ""))
        self._peers[tech][name] = state
        if rtt is not None:
            self._rtt[tech, name] = rtt

    def finish(self, complete: frozenset[Action]) -> Iterable[Sample]:
        """Publish the technologies whose lists are complete."""
        channels = self._channels if complete & CHANNEL_LISTS else None
        contacts = complete & CONTACT_LISTS
        devices = self._pjsip(complete)
        if devices is not None and (contacts or not self._contacts):
            yield from _count("PJSIP", self._pjsip_states(devices, bool(contacts), AORS in complete))
        if devices is not None:
            maintained = self._maintenance if MAINTENANCE in complete else ()
            up = {
                name: float(state not in DEVICE_REACHABILITY and name not in maintained)
                for name, state in devices.items()
            }
            yield from self._each("PJSIP", up, channels)
        if MAINTENANCE in complete:
            yield from ((IN_MAINTENANCE, ("PJSIP", name), 1.0) for name in self._maintenance)
        if contacts:
            yield from self._rtts("PJSIP")
        for tech, action in PEER_LISTS.items():
            if action in complete:
                peers = self._peers[tech]
                yield from _count(tech, peers)
                yield from self._each(tech, {name: _PEER_UP.get(state) for name, state in peers.items()}, channels)
                yield from self._rtts(tech)

    def _pjsip(self, complete: frozenset[Action]) -> _States | None:
        """Return device states of the PJSIP endpoints; the cache needs no write=system."""
        if PJSIP_ENDPOINTS in complete:
            return self._devices
        return self._cached if DEVICES in complete and self._cached else None

    def _pjsip_states(self, devices: _States, with_contacts: bool, with_aors: bool) -> _States:
        """Permanent contacts are in no list: their device state counts, if the AOR says that it is reliable."""
        states = {}
        for name, device in devices.items():
            found = self._contacts.get(name)
            if with_contacts and found:
                states[name] = next(state for state in _BEST_FIRST if state in found)
            else:
                asked = not with_aors or any(self._qualified.get(aor, True) for aor in self._aors.get(name, ("",)))
                states[name] = DEVICE_REACHABILITY.get(device, "reachable" if asked else "unmonitored")
        return states

    def _each(self, tech: str, up: Mapping[str, float | None], channels: Mapping[str, int] | None) -> Iterator[Sample]:
        for name, value in up.items():
            if value is not None:
                yield UP, (tech, name), value
            if channels is not None:
                yield ACTIVE_CHANNELS, (tech, name), float(channels.get(f"{tech}/{name}", 0))

    def _rtts(self, tech: str) -> Iterator[Sample]:
        return ((RTT, key, value) for key, value in self._rtt.items() if key[0] == tech)

    # Bound methods would form a reference cycle, left to the garbage collector after every scrape.
    _KINDS: ClassVar = {
        "Status": _channel,
        "CoreShowChannel": _channel,
        "EndpointList": _endpoint,
        "AorList": _aor,
        "DeviceStateChange": _device,
        "ContactList": _contact,
        "ContactStatusDetail": _contact,
        "PeerEntry": _peer,
        "PJSIPMaintenanceStatus": _in_maintenance,
    }


def _count(tech: str, states: _States) -> Iterator[Sample]:
    counts = dict.fromkeys(REACHABILITY, 0)
    for state in states.values():
        counts[state] += 1
    return ((ENDPOINTS, (tech, state), float(count)) for state, count in counts.items())


COLLECTOR = Collector(
    name="endpoints",
    title="Endpoints: reachability, channels, round trip",
    metrics=(ENDPOINTS, UP, IN_MAINTENANCE, ACTIVE_CHANNELS, RTT),
    polls=(
        (PJSIP_ENDPOINTS, DEVICES),
        (CONTACTS, INBOUND_CONTACTS),
        (AORS,),
        (MAINTENANCE,),
        (SIP_PEERS,),
        (IAX_PEERS,),
        (STATUS, CORE_SHOW_CHANNELS),
    ),
    fold=EndpointFold,
    filter_label="endpoint",
)
