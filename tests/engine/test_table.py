"""A poll's tables stay small, and what is served is what unbounded ones would give."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ami_exporter.collectors.model import Metric, gauge
from ami_exporter.collectors.table import SPARE, Table
from ami_exporter.exposition.writer import Caps, Writer

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
