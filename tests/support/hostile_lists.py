"""Recorded lists as a server writes them, with any text in any value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ami_exporter.ami.actions import Action, AnswerForm
from ami_exporter.ami.answer import Answer, Outcome
from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.exchange import Exchange
from ami_exporter.ami.genuine import Order
from ami_exporter.ami.header_orders import ORDERS as ALL_ORDERS
from ami_exporter.ami.header_orders import VOCABULARY, Era
from ami_exporter.ami.message import Message
from ami_exporter.ami.sift import NOT_COUNTED
from tests.support.captures import NAMES, read_file

ORDERS = ALL_ORDERS[Era.MODERN]

ACTION_ID = "5ecret-7"
#: Items whose ActionID is their last header; in the others it follows the name.
LAST = frozenset(
    {
        *("status", "queueparams", "queuemember", "queueentry", "queuesummary"),
        *("agents", "parkedcall", "bridgetechnologylistitem", "dahdishowchannels"),
    }
)
Item = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RecordedList:
    """A list with items. name: the capture's and the action's."""

    name: str
    action: Action
    items: tuple[Item, ...]


def recorded_lists() -> list[RecordedList]:
    """Every list of every capture that has items. What a capture leaves out (names, numbers) is filled in."""
    return [
        RecordedList(f"{name} {action.name}", action, tuple(_whole(item) for item in captured.items))
        for name in NAMES
        for action, captured in read_file(name).items()
        if action.spec.form is AnswerForm.LIST and captured.items
    ]


def _whole(item: Message) -> Item:
    pairs = item.pairs()
    kind = item["event"].lower()
    filled = next((found for order in ORDERS.get(kind, ()) if (found := _filled(order, pairs))), pairs)
    names = [name for name, _ in filled]
    at = len(filled) if kind in LAST else names.index("event") + 1
    return [*filled[:at], ("actionid", ACTION_ID), *filled[at:]]


def _filled(order: Order, pairs: Sequence[tuple[str, str]]) -> Item | None:
    """Return the item with every header of the order; None when it is of another order."""
    known = {place.name for place in order}
    if any(name in VOCABULARY and name not in known for name, _ in pairs):
        return None
    left = list(pairs)
    filled: Item = []
    for place in order:
        while left and left[0][0] not in known:
            filled.append(left.pop(0))
        if left and left[0][0] == place.name:
            filled.append(left.pop(0))
        elif not place.optional:
            filled.append((place.name, "w1"))
    return None if any(name in known for name, _ in left) else [*filled, *left]


def written(recorded: RecordedList) -> bytes:
    """The answer's bytes; line ends in values are as they are."""
    complete = recorded.action.spec.complete
    return b"".join(
        [
            f"Response: Success\r\nActionID: {ACTION_ID}\r\nEventList: start\r\nMessage: Items follow\r\n\r\n".encode(),
            *(_packet(item) for item in recorded.items),
            f"Event: {complete}\r\nActionID: {ACTION_ID}\r\nEventList: Complete\r\n".encode(),
            f"ListItems: {len(recorded.items)}\r\n\r\n".encode(),
        ]
    )


def _packet(item: Item) -> bytes:
    lines = "".join(f"{name.title() if name in ('event', 'actionid') else name}: {value}\r\n" for name, value in item)
    return f"{lines}\r\n".encode("utf-8", "surrogateescape")


def taken(recorded: RecordedList, wire: bytes) -> tuple[Answer, list[Message]]:
    """The answer that an exchange makes of these bytes, and the items it hands on."""
    items: list[Message] = []
    exchange = Exchange(
        {ACTION_ID: recorded.action},
        lambda _action, message: items.append(message),
        lambda _message: None,
        lambda: 0.0,
        lists_announced=True,
    )
    exchange.take(_messages(wire))
    return exchange.answers[recorded.action], items


def _messages(wire: bytes) -> Iterator[Message]:
    decoder = Decoder()
    yield from decoder.feed(wire)
    decoder.end()


LISTS = recorded_lists()
ITEMS = [
    (number, at, header)
    for number, recorded in enumerate(LISTS)
    for at, item in enumerate(recorded.items)
    for header, (name, _) in enumerate(item)
    if name not in ("event", "actionid")
]
"""Every place of a recorded list for a text: numbers of the list, the item and the header."""


def check(place: tuple[int, int, int], more: str) -> None:
    """Put a text behind a value: nothing else changes, or that list fails."""
    number, at, header = place
    recorded = LISTS[number]
    item = recorded.items[at]
    name, value = item[header]
    text = value + more
    hostile = [*item[:header], (name, text), *item[header + 1 :]]
    changed = replace(recorded, items=(*recorded.items[:at], hostile, *recorded.items[at + 1 :]))
    answer, items = taken(recorded, written(changed))
    if answer.outcome is Outcome.TORN:
        return
    assert answer.outcome is Outcome.COMPLETE
    assert len(items) == len(recorded.items)
    for index, (found, expected) in enumerate(zip(items, recorded.items, strict=True)):
        if index == at:
            assert_same_but(
                found, expected, name, text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            )
        else:
            assert found.pairs() == list(expected)


def assert_same_but(found: Message, expected: list[tuple[str, str]], changed: str, text: str) -> None:
    """Every header that anything is counted by is as written; the changed value begins as the text does.

    A closed value (a number, a word of Asterisk's own) holds no text in truth. Here its text reads like one of the free
    value before it, which may forge what stands between the two, or like the free value behind it, where it names that
    header: in this one item, as those always could.
    """
    places = {place for order in ORDERS.get(found["event"].lower(), ()) for place in order}
    free = {place.name for place in places if place.free}
    names = [name for name, _ in expected]
    end = begin = names.index(changed)
    while changed not in free and begin > 0 and names[begin] not in free:
        begin -= 1
    if changed not in free and names[end + 1 : end + 2] and names[end + 1] in free:
        end += 1
    for name, value in expected:
        if name == changed and name in free:
            assert name not in found or text.startswith(found[name].partition("\n")[0].rstrip("\r"))
        elif changed not in free and name in names[begin : end + 1]:
            assert found.get(name, value).partition("\n")[0].rstrip("\r") in f"{value}\n{text}"
        elif name.endswith(NOT_COUNTED):
            assert found.get(name, value).startswith(value)
        elif name in found or name in VOCABULARY:
            assert found[name] == value
    more = {name for name in found if name in VOCABULARY}.difference(names)
    assert not more or (changed not in free and more <= {place.name for place in places})
