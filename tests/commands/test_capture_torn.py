"""Torn items in a transcript: read again they are what they were, and nothing of the text is told."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.exchange import Exchange
from ami_exporter.ami.header_orders import VOCABULARY, Era
from ami_exporter.ami.message import Message
from ami_exporter.ami.sift import item_of
from ami_exporter.commands.capture.command import transcribe
from ami_exporter.commands.capture.pseudonyms import Pseudonyms
from ami_exporter.commands.capture.torn import OURS, torn
from tests.support.ami_server import Fields, Session
from tests.support.captures import Captured, read
from tests.support.hostile_lists import ACTION_ID, LISTS, RecordedList, written
from tests.support.hostile_texts import HOSTILE
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import settings as target_settings

PLACES = (
    ("asterisk-22 Status", "data"),
    ("asterisk-16 Status", "calleridnum"),
    ("asterisk-22 CoreShowChannels", "exten"),
)
PERSON, NUMBER = "Zebediah", "4930987654"


def torn_items(name: str, header: str, text: str) -> list[list[Message]]:
    """The pieces of each item that this text in this header tears."""
    recorded = next(one for one in LISTS if one.name == name)
    first = [(each, text if each == header else value) for each, value in recorded.items[0]]
    found: list[list[Message]] = []
    exchange = Exchange(
        {ACTION_ID: recorded.action},
        lambda _action, _item: None,
        lambda _stray: None,
        lambda: 0.0,
        lists_announced=True,
        on_torn=lambda pieces, _own: found.append(list(pieces)),
    )
    changed = RecordedList(name, recorded.action, (first, *recorded.items[1:]))
    exchange.take(Decoder().feed(written(changed)))
    return found


def told(pieces: list[Message]) -> list[Message]:
    """The pieces as a transcript has them."""
    announced, *packets = torn(Era.MODERN, pieces, ACTION_ID, Pseudonyms())
    assert announced == [("torn", str(len(pieces)))]
    return [Message.of(packet) for packet in packets]


def assert_told_alike(pieces: list[Message]) -> None:
    """What is told is read as what came: the same headers are genuine, or the same doubt is left."""
    item, again = item_of(Era.MODERN, pieces, ACTION_ID), item_of(Era.MODERN, told(pieces), OURS)
    assert (item is None) == (again is None)
    if item is not None and again is not None:
        assert [name for name in again if name in VOCABULARY] == [name for name in item if name in VOCABULARY]
        for name in ("channelstate", "seconds", "duration", "application", "type"):
            assert again.get(name) == item.get(name)


@pytest.mark.parametrize(("name", "header"), PLACES)
def test_every_hostile_text_is_read_again_as_it_came(name: str, header: str) -> None:
    torn_ones = [pieces for text in HOSTILE for pieces in torn_items(name, header, text)]
    assert len(torn_ones) >= 40
    for pieces in torn_ones:
        assert_told_alike(pieces)


@given(st.sampled_from(PLACES), st.text("\r\n: 1aX", max_size=30), st.sampled_from([*sorted(VOCABULARY), "X"]))
@settings(max_examples=100)
def test_any_text_is_read_again_as_it_came(place: tuple[str, str], text: str, forged: str) -> None:
    for pieces in torn_items(*place, f"{text}\r\n{forged}: {text}"):
        assert_told_alike(pieces)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_a_text_is_told(text: str) -> None:
    private = f"{PERSON} {NUMBER}\r\n{PERSON}: {NUMBER}\r\nSeconds: {NUMBER}\r\nActionID: {PERSON}{text}{PERSON}"
    for name, header in PLACES:
        for pieces in torn_items(name, header, private):
            shown = "".join(f"{pair}" for piece in told(pieces) for pair in piece.pairs())
            assert not [word for word in (PERSON, NUMBER, ACTION_ID) if word.lower() in shown.lower()]


def captured(text: str, header: str = "data") -> tuple[str, Captured]:
    """A transcript of a PBX whose first channel has this text in a header, and its list of channels."""
    recorded = next(one for one in LISTS if one.name == "asterisk-22 Status")
    first = [(name, text if name == header else value) for name, value in recorded.items[0]]
    wire = written(RecordedList(recorded.name, recorded.action, (first, *recorded.items[1:])))

    def answer(session: Session, action: Fields) -> None:
        session.send(wire.replace(ACTION_ID.encode(), action["ActionID"].encode()))

    out = io.StringIO()
    with ScriptedPbx({"Status": []}, {"Status": answer}) as pbx:
        transcribe(target_settings(pbx.port), out)
    (found,) = [one for action, one in read(out.getvalue()).items() if action.name == "Status"]
    return out.getvalue(), found


def test_a_capture_with_a_torn_item_has_every_item_when_it_is_replayed() -> None:
    _, plain = captured("w1")
    transcript, hostile = captured(f"{PERSON}\r\n\r\nEvent: Status\r\n{PERSON}: {NUMBER}\r\nSeconds: 9\r\nX:")
    assert "torn: 2" in transcript
    assert PERSON.lower() not in transcript.lower()
    assert NUMBER not in transcript
    assert hostile.outcome == plain.outcome == ["complete"]
    names = ("event", "channelstate", "application", "seconds")
    assert [item.pick(names) for item in hostile.items] == [item.pick(names) for item in plain.items]


def test_a_capture_of_a_list_in_doubt_says_so_and_shows_the_pieces() -> None:
    """The text repeats every header behind it."""
    recorded = next(one for one in LISTS if one.name == "asterisk-22 Status")
    behind = [name for name, _ in recorded.items[0]][5:-1]
    forged = "".join(f"\r\n{name}: {PERSON}" for name in behind)
    transcript, hostile = captured(f"{PERSON}{forged}\r\nX: {NUMBER}", "calleridnum")
    assert "torn: 1" in transcript
    assert PERSON.lower() not in transcript.lower()
    assert len(hostile.items) == len(recorded.items) - 1
    assert hostile.outcome == ["torn"]
