"""A poll's tables stay small, and what is served is what unbounded ones would give."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ami_exporter.collectors.declarations import MAX_CLOSED_SETS, Metric, gauge
from ami_exporter.collectors.table import SPARE, Table
from ami_exporter.exposition.caps import Caps
from ami_exporter.exposition.writer import Writer

SIZE = gauge("asterisk_queue_callers", "Callers", "queue")
NAMES = st.integers(0, 60).map(lambda number: (f"q{number:02}",))
LIMIT = 3


def writer(dropped: list[tuple[str, ...]], *, odd_only: bool = False) -> Writer:
    def note(_metric: Metric, key: tuple[str, ...]) -> None:
        dropped.append(key)

    def allowed(_metric: Metric, key: tuple[str, ...]) -> bool:
        return not odd_only or int(key[0][1:]) % 2 == 1

    return Writer(Caps(LIMIT, note, allowed))


@given(st.sets(NAMES, max_size=LIMIT), st.lists(NAMES), st.booleans())
def test_a_bounded_table_serves_what_an_unbounded_one_would(
    served: set[tuple[str, ...]], items: list[tuple[str, ...]], odd_only: bool
) -> None:
    found = []
    for bounded in (False, True):
        made = writer([], odd_only=odd_only)
        made.families((SIZE, key, 1.0) for key in served)
        table = Table(SIZE, "sum", made if bounded else None)
        for key in items:
            table.add(key, 1.0)
            assert not bounded or len(table.values) <= SPARE * LIMIT
        found.append([family.values for family in made.families((SIZE, *each) for each in table.values.items())])
    assert found[0] == found[1]


STATES = ("down", "ringing", "up")
MEMBERS = gauge("asterisk_queue_members", "Members", "queue", "state", closed={"state": STATES})
MEMBER = st.tuples(st.integers(0, 30).map(lambda number: f"q{number:02}"), st.sampled_from(STATES))


def whole(values: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    """As the fold gives them: with a zero for each state."""
    return {(queue, state): values.get((queue, state), 0.0) for queue, _ in values for state in STATES}


@given(st.sets(MEMBER, max_size=2), st.lists(MEMBER))
def test_a_bounded_table_of_groups_serves_what_an_unbounded_one_would(
    served: set[tuple[str, ...]], items: list[tuple[str, ...]]
) -> None:
    found = []
    for bounded in (False, True):
        made = Writer(Caps(7, lambda _metric, _key: None, lambda _metric, _key: True))
        made.families((MEMBERS, *each) for each in whole(dict.fromkeys(served, 1.0)).items())
        table = Table(MEMBERS, "sum", made if bounded else None)
        for key in items:
            table.add(key, 1.0)
            assert not bounded or len(table.values) <= SPARE * 7
        found.append([family.values for family in made.families((MEMBERS, *e) for e in whole(table.values).items())])
    assert found[0] == found[1]
    for values in found[0]:
        assert len(values) <= 7
        assert len(values) == len(STATES) * len({queue for queue, _ in values})


def test_a_cap_below_the_closed_labels_serves_one_group_whole() -> None:
    made = Writer(Caps(2, lambda _metric, _key: None, lambda _metric, _key: True))
    (family,) = made.families((MEMBERS, (queue, state), 1.0) for queue in ("b", "a") for state in STATES)
    assert family.values.keys() == {("a", state) for state in STATES}


CHANNELS = gauge("asterisk_active_channels", "Channels", "technology", "state", closed={"state": STATES})


def test_no_cap_cuts_a_total() -> None:
    made = Writer(Caps(1, lambda _metric, _key: None, lambda _metric, _key: True))
    table = Table(CHANNELS, "sum", made)
    for technology in ("SIP", "PJSIP", "Local"):
        for state in (*STATES, "up"):
            table.add((technology, state), 1.0)
    (family,) = made.families((CHANNELS, *each) for each in table.values.items())
    assert sum(family.values.values()) == 12


def test_what_a_hostile_server_makes_of_a_total_is_bounded() -> None:
    dropped: list[tuple[str, ...]] = []
    made = Writer(Caps(1, lambda _metric, key: dropped.append(key), lambda _metric, _key: True))
    table = Table(CHANNELS, "sum", made)
    for number in range(9 * MAX_CLOSED_SETS):
        table.add((f"T{number}", "up"), 1.0)
        assert len(table.values) <= SPARE * MAX_CLOSED_SETS
    (family,) = made.families((CHANNELS, *each) for each in table.values.items())
    assert len(family.values) == MAX_CLOSED_SETS
    assert len(dropped) == 8 * MAX_CLOSED_SETS


def test_each_label_set_beyond_the_cap_is_counted_once() -> None:
    dropped: list[tuple[str, ...]] = []
    made = writer(dropped)
    table = Table(SIZE, "sum", made)
    for number in reversed(range(100)):
        table.add((f"q{number:02}",), 1.0)
    (family,) = made.families((SIZE, *each) for each in table.values.items())
    assert list(family.values) == [("q00",), ("q01",), ("q02",)]
    assert len(dropped) == len(set(dropped)) == 97


def test_reducing_is_the_rows_own() -> None:
    for reduce, expected in (("sum", 6.0), ("max", 3.0), ("min", 1.0), ("last", 2.0)):
        table = Table(SIZE, reduce)  # type: ignore[arg-type]  # all four words of the type
        for value in (1.0, 3.0, 2.0):
            table.add(("a",), value)
        assert table.values == {("a",): expected}
