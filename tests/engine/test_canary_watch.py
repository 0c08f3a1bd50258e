"""A call's events, in any order and of any version, to its outcome."""

from __future__ import annotations

from ami_exporter.ami.message import Message
from ami_exporter.ami.originate import Audio
from ami_exporter.ami.own_calls import new_id
from ami_exporter.pbx.canary_watch import CanaryOutcome, CanaryWatch

ID = new_id()
Step = tuple[float, str, dict[str, str]]


def of(event: str, **headers: str) -> Message:
    ends = {"destuniqueid": ID} if event.startswith("Dial") else {"uniqueid": ID}
    return Message.of([("event", event), *({**ends, "linkedid": ID, **headers}).items()])


def watched(*steps: Step, audio: Audio = "rtp") -> CanaryOutcome:
    watch = CanaryWatch(ID, audio, 0.0)
    for at, event, headers in steps:
        watch.event(of(event, **headers), at)
    return watch.outcome()


BEGIN: Step = (1.0, "DialBegin", {})
RINGS: Step = (2.0, "DialState", {"dialstatus": "RINGING"})
ANSWERS: Step = (4.0, "DialEnd", {"dialstatus": "ANSWER"})
RESPONSE: Step = (4.0, "OriginateResponse", {"response": "Success", "reason": "4"})
HEARD: Step = (6.0, "RTCPSent", {"reportcount": "1", "report0fractionlost": "64", "mes": "88.0"})
HEARD_THERE: Step = (
    6.0,
    "RTCPReceived",
    {"reportcount": "1", "report0fractionlost": "0", "rtt": "0.02", "mes": "80.0"},
)
NOTHING_YET: Step = (5.0, "RTCPSent", {"reportcount": "0"})
ENDS: Step = (14.0, "Hangup", {"cause": "16"})


def test_a_call_with_audio_both_ways() -> None:
    found = watched(BEGIN, RINGS, ANSWERS, RESPONSE, NOTHING_YET, HEARD, HEARD_THERE, ENDS)
    assert found == CanaryOutcome(
        "success",
        {"first_ringing": 1.0, "answer": 3.0, "total": 13.0},
        "normal_clearing",
        None,
        {"inbound": True, "outbound": True},
        {"inbound": 0.25, "outbound": 0.0},
        0.02,
        80.0,
    )


def test_the_response_may_come_before_the_end_of_dialling_and_after() -> None:
    assert watched(BEGIN, RESPONSE, ANSWERS, HEARD, ENDS) == watched(BEGIN, ANSWERS, RESPONSE, HEARD, ENDS)


def test_asterisk_13_has_no_dial_state_but_states_of_the_channel() -> None:
    old: tuple[Step, ...] = (
        (1.0, "Newchannel", {}),
        (2.0, "Newstate", {"channelstate": "5"}),
        (4.0, "Newstate", {"channelstate": "6"}),
    )
    found = watched(*old, ENDS, audio="none")
    assert (found.result, found.phases) == ("success", {"first_ringing": 1.0, "answer": 3.0, "total": 13.0})


def test_our_own_timeout_is_not_the_providers_fault() -> None:
    given_up: Step = (21.0, "Hangup", {"cause": "19", "techcause": "480"})
    failure: Step = (21.0, "OriginateResponse", {"response": "Failure", "reason": "3"})
    for order in ((given_up, failure), (failure, given_up)):
        found = watched(BEGIN, RINGS, *order)
        assert (found.result, found.cause, found.sip_code) == ("no_answer", None, None)
    assert watched(BEGIN, given_up).result == "failed"


def test_a_480_that_the_provider_sent_is_shown() -> None:
    refused: Step = (3.0, "HangupRequest", {"cause": "19", "techcause": "480"})
    found = watched(BEGIN, refused, (3.0, "Hangup", {"cause": "19", "techcause": "480"}))
    assert (found.result, found.cause, found.sip_code) == ("no_answer", "no_answer", "480")


def test_a_failure_before_any_channel_ends_the_call_and_one_after_waits_for_the_hangup() -> None:
    watch = CanaryWatch(ID, "none", 0.0)
    watch.event(of("OriginateResponse", response="Failure", reason="0"), 1.0)
    assert watch.ended_at == 1.0
    assert watch.outcome().result == "failed"
    watch = CanaryWatch(ID, "none", 0.0)
    watch.event(of("DialBegin"), 0.5)
    watch.event(of("OriginateResponse", response="Failure", reason="0"), 1.0)
    assert watch.ended_at is None


def test_what_nobody_reported_is_absent_and_an_answer_without_any_report_is_no_proof_of_audio() -> None:
    found = watched(BEGIN, ANSWERS, HEARD, ENDS)
    assert (found.result, dict(found.media)) == ("success", {"inbound": True})
    unproved = watched(BEGIN, ANSWERS, ENDS)
    assert (unproved.result, dict(unproved.media)) == ("failed", {})
    assert watched(BEGIN, ANSWERS, ENDS, audio="none").result == "success"


def test_the_leg_behind_a_local_channel_knows_why() -> None:
    leg: Step = (2.0, "Hangup", {"uniqueid": "1764.5", "cause": "17", "techcause": "486"})
    found = watched(BEGIN, (2.0, "DialEnd", {"dialstatus": "BUSY"}), leg, (2.1, "Hangup", {"cause": "0"}))
    assert (found.result, found.cause, found.sip_code) == ("busy", "user_busy", "486")


def test_odd_values_are_left_out() -> None:
    odd: Step = (5.0, "RTCPReceived", {"reportcount": "many", "rtt": "-1", "mes": "nan"})
    worse: Step = (5.0, "RTCPReceived", {"reportcount": "1", "report0fractionlost": "999", "rtt": "1e9", "mes": "0.0"})
    found = watched(BEGIN, ANSWERS, HEARD, odd, worse, (9.0, "Hangup", {"cause": "nonsense", "techcause": "x" * 50}))
    assert (found.rtt, dict(found.loss), found.mes, found.cause) == (None, {"inbound": 0.25}, 88.0, "other")
