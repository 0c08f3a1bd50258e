"""Names become pseudonyms: stable, telling nothing, and the structure stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_exporter.commands.capture.anonymise import anonymous
from ami_exporter.commands.capture.pseudonyms import PUBLIC, Pseudonyms
from tests.support.collecting import message


def test_the_same_name_has_the_same_pseudonym_wherever_it_stands() -> None:
    names = Pseudonyms()
    assert names.text("telco-good") == "w1-w2"
    assert names.text("PJSIP/telco-good") == "PJSIP/w1-w2"
    assert names.text("sip:telco-good@192.168.1.5:5060") == "sip:w1-w2@198.18.0.1:9001"
    assert names.text("192.168.1.5") == "198.18.0.1"


def test_separators_stay_so_that_odd_names_stay_odd() -> None:
    assert Pseudonyms().text("Sales Desk.2") == "w1 w2.9001"


def test_numbers_stay_numbers_and_words_with_digits_become_words() -> None:
    names = Pseudonyms()
    assert (names.text("+4930123456"), names.text("agent7001")) == ("+9001", "w1")


def test_words_of_asterisk_stay() -> None:
    assert Pseudonyms().text("Queue:sales_pause_Local/1@agents/n") == "Queue:w1_pause_Local/9001@w2/n"


def test_addresses_of_both_kinds_become_addresses_for_tests() -> None:
    assert Pseudonyms().text("[2a02:810d::1]:5060 10.0.0.1,10.0.0.2") == "[2001:db8::1]:9001 198.18.0.1,198.18.0.2"


def test_a_bound_on_names_gives_nothing_away_beyond_it() -> None:
    names = Pseudonyms(limit=1)
    assert [names.text(word) for word in ("alice", "bob", "alice")] == ["w1", "other", "w1"]


@pytest.mark.slow
@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=60))
def test_no_word_of_any_text_is_left(written: str) -> None:
    told = {word for word in re.findall(r"[^\W_]+", Pseudonyms().text(written)) if word.lower() not in PUBLIC}
    made = re.compile(r"w\d+|9\d{3}|198|18|0|\d{1,3}|2001|db8|[0-9a-f]")
    assert [word for word in told if not made.fullmatch(word)] == []


def packet(text: str) -> dict[str, str]:
    return dict(anonymous(message(text), Pseudonyms()))


def test_a_channel_keeps_its_technology_and_number() -> None:
    found = packet("Event: Status\nChannel: Local/1001@from-internal-0000001f;1\nUniqueid: pbx1-1795408511.12")
    assert found == {
        "event": "Status",
        "channel": "Local/9001@w1-w2-0000001f;1",
        "uniqueid": "w3-1795408511.12",
    }


def test_callers_secrets_and_addresses_of_people_are_dropped_not_replaced() -> None:
    text = """
        Event: VoicemailUserEntry
        VMContext: branch
        Fullname: Frida Frost
        Email: frida@example.org
        Pager: frida@example.org
        CallerIDNum: 4930123456
        CallerIDName: Frida Frost
        ConnectedLineNum: 4930123456
        ParkeeCallerIDNum: 4930123456
        EffectiveConnectedLineName: Frida
        AccountPassword: x
        ChanVariable: secret=1
        ChanVariable(PJSIP/frida-1): secret=1
        NewMessageCount: 3
    """
    assert packet(text) == {"event": "VoicemailUserEntry", "vmcontext": "w1", "newmessagecount": "3"}


def test_a_header_nobody_knows_is_replaced_word_by_word() -> None:
    assert packet("Event: X\nCustomerOfModule: Frida Frost, 030 123") == {
        "event": "X",
        "customerofmodule": "w1 w2, 9001 9002",
    }


def test_states_and_figures_are_kept() -> None:
    found = packet("Event: QueueMember\nStatus: 6\nPaused: 1\nPausedReason: Lunch\nCallsTaken: 17")
    assert found == {"event": "QueueMember", "status": "6", "paused": "1", "pausedreason": "w1", "callstaken": "17"}
