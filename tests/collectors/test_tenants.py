"""Channels and calls by tenant: by Tenantid, or by AccountCode through a map or a pattern."""

from __future__ import annotations

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.collectors import tenants
from ami_exporter.collectors.declarations import Context, Sample, Trunk
from ami_exporter.collectors.lists import CORE_SHOW_CHANNELS, STATUS
from ami_exporter.collectors.tenants import Tenants
from tests.support.collecting import counted, store_of

BY_MAP = Tenants("accountcode", {"1001": "Acme", "1002": "Globex"})
COLLECTOR = tenants.collector(("Acme", "Globex"))
CHANNELS, NOW, CALLS, TALK = COLLECTOR.metrics


def message(**headers: str) -> Message:
    return Message.of([(name.lower(), value) for name, value in headers.items()])


@pytest.mark.parametrize(
    ("known", "headers", "tenant"),
    [
        (BY_MAP, {"AccountCode": "1001"}, "Acme"),
        (BY_MAP, {"AccountCode": "1003"}, "other"),
        (BY_MAP, {"AccountCode": ""}, "other"),
        (BY_MAP, {"Tenantid": "1001"}, "other"),
        (Tenants("accountcode", pattern="(?P<tenant>[a-z]+)-[0-9]+"), {"AccountCode": "acme-4711"}, "acme"),
        (Tenants("accountcode", pattern="(?P<tenant>[a-z]+)-[0-9]+"), {"AccountCode": "acme-4711x"}, "other"),
        (Tenants("accountcode", pattern="(?P<tenant>.*)"), {"AccountCode": "4930123456"}, "other"),
        (Tenants("tenantid"), {"Tenantid": "acme"}, "acme"),
        (Tenants("tenantid"), {"Tenantid": "+49 30 1234567"}, "other"),
        (Tenants("tenantid"), {"Tenantid": "bob@example.com"}, "other"),
        (Tenants("tenantid"), {"Tenantid": "a\nb"}, "other"),
        (Tenants("tenantid"), {}, "other"),
        (Tenants(), {"Tenantid": "acme"}, "other"),
    ],
)
def test_a_channels_tenant(known: Tenants, headers: dict[str, str], tenant: str) -> None:
    assert known.of(message(**headers)) == tenant


def polled(*items: Message, complete: frozenset[object] = frozenset({STATUS})) -> dict[tuple[str, str], float]:
    assert COLLECTOR.fold is not None
    fold = COLLECTOR.fold(Context(tenant=BY_MAP.of))
    for item in items:
        fold.item(STATUS, item)
    return {(metric.name, *labels): value for metric, labels, value in fold.finish(complete)}  # type: ignore[arg-type,misc]  # actions; one label


def test_channels_count_by_their_own_tenant_and_calls_by_the_first_one_named() -> None:
    found = polled(
        message(Channel="PJSIP/telco-1", Linkedid="1.1"),
        message(Channel="PJSIP/100-1", Linkedid="1.1", AccountCode="1001"),
        message(Channel="PJSIP/200-1", Linkedid="1.1", AccountCode="1002"),
        message(Channel="PJSIP/300-1", Linkedid="1.2", AccountCode="9999"),
        message(Channel="CBAnn/x", Linkedid="1.3", AccountCode="1001"),
        message(Channel="PJSIP/100-2", Linkedid="cny-1", AccountCode="1001"),
    )
    assert found == {
        (CHANNELS.name, "Acme"): 1,
        (CHANNELS.name, "Globex"): 1,
        (CHANNELS.name, "other"): 2,
        (NOW.name, "Acme"): 1,
        (NOW.name, "Globex"): 0,
        (NOW.name, "other"): 1,
    }


def test_a_list_that_was_cut_publishes_nothing_and_no_channel_is_none_for_each_tenant() -> None:
    assert polled(complete=frozenset()) == {}
    assert set(polled(complete=frozenset({CORE_SHOW_CHANNELS})).values()) == {0}


CONTEXT = Context(
    tenant=BY_MAP.of,
    trunks={"telco": Trunk("telco", "PJSIP", "telco")},
    trunk_names={("PJSIP", "telco"): "telco"},
)


class Feed:
    """A tracker and what it has counted."""

    def __init__(self) -> None:
        (tracked,) = COLLECTOR.tracked
        self.tracker = tracked.make()
        self.samples: list[Sample] = []

    def event(self, now: float, kind: str, **headers: str) -> None:
        self.samples.extend(self.tracker.event(message(Event=kind, **headers), CONTEXT, now))


def test_an_inbound_call_counts_for_the_tenant_of_the_phone_that_it_reached() -> None:
    feed = Feed()
    feed.event(0, "Newchannel", Channel="PJSIP/telco-1", Uniqueid="1", Linkedid="1", ChannelState="4")
    feed.event(1, "Newchannel", Channel="PJSIP/100-1", Uniqueid="2", Linkedid="1", ChannelState="0", AccountCode="1001")
    feed.event(5, "Newstate", Uniqueid="1", ChannelState="6")
    feed.event(65, "Hangup", Uniqueid="2", Linkedid="1", ChannelState="6", AccountCode="1001")
    feed.event(66, "Hangup", Uniqueid="1", Linkedid="1", ChannelState="6")
    assert feed.samples == [(CALLS, ("Acme", "inbound", "answered"), 1.0), (TALK, ("Acme",), 61.0)]


def test_an_account_code_that_comes_later_counts_and_an_unanswered_call_talked_for_no_time() -> None:
    feed = Feed()
    feed.event(0, "Newchannel", Channel="Local/1@x;1", Uniqueid="1", Linkedid="1", ChannelState="0")
    feed.event(1, "NewAccountCode", Channel="Local/1@x;1", Uniqueid="1", AccountCode="1002", OldAccountCode="")
    feed.event(2, "Hangup", Uniqueid="1", ChannelState="5", AccountCode="1002")
    assert feed.samples == [(CALLS, ("Globex", "internal", "unanswered"), 1.0), (TALK, ("Globex",), 0.0)]


def test_calls_that_are_too_old_or_of_before_a_loss_are_forgotten() -> None:
    feed = Feed()
    feed.event(0, "Newchannel", Channel="PJSIP/100-1", Uniqueid="1", Linkedid="1", ChannelState="4")
    assert list(feed.tracker.expire(10 * 86400.0)) == []
    feed.event(10 * 86400.0, "Hangup", Uniqueid="1", ChannelState="6")
    feed.event(0, "Newchannel", Channel="PJSIP/100-1", Uniqueid="2", Linkedid="2", ChannelState="4")
    feed.tracker.reset()
    feed.event(1, "Hangup", Uniqueid="2", ChannelState="6")
    assert feed.samples == []


def test_tenants_that_channels_name_are_capped_whole() -> None:
    """Six series of calls for each tenant: of ten, four fit."""
    one = store_of(tenants.collector(()), context=Context(tenant=Tenants("tenantid").of), limit=25)
    for number in range(10):
        name = chr(ord("a") + number) * 4
        channel = {"Channel": "Local/1@x;1", "Uniqueid": f"1.{number}", "Linkedid": f"1.{number}", "Tenantid": name}
        one.feed([message(Event="Newchannel", ChannelState="4", **channel)], 0.0)
        one.feed([message(Event="Hangup", ChannelState="6", **channel)], 1.0)
    found = counted(one)
    calls = {key[1] for key in found if key[0] == "asterisk_tenant_calls_total"}
    assert (len(calls), len([key for key in found if key[0] == "asterisk_tenant_calls_total"])) == (4, 24)
    assert sum(value for key, value in found.items() if key[0] == "asterisk_tenant_calls_total") == 4
    assert len([key for key in found if key[0] == "asterisk_tenant_talk_seconds_total"]) == 10
