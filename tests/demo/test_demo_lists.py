"""Every list action of the catalogue: framing, items, counts, fields. AMI 1.1 is in test_demo_old_dialect.py."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ami_exporter.demo import DemoSettings, Dialect, SimulatedPbx
from ami_exporter.demo.world import Conference, Parked, Party
from tests.support.ami_packets import Packet, PacketClient, named, value

# Action → names of its items, name of its completion event.
LISTS = {
    "Status": ({"Status"}, "StatusComplete"),
    "CoreShowChannels": ({"CoreShowChannel"}, "CoreShowChannelsComplete"),
    "BridgeList": ({"BridgeListItem"}, "BridgeListComplete"),
    "QueueStatus": ({"QueueParams", "QueueMember", "QueueEntry"}, "QueueStatusComplete"),
    "QueueSummary": ({"QueueSummary"}, "QueueSummaryComplete"),
    "Agents": ({"Agents"}, "AgentsComplete"),
    "ConfbridgeListRooms": ({"ConfbridgeListRooms"}, "ConfbridgeListRoomsComplete"),
    "Parkinglots": ({"Parkinglot"}, "ParkinglotsComplete"),
    "ParkedCalls": ({"ParkedCall"}, "ParkedCallsComplete"),
    "VoicemailUsersList": ({"VoicemailUserEntry"}, "VoicemailUserEntryComplete"),
    "DeviceStateList": ({"DeviceStateChange"}, "DeviceStateListComplete"),
    "ExtensionStateList": ({"ExtensionStatus"}, "ExtensionStateListComplete"),
    "PJSIPShowEndpoints": ({"EndpointList"}, "EndpointListComplete"),
    "PJSIPShowContacts": ({"ContactList"}, "ContactListComplete"),
    "PJSIPShowAors": ({"AorList"}, "AorListComplete"),
    "PJSIPShowRegistrationsOutbound": (
        {"OutboundRegistrationDetail", "AuthDetail"},
        "OutboundRegistrationDetailComplete",
    ),
    "SIPpeers": ({"PeerEntry"}, "PeerlistComplete"),
    "SIPshowregistry": ({"RegistryEntry"}, "RegistrationsComplete"),
    "IAXpeerlist": ({"PeerEntry"}, "PeerlistComplete"),
    "IAXregistry": ({"RegistryEntry"}, "RegistrationsComplete"),
    "DAHDIShowChannels": ({"DAHDIShowChannels"}, "DAHDIShowChannelsComplete"),
    "DAHDIShowStatus": ({"DAHDIShowStatus"}, "DAHDIShowStatusComplete"),
    "PRIShowSpans": ({"PRIShowSpans"}, "PRIShowSpansComplete"),
    "DongleShowDevices": ({"DongleDeviceEntry"}, "DongleShowDevicesComplete"),
    "DBGetTree": ({"DBGetTreeResponse"}, "DBGetTreeComplete"),
}
LIVELY = DemoSettings(seed=11, warmup=300.0, channels=6)


def frozen() -> float:
    return 1_700_000_000.0


def furnished() -> SimulatedPbx:
    """A PBX whose clock stands, with a conference and a parked call for certain."""
    pbx = SimulatedPbx(LIVELY, clock=frozen)
    switch, world = pbx.simulation.switch, pbx.scene.world
    guest, parked = (switch.originate(world.trunks[0], "board", Party("12025550100")) for _ in range(2))
    world.conferences["planning"] = Conference("planning", switch.bridge(guest, technology="softmix", kind="base"))
    lot = world.lots[0]
    lot.parked.append(Parked(parked, lot.last, -5.0, "PJSIP/1001"))
    return pbx


@pytest.fixture(scope="module")
def modern() -> Iterator[SimulatedPbx]:
    with furnished() as pbx:
        yield pbx


def answer(pbx: SimulatedPbx, action: str, *headers: tuple[str, str]) -> list[Packet]:
    with PacketClient(pbx.port) as ami:
        ami.login()
        return ami.answer(action, *headers)


@pytest.mark.parametrize("action", LISTS)
def test_modern_lists_start_and_complete_with_event_list_and_their_count(modern: SimulatedPbx, action: str) -> None:
    items, complete = LISTS[action]
    first, *rest, last = answer(modern, action)
    assert first[:3] == [("Response", "Success"), ("ActionID", "asked"), ("EventList", "start")]
    assert last[:3] == [("Event", complete), ("ActionID", "asked"), ("EventList", "Complete")]
    assert {value(packet, "Event") for packet in rest} <= items
    assert all(packet[0][0] == "Event" for packet in rest)
    assert all(value(packet, "ActionID") == "asked" for packet in rest)
    assert int(value(last, "ListItems")) == len([packet for packet in rest if value(packet, "Event") != "AuthDetail"])


def test_a_parked_call_says_how_long(modern: SimulatedPbx) -> None:
    packets = answer(modern, "ParkedCalls", ("ParkingLot", "default"))
    item = packets[-2]
    assert (value(item, "ParkingSpace"), value(item, "ParkingDuration")) == ("720", "5")
    assert (value(item, "ParkingTimeout"), value(item, "ParkeeCallerIDNum")) == ("55", "12025550100")
    assert value(packets[-1], "Total") == str(len(packets) - 2)


def test_each_member_of_a_queue_says_since_when_it_is_one(modern: SimulatedPbx) -> None:
    """Real servers do: of members of their configuration since they were started."""
    members = [packet for packet in answer(modern, "QueueStatus") if value(packet, "Event") == "QueueMember"]
    logins = {value(member, "Membership"): int(value(member, "LoginTime")) for member in members}
    assert logins["static"] == int(modern.scene.booted) < logins["dynamic"] < time.time()
    called = [member for member in members if value(member, "LastCall") != "0"]
    assert called
    assert all(int(value(member, "LoginTime")) <= int(value(member, "LastCall")) for member in called)


def test_a_conference_says_how_many(modern: SimulatedPbx) -> None:
    rooms = {value(room, "Conference"): room for room in answer(modern, "ConfbridgeListRooms")[1:-1]}
    assert rooms["planning"][3:] == [("Parties", "1"), ("Marked", "0"), ("Locked", "No"), ("Muted", "No")]


@pytest.mark.parametrize("action", sorted(set(LISTS) - {"SIPshowregistry"}))
def test_a_living_pbx_has_something_in_each_list(modern: SimulatedPbx, action: str) -> None:
    assert len(answer(modern, action)) > 2


def test_nothing_there_is_the_error_of_a_real_server() -> None:
    empty = DemoSettings(traffic=0, warmup=0, endpoints=0, queues=0)
    with SimulatedPbx(empty) as pbx, PacketClient(pbx.port) as ami:
        ami.login()
        assert ami.ask("ConfbridgeListRooms") == [("Response", "Error"), ("Message", "No active conferences.")]
        assert len(ami.answer("Status")) == 2
        assert len(ami.answer("QueueStatus")) == 2


def test_voicemail_without_users_is_a_success_that_no_list_follows() -> None:
    with SimulatedPbx(DemoSettings(traffic=0, warmup=0)) as pbx, PacketClient(pbx.port) as ami:
        pbx.scene.world.mailboxes.clear()
        ami.login()
        text = "There are no voicemail users currently defined."
        assert ami.answer("VoicemailUsersList") == [[("Response", "Success"), ("ActionID", "asked"), ("Message", text)]]


def test_a_removed_contact_is_in_no_list() -> None:
    with SimulatedPbx(DemoSettings(traffic=0, warmup=0)) as pbx:
        phone = pbx.scene.world.phones[0]
        phone.contacts[0].status = "Removed"
        contacts = named(answer(pbx, "PJSIPShowContacts"), "ContactList")
        endpoints = named(answer(pbx, "PJSIPShowEndpoints"), "EndpointList")
    assert phone.name not in {value(contact, "Endpoint") for contact in contacts}
    assert value(next(one for one in endpoints if value(one, "ObjectName") == phone.name), "Contacts") == ""


def test_pjsip_errors_end_in_a_line_feed_of_their_own() -> None:
    with SimulatedPbx(DemoSettings(traffic=0, warmup=0)) as pbx:
        pbx.scene.world.trunks.clear()
        pbx.scene.world.phones.clear()
        with PacketClient(pbx.port) as ami:
            ami.login()
            ami.send(("Action", "PJSIPShowEndpoints"))
            assert ami.until(b"\r\n\r\n") == b"Response: Error\r\nMessage: No endpoints found\n\r\n\r\n"


def test_a_status_item_looks_like_asterisk_22(modern: SimulatedPbx) -> None:
    item = named(answer(modern, "Status"), "Status")[0]
    assert [name for name, _value in item] == [
        *("Event", "Privilege", "Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName"),
        *("ConnectedLineNum", "ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority"),
        *("Uniqueid", "Linkedid", "Type", "DNID", "EffectiveConnectedLineNum", "EffectiveConnectedLineName"),
        *("TimeToHangup", "BridgeID", "Application", "Data", "Nativeformats", "Readformat", "Readtrans"),
        *("Writeformat", "Writetrans", "Callgroup", "Pickupgroup", "Seconds", "ActionID"),
    ]
    assert item[1] == ("Privilege", "Call")
    assert 500 < len("".join(name + text for name, text in item)) < 900


def test_each_view_shows_the_same_channels(modern: SimulatedPbx) -> None:
    status = named(answer(modern, "Status"), "Status")
    core = named(answer(modern, "CoreShowChannels"), "CoreShowChannel")
    count = int(value(answer(modern, "CoreStatus")[0], "CoreCurrentCalls"))
    assert {value(item, "Uniqueid") for item in status} == {value(item, "Uniqueid") for item in core}
    assert len(status) == len(core) == count
    bridges = {value(item, "BridgeUniqueid"): item for item in named(answer(modern, "BridgeList"), "BridgeListItem")}
    inside = [value(item, "BridgeID") for item in status if value(item, "BridgeID")]
    assert {bridge: inside.count(bridge) for bridge in set(inside)} == {
        bridge: int(value(item, "BridgeNumChannels"))
        for bridge, item in bridges.items()
        if value(item, "BridgeNumChannels") != "0"
    }


def test_queue_summary_agrees_with_queue_status(modern: SimulatedPbx) -> None:
    status, summary = answer(modern, "QueueStatus"), named(answer(modern, "QueueSummary"), "QueueSummary")
    assert [value(item, "Queue") for item in summary] == ["support", "sales", "6003", "emergency"]
    for queue in summary:
        mine = [item for item in status if value(item, "Queue") == value(queue, "Queue")]
        members, waits = named(mine, "QueueMember"), [int(value(e, "Wait")) for e in named(mine, "QueueEntry")]
        present = [member for member in members if value(member, "Status") not in {"4", "5"}]
        free = [m for m in present if value(m, "Status") in {"0", "1"} and value(m, "Paused") == "0"]
        assert int(value(queue, "LoggedIn")) == len(present)
        assert int(value(queue, "Available")) == len(free)
        assert int(value(queue, "Callers")) == len(waits) == int(value(named(mine, "QueueParams")[0], "Calls"))
        assert int(value(queue, "LongestHoldTime")) == max(waits, default=0)


def test_queue_status_filters_by_queue_and_member(modern: SimulatedPbx) -> None:
    packets = answer(modern, "QueueStatus", ("Queue", "6003"), ("Member", "PJSIP/1022"))
    assert {value(packet, "Queue") for packet in packets[1:-1]} == {"6003"}
    assert [value(member, "Location") for member in named(packets, "QueueMember")] == ["PJSIP/1022"]


def test_outbound_registrations_carry_a_planted_password_as_real_ones_do(modern: SimulatedPbx) -> None:
    packets = answer(modern, "PJSIPShowRegistrationsOutbound")
    assert [value(packet, "ObjectName") for packet in named(packets, "OutboundRegistrationDetail")] == [
        "telco-a",
        "telco-b",
    ]
    assert value(named(packets, "AuthDetail")[0], "Password") == "not-a-real-password"
    assert (value(packets[-1], "Registered"), value(packets[-1], "NotRegistered")) == ("2", "0")


def test_fax_stats_is_a_response_and_one_event_without_completion(modern: SimulatedPbx) -> None:
    first, second = answer(modern, "FAXStats")
    assert value(first, "Message") == "FAXStats event will follow"
    assert second[:2] == [("Event", "FAXStats"), ("ActionID", "asked")]


def test_taskprocessors_come_as_output_lines_today(modern: SimulatedPbx) -> None:
    (packet,) = answer(modern, "Command", ("Command", "core show taskprocessors"))
    assert packet[0] == ("Response", "Success")
    assert value(packet, "Message") == "Command output follows"
    rows = [text for name, text in packet if name == "Output"]
    titles = "Processor Processed In Queue Max Depth Low water High water Low time(us) High time(us)"
    assert " ".join(rows[1].split()) == titles
    assert rows[2].split()[0] == "app_voicemail"
    assert rows[-2] == "14 taskprocessors"


def test_an_unknown_cli_command_is_an_error_with_output(modern: SimulatedPbx) -> None:
    (packet,) = answer(modern, "Command", ("Command", "core stop now"))
    assert packet[0] == ("Response", "Error")
    assert value(packet, "Output").startswith("No such command 'core stop now'")


@pytest.mark.slow
def test_asked_for_sizes_are_there() -> None:
    settings = DemoSettings(channels=10_000, endpoints=500, queues=30, traffic=0, warmup=0)
    with SimulatedPbx(settings, dialect=Dialect.MODERN) as pbx, PacketClient(pbx.port) as ami:
        ami.login()
        assert len(named(ami.answer("Status"), "Status")) == 10_000
        assert len(named(ami.answer("PJSIPShowEndpoints"), "EndpointList")) == 500
        queues = named(ami.answer("QueueStatus"), "QueueParams")
        assert len(queues) == 30
        assert [value(queue, "Queue") for queue in queues[3:6]] == ["emergency", "queue-5", "queue-6"]
        core = named(ami.answer("CoreShowChannels"), "CoreShowChannel")
        assert len({value(channel, "Linkedid") for channel in core}) == 5_000
        assert len(named(ami.answer("BridgeList"), "BridgeListItem")) == 5_000
