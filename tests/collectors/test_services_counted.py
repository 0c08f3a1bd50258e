from __future__ import annotations

import pytest

from ami_exporter.ami.event_classes import EVENT_CLASSES, EVENT_NAMES, classes_of
from ami_exporter.ami.message import Message
from ami_exporter.collectors import conferences, events, lifecycle, parking, queues, security
from ami_exporter.collectors.declarations import Context
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import TargetSettings
from ami_exporter.pbx.target import event_classes
from tests.support.collecting import counted, message, messages, nonzero, show, store_of


def named(name: str, **headers: str) -> Message:
    return Message.of([("event", name), *((key.lower(), value) for key, value in headers.items())])


def test_parking_events_by_lot() -> None:
    store = store_of(parking.COLLECTOR)
    names = ("ParkedCall", "ParkedCall", "ParkedCall", "UnParkedCall", "ParkedCallTimeOut", "ParkedCallGiveUp")
    store.feed([named(name, Parkinglot="default") for name in names], 0.0)
    assert counted(store) == {
        ("asterisk_parking_events_total", "default", "parked"): 3,
        ("asterisk_parking_events_total", "default", "retrieved"): 1,
        ("asterisk_parking_events_total", "default", "timeout"): 1,
        ("asterisk_parking_events_total", "default", "giveup"): 1,
    }


def test_a_parked_call_of_a_list_is_no_event() -> None:
    store = store_of(parking.COLLECTOR)
    store.feed([named("ParkedCall", Parkinglot="default", ActionID="a-7")], 0.0)
    assert nonzero(counted(store)) == {}


def test_the_lots_of_a_complete_list_exist_at_0() -> None:
    store = store_of(parking.COLLECTOR)
    show(store, parking.LOTS, [message("Event: Parkinglot\nName: default\nStartSpace: 701\nStopSpace: 720")])
    assert counted(store)["asterisk_parking_events_total", "default", "timeout"] == 0


def test_conference_joins() -> None:
    store = store_of(conferences.COLLECTOR)
    assert counted(store) == {("asterisk_conference_joins_total",): 0}
    store.feed([named("ConfbridgeJoin", Conference="8000")] * 2, 0.0)
    assert counted(store) == {("asterisk_conference_joins_total",): 2}


def test_shutdowns_and_reloads() -> None:
    store = store_of(lifecycle.COLLECTOR)
    assert counted(store)["asterisk_shutdowns_total", "unclean"] == 0
    store.feed(
        messages("""
            Event: Shutdown
            Shutdown: Uncleanly
            Restart: False

            Event: Shutdown
            Shutdown: Cleanly
            Restart: True

            Event: Reload
            Module: app_queue.so
            Status: 0

            Event: Reload
            Module: All
            Status: 3

            Event: Reload
            Module: All
            Status: 77
        """),
        0.0,
    )
    assert nonzero(counted(store)) == {
        ("asterisk_shutdowns_total", "unclean"): 1,
        ("asterisk_shutdowns_total", "clean"): 1,
        ("asterisk_reloads_total", "success"): 1,
        ("asterisk_reloads_total", "failed"): 1,
        ("asterisk_reloads_total", "other"): 1,
    }


def test_security_events_by_event_and_service_only() -> None:
    store = store_of(security.COLLECTOR)
    store.feed(
        messages("""
            Event: InvalidPassword
            Service: AMI
            AccountID: admin'; drop
            RemoteAddress: IPV4/TCP/198.51.100.7/40000

            Event: ChallengeResponseFailed
            Response: 0123456789abcdef
            Service: PJSIP
            AccountID: 201
            RemoteAddress: IPV4/UDP/198.51.100.7/5060

            Event: InvalidAccountID
            Service: "}\\n evil
            RemoteAddress: IPV4/UDP/198.51.100.7/5060
        """),
        0.0,
    )
    assert nonzero(counted(store)) == {
        ("asterisk_security_events_total", "InvalidPassword", "AMI"): 1,
        ("asterisk_security_events_total", "ChallengeResponseFailed", "PJSIP"): 1,
        ("asterisk_security_events_total", "InvalidAccountID", "other"): 1,
    }


class ByAddress:
    """Knows our own logins by their address alone."""

    def caused(self, event: str, account: str, address: tuple[str, int] | None) -> bool:
        assert event
        assert account == "exporter"
        return address in {("127.0.0.1", 54321), ("2001:db8::1", 40001)}


OWN = Context(own_logins=ByAddress())


def test_events_of_ami_exist_at_0_from_our_login_on_so_that_the_first_refused_one_is_an_increase() -> None:
    store = store_of(security.COLLECTOR)
    assert counted(store) == {}
    store.feed([named("FullyBooted", Status="Fully Booted")], 0.0)
    assert counted(store)["asterisk_security_events_total", "InvalidPassword", "AMI"] == 0


@pytest.mark.parametrize("address", ["IPV4/TCP/127.0.0.1/54321", "IPV6/TLS/2001:db8::1/40001"])
@pytest.mark.parametrize("name", ["SuccessfulAuth", "ChallengeSent"])
def test_our_own_logins_are_left_out_but_make_the_service_known(name: str, address: str) -> None:
    store = store_of(security.COLLECTOR, context=OWN)
    store.feed([named(name, Service="AMI", AccountID="exporter", RemoteAddress=address)], 0.0)
    assert nonzero(counted(store)) == {}
    assert counted(store)["asterisk_security_events_total", "InvalidPassword", "AMI"] == 0


@pytest.mark.parametrize(
    ("service", "address"),
    [
        ("AMI", "IPV4/TCP/127.0.0.1/54322"),
        ("AMI", "IPV4/TCP/127.0.0.2/54321"),
        ("PJSIP", "IPV4/TCP/127.0.0.1/54321"),
        ("AMI", "garbage"),
        ("AMI", "IPV4/TCP/127.0.0.1/54321x"),
    ],
)
def test_logins_of_others_count_even_with_our_account(service: str, address: str) -> None:
    store = store_of(security.COLLECTOR, context=OWN)
    store.feed([named("SuccessfulAuth", Service=service, AccountID="exporter", RemoteAddress=address)], 0.0)
    assert nonzero(counted(store)) == {("asterisk_security_events_total", "SuccessfulAuth", service): 1}


def test_events_by_name_of_the_fixed_list_and_no_other() -> None:
    store = store_of(events.COLLECTOR)
    store.feed([named("Newchannel"), named("newchannel"), named("Hangup"), named("Bogus"), named("VarSet")], 0.0)
    assert nonzero(counted(store)) == {
        ("asterisk_events_total", "Newchannel"): 2,
        ("asterisk_events_total", "Hangup"): 1,
    }


def test_counting_events_by_name_asks_for_no_class_of_its_own() -> None:
    assert store_of(events.COLLECTOR).events == frozenset()
    assert "queuecallerjoin" in store_of(events.COLLECTOR, queues.COLLECTOR).events


def test_every_event_a_rule_wants_has_its_class() -> None:
    wanted = store_of(queues.COLLECTOR, parking.COLLECTOR, conferences.COLLECTOR, lifecycle.COLLECTOR).events
    assert wanted <= EVENT_CLASSES.keys()
    assert set(map(str.lower, events.SELECTED)) <= EVENT_CLASSES.keys()
    assert set(map(str.lower, security.EVENTS)) <= EVENT_CLASSES.keys()


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["QueueCallerJoin"], {"agent"}),
        (["Join", "Leave"], {"call"}),
        (["hangup", "AgentConnect", "RTCPSent"], {"call", "agent", "reporting"}),
        (["FailedACL"], {"security"}),
        (["UserEvent"], {"user"}),
        (["Newexten"], {"dialplan"}),
        (["DongleNewSMS", "QuectelReport"], {"call"}),
        (["SomebodysOwnEvent"], {"agent", "call", "reporting", "system"}),
        ([], set()),
    ],
)
def test_classes_the_mask_must_hold(names: list[str], classes: set[str]) -> None:
    assert classes_of(names) == classes


def test_events_with_pins_and_passwords_are_not_in_the_table() -> None:
    assert not {"dtmfbegin", "dtmfend", "voicemailpasswordchange"} & EVENT_NAMES.keys()


def test_the_mask_holds_the_classes_of_enabled_rules_and_no_more() -> None:
    settings = TargetSettings("default", "127.0.0.1", "exporter", Secret("s"))
    assert event_classes(settings, (events.COLLECTOR,)) == frozenset()
    assert event_classes(settings, (events.COLLECTOR, security.COLLECTOR)) == {"security", "system"}
    assert event_classes(settings, (queues.COLLECTOR,)) == {"agent", "call"}
