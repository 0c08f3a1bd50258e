from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_exporter.collectors import contacts
from ami_exporter.collectors.lists import AORS, CONTACTS, INBOUND_CONTACTS
from ami_exporter.collectors.useragents import families, user_agent
from tests.support.collecting import counted, message, messages, nonzero, polled, store_of


def test_contacts_are_counted_by_status_and_family_of_user_agent() -> None:
    items = messages(
        """
        Event: ContactList
        ObjectName: 101;@0123456789abcdef
        Uri: sip:101@192.0.2.1:5060
        Endpoint: 101
        UserAgent: Yealink SIP-T46S 66.86.0.15
        Status: Reachable
        RoundtripUsec: 12345

        Event: ContactList
        ObjectName: 102;@fedcba9876543210
        Endpoint: 102
        UserAgent: Yealink SIP-T42U 108.86.0.20
        Status: Unreachable
        RoundtripUsec: N/A

        Event: ContactList
        ObjectName: telco@@aaaa
        Endpoint: telco
        UserAgent:
        Status: NonQualified
        RoundtripUsec: N/A
        """
    )
    assert polled(contacts.COLLECTOR, {CONTACTS: items}) == {
        ("asterisk_contacts", "reachable"): 1,
        ("asterisk_contacts", "unreachable"): 1,
        ("asterisk_contacts", "unknown"): 0,
        ("asterisk_contacts", "non_qualified"): 1,
        ("asterisk_contacts", "removed"): 0,
        ("asterisk_user_agent_contacts", "Yealink SIP-T"): 2,
    }


def test_asterisk_13_lists_contacts_under_another_name_and_says_created() -> None:
    item = message("Event: ContactStatusDetail\nAOR: 101\nEndpointName: 101\nStatus: Created\nUserAgent: snom760/8.7")
    assert nonzero(polled(contacts.COLLECTOR, {INBOUND_CONTACTS: [item]})) == {
        ("asterisk_contacts", "non_qualified"): 1,
        ("asterisk_user_agent_contacts", "snom"): 1,
    }


def test_no_contacts_at_all_is_zero_of_each_status() -> None:
    samples = polled(contacts.COLLECTOR, {CONTACTS: []})
    assert samples == {("asterisk_contacts", status): 0 for status in contacts.STATUSES}


def test_an_aor_has_its_bound_contacts_and_their_limit() -> None:
    items = messages(
        """
        Event: AorList
        ObjectName: 101
        MaxContacts: 3
        Contacts: 101/sip:101@192.0.2.1:5060;x=a,b,101/sip:101@192.0.2.2:5060

        Event: AorList
        ObjectName: telco
        MaxContacts: 0
        Contacts:
        """
    )
    assert polled(contacts.COLLECTOR, {AORS: items}) == {
        ("asterisk_aor_contacts", "101"): 2,
        ("asterisk_aor_contacts_limit", "101"): 3,
        ("asterisk_aor_contacts", "telco"): 0,
    }


@pytest.mark.parametrize(
    ("written", "family"),
    [
        ("Yealink SIP-T46S 66.86.0.15", "Yealink SIP-T"),
        ("Yealink SIP VP-T49G 51.80.0.100 001565aabbcc", "Yealink SIP VP-T"),
        ("Grandstream GXP2170 1.0.11.6", "Grandstream GXP"),
        ("snom760/8.7.3.25.5", "snom"),
        ("PolycomVVX-VVX_410-UA/5.9.0.9373", "PolycomVVX-VVX"),
        ("Cisco-CP7960G/8.0", "Cisco-CP"),
        ("Fanvil X4 2.10.2.6844 0c383e2a1b2c", "Fanvil X"),
        ("Asterisk PBX 18.9.0", "Asterisk PBX"),
        ("FPBX-16.0.40(18.9.0)", "FPBX"),
        ("LinphoneiOS/4.5.1 (Max Muster's iPhone) LinphoneSDK", "LinphoneiOS"),
        ("Zoiper rv2.10.11.7-mod", "Zoiper"),
        ("MicroSIP/3.20.7", "MicroSIP"),
        ("3CXPhone 6.0.26523.0", "3CXPhone"),
        ("Phone abcdefabcdef", "other"),
        ("John Smith iPhone", "other"),
        ("alice@example.com", "other"),
        ("Alice", "other"),
        ("+49 30 1234567", "other"),
        ("sip:1001@198.18.0.1", "other"),
        ("Yealink John Smith", "Yealink"),
        ("snom John Smith's phone", "snom"),
        ("AVM FRITZ!Box 7590 154.07.57", "AVM FRITZ!Box"),
        ("FRITZ!OS", "FRITZ!OS"),
        ("Gigaset N510 IP PRO/42.250.00", "Gigaset"),
        ("OBIHAI/OBi202-3.2.2.8680EX", "OBIHAI/OBi"),
        ("Bria 5 release 5.8.3", "Bria"),
        ("Mitel-6867i/5.1.0", "Mitel"),
        ("  Aastra 6731i/3.3.1", "Aastra"),
        ("FreeSWITCH-mod_sofia/1.10.9", "FreeSWITCH-mod_sofia"),
        ("0015650aabbcc", "other"),
        ("00:15:65:aa:bb:cc", "other"),
        ("1.2.3", "other"),
        ("Z 5.5.10 v2.10.17.3", "Zoiper"),
        ("\\xff\\xfe\x00<script>", "other"),
        (" ", "other"),
        ("x" * 500, "other"),
    ],
)
def test_a_user_agent_is_reduced_to_its_family(written: str, family: str) -> None:
    assert user_agent(written) == family


@given(st.text() | st.text(max_size=30).map("Yealink SIP-T{}".format))
def test_no_user_agent_leads_out_of_the_list(written: str) -> None:
    assert user_agent(written) in families()


def test_status_changes_of_contacts_and_peers_are_counted() -> None:
    store = store_of(contacts.COLLECTOR)
    assert counted(store)["asterisk_contact_changes_total", "unreachable"] == 0
    store.feed(
        messages(
            """
            Event: ContactStatus
            URI: sip:101@192.0.2.1
            ContactStatus: NonQualified
            AOR: 101
            EndpointName: 101

            Event: ContactStatus
            ContactStatus: Reachable

            Event: ContactStatus
            ContactStatus: Updated

            Event: PeerStatus
            ChannelType: PJSIP
            Peer: PJSIP/101
            PeerStatus: Reachable

            Event: PeerStatus
            ChannelType: IAX2
            Peer: IAX2/branch
            PeerStatus: Lagged
            Time: 2500
            """
        ),
        0.0,
    )
    assert nonzero(counted(store)) == {
        ("asterisk_contact_changes_total", "non_qualified"): 1,
        ("asterisk_contact_changes_total", "reachable"): 1,
        ("asterisk_contact_changes_total", "other"): 1,
        ("asterisk_peer_changes_total", "PJSIP", "reachable"): 1,
        ("asterisk_peer_changes_total", "IAX2", "lagged"): 1,
    }
