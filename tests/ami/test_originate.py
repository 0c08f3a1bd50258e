"""The one call that can be started, and those that cannot."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_exporter.ami import link, session
from ami_exporter.ami.actions import ACTIONS, Action
from ami_exporter.ami.codec import encode_headers
from ami_exporter.ami.destinations import EMERGENCY, is_emergency, refusal
from ami_exporter.ami.errors import ForbiddenAction
from ami_exporter.ami.message import Message
from ami_exporter.ami.originate import CanaryCall
from ami_exporter.ami.own_calls import canary_id, is_id, new_id
from ami_exporter.config.canary_settings import CanarySettings

GOOD = [
    *(
        "PJSIP/+4930123456@telco-a",
        "PJSIP/004930123456@telco-a",
        "PJSIP/030123456@telco-a",
        "PJSIP/telco-a/sip:4930123456@h",
    ),
    *("SIP/telco-a/4930123456", "SIP/4930123456@telco-a", "IAX2/branch/4930123456", "DAHDI/g1/030123456"),
    *(
        "Local/4930123456@ami-canary",
        "Local/4930123456@ami-canary/n",
        "PJSIP/+14155550123@telco-a",
        "PJSIP/0049301120000@a",
    ),
]
EMERGENCIES = [
    *("112", "911", "999", "000", "110", "111", "113", "115", "117", "118", "119", "122", "133", "144", "155", "158"),
    *("190", "192", "193", "061", "091", "100", "108", "995", "997", "998", "10111", "116117", "0112", "9911", "8999"),
    *("00112", "99911", "90112", "1112", "5911", "+49112", "0049112", "+1911", "01149112", "9011911"[:7], "*67911"),
    *("*31#112", "#31#911", "9-1-1", "9w911", "+440999", "+49110", "112112", "030112"),
]
OTHERS = [
    *("PJSIP/+4930123456@a&PJSIP/+4930999999@b", "Local/4930123456@from-internal", "Local/4930123456@ami-canary2"),
    *(
        "local/4930123456@default",
        "PJSIP/1001",
        "PJSIP/12345@telco-a",
        "SIP/phone",
        "Local/tone@ami-canary",
        "",
        "PJSIP",
    ),
    *(
        "PJSIP/",
        "/4930123456",
        "PJSIP/+4930123456@a\r\nApplication: System",
        "PJSIP/+4930123456@a\nX",
        "PJSIP/4930 123456@a",
    ),
    *("PJSIP/4930123456@a;x", "PJSIP/${EXTEN}@a", "PJSIP/493012345,1@a", "PJSIP/4930123456@a|b", "PJSIP/" + "4" * 120),
    *(
        "PJSIP/4930123456@a\0",
        "PJSIP/4930123456\\@a",
        'PJSIP/"4930123456"@a',
        "PJSIP/4930123456@a\t",
        "PJSIP/%39%31%31@a",
    ),
]


@pytest.mark.parametrize("channel", GOOD)
def test_a_number_of_ones_own_may_be_called(channel: str) -> None:
    assert refusal(channel, internal=False) == ""


@pytest.mark.parametrize("number", EMERGENCIES)
@pytest.mark.parametrize(
    "form", ["PJSIP/{}@telco-a", "SIP/telco-a/{}", "Local/{}@ami-canary", "PJSIP/telco-a/sip:{}@h"]
)
def test_an_emergency_number_is_never_called_with_or_without_what_is_dialled_before_it(number: str, form: str) -> None:
    assert "emergency" in refusal(form.format(number), internal=True)
    with pytest.raises(ForbiddenAction):
        CanaryCall(form.format(number), "none", 20, 10, internal=True)


@pytest.mark.parametrize("channel", OTHERS)
def test_several_foreign_or_short_destinations_are_refused(channel: str) -> None:
    assert refusal(channel, internal=False)
    with pytest.raises(ForbiddenAction):
        CanaryCall(channel, "none", 20, 10)


def test_there_are_more_than_forty_of_them() -> None:
    assert len({*EMERGENCIES, *OTHERS}) > 60


@given(st.sampled_from(sorted(EMERGENCY)), st.sampled_from(["", "0", "9", "00", "99", "1", "8"]))
def test_every_emergency_number_is_known_behind_an_outside_line(number: str, prefix: str) -> None:
    assert is_emergency(prefix + number)


@pytest.mark.parametrize(
    "channel", ["PJSIP/1001", "PJSIP/2001@ext", "SIP/phone", "Local/tone@ami-canary", "Local/600@ami-canary"]
)
def test_an_extension_of_ones_own_needs_the_word_internal(channel: str) -> None:
    assert refusal(channel, internal=False)
    assert refusal(channel, internal=True) == ""


def test_an_originate_has_one_form() -> None:
    call = CanaryCall("PJSIP/+4930123456@telco-a", "rtp", 20, 10)
    assert call.headers() == [
        ("Action", "Originate"),
        ("ActionID", call.call_id),
        ("Channel", "PJSIP/+4930123456@telco-a"),
        ("ChannelId", call.call_id),
        ("Application", "BridgeWait"),
        ("Data", "ami-canary,participant,e(s)S(10)"),
        ("Timeout", "20000"),
        ("Async", "true"),
        ("Account", "ami-canary"),
        ("Variable", "TIMEOUT(absolute)=33"),
        ("Variable", "CDR_PROP(disable)=1"),
    ]
    silent = dict(CanaryCall("PJSIP/+4930123456@telco-a", "none", 20, 10).headers())
    assert (silent["Application"], silent["Data"]) == ("Wait", "10")
    tone = dict(CanaryCall("PJSIP/+4930123456@telco-a", "tone", 20, 10).headers())
    assert (tone["Context"], tone["Exten"], tone["Priority"]) == ("ami-canary", "tone", "1")
    assert "Application" not in tone


ALLOWED_HEADERS = {
    *("Action", "ActionID", "Channel", "ChannelId", "Application", "Data", "Context", "Exten", "Priority", "Timeout"),
    *("Async", "Account", "Variable"),
}
ANYTHING = st.one_of(st.text(max_size=40), st.sampled_from([*GOOD, *OTHERS, "System", "rtp", "none", "tone"]))


SAID = st.tuples(
    ANYTHING, ANYTHING, st.integers(-5, 10**6) | st.booleans(), st.integers(-5, 10**6), st.booleans(), ANYTHING
)


@given(SAID)
def test_no_configuration_makes_another_one(said: tuple[str, str, int, int, bool, str]) -> None:
    """Whatever the six things that can be said of a call are: a call in the one form, or none."""
    channel, audio, ring, talk, internal, call_id = said
    for given_id in (new_id(), call_id):
        try:
            call = CanaryCall(channel, audio, ring, talk, internal, given_id)  # type: ignore[arg-type] # that is the test
        except ForbiddenAction:
            continue
        sent = call.headers()
        values = dict(sent)
        assert {name for name, _ in sent} <= ALLOWED_HEADERS
        assert values.get("Application") in (None, "Wait", "BridgeWait")
        assert values.get("Context") in (None, "ami-canary")
        assert [value.partition("=")[0] for name, value in sent if name == "Variable"][-2:] == [
            "TIMEOUT(absolute)",
            "CDR_PROP(disable)",
        ]
        assert 0 < int(values["Timeout"]) <= 60_000
        assert values["Async"] == "true"
        assert is_id(values["ChannelId"])
        packet = encode_headers(sent)
        assert packet.count(b"Action: ") == 1
        assert packet.count(b"\r\n") == len(sent) + 1


def test_the_settings_can_say_nothing_that_the_form_does_not_have() -> None:
    said = {field.name for field in fields(CanarySettings)} - {"user", "interval", "max_calls_per_day"}
    assert said == {"channel", "ring_timeout", "duration", "audio", "internal"}


def test_originate_is_no_action_of_the_table_and_has_one_sender() -> None:
    assert "Originate" not in ACTIONS
    with pytest.raises(ForbiddenAction):
        Action("Originate")
    methods = inspect.getmembers(link.Link, inspect.isfunction)
    senders = [name for name, method in methods if "call.headers()" in inspect.getsource(method)]
    assert senders == ["originate"]
    assert "Originate" not in inspect.getsource(session)


def test_an_event_is_a_canarys_by_any_of_the_names_it_has() -> None:
    call = new_id()
    for name in ("linkedid", "destlinkedid", "uniqueid", "actionid"):
        assert canary_id(Message.of([("event", "X"), (name, call)])) == call
    assert canary_id(Message.of([("event", "Hangup"), ("uniqueid", f"{call};2")])) == call
    for other in ("cny-1764.12", "cny-", "1764.12", f"{call}0", call.upper(), f"x{call}", f"{call};3"):
        assert canary_id(Message.of([("event", "Hangup"), ("uniqueid", other), ("linkedid", other)])) is None
