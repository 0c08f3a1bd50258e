from __future__ import annotations

import pytest

from ami_exporter.collectors import registrations
from ami_exporter.collectors.declarations import Context
from ami_exporter.collectors.lists import IAX_REGISTRATIONS, PJSIP_REGISTRATIONS, SIP_REGISTRATIONS
from tests.support.collecting import Samples, counted, message, messages, nonzero, polled, store_of

STATES = ["registered", "unregistered", "rejected", "pending", "timeout", "failed", "other"]


def pjsip(status: str) -> Samples:
    item = message(
        f"""
        Event: OutboundRegistrationDetail
        ObjectName: telco-a
        ClientUri: sip:user@telco.example
        Endpoint: telco-a
        Status: {status}
        NextReg: 0
        """
    )
    return polled(registrations.COLLECTOR, {PJSIP_REGISTRATIONS: [item]})


def test_trap_unregistered_contains_registered_and_is_not_up() -> None:
    assert pjsip("Unregistered")["asterisk_registration_up", "PJSIP", "telco-a"] == 0
    assert pjsip("Registered")["asterisk_registration_up", "PJSIP", "telco-a"] == 1
    assert pjsip("Rejected")["asterisk_registration_up", "PJSIP", "telco-a"] == 0


def test_trap_state_is_one_series_per_state_and_exactly_one_is_1() -> None:
    samples = pjsip("Rejected")
    states = {key[3]: value for key, value in samples.items() if key[0] == "asterisk_registration_state"}
    assert states == {state: float(state == "rejected") for state in STATES}


def test_a_word_never_seen_before_is_other_and_not_up() -> None:
    samples = pjsip("Pondering")
    assert nonzero(samples) == {("asterisk_registration_state", "PJSIP", "telco-a", "other"): 1}
    assert samples["asterisk_registration_up", "PJSIP", "telco-a"] == 0


def test_a_registration_without_status_is_absent() -> None:
    item = message("Event: OutboundRegistrationDetail\nObjectName: telco-a")
    assert polled(registrations.COLLECTOR, {PJSIP_REGISTRATIONS: [item]}) == {}


def test_auth_detail_is_never_read() -> None:
    item = message("Event: AuthDetail\nObjectName: telco-a\nUsername: u\nPassword: hunter2\nStatus: Registered")
    assert polled(registrations.COLLECTOR, {PJSIP_REGISTRATIONS: [item]}) == {}


@pytest.mark.parametrize(
    ("word", "state", "up"),
    [
        ("Registered", "registered", 1),
        ("Unregistered", "unregistered", 0),
        ("Request Sent", "pending", 0),
        ("Auth. Sent", "pending", 0),
        ("Rejected", "rejected", 0),
        ("No Authentication", "rejected", 0),
        ("Timeout", "timeout", 0),
        ("Failed", "failed", 0),
        ("Unknown", "other", 0),
    ],
)
def test_words_of_chan_sip_and_iax2(word: str, state: str, up: int) -> None:
    item = message(f"Event: RegistryEntry\nHost: telco.example\nPort: 5060\nUsername: user\nState: {word}")
    samples = polled(registrations.COLLECTOR, {SIP_REGISTRATIONS: [item], IAX_REGISTRATIONS: [item]})
    for technology in ("SIP", "IAX2"):
        assert samples["asterisk_registration_up", technology, "user@telco.example"] == up
        assert samples["asterisk_registration_state", technology, "user@telco.example", state] == 1


def test_a_cut_list_takes_only_its_own_registrations_away() -> None:
    item = message("Event: RegistryEntry\nHost: h\nUsername: u\nState: Registered")
    samples = polled(
        registrations.COLLECTOR,
        {SIP_REGISTRATIONS: [item], IAX_REGISTRATIONS: [item]},
        cut=[SIP_REGISTRATIONS],
    )
    assert {key[1] for key in samples} == {"IAX2"}


def test_registry_events_are_counted_by_technology_and_status() -> None:
    store = store_of(registrations.COLLECTOR, context=Context(technologies=("Local", "PJSIP")))
    assert counted(store)["asterisk_registration_events_total", "PJSIP", "rejected"] == 0
    store.feed(
        messages(
            """
            Event: Registry
            ChannelType: PJSIP
            Username: sip:user@telco.example
            Domain: sip:telco.example
            Status: Registered

            Event: Registry
            ChannelType: PJSIP
            Username: sip:user@telco.example
            Domain: sip:telco.example
            Status: Rejected
            Cause: 403

            Event: Registry
            ChannelType: IAX2
            Status: Request Sent
            """
        ),
        0.0,
    )
    assert nonzero(counted(store)) == {
        ("asterisk_registration_events_total", "PJSIP", "registered"): 1,
        ("asterisk_registration_events_total", "PJSIP", "rejected"): 1,
        ("asterisk_registration_events_total", "IAX2", "pending"): 1,
    }
