from __future__ import annotations

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.collectors import endpoints
from ami_exporter.collectors.lists import (
    AORS,
    CONTACTS,
    DEVICES,
    IAX_PEERS,
    MAINTENANCE,
    PJSIP_ENDPOINTS,
    SIP_PEERS,
    STATUS,
    peer_status,
)
from tests.support.collecting import Samples, message, nonzero, polled


def endpoint(name: str, state: str, aor: str = "") -> Message:
    # Asterisk 16 leaves ActiveChannels empty: channels come from the channel list.
    aor = aor or name
    return message(f"Event: EndpointList\nObjectName: {name}\nAor: {aor}\nDeviceState: {state}\nActiveChannels:")


def aor(name: str, frequency: int) -> Message:
    return message(f"Event: AorList\nObjectName: {name}\nQualifyFrequency: {frequency}")


def contact(name: str, status: str, rtt: str = "N/A") -> Message:
    return message(f"Event: ContactList\nEndpoint: {name}\nStatus: {status}\nRoundtripUsec: {rtt}")


def peer(name: str, status: str, channeltype: str = "SIP") -> Message:
    return message(f"Event: PeerEntry\nChanneltype: {channeltype}\nObjectName: {name}\nStatus: {status}")


def device(name: str, state: str) -> Message:
    return message(f"Event: DeviceStateChange\nDevice: {name}\nState: {state}")


def channel(name: str) -> Message:
    return message(f"Event: Status\nChannel: {name}")


def states(samples: Samples, technology: str) -> dict[str, float]:
    return {key[2]: value for key, value in samples.items() if key[:2] == ("asterisk_endpoints", technology) and value}


def test_a_pjsip_endpoint_is_as_reachable_as_its_best_contact() -> None:
    samples = polled(
        endpoints.COLLECTOR,
        {
            PJSIP_ENDPOINTS: [
                endpoint("101", "In use"),
                endpoint("102", "Not in use"),
                endpoint("103", "Unavailable"),
                endpoint("104", "Not in use"),
                endpoint("105", "Unavailable"),
            ],
            CONTACTS: [
                contact("101", "Unreachable"),
                contact("101", "Reachable", "20000"),
                contact("102", "NonQualified"),
                contact("103", "Unreachable"),
                contact("104", "Unknown"),
            ],
        },
    )
    assert states(samples, "PJSIP") == {"reachable": 1, "unmonitored": 1, "unreachable": 2, "unknown": 1}
    ups = {key[2]: value for key, value in samples.items() if key[0] == "asterisk_endpoint_up"}
    assert ups == {"101": 1, "102": 1, "103": 0, "104": 1, "105": 0}


def test_an_unqualified_contact_is_unmonitored_and_no_failure() -> None:
    samples = polled(
        endpoints.COLLECTOR,
        {PJSIP_ENDPOINTS: [endpoint("101", "Not in use")], CONTACTS: [contact("101", "NonQualified")]},
    )
    assert nonzero(samples) == {
        ("asterisk_endpoints", "PJSIP", "unmonitored"): 1,
        ("asterisk_endpoint_up", "PJSIP", "101"): 1,
    }


def test_permanent_contacts_are_in_no_list_so_device_state_and_aor_tell() -> None:
    samples = polled(
        endpoints.COLLECTOR,
        {
            PJSIP_ENDPOINTS: [
                endpoint("asked", "Not in use"),
                endpoint("never-asked", "Not in use"),
                endpoint("one-of-two", "Not in use", "never-asked,asked"),
                endpoint("dead", "Unavailable", "asked"),
            ],
            CONTACTS: [],
            AORS: [aor("asked", 60), aor("never-asked", 0)],
        },
    )
    assert states(samples, "PJSIP") == {"reachable": 2, "unmonitored": 1, "unreachable": 1}


def test_the_worst_round_trip_of_an_endpoints_contacts_counts() -> None:
    samples = polled(
        endpoints.COLLECTOR,
        {
            CONTACTS: [
                contact("101", "Reachable", "20000"),
                contact("101", "Reachable", "150000"),
                contact("102", "Reachable", "N/A"),
                contact("103", "Unreachable", "90000"),
            ]
        },
    )
    assert samples == {("asterisk_endpoint_rtt_seconds", "PJSIP", "101"): 0.15}


def test_trap_unknown_round_trips_are_absent_not_0_or_minus_1() -> None:
    for rtt in ("N/A", "-1", "0", ""):
        samples = polled(endpoints.COLLECTOR, {CONTACTS: [contact("101", "Reachable", rtt)]})
        assert samples == {}
    samples = polled(endpoints.COLLECTOR, {SIP_PEERS: [peer("101", "UNREACHABLE")]})
    assert ("asterisk_endpoint_rtt_seconds", "SIP", "101") not in samples


@pytest.mark.parametrize(
    ("word", "state", "up"),
    [
        ("Not in use", "reachable", 1),
        ("In use", "reachable", 1),
        ("Busy", "reachable", 1),
        ("Ringing", "reachable", 1),
        ("Ring+Inuse", "reachable", 1),
        ("On Hold", "reachable", 1),
        ("Unavailable", "unreachable", 0),
        ("Invalid", "unknown", 0),
        ("Unknown", "unknown", 0),
    ],
)
def test_human_device_states_of_the_endpoint_list(word: str, state: str, up: int) -> None:
    samples = polled(endpoints.COLLECTOR, {PJSIP_ENDPOINTS: [endpoint("101", word)]})
    assert states(samples, "PJSIP") == {state: 1}
    assert samples["asterisk_endpoint_up", "PJSIP", "101"] == up


def test_without_write_system_pjsip_endpoints_come_from_device_states() -> None:
    items = [
        device("PJSIP/101", "NOT_INUSE"),
        device("PJSIP/102", "UNAVAILABLE"),
        device("Queue:600_pause_PJSIP/101", "NOT_INUSE"),
        device("SIP/9", "NOT_INUSE"),
    ]
    samples = polled(endpoints.COLLECTOR, {DEVICES: items, STATUS: [channel("PJSIP/101-00000001")]})
    assert nonzero(samples) == {
        ("asterisk_endpoints", "PJSIP", "reachable"): 1,
        ("asterisk_endpoints", "PJSIP", "unreachable"): 1,
        ("asterisk_endpoint_up", "PJSIP", "101"): 1,
        ("asterisk_endpoint_active_channels", "PJSIP", "101"): 1,
    }
    assert samples["asterisk_endpoint_up", "PJSIP", "102"] == 0


def test_device_states_without_pjsip_claim_no_pjsip() -> None:
    assert polled(endpoints.COLLECTOR, {DEVICES: [device("SIP/9", "NOT_INUSE")]}) == {}


def test_no_endpoints_found_is_zero_of_each_state() -> None:
    samples = polled(endpoints.COLLECTOR, {PJSIP_ENDPOINTS: []})
    assert {key[2]: value for key, value in samples.items()} == {
        "reachable": 0,
        "lagged": 0,
        "unreachable": 0,
        "unmonitored": 0,
        "unknown": 0,
    }


def test_channels_belong_to_the_endpoint_in_their_name_dashes_and_dots_included() -> None:
    samples = polled(
        endpoints.COLLECTOR,
        {
            PJSIP_ENDPOINTS: [endpoint("telco-a.example", "In use"), endpoint("telco", "Not in use")],
            SIP_PEERS: [peer("telco", "OK (1 ms)")],
            STATUS: [
                channel("PJSIP/telco-a.example-00000001"),
                channel("PJSIP/telco-a.example-00000002"),
                channel("SIP/telco-00000003"),
                channel("Local/600@telco-00000004;1"),
            ],
        },
    )
    active = {key[1:]: value for key, value in samples.items() if key[0] == "asterisk_endpoint_active_channels"}
    assert active == {("PJSIP", "telco-a.example"): 2, ("PJSIP", "telco"): 0, ("SIP", "telco"): 1}


def test_chan_sip_and_iax2_peers_share_one_table_of_words() -> None:
    words = ["OK (12 ms)", "LAGGED (2500 ms)", "UNREACHABLE", "UNKNOWN", "Unmonitored"]
    samples = polled(
        endpoints.COLLECTOR,
        {
            SIP_PEERS: [peer(str(number), word) for number, word in enumerate(words)],
            IAX_PEERS: [peer(str(number), word, "IAX") for number, word in enumerate(words)],
        },
    )
    for technology in ("SIP", "IAX2"):
        assert states(samples, technology) == dict.fromkeys(
            ["reachable", "lagged", "unreachable", "unknown", "unmonitored"], 1
        )
        assert {key[2]: value for key, value in samples.items() if key[:2] == ("asterisk_endpoint_up", technology)} == {
            "0": 1,
            "1": 1,
            "2": 0,
            "3": 0,
        }
        assert samples["asterisk_endpoint_rtt_seconds", technology, "0"] == 0.012
        assert samples["asterisk_endpoint_rtt_seconds", technology, "1"] == 2.5


def test_a_status_of_another_form_is_unknown() -> None:
    assert peer_status("") == ("unknown", None)
    assert peer_status("OK (fast)") == ("unknown", None)
    assert peer_status("Cached RT") == ("unknown", None)
    assert peer_status(f"OK ({'9' * 5000} ms)") == ("reachable", None)


def test_trap_a_cut_list_publishes_nothing_and_hides_nothing_else() -> None:
    samples = polled(
        endpoints.COLLECTOR,
        {PJSIP_ENDPOINTS: [endpoint("101", "In use")], SIP_PEERS: [peer("9", "UNREACHABLE")]},
        cut=[PJSIP_ENDPOINTS],
    )
    assert {key[1] for key in samples} == {"SIP"}


def test_reachability_waits_for_the_contacts_that_were_cut() -> None:
    samples = polled(
        endpoints.COLLECTOR,
        {PJSIP_ENDPOINTS: [endpoint("101", "Not in use")], CONTACTS: [contact("101", "Reachable", "1000")]},
        cut=[CONTACTS],
    )
    assert samples == {("asterisk_endpoint_up", "PJSIP", "101"): 1}


def test_an_endpoint_in_maintenance_mode_is_not_up_though_it_answers() -> None:
    items = {
        PJSIP_ENDPOINTS: [
            message(f"Event: EndpointList\nObjectName: {name}\nDeviceState: Not in use") for name in ("a", "b")
        ],
        MAINTENANCE: [message("Event: PJSIPMaintenanceStatus\nEndpoint: a\nStatus: enabled")],
    }
    found = polled(endpoints.COLLECTOR, items)
    assert {key[2]: value for key, value in found.items() if key[0] == "asterisk_endpoint_up"} == {"a": 0, "b": 1}
    assert [key for key in found if key[0] == "asterisk_endpoint_maintenance"] == [
        ("asterisk_endpoint_maintenance", "PJSIP", "a")
    ]
    cut = polled(endpoints.COLLECTOR, items, cut=[MAINTENANCE])
    assert cut["asterisk_endpoint_up", "PJSIP", "a"] == 1
