"""The simulation itself, without sockets: repeatable, and its events tell the same story as its state."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from ami_exporter.ami.genuine import Reading
from ami_exporter.ami.header_orders import ORDERS, Era
from ami_exporter.ami.sift import read
from ami_exporter.demo.simulation import DemoSettings, Simulation

pytestmark = pytest.mark.slow

START = 1_700_000_000.0
HOUR = 3600.0
RTCP_KEPT = 25  # one in so many of the most frequent events: parsing them all took most of the time
Event = tuple[str, str, dict[str, str]]


def events_of(settings: DemoSettings, seconds: float, steps: int = 1) -> tuple[Simulation, list[Event]]:
    events: list[Event] = []
    reports = itertools.count()

    def tell(name: str, privilege: str, body: str) -> None:
        if name.startswith("RTCP") and next(reports) % RTCP_KEPT:
            return
        lines = (line.partition(": ") for line in body.split("\r\n") if line)
        events.append((name, privilege, {key: text for key, _colon, text in lines}))

    simulation = Simulation(settings, START, tell)
    for step in range(1, steps + 1):
        assert simulation.advance(START + seconds * step / steps)
    return simulation, events


@pytest.fixture(scope="module")
def hour() -> tuple[Simulation, list[Event]]:
    """An hour from an empty PBX on."""
    return events_of(DemoSettings(seed=8, warmup=0), HOUR)


def test_the_same_seed_gives_the_same_events_however_time_is_cut() -> None:
    _, once = events_of(DemoSettings(seed=5), 240, steps=1)
    _, again = events_of(DemoSettings(seed=5), 240, steps=977)
    assert len(once) > 500
    assert once == again


def test_another_seed_gives_other_events() -> None:
    assert events_of(DemoSettings(seed=5), 60)[1] != events_of(DemoSettings(seed=6), 60)[1]


def test_speed_only_changes_how_fast_simulated_time_runs() -> None:
    _, slow = events_of(DemoSettings(seed=5, speed=1), 200)
    _, fast = events_of(DemoSettings(seed=5, speed=10), 20)
    assert [name for name, _privilege, _body in slow] == [name for name, _privilege, _body in fast]


def test_no_event_lacks_headers_that_asterisk_writes(hour: tuple[Simulation, list[Event]]) -> None:
    """Else the exporter takes it for one that a stranger's text has torn."""
    for name, _privilege, body in hour[1]:
        kind = name.lower()
        if kind in ORDERS[Era.MODERN]:
            names = ("event", "privilege", *map(str.lower, body))
            assert read(Era.MODERN, kind, names).reading is Reading.WHOLE, (name, names)


def test_every_channel_is_new_once_and_hung_up_at_most_once(hour: tuple[Simulation, list[Event]]) -> None:
    simulation, events = hour
    born = [body["Uniqueid"] for name, _privilege, body in events if name == "Newchannel"]
    died = [body["Uniqueid"] for name, _privilege, body in events if name == "Hangup"]
    assert len(born) == len(set(born)) > 2000
    assert len(died) == len(set(died))
    assert set(born) - set(died) == set(simulation.world.channels)


def test_nothing_is_said_of_a_channel_before_its_birth_or_after_its_end(hour: tuple[Simulation, list[Event]]) -> None:
    alive: set[str] = set()
    for name, _privilege, body in hour[1]:
        if name == "Newchannel":
            alive.add(body["Uniqueid"])
        spoken = {body[key] for key in ("Uniqueid", "DestUniqueid", "ParkeeUniqueid") if key in body}
        assert spoken <= alive, name
        if name == "Hangup":
            alive.discard(body["Uniqueid"])


def test_states_told_by_events_are_the_states_of_the_channels(hour: tuple[Simulation, list[Event]]) -> None:
    simulation, events = hour
    told = {body["Uniqueid"]: body["ChannelState"] for name, _, body in events if name in {"Newchannel", "Newstate"}}
    assert all(told[uniqueid] == str(chan.state) for uniqueid, chan in simulation.world.channels.items())


def test_bridges_told_by_events_are_the_bridges_there_are(hour: tuple[Simulation, list[Event]]) -> None:
    simulation, events = hour
    inside: dict[str, set[str]] = {}
    for name, _privilege, body in events:
        match name:
            case "BridgeCreate":
                inside[body["BridgeUniqueid"]] = set()
            case "BridgeEnter":
                inside[body["BridgeUniqueid"]].add(body["Uniqueid"])
                assert int(body["BridgeNumChannels"]) == len(inside[body["BridgeUniqueid"]])
            case "BridgeLeave":
                inside[body["BridgeUniqueid"]].remove(body["Uniqueid"])
            case "BridgeDestroy":
                assert not inside.pop(body["BridgeUniqueid"])
    there = {uid: {chan.uniqueid for chan in bridge.channels} for uid, bridge in simulation.world.bridges.items()}
    assert inside == there


def test_every_dial_that_began_ends_or_is_still_ringing(hour: tuple[Simulation, list[Event]]) -> None:
    simulation, events = hour
    began = {body["DestUniqueid"] for name, _, body in events if name == "DialBegin"}
    ended = Counter(body["DestUniqueid"] for name, _, body in events if name == "DialEnd")
    assert set(ended) <= began
    assert began - set(ended) <= set(simulation.world.channels)
    assert max(ended.values()) == 2  # Asterisk says CANCEL twice for a queue member that did not answer
    statuses = {body["DialStatus"] for name, _, body in events if name == "DialEnd"}
    assert statuses == {"ANSWER", "BUSY", "NOANSWER", "CANCEL", "CONGESTION", "CHANUNAVAIL"}


def test_queue_events_add_up_to_the_queues(hour: tuple[Simulation, list[Event]]) -> None:
    simulation, events = hour

    def count(name: str, queue: str) -> int:
        return sum(event == name and body["Queue"] == queue for event, _privilege, body in events)

    for queue in simulation.world.queues:
        joined, left = count("QueueCallerJoin", queue.name), count("QueueCallerLeave", queue.name)
        abandoned, connected = count("QueueCallerAbandon", queue.name), count("AgentConnect", queue.name)
        talking = sum(member.in_call for member in queue.members)
        assert joined - left == len(queue.waiting)
        assert left == abandoned + connected
        assert abandoned == queue.abandoned
        assert count("AgentComplete", queue.name) == queue.completed
        assert connected - queue.completed >= talking


def test_a_caller_leaves_the_queue_before_the_agent_is_connected(hour: tuple[Simulation, list[Event]]) -> None:
    waiting: set[str] = set()
    for name, _privilege, body in hour[1]:
        match name:
            case "QueueCallerJoin":
                waiting.add(body["Uniqueid"])
            case "QueueCallerLeave":
                waiting.remove(body["Uniqueid"])
            case "AgentConnect":
                assert body["Uniqueid"] not in waiting
            case "QueueCallerAbandon":
                assert body["Uniqueid"] in waiting


def test_some_callers_hang_up_and_some_time_out(hour: tuple[Simulation, list[Event]]) -> None:
    hung_up, kinds = set(), Counter[str]()
    for name, _privilege, body in hour[1]:
        if name == "HangupRequest":
            hung_up.add(body["Uniqueid"])
        if name == "QueueCallerAbandon":
            kinds["abandoned" if body["Uniqueid"] in hung_up else "timeout"] += 1
    assert kinds["abandoned"] > kinds["timeout"] > 0


def test_parked_calls_of_the_events_are_those_in_the_lots(hour: tuple[Simulation, list[Event]]) -> None:
    simulation, events = hour
    parked = sum(name == "ParkedCall" for name, _privilege, _body in events)
    ended = sum(name in {"UnParkedCall", "ParkedCallTimeOut", "ParkedCallGiveUp"} for name, _privilege, _body in events)
    assert parked > 3
    assert parked - ended == sum(len(lot.parked) for lot in simulation.world.lots)


def test_device_states_of_the_events_are_those_of_the_endpoints(hour: tuple[Simulation, list[Event]]) -> None:
    simulation, events = hour
    told = {body["Device"]: body["State"] for name, _privilege, body in events if name == "DeviceStateChange"}
    assert len(told) > 30
    assert all(told.get(one.device, "NOT_INUSE") == one.state for one in simulation.world.endpoints)


def test_an_hour_has_everything_a_dashboard_shows(hour: tuple[Simulation, list[Event]]) -> None:
    simulation, events = hour
    seen = {name for name, _privilege, _body in events}
    assert seen >= {
        *("Newchannel", "Newstate", "Hangup", "HangupRequest", "DialBegin", "DialState", "DialEnd"),
        *("BridgeCreate", "BridgeEnter", "BridgeLeave", "BridgeDestroy", "Hold", "Unhold"),
        *("BlindTransfer", "AttendedTransfer", "ParkedCall", "UnParkedCall", "MusicOnHoldStart"),
        *("QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "AgentCalled", "AgentConnect"),
        *("AgentComplete", "AgentRingNoAnswer", "QueueMemberStatus", "QueueMemberPause", "QueueMemberAdded"),
        *("ConfbridgeStart", "ConfbridgeJoin", "ConfbridgeLeave", "ConfbridgeEnd", "AgentLogin", "AgentLogoff"),
        *("ContactStatus", "PeerStatus", "Registry", "Reload", "SpanAlarm", "SpanAlarmClear", "ReceiveFAX"),
        *("RTCPSent", "RTCPReceived", "InvalidPassword", "InvalidAccountID", "ChallengeResponseFailed"),
        *("MessageWaiting", "DeviceStateChange", "ExtensionStatus", "SuccessfulAuth", "ChallengeSent"),
    }
    assert {body["Cause"] for name, _privilege, body in events if name == "Hangup"} >= {
        "0",
        "1",
        "16",
        "17",
        "21",
        "34",
    }
    codes = {body["TechCause"] for name, _privilege, body in events if "TechCause" in body}
    assert codes == {"403", "404", "486", "503"}
    trunks = {body["Channel"].partition("-0")[0] for name, _privilege, body in events if name == "Newchannel"}
    assert {"PJSIP/telco-a", "PJSIP/telco-b"} <= trunks
    assert 10 < len(simulation.world.channels) < 150


def test_event_classes_are_asterisk_s(hour: tuple[Simulation, list[Event]]) -> None:
    classes = {name: privilege for name, privilege, _body in hour[1]}
    expected = {"Newchannel": "call", "AgentConnect": "agent", "RTCPSent": "reporting", "Newexten": "dialplan"}
    expected |= {"Registry": "system", "ContactStatus": "system", "ChallengeSent": "security", "ReceiveFAX": "call"}
    assert expected.items() <= classes.items()


def test_rtcp_speaks_of_plausible_media(hour: tuple[Simulation, list[Event]]) -> None:
    reports = [body for name, _privilege, body in hour[1] if name == "RTCPReceived"]
    # The first report of a call may come before anything was received, without a block.
    blocks = [body for body in reports if body["ReportCount"] != "0"]
    assert len(blocks) > len(reports) / 2
    assert all(0 <= int(body["Report0FractionLost"]) <= 255 for body in blocks)
    assert all(0.001 < float(body["RTT"]) < 0.5 for body in reports)
    assert all(0 < float(body["MES"]) < 90 for body in reports)
    assert 0.01 < sum(int(body["Report0FractionLost"]) > 0 for body in blocks) / len(blocks) < 0.6


def test_silence_is_possible() -> None:
    simulation, events = events_of(DemoSettings(traffic=0), HOUR)
    assert events == []
    assert simulation.due_in(START + HOUR) == float("inf")


def test_a_company_of_hardly_anybody_still_lives() -> None:
    for endpoints, queues in ((0, 0), (2, 4), (3, 1), (5, 9)):
        simulation, events = events_of(DemoSettings(endpoints=endpoints, queues=queues), 600)
        assert len(simulation.world.queues) == queues
        assert events
