"""When a canary is due, what holds it back, what outlives a reload."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.canary_settings import CanarySettings
from ami_exporter.config.secret import Secret
from ami_exporter.pbx.canaries import FOREIGN_SECONDS, Canaries, Surroundings
from ami_exporter.pbx.canary_ledger import DAY_SECONDS, Entry, Ledger
from ami_exporter.pbx.canary_watch import CanaryOutcome
from ami_exporter.pbx.login_backoff import LoginPaused

ONE = CanarySettings("PJSIP/+4930123456@telco-a", AmiUser("canary", Secret("x")), interval=900.0, max_calls_per_day=3)
GOOD, BAD = CanaryOutcome("success"), CanaryOutcome("busy")


class World:
    """What surrounds canaries, to be changed by a test; calls are counted and end at once."""

    def __init__(self, outcome: CanaryOutcome = GOOD, **canaries: CanarySettings) -> None:
        self.now = 1000.0
        self.starting = False
        self.listening: float | None = 100.0
        self.full: bool | None = False
        self.outcome = outcome
        self.calls: list[float] = []
        around = Surroundings(
            lambda _user, _deadline: pytest.fail("no link is opened here"),
            lambda: self.starting,
            lambda: self.listening,
            lambda _channel: self.full,
        )
        self.canaries = Canaries(
            "pbx", canaries or {"a": ONE}, around, clock=lambda: self.now, wall=lambda: self.now, chance=lambda: 0.5
        )
        self.paused = False
        self.canaries.call = self.call  # type: ignore[method-assign, assignment] # the call itself is another test's

    def call(self, _one: CanarySettings) -> CanaryOutcome:
        if self.paused:
            raise LoginPaused("an earlier login was refused")
        self.calls.append(self.now)
        return self.outcome

    def run(self, seconds: float) -> None:
        """Let time pass, in steps as the thread would see it."""
        end = self.now + seconds
        while self.now < end:
            name = self.canaries._due()
            if name is not None:
                self.canaries.attend(name)
            self.now += 1.0

    @property
    def skipped(self) -> dict[str, float]:
        return dict(+self.canaries._ledger.entries["a"].skips)


def test_the_first_call_comes_at_a_random_time_within_the_interval_and_then_by_the_grid() -> None:
    world = World()
    world.run(2 * 900)
    assert world.calls == [1000 + 450, 1000 + 450 + 900]


def test_no_more_calls_than_allowed_in_any_24_hours() -> None:
    world = World()
    world.run(DAY_SECONDS + 450)
    assert len(world.calls) == 3
    assert world.skipped == {"cap": 93}
    world.run(3 * 900)
    assert len(world.calls) == 6


def test_after_failures_in_a_row_calls_become_rarer_and_a_success_ends_that() -> None:
    world = World(BAD, a=replace(ONE, max_calls_per_day=288))
    world.run(12 * 900)
    gaps = [round((later - sooner) / 900) for sooner, later in zip(world.calls, world.calls[1:], strict=False)]
    assert gaps == [1, 2, 4, 4]
    world.outcome = GOOD
    world.run(12 * 900)
    assert {round((b - a) / 900) for a, b in zip(world.calls[-5:], world.calls[-4:], strict=False)} == {1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"listening": None}, "down"),
        ({"starting": True}, "starting"),
        ({"full": True}, "limit"),
        ({"full": None}, "down"),
    ],
)
def test_what_holds_a_call_back_is_counted_and_nothing_is_made_up_for(change: dict[str, object], reason: str) -> None:
    world = World()
    for name, value in change.items():
        setattr(world, name, value)
    world.run(3 * 900)
    assert (world.calls, world.skipped) == ([], {reason: 3})


def test_a_login_that_is_not_tried_is_a_skipped_call_and_says_nothing_of_the_trunk() -> None:
    world = World()
    world.paused = True
    world.run(3 * 900)
    entry = world.canaries._ledger.entries["a"]
    assert (world.calls, world.skipped, entry.last, len(entry.starts)) == ([], {"back_off": 3}, None, 0)
    world.paused = False
    world.run(900)
    assert len(world.calls) == 1


def test_a_call_of_another_exporter_holds_ours_back_until_its_end_or_for_three_minutes() -> None:
    world = World()
    other = f"cny-{'0' * 24}"
    world.run(445)
    world.canaries.event(other, Message.of([("event", "Newchannel"), ("uniqueid", other)]), world.now)
    world.run(20)
    assert world.skipped == {"busy": 1}
    world.run(900)
    assert len(world.calls) == 1
    world.run(FOREIGN_SECONDS)
    world.canaries.event(other, Message.of([("event", "Newchannel"), ("uniqueid", other)]), world.now)
    world.canaries.event(other, Message.of([("event", "Hangup"), ("uniqueid", other)]), world.now)
    world.run(900)
    assert len(world.calls) == 2


def test_a_standstill_of_the_machine_brings_one_call_not_many() -> None:
    world = World()
    world.run(500)
    world.now += 20 * 900
    world.run(10)
    assert len(world.calls) == 2


def test_a_reload_keeps_the_time_the_days_calls_and_the_last_result() -> None:
    world = World()
    world.run(460)
    assert len(world.calls) == 1
    for _ in range(20):
        world.canaries.configure({"a": replace(ONE, duration=11)})
        world.run(10)
    assert len(world.calls) == 1
    world.canaries.configure({"a": replace(ONE, interval=300.0)})
    world.run(3 * 900)
    assert len(world.calls) == 3
    assert world.skipped["cap"] > 0
    names = {family.metric.name for family in world.canaries.families()}
    assert "asterisk_canary_up" in names


def test_a_new_connection_to_the_same_pbx_goes_on_with_what_the_old_one_knew() -> None:
    before, after = World(), World()
    before.run(460)
    after.now = before.now
    after.canaries.adopt(before.canaries)
    after.run(800)
    assert after.calls == []
    assert after.canaries._ledger.entries["a"].runs == {"success": 1}


def test_a_canary_taken_out_of_the_configuration_takes_its_series_along() -> None:
    world = World()
    world.run(460)
    world.canaries.configure({})
    assert world.canaries.families() == []


def test_every_result_and_reason_is_there_at_0_from_the_start() -> None:
    values = {f.metric.name: f.values for f in World().canaries.families()}
    assert set(values) == {"asterisk_canary_runs_total", "asterisk_canary_skipped_total"}
    assert values["asterisk_canary_runs_total"]["a", "one_way"] == 0
    assert values["asterisk_canary_skipped_total"]["a", "back_off"] == 0


def test_an_entry_counts_a_day_back() -> None:
    entry = Entry("x", 900.0, 0.0)
    entry.starts.extend([0.0, 10.0])
    assert entry.calls_of_the_day(DAY_SECONDS + 5) == 1


def test_a_ledger_gives_each_canary_a_time_of_its_own() -> None:
    chances = iter([0.1, 0.9])
    ledger = Ledger(lambda: next(chances))
    ledger.use({"a": ONE, "b": ONE}, 0.0)
    assert [entry.due for entry in ledger.entries.values()] == [90.0, 810.0]
