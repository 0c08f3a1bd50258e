"""The login gate, back-off, deadlines and the load guard: time is passed in."""

import pytest

from ami_exporter.pbx.gate import Backoff, LoginGate
from ami_exporter.pbx.keeper import Keeper
from ami_exporter.pbx.poll import Fault, Result
from ami_exporter.service.deadline import scrape_seconds


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_gate_closes_for_1_2_4_up_to_60_seconds_after_refused_logins() -> None:
    clock = Clock()
    gate = LoginGate(clock, lambda: 0.0)
    pauses = []
    for _ in range(8):
        gate.refused()
        pauses.append(gate.closed_for())
        clock.now += gate.closed_for()
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert gate.closed_for() == 0.0


def test_jitter_shortens_a_pause_by_a_fifth_at_most() -> None:
    gate = LoginGate(Clock(), lambda: 1.0)
    assert gate.refused() == pytest.approx(0.8)


def test_a_reload_opens_the_gate_and_begins_anew() -> None:
    gate = LoginGate(Clock(), lambda: 0.0)
    for _ in range(5):
        gate.refused()
    gate.open()
    assert gate.closed_for() == 0.0
    assert gate.refused() == 1.0


def test_reconnection_waits_a_random_part_of_a_growing_bounded_time() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.failed() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.succeeded()
    assert backoff.failed() == 1.0


@pytest.mark.parametrize(
    ("header", "timeout", "seconds"),
    [
        ("10", 9.0, 9.0),
        ("10", 20.0, 9.5),
        ("5", 9.0, 4.5),
        ("1.2", 9.0, 0.7),
        ("1", 9.0, 0.5),
        ("0.4", 9.0, 0.2),
        (None, 9.0, 9.0),
        ("soon", 7.0, 7.0),
        ("nan", 7.0, 7.0),
        ("inf", 7.0, 7.0),
        ("-3", 7.0, 7.0),
        ("0", 7.0, 7.0),
    ],
)
def test_a_scrape_ends_before_prometheus_gives_up(header: str | None, timeout: float, seconds: float) -> None:
    assert scrape_seconds(header, timeout) == pytest.approx(seconds)


def result(clock: Clock, slow: float = 0.0, fault: Fault = Fault.NONE) -> Result:
    return Result("channels", fault, slow, (), clock.now, slow=slow)


def test_a_slow_answer_rests_twenty_times_as_long_as_it_took() -> None:
    clock = Clock()
    keeper = Keeper(clock)
    keeper.keep(result(clock, slow=0.6), 0.0)
    clock.now += 11.9
    assert keeper.serves(frozenset({"channels", "core"})).keys() == {"channels"}
    clock.now += 0.2
    assert keeper.serves(frozenset({"channels"})) == {}


def test_a_quick_answer_is_never_served_again() -> None:
    clock = Clock()
    keeper = Keeper(clock)
    keeper.keep(result(clock, slow=0.49), 0.0)
    assert keeper.serves(frozenset({"channels"})) == {}


def test_min_interval_serves_again_and_a_failed_poll_forgets() -> None:
    clock = Clock()
    keeper = Keeper(clock)
    keeper.keep(result(clock), 60.0)
    assert keeper.serves(frozenset({"channels"})).keys() == {"channels"}
    keeper.keep(result(clock, fault=Fault.CUT), 60.0)
    assert keeper.serves(frozenset({"channels"})) == {}
