"""Any bytes: messages or a ProtocolError, the same in whatever pieces, and the same by either path."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.shapes import SEEN_BEFORE_LEARNING, SHAPES_IN_ALL, KnownShapes
from tests.support.ami_wire import outcome, packet, pairs

#: What packets are made of, so that random text hits the decoder's corners.
PIECES = st.sampled_from(
    [
        *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b":", b": ", b" ", b"Event: Status\r\n", b"Event: A"),
        *(b"Response: Follows\r\n", b"Privilege: Command\r\n", b"ActionID: 1\r\n", b"--END COMMAND--", b"Key: value"),
        *(b"Event: AuthDetail\r\n", b"\xff", b"\xc3\xa9", b"\xe2\x82", b"\x85", b"\0", b"event", b"Variable: a=1\r\n"),
    ]
)
BYTES = st.lists(PIECES | st.binary(max_size=4), max_size=40).map(b"".join)
VALUES = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=8)
NAMES = st.sampled_from(["Channel", "channel", "Event", "ActionID", "Variable", "Key(0)", "Cause-txt", "Ключ", "X Y"])
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=5)


@settings(deadline=None)
@given(BYTES, st.data())
@example(b"Event: A\r\n\r\n\n\r", None)
def test_messages_do_not_depend_on_the_pieces(data: bytes, draw: st.DataObject | None) -> None:
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=5).map(sorted)) if draw else []
    places = [0, *cuts, len(data)]
    whole, kind = outcome([data])
    for chunks in (
        [data[begin:end] for begin, end in pairwise(places)],
        [data[place : place + 1] for place in range(len(data))],
    ):
        messages, other_kind = outcome(chunks)
        assert pairs(messages) == pairs(whole)
        assert other_kind == kind


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_garbage_gives_messages_or_a_protocol_error(data: bytes) -> None:
    outcome([data])


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([("Event", "Status"), ("Response", "Success")]),
    HEADERS,
    st.lists(st.tuples(st.integers(0, 9), BYTES | VALUES.map(str.encode)), max_size=6),
    st.booleans(),
)
def test_learned_shapes_change_nothing(
    first: tuple[str, str], headers: list[tuple[str, str]], faults: list[tuple[int, bytes]], non_ascii: bool
) -> None:
    sound = packet(first, *headers)
    learned = Decoder()
    outcome([sound] * (SEEN_BEFORE_LEARNING + 1), learned)
    data = sound + (b"Event: \xff\r\n\r\n" if non_ascii else b"")
    for place, fault in faults:  # the packet it has learned, damaged
        spot = len(data) * place // 9
        data = data[:spot] + fault + data[spot:] + sound
    assert_same(data, learned)


def assert_same(data: bytes, learned: Decoder) -> None:
    messages, kind = outcome([data], learned)
    exact = Decoder()
    exact._shapes._learned = 1 << 30  # a decoder that learns nothing more
    exact_messages, exact_kind = outcome([data], exact)
    assert pairs(messages) == pairs(exact_messages)
    assert kind == exact_kind


def test_shapes_are_learned_at_all() -> None:
    decoder = Decoder()
    outcome([packet(("Event", "Status"), ("A", "1"))] * SEEN_BEFORE_LEARNING, decoder)
    assert decoder._shapes._learned == 1
    outcome([packet(("Response", "Success"), ("ActionID", "1"))] * SEEN_BEFORE_LEARNING, decoder)
    assert decoder._shapes._learned == 2
    for first in (("Event", "AuthDetail"), ("Response", "Follows")):
        outcome([packet(first, ("Password", "1"))] * SEEN_BEFORE_LEARNING * 2, decoder)
    assert decoder._shapes._learned == 2


def test_a_response_that_is_an_event_too_loses_its_secrets_however_often_it_comes() -> None:
    both = packet(("Response", "Success"), ("Event", "AuthDetail"), ("Password", "hunter2"))
    messages, _ = outcome([both] * SEEN_BEFORE_LEARNING * 2)
    assert len(messages) == SEEN_BEFORE_LEARNING * 2
    assert not any("hunter2" in message.values() for message in messages)


def newstate(*names: str) -> bytes:
    return packet(("Event", "Newstate"), *((name, "1") for name in names))


def test_what_one_link_has_learned_another_knows_from_its_second_packet_on() -> None:
    known = KnownShapes()
    one, other = Decoder(known=known), Decoder(known=known)
    *_, learned = one.feed(newstate("Channel", "ChannelState") * (SEEN_BEFORE_LEARNING + 1))
    first, second = other.feed(newstate("Channel", "ChannelState") * 2)
    assert first.layout is not learned.layout
    assert second.layout is learned.layout
    assert first == second == learned


def test_a_shape_is_forgotten_with_the_last_link_that_has_it() -> None:
    known = KnownShapes()
    links = [Decoder(known=known) for _ in range(2)]
    for link in links:
        outcome([newstate("Channel")] * SEEN_BEFORE_LEARNING, link)
    links.pop()
    assert known.get("Event: Newstate", ("Channel",)) is not None
    links.pop()
    del link
    assert known.get("Event: Newstate", ("Channel",)) is None


def test_a_server_that_sends_ever_other_headers_takes_no_place_from_the_others() -> None:
    known = KnownShapes()
    hostile, sound = Decoder(known=known), Decoder(known=known)
    for number in range(SHAPES_IN_ALL * 2):
        outcome([packet(("Event", f"E{number}"), ("A", "1"))] * SEEN_BEFORE_LEARNING, hostile)
    assert hostile._shapes._learned == SHAPES_IN_ALL
    outcome([newstate("Channel")] * SEEN_BEFORE_LEARNING, sound)
    assert sound._shapes._learned == 1
