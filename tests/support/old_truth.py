"""What is right of each scenario of the old servers, by their truth files, and whether the counters say so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum

from tests.support import old_servers as old
from tests.support.collecting import Samples
from tests.support.old_replay import played

CAUSES = {"16": "normal_clearing", "17": "user_busy", "21": "call_rejected"}
STATUS = {"ANSWER": "answered", "BUSY": "busy", "NOANSWER": "no_answer", "CANCEL": "cancelled"}
QUEUE_OUTCOME = {"answered": "answered", "abandoned": "abandoned", "timed out": "timeout"}


class Verdict(Enum):
    EQUAL = "equal"
    ABSENT = "absent"
    WRONG = "wrong"


def total(samples: Samples, name: str, *labels: str | None) -> float:
    """Sum over a metric's series that have these labels; None: any."""
    return sum(
        value
        for (metric, *rest), value in samples.items()
        if metric == f"asterisk_{name}" and all(want in (None, is_) for want, is_ in zip(labels, rest, strict=False))
    )


def figure(samples: Samples, name: str, *labels: str | None) -> float | None:
    """As `total`; None where there is no such series at all."""
    there = any(
        metric == f"asterisk_{name}" and all(want in (None, is_) for want, is_ in zip(labels, rest, strict=False))
        for metric, *rest in samples
    )
    return total(samples, name, *labels) if there else None


def judge(found: float | None, want: float) -> Verdict:
    """A figure that is not there says nothing; one that stands at 0 says that nothing happened."""
    if (found or 0.0) == want:
        return Verdict.EQUAL
    return Verdict.ABSENT if found is None else Verdict.WRONG


def legs(samples: Samples, status: str | None = None) -> float:
    """Dialled legs; Local channels stand for others."""
    return total(samples, "dials_total", None, status) - total(samples, "dials_total", "Local", status)


Check = Callable[[re.Match[str], Samples], Iterator[Verdict]]


def calls(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    outcome = "answered" if want[2] == "answered" else "unanswered"
    yield judge(figure(samples, "calls_total", want[1], outcome), float(want[3]))


def calls_of_dialplan(_want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(figure(samples, "calls_total"), 1.0)


def trunk_calls(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(figure(samples, "trunk_calls_total", want[2], want[1], "answered"), 1.0)


def dial_legs(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(legs(samples, STATUS[want[1]]), float(want[2]))


def no_leg(_want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(legs(samples), 0.0)


def leg_in_vain(_want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(legs(samples), 1.0)
    yield judge(legs(samples, "answered"), 0.0)


def picked_up(_want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(legs(samples, "cancelled"), 1.0)


def hangups(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(figure(samples, "hangups_total", want[1], CAUSES[want[2]]), float(want[3]))


def called_leg(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield Verdict.EQUAL if total(samples, "hangups_total", want[1], CAUSES[want[2]]) >= 1 else Verdict.WRONG


def queue(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    name, outcome = want[1], QUEUE_OUTCOME[want[2]]
    yield judge(figure(samples, "queue_joins_total", name), 1.0)
    yield judge(figure(samples, "queue_calls_total", name, outcome), 1.0)
    yield judge(figure(samples, "queue_calls_total", name), 1.0)


def near(found: float | None, seconds: float) -> Verdict:
    """Whole seconds of two clocks."""
    return Verdict.EQUAL if found is not None and abs(found - seconds) <= 1 else judge(found, seconds)


def waits(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield near(figure(samples, "queue_wait_seconds_sum", want[1]), float(want[2]))


def talks(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield near(figure(samples, "queue_talk_seconds_sum", want[1]), float(want[2]))


def ring_no_answer(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    (queue,) = [key[1] for key, joined in samples.items() if key[0] == "asterisk_queue_joins_total" and joined]
    found, least = figure(samples, "queue_ring_no_answer_total", queue), float(want[1])
    yield Verdict.EQUAL if found is not None and found >= least else judge(found, least)


def not_entered(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(figure(samples, "queue_joins_total", want[1]), 0.0)


def transfers(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(figure(samples, "transfers_total", want[1], "success"), float(want[2]))


def parking(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    ends = {"retrieved": "retrieved", "timed out": "timeout", "given up": "giveup"}
    yield judge(figure(samples, "parking_events_total", "default", "parked"), 1.0)
    yield judge(figure(samples, "parking_events_total", "default", ends[want[1]]), 1.0)


def conference(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(figure(samples, "conference_joins_total"), float(want[1]))


def holds(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(figure(samples, "holds_total"), float(want[1]))


def originates(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(figure(samples, "originates_total", want[1].lower()), float(want[2]))


def none_answered(_want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(figure(samples, "calls_total", None, "answered"), 0.0)


def agents(_want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    yield judge(figure(samples, "events_total", "AgentLogin"), 1.0)
    yield judge(figure(samples, "events_total", "AgentLogoff"), 1.0)


def peer(_want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    for status in ("unreachable", "reachable"):
        yield judge(figure(samples, "peer_changes_total", None, status), 1.0)


def registers(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    status = {"+1": ("registered", "reachable"), "-1": ("unregistered", "unreachable")}[want[1]]
    yield Verdict.EQUAL if any(total(samples, "peer_changes_total", None, one) for one in status) else Verdict.WRONG


def registrations(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    sip = "PJSIP" if ("asterisk_hangups_total", "PJSIP", "none") in samples else "SIP"
    technology = "IAX2" if want.string.startswith("IAX") else sip
    for status in ("registered", "rejected"):
        found = figure(samples, "registration_events_total", technology, status)
        yield Verdict.EQUAL if found else judge(found, 1.0)


def failed_logins(want: re.Match[str], samples: Samples) -> Iterator[Verdict]:
    bad = ("InvalidPassword", "InvalidAccountID", "ChallengeResponseFailed", "FailedACL", "RequestNotAllowed")
    there = figure(samples, "security_events_total")
    found = sum(total(samples, "security_events_total", event) for event in bad)
    yield Verdict.EQUAL if found >= float(want[1]) else judge(None if there is None else found, float(want[1]))


CHECKS: tuple[tuple[str, Check], ...] = (
    (r"(internal|inbound|outbound)(?: over [\w-]+)? (answered|busy|unanswered|refused|failed)\D*? (\d+)", calls),
    (r"calls: (internal) (\d+) \(answered by the dialplan\)", calls_of_dialplan),
    (r"(inbound|outbound) over ([\w-]+) answered 1", trunk_calls),
    (r"dial legs: (ANSWER|BUSY|NOANSWER|CANCEL) (\d+)", dial_legs),
    (r"dial legs: none", no_leg),
    (r"dial legs: 1, (?:refused|not answered)", leg_in_vain),
    (r"dial legs: 1003 not answered, answered elsewhere", picked_up),
    (r"hangups: (\w+) (\d+) x(\d+)", hangups),
    (r"hangups: (\w+) (\d+) on the called leg", called_leg),
    (r"queue (\w+): entered 1, (answered|abandoned|timed out) 1", queue),
    (r"queue (\w+):.* wait (?:about )?(\d+) s", waits),
    (r"queue (\w+):.* talk (\d+) s", talks),
    (r"queue (\w+): entered 0", not_entered),
    (r"ring no answer:? (\d+)", ring_no_answer),
    (r"(blind|attended) transfers: (\d+)(?! failed)", transfers),
    (r"parked 1, (retrieved|timed out|given up) 1", parking),
    (r"conference joins (\d+)", conference),
    (r"holds: (\d+)", holds),
    (r"originate: (Success|Failure) (\d+)", originates),
    (r"no call was answered", none_answered),
    (r"agent logins 1, logoffs 1", agents),
    (r"(phone 1008|trunk telco-a): unreachable, then reachable", peer),
    (r"phones registered: ([+-]1)", registers),
    (r"registrations:.*registered.*", registrations),
    (r"AMI failed logins: (\d+)", failed_logins),
    (r"failed authentications: (\d+) attempts", failed_logins),
)

NO_FIGURE = (
    r"calls: failed 1|calls: inbound failed 1 \(404\)",  # Asterisk refuses them without a channel, on every version
    r"blind transfers: 1 failed",  # to an extension that does not exist: likewise
    r"dial legs: CHANUNAVAIL 1 or none",
    r"talk 3 s",  # transcripts have no times
    r"member added 1",
    r"the FollowMe leg is answered by the phone",
    r"user events: 2",
    r"new messages in 1003",
    r"nothing registered",
    r"reloads: whatever the version says",
    r"the call ends with the server",
    r"one start",
)
"""What no figure of the event counters tells."""


CUT_SHORT = frozenset({("13", "registration_rejected")})
"""Whose transcript ends before what was done is told."""


def verdicts(version: str, scenario: str) -> Iterator[tuple[str, Verdict]]:
    """Each line of the truth with what the counters say of it."""
    for want in old.wants(version, scenario):
        if any(re.match(pattern, want) for pattern in NO_FIGURE) or (version, scenario) in CUT_SHORT:
            continue
        found = [
            verdict
            for pattern, check in CHECKS
            for match in re.finditer(pattern, want)
            for verdict in check(match, played(version)[scenario])
        ]
        assert found, f"nothing compares {want!r}"
        yield from ((want, verdict) for verdict in found)
