from __future__ import annotations

from dataclasses import replace

import pytest

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors import trunks
from ami_exporter.collectors.declarations import Context, Trunk
from ami_exporter.collectors.lists import (
    AORS,
    CORE_SHOW_CHANNELS,
    IAX_REGISTRATIONS,
    MAINTENANCE,
    PJSIP_ENDPOINTS,
    PJSIP_REGISTRATIONS,
    SIP_PEERS,
    SIP_REGISTRATIONS,
    STATUS,
)
from ami_exporter.collectors.trunk_discovery import Discovery
from tests.support.collecting import Samples, message, nonzero, polled

TELCO = Trunk("Telco", "PJSIP", "telco-a", ("telco-a-reg",), 30)
BRANCH = Trunk("branch", "SIP", "branch")
CONTEXT = Context(
    trunks={"Telco": TELCO, "branch": BRANCH},
    trunk_names={("PJSIP", "telco-a"): "Telco"},
    trunk_patterns=(("SIP/branch*", "branch"),),
)
FACTS = {
    ("asterisk_trunk_info", "Telco", "PJSIP", "telco-a", "telco-a-reg"): 1.0,
    ("asterisk_trunk_info", "branch", "SIP", "branch", ""): 1.0,
    ("asterisk_trunk_channels_limit", "Telco"): 30.0,
}


def channel(name: str, uniqueid: str, linkedid: str, application: str = "", seconds: int = 1) -> Message:
    return message(
        f"""
        Event: Status
        Channel: {name}
        Uniqueid: {uniqueid}
        Linkedid: {linkedid}
        Application: {application}
        Seconds: {seconds}
        """
    )


def registration(status: str, name: str = "telco-a-reg", endpoint: str = "telco-a") -> Message:
    return message(f"Event: OutboundRegistrationDetail\nObjectName: {name}\nEndpoint: {endpoint}\nStatus: {status}")


def endpoint(name: str, outbound: str = "", auths: str = "") -> Message:
    return message(f"Event: EndpointList\nObjectName: {name}\nOutboundAuths: {outbound}\nAuths: {auths}")


def ups(samples: Samples) -> dict[str, float]:
    return {key[1]: value for key, value in samples.items() if key[0] == "asterisk_trunk_up"}


def test_channels_are_counted_by_trunk_and_direction_and_known_trunks_are_zero() -> None:
    items = [
        channel("PJSIP/telco-a-00000001", "1", "1", "Queue", 40),
        channel("PJSIP/telco-a-00000002", "2", "9", "Queue", 90),
        channel("PJSIP/telco-a-00000003", "3", "3", "AppDial2", 5),
        channel("SIP/branch-north-00000004", "4", "4", "AppQueue", 7),
        channel("PJSIP/101-00000005", "5", "5", "Dial", 500),
    ]
    assert polled(trunks.COLLECTOR, {STATUS: items}, CONTEXT) == {
        **FACTS,
        ("asterisk_trunk_channels", "Telco", "inbound"): 1,
        ("asterisk_trunk_channels", "Telco", "outbound"): 2,
        ("asterisk_trunk_channels", "branch", "inbound"): 0,
        ("asterisk_trunk_channels", "branch", "outbound"): 1,
        ("asterisk_trunk_oldest_channel_age_seconds", "Telco"): 90,
        ("asterisk_trunk_oldest_channel_age_seconds", "branch"): 7,
    }


def test_core_show_channels_serves_as_well() -> None:
    item = message(
        """
        Event: CoreShowChannel
        Channel: PJSIP/telco-a-00000001
        Uniqueid: 1
        Linkedid: 1
        Application: Dial
        Duration: 00:02:00
        """
    )
    samples = polled(trunks.COLLECTOR, {CORE_SHOW_CHANNELS: [item]}, CONTEXT)
    assert samples["asterisk_trunk_channels", "Telco", "inbound"] == 1
    assert samples["asterisk_trunk_oldest_channel_age_seconds", "Telco"] == 120


def test_a_cut_list_of_channels_leaves_only_what_is_known_without_it() -> None:
    items = [channel("PJSIP/telco-a-00000001", "1", "1")]
    assert polled(trunks.COLLECTOR, {STATUS: items}, CONTEXT, cut=[STATUS]) == FACTS


def listed(state: str, contacts: str = "telco-a/sip:192.0.2.9,", aor: str = "telco-a") -> Message:
    return message(f"Event: EndpointList\nObjectName: telco-a\nAor: {aor}\nContacts: {contacts}\nDeviceState: {state}")


def aor(frequency: int, name: str = "telco-a") -> Message:
    return message(f"Event: AorList\nObjectName: {name}\nQualifyFrequency: {frequency}")


@pytest.mark.parametrize(
    ("status", "state", "frequency", "up"),
    [
        ("Registered", "Not in use", 60, 1),
        ("Registered", "Not in use", 0, 1),
        ("Registered", "Unavailable", 60, 0),
        ("Registered", "Unavailable", 0, 0),
        ("Registered", "Invalid", 60, 1),
        ("Unregistered", "Not in use", 60, 0),
        ("Rejected", "In use", 60, 0),
    ],
)
def test_a_trunk_is_up_when_registered_and_its_qualified_contact_answers(
    status: str, state: str, frequency: int, up: int
) -> None:
    answers = {
        PJSIP_REGISTRATIONS: [registration(status)],
        PJSIP_ENDPOINTS: [listed(state)],
        AORS: [aor(frequency), aor(60, "another")],
    }
    assert ups(polled(trunks.COLLECTOR, answers, CONTEXT)) == {"Telco": up}


@pytest.mark.parametrize(("state", "expected"), [("Not in use", {"Telco": 1}), ("Unavailable", {"Telco": 0})])
def test_a_trunk_known_by_address_is_up_as_long_as_its_qualified_permanent_contact_answers(
    state: str, expected: dict[str, int]
) -> None:
    context = Context(trunks={"Telco": Trunk("Telco", "PJSIP", "telco-a")}, trunk_names=CONTEXT.trunk_names)
    answers = {PJSIP_ENDPOINTS: [listed(state)], AORS: [aor(30)]}
    assert ups(polled(trunks.COLLECTOR, answers, context)) == expected


def maintenance(*endpoints: str) -> list[Message]:
    return [message(f"Event: PJSIPMaintenanceStatus\nEndpoint: {name}\nStatus: enabled") for name in endpoints]


def test_a_trunk_in_maintenance_mode_is_down_whatever_else_says() -> None:
    answers = {PJSIP_REGISTRATIONS: [registration("Registered")], MAINTENANCE: maintenance("telco-a", "101")}
    assert ups(polled(trunks.COLLECTOR, answers, CONTEXT)) == {"Telco": 0}
    answers |= {PJSIP_ENDPOINTS: [listed("Not in use")], AORS: [aor(60)]}
    assert ups(polled(trunks.COLLECTOR, answers, CONTEXT)) == {"Telco": 0}
    assert ups(polled(trunks.COLLECTOR, answers, CONTEXT, cut=[MAINTENANCE])) == {"Telco": 1}
    assert ups(polled(trunks.COLLECTOR, answers | {MAINTENANCE: maintenance("101")}, CONTEXT)) == {"Telco": 1}


def test_a_direction_that_events_have_seen_beats_what_joined_calls_look_like() -> None:
    """After an inbound call to a pool agent its Linkedid is that of the agent's older channel."""
    seen = {"5": "inbound"}
    context = replace(CONTEXT, seen_direction=seen.get)
    items = [
        channel("PJSIP/telco-a-00000001", "5", "2", "Queue"),
        channel("PJSIP/telco-a-00000002", "6", "2", "AppDial"),
    ]
    samples = polled(trunks.COLLECTOR, {STATUS: items}, context)
    assert samples["asterisk_trunk_channels", "Telco", "inbound"] == 1
    assert samples["asterisk_trunk_channels", "Telco", "outbound"] == 1


def test_a_trunk_of_which_nothing_is_known_has_no_up() -> None:
    unasked = {PJSIP_ENDPOINTS: [listed("Not in use")], AORS: [aor(0)]}
    assert ups(polled(trunks.COLLECTOR, unasked, CONTEXT)) == {}
    without_contact = {PJSIP_ENDPOINTS: [listed("Unavailable", contacts="", aor="")], AORS: [aor(30)]}
    assert ups(polled(trunks.COLLECTOR, without_contact, CONTEXT)) == {}
    cut = {PJSIP_ENDPOINTS: [listed("Unavailable")]}
    assert ups(polled(trunks.COLLECTOR, cut, CONTEXT, cut=[PJSIP_ENDPOINTS])) == {}


def test_a_registration_that_the_complete_list_does_not_hold_is_down() -> None:
    assert ups(polled(trunks.COLLECTOR, {PJSIP_REGISTRATIONS: []}, CONTEXT)) == {"Telco": 0}
    assert ups(polled(trunks.COLLECTOR, {PJSIP_REGISTRATIONS: []}, CONTEXT, cut=[PJSIP_REGISTRATIONS])) == {}


@pytest.mark.parametrize(("word", "up"), [("OK (9 ms)", 1), ("LAGGED (900 ms)", 1), ("UNREACHABLE", 0)])
def test_a_peer_without_registration_is_up_when_it_answers(word: str, up: int) -> None:
    peer = message(f"Event: PeerEntry\nChanneltype: SIP\nObjectName: branch\nStatus: {word}")
    assert ups(polled(trunks.COLLECTOR, {SIP_PEERS: [peer]}, CONTEXT)) == {"branch": up}


def test_chan_sip_and_iax2_registrations_go_by_user_and_host_and_not_for_each_other() -> None:
    context = Context(trunks={"old": Trunk("old", "SIP", "old", ("u@h",))})
    entry = message("Event: RegistryEntry\nUsername: u\nHost: h\nState: Registered")
    assert ups(polled(trunks.COLLECTOR, {SIP_REGISTRATIONS: [entry]}, context)) == {"old": 1}
    other = message("Event: RegistryEntry\nUsername: other\nHost: h\nState: Rejected")
    assert ups(polled(trunks.COLLECTOR, {SIP_REGISTRATIONS: [entry], IAX_REGISTRATIONS: [other]}, context)) == {
        "old": 1
    }


def test_device_states_are_no_sign_of_a_trunk() -> None:
    assert Action("DeviceStateList") not in {action for poll in trunks.COLLECTOR.polls for action in poll}


def discovered(items: dict[Action, list[Message]], known: dict[str, Trunk] | None = None) -> dict[str, Trunk]:
    discovery = Discovery()
    for action, messages in items.items():
        for item in messages:
            discovery.item(action, item)
    return dict(discovery.found(frozenset(items), known or {}))


def test_auto_finds_the_endpoints_that_registrations_name() -> None:
    assert discovered({PJSIP_REGISTRATIONS: [registration("Rejected"), registration("Registered", "lone", "")]}) == {
        "telco-a": Trunk("telco-a", "PJSIP", "telco-a", ("telco-a-reg",))
    }


def test_auto_finds_endpoints_that_authenticate_elsewhere_or_not_at_all() -> None:
    items = {
        PJSIP_REGISTRATIONS: [registration("Registered")],
        PJSIP_ENDPOINTS: [
            endpoint("telco-a", outbound="telco-a"),
            endpoint("by address"),
            endpoint("logs-in", outbound="x", auths="y"),
            endpoint("101", auths="101-auth"),
            endpoint("anonymous"),
            endpoint("dpma_endpoint"),
        ],
    }
    assert discovered(items) == {
        "by address": Trunk("by address", "PJSIP", "by address"),
        "logs-in": Trunk("logs-in", "PJSIP", "logs-in"),
        "telco-a": Trunk("telco-a", "PJSIP", "telco-a", ("telco-a-reg",)),
    }


def test_what_an_incomplete_list_would_have_told_stays_as_it_was_known() -> None:
    known = {"a": Trunk("a", "PJSIP", "a", ("a-reg",)), "b": Trunk("b", "PJSIP", "b")}
    assert discovered({}, known) == known
    assert discovered({PJSIP_REGISTRATIONS: []}, known) == {"b": known["b"]}
    assert discovered({PJSIP_ENDPOINTS: []}, known) == {"a": known["a"]}


def test_a_trunk_of_several_registrations_is_up_while_one_of_them_is_registered() -> None:
    """A main and a backup server: each registration has its own series and alert."""
    names = {PJSIP_REGISTRATIONS: [registration("Rejected", "a"), registration("Registered", "b")]}
    found = discovered(names)
    assert found["telco-a"].registrations == ("a", "b")
    context = Context(trunks=found)
    samples = polled(trunks.COLLECTOR, names, context)
    assert ups(samples) == {"telco-a": 1}
    assert {key[4] for key in samples if key[0] == "asterisk_trunk_info"} == {"a", "b"}
    down = {PJSIP_REGISTRATIONS: [registration("Rejected", "a"), registration("Pondering", "b")]}
    assert ups(polled(trunks.COLLECTOR, down, context)) == {"telco-a": 0}


def unnamed(name: str, server: str = "", auth: str = "") -> Message:
    return message(
        f"Event: OutboundRegistrationDetail\nObjectName: {name}\nEndpoint: \nServerUri: {server}\nOutboundAuth: {auth}"
    )


def at(name: str, contact: str, outbound: str = "", auths: str = "") -> Message:
    contacts = f"{name}/{contact}," if contact else ""
    return message(
        f"Event: EndpointList\nObjectName: {name}\nOutboundAuths: {outbound}\nAuths: {auths}\nContacts: {contacts}"
    )


@pytest.mark.parametrize(
    ("one", "others", "owners"),
    [
        (unnamed("telco"), [at("telco", ""), at("101", "", auths="x")], {"telco"}),
        (unnamed("both"), [at("both", "sip:both@192.0.2.7", auths="x")], {"both"}),
        (unnamed("reg", "sip:telco.example"), [at("a", "sip:TELCO.example:5060"), at("b", "sip:other.example")], {"a"}),
        (unnamed("reg", "sip:[2001:db8::1]:5060"), [at("a", "sip:u@[2001:db8::1]:5070;lr")], {"a"}),
        (
            unnamed("reg", "sip:telco.example", "acct-2"),
            [at("a", "sip:telco.example", "acct-1"), at("b", "sip:telco.example", "acct-2")],
            {"b"},
        ),
        (unnamed("reg", "sip:telco.example"), [at("a", "sip:telco.example"), at("b", "sip:telco.example")], {"a", "b"}),
        (unnamed("reg", "sip:192.0.2.7"), [at("101", "sip:101@192.0.2.7", auths="x")], set()),
        (unnamed("reg"), [at("a", ""), at("b", "sip:telco.example")], set()),
    ],
    ids=["name", "name of one that logs in", "host", "IPv6 host", "account", "host of two", "phone's host", "nothing"],
)
def test_a_registration_without_endpoint_belongs_to_the_one_of_its_name_account_or_host(
    one: Message, others: list[Message], owners: set[str]
) -> None:
    found = discovered({PJSIP_REGISTRATIONS: [one], PJSIP_ENDPOINTS: others})
    assert {name for name, trunk in found.items() if trunk.registrations} == owners
    configured = {"Line": Trunk("Line", "PJSIP", "a*")}
    discovery = Discovery()
    for item in (one, *others):
        discovery.item(PJSIP_ENDPOINTS, item)
    linked = discovery.linked(frozenset({PJSIP_REGISTRATIONS, PJSIP_ENDPOINTS}), configured, configured)
    assert bool(linked["Line"].registrations) == ("a" in owners)


def test_a_registration_linked_by_the_list_of_endpoints_stays_linked_while_that_list_is_late() -> None:
    known = {"a": Trunk("a", "PJSIP", "a", ("reg",))}
    assert discovered({PJSIP_REGISTRATIONS: [unnamed("reg", "sip:telco.example")]}, known) == known
    assert discovered({PJSIP_REGISTRATIONS: [unnamed("other", "sip:telco.example")]}, known) == {}


def test_a_registration_that_is_configured_is_the_trunks_only_one() -> None:
    configured = {"Line": Trunk("Line", "PJSIP", "a", ("main",))}
    discovery = Discovery()
    discovery.item(PJSIP_REGISTRATIONS, registration("Registered", "other", "a"))
    assert dict(discovery.linked(frozenset({PJSIP_REGISTRATIONS}), configured, configured)) == configured


def test_auth_detail_makes_no_trunk() -> None:
    auth = message("Event: AuthDetail\nObjectName: telco-a\nEndpoint: x\nPassword: hunter2")
    assert discovered({PJSIP_REGISTRATIONS: [auth]}) == {}


def test_a_trunk_of_a_pattern_counts_its_channels() -> None:
    items = [channel("SIP/branch-south-00000001", "1", "1")]
    samples = nonzero(polled(trunks.COLLECTOR, {STATUS: items}, CONTEXT))
    assert samples["asterisk_trunk_channels", "branch", "inbound"] == 1


@pytest.mark.parametrize(("states", "up"), [("OK UNREACHABLE", 1.0), ("UNREACHABLE LAGGED", 1.0), ("UNREACHABLE", 0.0)])
def test_a_trunk_of_several_endpoints_is_up_while_one_of_them_answers(states: str, up: float) -> None:
    sip = Context(trunks={"b": Trunk("b", "SIP", "branch*")}, trunk_patterns=(("SIP/branch*", "b"),))
    peers = [
        message(f"Event: PeerEntry\nChanneltype: SIP\nObjectName: branch-{number}\nStatus: {state}")
        for number, state in enumerate(states.split())
    ]
    other = message("Event: PeerEntry\nChanneltype: SIP\nObjectName: phone\nStatus: OK (1 ms)")
    assert ups(polled(trunks.COLLECTOR, {SIP_PEERS: [*peers, other]}, sip)) == {"b": up}


@pytest.mark.parametrize(("state", "up"), [("Not in use", {"t": 1.0}), ("Unavailable", {"t": 0.0})])
def test_a_trunk_matched_by_a_pattern_follows_its_pjsip_endpoints(state: str, up: dict[str, float]) -> None:
    context = Context(trunks={"t": Trunk("t", "PJSIP", "telco-*")}, trunk_patterns=(("PJSIP/telco-*", "t"),))
    answers = {PJSIP_ENDPOINTS: [listed(state)], AORS: [aor(60)]}
    assert ups(polled(trunks.COLLECTOR, answers, context)) == up
