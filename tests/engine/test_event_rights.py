"""Which classes of events a link was given: asked for, until polls see what should have raised an event and did not."""

from __future__ import annotations

import pytest

from ami_exporter.collectors.lists import CORE_SHOW_CHANNELS, QUEUE_STATUS, STATUS
from ami_exporter.pbx.event_rights import BOOT_SECONDS, LATE_SECONDS, EventRights
from tests.support.collecting import message
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import listening, movable, scrape, target, until

ASKED = frozenset({"agent", "call", "reporting", "security", "system"})
WANTED = frozenset({"newchannel", "queuecallerjoin", "successfulauth"})
MODERN = (11, 0, 0)


class Link:
    """Rights of a link that logged in at 1000 s, and a clock that a test sets."""

    def __init__(self, wanted: frozenset[str] = WANTED, ami: tuple[int, ...] = MODERN) -> None:
        self.now = 1000.0
        self.rights = EventRights(ASKED, lambda: self.now, lambda: wanted)
        self.rights.begun(ami)

    def lacks(self, polls_since: float | None = 900.0) -> set[str]:
        return set(ASKED - self.rights.given(polls_since))

    def hears(self, *names: str) -> None:
        self.rights.heard(set(names))

    def polls(self, *items: str) -> None:
        for item in items:
            self.rights.item(STATUS, message(item))


def channel(age: int, name: str = "PJSIP/telco-0000001f") -> str:
    return f"Event: Status\nChannel: {name}\nSeconds: {age}"


def test_a_quiet_pbx_gives_what_was_asked_for_and_a_link_that_is_down_nothing() -> None:
    link = Link()
    link.now += 30
    assert link.lacks() == set()
    link.rights.ended()
    assert link.rights.given(900.0) == frozenset()
    assert link.rights.watched == ()


def test_a_channel_that_began_after_the_login_without_any_event_shows_that_class_call_is_missing() -> None:
    link = Link()
    link.now += 60
    assert set(link.rights.watched) == {STATUS, CORE_SHOW_CHANNELS, QUEUE_STATUS}
    link.polls(channel(3600), channel(58), channel(2), channel(20, "Announcer/0001"), "Event: Status\nChannel: SIP/a-1")
    assert link.lacks() == set(), "older than the link, on its way, of Asterisk itself, of no age"
    link.polls("Event: CoreShowChannel\nChannel: PJSIP/telco-1\nDuration: 00:00:20")
    assert link.lacks() == {"call"}
    assert set(link.rights.watched) == {QUEUE_STATUS}, "long lists are not looked at for nothing"


def test_an_event_proves_its_class_whatever_polls_saw() -> None:
    link = Link()
    link.now += 60
    link.polls(channel(20))
    link.hears("Hangup", "AgentComplete")
    link.polls(channel(20), "Event: QueueEntry\nWait: 20")
    assert link.lacks() == set()
    assert link.rights.watched == ()


def test_a_caller_in_a_queue_without_any_event_shows_that_class_agent_is_missing() -> None:
    link = Link()
    link.now += 60
    link.polls("Event: QueueEntry\nWait: 59")
    assert link.lacks() == set()
    link.polls("Event: QueueEntry\nWait: 30")
    assert link.lacks() == {"agent"}


def test_a_caller_in_a_queue_of_an_old_server_shows_nothing_for_its_join_is_of_class_call() -> None:
    link = Link(ami=(1, 3))
    link.now += 60
    link.hears("FullyBooted", "Join")
    link.polls("Event: QueueEntry\nWait: 30")
    assert link.lacks() == set()
    assert QUEUE_STATUS not in link.rights.watched


def test_a_later_login_of_ours_that_nobody_announced_shows_that_class_security_is_missing() -> None:
    link = Link()
    link.now += 30
    assert link.lacks(1001.0) == set(), "logged in with it"
    assert link.lacks(link.now - 1) == set(), "on its way"
    assert link.lacks(link.now - LATE_SECONDS - 1) == {"security"}
    assert "security" not in Link(ami=(1, 3)).lacks(link.now)
    link.hears("ChallengeSent")
    assert link.lacks(link.now - LATE_SECONDS - 1) == set()


def test_no_fullybooted_for_a_minute_shows_that_class_system_is_missing() -> None:
    link = Link()
    link.now += BOOT_SECONDS + 1
    assert link.lacks() == {"system"}
    link.hears("FullyBooted")
    assert link.lacks() == set()


@pytest.mark.parametrize("wanted", [frozenset[str](), frozenset({"parkedcall"})])
def test_what_no_rule_wants_may_be_filtered_out_and_tells_nothing(wanted: frozenset[str]) -> None:
    link = Link(wanted)
    link.now += 50
    assert link.rights.watched == ()
    assert link.lacks(1040.0) == set()


def test_what_one_login_lacked_the_next_lacks_too_until_an_event_proves_it() -> None:
    link = Link()
    link.now += BOOT_SECONDS + 1
    link.polls(channel(20))
    assert link.lacks(link.now - LATE_SECONDS - 1) == {"call", "security", "system"}
    link.rights.ended()
    link.rights.begun(MODERN)
    assert link.lacks(None) == {"call", "security", "system"}
    link.hears("FullyBooted")
    assert link.lacks(None) == {"call", "security"}
    link.hears("Newchannel", "SuccessfulAuth")
    assert link.lacks(None) == set()


def test_a_class_that_one_login_had_may_be_lacking_after_the_next() -> None:
    link = Link()
    link.hears("Newchannel")
    link.rights.ended()
    link.now += 60
    link.rights.begun(MODERN)
    assert link.lacks() == set()
    link.now += 60
    link.polls(channel(20))
    assert link.lacks() == {"call"}


def test_a_missing_class_stays_missing_while_the_poll_link_is_down() -> None:
    link = Link()
    link.now += 30
    assert link.lacks(link.now - LATE_SECONDS - 1) == {"security"}
    assert link.lacks(None) == {"security"}


def test_a_target_serves_the_classes_it_has_and_drops_one_that_a_poll_disproves() -> None:
    clock, _, clocks = movable()
    with ScriptedPbx() as pbx, target(pbx.port, clocks=clocks, events=True) as one:
        listening(one)
        until(lambda: one.stats.events_received == 1, "FullyBooted")

        def classes() -> set[str]:
            names = [dict(labels) for name, labels in scrape(one) if name == "ami_exporter_event_classes"]
            return {labels["class"] for labels in names}

        asked = classes()
        assert {"agent", "call", "security", "system"} <= asked, "its one channel is older than the link"
        clock.ahead += 40  # and now it would be younger
        until(lambda: classes() == asked - {"call"}, "a poll")
    with ScriptedPbx() as pbx, target(pbx.port) as without:
        assert "ami_exporter_event_classes" not in {name for name, _ in scrape(without)}
