"""Any text in any value of any item of the recorded lists changes nothing else, or fails that list."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami_exporter.ami.answer import Outcome
from ami_exporter.ami.genuine import fits
from ami_exporter.ami.header_orders import ORDERS as ALL_ORDERS
from ami_exporter.ami.header_orders import VOCABULARY, Era
from tests.support.hostile_lists import ITEMS, LISTS, RecordedList, check, taken, written

ORDERS = ALL_ORDERS[Era.MODERN]

_ends = st.sampled_from(["\r\n", "\n", "\r\n\r\n", "\n\n", "\n\r\n", "\r"])
_names = st.sampled_from(
    sorted({*VOCABULARY, "Event", "Response", "ActionID", "EventList", "ListItems", "X", "Output", "EVENT ", "Queue"})
)
_words = st.sampled_from(
    [
        *sorted(ORDERS),
        *("QueueParams", "StatusComplete", "QueueStatusComplete", "Complete", "Success", "Error", "Shutdown", "Status"),
        *("AuthDetail", "FullyBooted", "0", "99", "1700000000.7", "vip", "5ecret-8", "Follows", "Command", ""),
    ]
)
_lines = st.builds(lambda name, colon, word: f"{name}{colon}{word}", _names, st.sampled_from([": ", ":"]), _words)
_texts = st.one_of(
    st.lists(st.one_of(_lines, _ends, st.text(max_size=8)), max_size=12).map("".join),
    st.lists(st.tuples(_lines, _ends), max_size=10).map(lambda parts: "\r\n" + "".join(a + b for a, b in parts)),
)


@pytest.mark.parametrize("recorded", LISTS, ids=lambda recorded: recorded.name)
def test_a_recorded_list_is_complete_and_its_items_are_as_written(recorded: RecordedList) -> None:
    answer, items = taken(recorded, written(recorded))
    assert answer.outcome is Outcome.COMPLETE
    assert [item.pairs() for item in items] == list(map(list, recorded.items))


@pytest.mark.parametrize("recorded", LISTS, ids=lambda recorded: recorded.name)
def test_a_recorded_item_is_one_that_some_version_writes(recorded: RecordedList) -> None:
    for item in recorded.items:
        (_, kind), *_ = item
        orders = ORDERS.get(kind.lower(), ())
        assert not orders or any(fits(order, [name for name, _ in item], VOCABULARY) for order in orders)


@given(st.sampled_from(ITEMS), _texts)
@settings(max_examples=400, deadline=None)
def test_any_text_in_any_value_changes_nothing_else_or_fails_the_list(place: tuple[int, int, int], more: str) -> None:
    check(place, more)


def test_a_header_that_only_an_older_asterisk_writes_is_none_of_a_newer_item() -> None:
    """Status of Asterisk 11 has a header State; here it stands in a value that Asterisk makes up itself."""
    number = next(number for number, recorded in enumerate(LISTS) if recorded.action.name == "Status")
    header = [name for name, _ in LISTS[number].items[0]].index("readtrans")
    check((number, 0, header), "x\r\nstate: 6")


def test_text_of_which_nobody_knows_whose_value_it_is_goes_to_neither() -> None:
    """An extension that holds another header Exten: the context before it could hold the first one as well."""
    number = next(number for number, recorded in enumerate(LISTS) if recorded.action.name == "CoreShowChannels")
    header = [name for name, _ in LISTS[number].items[0]].index("exten")
    check((number, 0, header), "x\r\nexten: \nA\r\n\r\nEvent: B\r\nX:")
