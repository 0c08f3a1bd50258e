"""The rich state is what it claims to be, by the consoles of the real servers."""

from __future__ import annotations

import re

from tests.support import planted
from tests.support.pbx_pair import RichPbx


def _lines(pbx: RichPbx, command: str, pattern: str) -> int:
    return len(re.findall(pattern, pbx.server.cli(command), re.MULTILINE))


def test_phones_are_reachable_unreachable_unqualified_and_unregistered(rich: RichPbx) -> None:
    contacts = rich.server.cli("pjsip show contacts")
    assert len(re.findall(r"10\d\d/sip:.* Avail ", contacts)) == 7
    assert len(re.findall(r"10\d\d/sip:.* Unavail ", contacts)) == 2
    assert len(re.findall(r"10\d\d/sip:.* NonQual ", contacts)) == 1
    assert not re.search(r"(1009|1010)/sip:", contacts)


def test_trunks_are_registered_rejected_dead_and_ip_authenticated(rich: RichPbx) -> None:
    assert _lines(rich, "pjsip show registrations", r"telco-good/.* Registered ") == 1
    assert _lines(rich, "pjsip show registrations", r"telco-rejected/.* Rejected ") == 1
    assert _lines(rich, "pjsip show registrations", r"telco-dead/.* (Unregistered|Rejected) ") == 1
    assert _lines(rich, "pjsip show endpoints", r"Endpoint:  telco-ip .* In use ") == 1


def test_each_trunk_carries_calls_in_both_directions(rich: RichPbx) -> None:
    channels = rich.server.cli("core show channels concise")
    for trunk, inbound, outbound in (("telco-good", 2, 2), ("telco-ip", 1, 1)):
        assert len(re.findall(rf"^PJSIP/{trunk}-.*!Milliwatt!", channels, re.MULTILINE)) == inbound
        assert len(re.findall(rf"^PJSIP/{trunk}-.*!AppDial!", channels, re.MULTILINE)) == outbound


def test_queues_hold_waiting_callers_and_paused_members_with_reasons(rich: RichPbx) -> None:
    support = rich.server.cli("queue show support")
    assert support.startswith("support has 3 calls (max 50) in 'ringall' strategy")
    assert sorted(re.findall(r"\(paused:?([^)]*?) was", support)) == ["", "Back office", "Lunch"]
    assert len(re.findall(r"\(dynamic\)", support)) == 1
    assert rich.server.cli('queue show "Sales Desk.2"').startswith("Sales Desk.2 has 1 calls")


def test_conferences_parking_agents_and_lamps_are_in_use(rich: RichPbx) -> None:
    assert _lines(rich, "confbridge list", r"^weekly +3 .* No ") == 1
    assert _lines(rich, "confbridge list", r"^Board Room\.1 +2 .* Yes ") == 1
    assert _lines(rich, "parking show default", r"^ +Space +: +70[12]$") == 2
    assert _lines(rich, "agent show all", r"^7001 .* NOT_INUSE ") == 1
    assert _lines(rich, "agent show all", r"^7002 .* INUSE ") == 1
    assert _lines(rich, "agent show all", r"^7003 .* UNAVAILABLE ") == 1
    assert _lines(rich, "core show hints", r"Custom:night +State:InUse ") == 1


def test_mailboxes_hold_messages_and_what_must_not_leak(rich: RichPbx) -> None:
    with rich.server.ami() as ami:
        boxes = ami.items("VoicemailUsersList", "VoicemailUserEntryComplete")
    counts = {
        (box["VMContext"], box["VoiceMailbox"]): (box["NewMessageCount"], box["OldMessageCount"]) for box in boxes
    }
    assert counts == {
        ("default", "1001"): ("3", "2"),
        ("default", "1002"): ("0", "1"),
        ("default", "1003"): ("0", "0"),
        ("branch.berlin", "1001"): ("1", "0"),
    }
    assert {box["Email"] for box in boxes} == {planted.EMAIL}


def test_iax2_neighbours_are_registered_rejected_reachable_and_dead(rich: RichPbx) -> None:
    assert _lines(rich, "iax2 show registry", r" Registered$") == 1
    assert _lines(rich, "iax2 show registry", r" Rejected$") == 1
    assert _lines(rich, "iax2 show peers", r"^iax-good/.* OK \(") == 1
    assert _lines(rich, "iax2 show peers", r"^iax-dead/.* UNREACHABLE") == 1
    assert _lines(rich, "core show channels concise", r"^IAX2/iax-good-") == 1


def test_chan_sip_has_phones_in_every_state_on_16(rich16: RichPbx) -> None:
    peers, _, _summary = rich16.server.cli("sip show peers").strip().rpartition("\n")
    states = dict(re.findall(r"^(\S+) .* (OK|LAGGED|UNREACHABLE|Unmonitored|UNKNOWN)\b", peers, re.MULTILINE))
    assert states == {
        "2001/2001": "OK",
        "2002/2002": "Unmonitored",
        "2003": "UNKNOWN",
        "dead-phone": "UNREACHABLE",
        "sip-trunk": "OK",
        "slow-phone": "LAGGED",
    }
    assert len(re.findall(r" Registered ", rich16.server.cli("sip show registry"))) == 1


def test_the_rich_state_names_people_and_numbers_that_must_not_leak(rich: RichPbx) -> None:
    with rich.server.ami() as ami:
        channels = ami.items("CoreShowChannels", "CoreShowChannelsComplete")
    assert len(channels) == 44
    assert sum(planted.CALLER_NUMBER in channel["CallerIDNum"] for channel in channels) >= 10
