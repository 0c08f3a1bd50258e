"""What the decoder refuses to hold, and that its work grows with the bytes only."""

from __future__ import annotations

import time

import pytest

from ami_exporter.ami.codec import MAX_HEADERS, MAX_LINE, MAX_PACKET, Decoder
from ami_exporter.ami.errors import Kind, ProtocolError
from tests.support.ami_wire import decode, outcome

SOUND = b"Event: Before\r\n\r\n"
LONG_LINE = b"A: " + b"x" * (MAX_LINE - 3)
SHORT_LINES = b"B: y\r\n" * (MAX_HEADERS - 1)
WIDE_LINE = b"C: " + b"z" * (MAX_LINE - 10) + b"\r\n"

TOO_MUCH = {
    "an endless line": (Kind.LINE_TOO_LONG, LONG_LINE + b"xx"),
    "an endless line after others": (Kind.LINE_TOO_LONG, b"Event: A\r\n" + LONG_LINE + b"xx"),
    "a long line in a whole packet": (Kind.LINE_TOO_LONG, b"Event: A\r\n" + LONG_LINE + b"xx\r\n\r\n"),
    "too many lines": (Kind.TOO_MANY_HEADERS, b"Event: A\r\n" + SHORT_LINES + b"C: z\r\nD: z\r\n\r\n"),
    "a packet too large": (Kind.PACKET_TOO_LARGE, WIDE_LINE * (MAX_PACKET // len(WIDE_LINE) + 1)),
    "too many lines before a long one": (
        Kind.TOO_MANY_HEADERS,
        SHORT_LINES + SHORT_LINES + LONG_LINE + b"xx\r\n\r\n",
    ),
    "a CLI answer that never ends": (
        Kind.TOO_MANY_HEADERS,
        b"Response: Follows\r\nPrivilege: Command\r\n" + b"x\n\n" * (MAX_PACKET // 3),
    ),
}


@pytest.mark.parametrize("size", [1000, 65536, 1 << 30])
@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_bound_ends_the_stream_with_its_kind_and_keeps_what_came_before(name: str, size: int) -> None:
    kind, data = TOO_MUCH[name]
    data = SOUND + data
    messages, found = outcome(data[place : place + size] for place in range(0, len(data), size))
    assert found == kind
    assert messages == [{"event": "Before"}]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (
            b"Event: Status\r\nChannel: PJSIP/1001-00000001\r\nChanVariable: NOTE=%b",
            ", header ChanVariable of Status: take that variable out of channelvars in manager.conf",
        ),
        (
            b"Event: DialEnd\r\nDestChanVariable(PJSIP/1001-00000001): NOTE=%b",
            ", header DestChanVariable of DialEnd: take that variable out of channelvars in manager.conf",
        ),
        (b"Event: ContactList\r\nPath: %b", ", header Path of ContactList: what it holds has to be shorter on the PBX"),
        (
            b"Response: Success\r\nMessage: %b",
            ", header Message of Success: what it holds has to be shorter on the PBX",
        ),
        (b"GET / HTTP/1.1\r\nCookie: %b", ": is this address an Asterisk Manager Interface?"),
        (b"Event: Status\r\n1001 says: %b", ": is this address an Asterisk Manager Interface?"),
    ],
)
@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"], ids=["on and on", "to its end"])
def test_of_a_line_that_is_too_long_it_is_told_where_and_what_to_do(data: bytes, told: str, end: bytes) -> None:
    with pytest.raises(ProtocolError) as found:
        list(Decoder().feed(data % (b"x" * MAX_LINE) + end))
    assert str(found.value) == f"the server sent a line of more than 65536 bytes{told}"


@pytest.mark.parametrize(
    ("begin", "advice"),
    [
        (b"Event: Status\r\n", ", Status: no server known sends so much at once"),
        (b"HTTP/1.1 200 OK\r\n", ": is this address an Asterisk Manager Interface?"),
    ],
)
@pytest.mark.parametrize("rest", [SHORT_LINES + SHORT_LINES, WIDE_LINE * (MAX_PACKET // len(WIDE_LINE) + 1)])
def test_only_of_what_is_no_ami_it_is_asked_whether_it_is_one(begin: bytes, advice: str, rest: bytes) -> None:
    with pytest.raises(ProtocolError) as found:
        list(Decoder().feed(begin + rest + b"\r\n"))
    assert advice in str(found.value)


def test_what_is_just_within_the_bounds_is_decoded() -> None:
    decoder = Decoder()
    [message] = decode([b"Event: A\r\n" + LONG_LINE[:-1] + b"\r\n\r\n"], decoder)
    assert len(message["a"]) == MAX_LINE - 4
    [message] = decode([b"Event: A\r\n" + SHORT_LINES[6:] + b"\r\n"], decoder)
    assert len(message.values_of("b")) == MAX_HEADERS - 2


def test_bytes_one_at_a_time_cost_time_in_proportion() -> None:
    def seconds(data: bytes) -> float:
        decoder = Decoder()
        begin = time.process_time()
        for place in range(len(data)):
            for _ in decoder.feed(data[place : place + 1]):
                pass
        return time.process_time() - begin

    unit = b"Event: A\r\n" + b"Output: some text of a line\r\n" * 200
    once, eight = (min(seconds(unit * factor) for _ in range(3)) for factor in (1, 8))
    assert eight < once * 8 * 3
