"""Bytes to messages and back, without I/O.

A packet is lines of `Name: value`, ended by an empty line. Real servers deviate, so the decoder is lenient: a line ends
with LF, and a CR before it is dropped; blank lines between packets and lines without a colon are skipped; names may
have any case, and the colon needs no space; bytes that are not UTF-8 become backslash escapes. The output of a console
command always becomes `Output` headers, also in the old form (`Response: Follows` … `--END COMMAND--` until Asterisk
13).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ami_exporter.ami.actions import check_value
from ami_exporter.ami.errors import ForbiddenAction, Kind, ProtocolError
from ami_exporter.ami.message import Message
from ami_exporter.ami.redact import redact
from ami_exporter.ami.shapes import KnownShapes, Shapes

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from ami_exporter.ami.actions import Action
    from ami_exporter.ami.shapes import Shape

#: Bytes of one line. Asterisk's longest (ChanVariable, Contacts of a big AOR) are a few KiB.
MAX_LINE = 64 * 1024
#: Lines of one packet. `core show taskprocessors` on a big PBX has some thousands, ListCommands 200.
MAX_HEADERS = 20_000
#: Bytes of one packet, and so of the buffer: twice MAX_HEADERS lines of that output.
MAX_PACKET = 4 * 1024 * 1024
#: Bytes of one action. Asterisk refuses longer lines, and over TLS it reads at most 1,024 bytes of a record.
MAX_SENT = 1022
#: Asterisk's fixed buffers cut longer ActionIDs (80 bytes in app_confbridge) and join headers.
MAX_ACTION_ID = 67

_PACKET_END = re.compile(rb"\n\r?\n")
_BLANK_LINES = re.compile(rb"(?:\r?\n)*")
#: Asterisk 13 and older answer Command like this; any other `Follows` is a plain packet with its data in events.
_OLD_COMMAND = re.compile(
    rb"Response: ?Follows\r?\n(?:ActionID: ?([^\r\n]*)\r?\n)?Privilege: ?Command\r?\n"
    rb"(?:ActionID: ?([^\r\n]*)\r?\n)?",
    re.IGNORECASE,
)
_BEGIN = re.compile(rb"(?:Event|Response): ?([a-z]{1,40})\r?\n", re.IGNORECASE)
_HEADER = re.compile(rb"[a-z]{1,40}(?=[:(])", re.IGNORECASE)
_TEXT_END = re.compile(rb"--END COMMAND--\r?\n\r?\n")
#: The end mark may begin this many bytes before newly arrived ones.
_PACKET_OVERLAP = len(b"\n\r")
_TEXT_OVERLAP = len(b"--END COMMAND--\r\n\r")


class Decoder:
    """Turns the bytes of one server into messages, however they are split.

    Exhaust the iterator of one `feed` before the next. After a ProtocolError the stream cannot be decoded any further:
    close the connection.

    commands: ActionIDs of the commands whose output may come in the old form. Such output with
    another ActionID is text from outside, and would hide everything after it. known: packet shapes that other links
    to servers of this kind have learned.
    """

    def __init__(self, commands: Container[str] = (), known: KnownShapes | None = None) -> None:
        self.commands = commands
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer that have been searched for an end
        self._in_text = False  # the buffer starts with a CLI answer in the old form
        self._known = known or KnownShapes()
        self._shapes = Shapes(self._known)
        self._last: Shape | None = None  # the shape that matched last: in a list, that of all items

    def feed(self, data: bytes | memoryview) -> Iterator[Message]:
        """Take the bytes that arrived and yield the messages they complete; raises ProtocolError on a bound."""
        if self._buffer or data[-4:] != b"\r\n\r\n":
            self._buffer += data
        else:  # whole packets, as most reads bring them
            yield from self._packets(bytes(data))
        while self._buffer:
            if self._in_text:
                message = self._old_command()
                if message is None:
                    break
                yield message
            else:
                region = self._complete_packets()
                if not region:
                    break
                yield from self._packets(region)
        self._check_rest()

    def end(self) -> None:
        """End the stream; raises ProtocolError if a packet is incomplete."""
        if self._buffer.strip(b"\r\n"):
            raise ProtocolError(
                Kind.CUT_PACKET,
                "the connection ended in the middle of a packet: the server stopped, or dropped a reader that was"
                " too slow for its writetimeout (manager.conf)",
            )

    def _take(self, size: int) -> bytes:
        taken = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        self._searched = 0
        return taken

    def _complete_packets(self) -> bytes:
        """Take all complete packets from the buffer."""
        buffer = self._buffer
        since = max(0, self._searched - _PACKET_OVERLAP)
        last = buffer.rfind(b"\n\r\n", since)
        last = max(last, buffer.rfind(b"\n\n", max(last, since)))
        if last >= 0:
            return self._take(buffer.index(b"\n", last + 1) + 1)
        self._searched = len(buffer)
        if buffer.startswith((b"\r\n", b"\n")):
            self._take(_end_of_blank_lines(buffer, 0))
        return b""

    def _packets(self, region: bytes) -> Iterator[Message]:
        """Yield the messages of whole packets; an incomplete old CLI answer goes back into the buffer."""
        text = region.decode("latin-1")  # one character a byte, so that positions match
        ascii_only = text.isascii()
        position = 0
        shape = self._last
        while position < len(region):
            match = shape.match(text, position) if shape else None
            if match is None and (found := self._shapes.find(text, position)):
                shape, match = found
                self._last = shape
            if match is not None and shape is not None:
                end = match.end()
                if end - position <= MAX_LINE:
                    position = end
                    yield Message(shape.layout, match) if ascii_only else shape.recoded(match)
                    continue
            start = _end_of_blank_lines(region, position)
            if self._begins_output(region, start):
                self._buffer[:0] = region[start:]
                self._in_text = True
                return
            blank = _PACKET_END.search(region, start)
            if blank is None:
                return  # only blank lines were left
            position = blank.end()
            message = self._exact(region[start:position])
            if message:
                yield message

    def _begins_output(self, region: bytes, start: int) -> bool:
        head = _OLD_COMMAND.match(region, start)
        return head is not None and (head[1] or head[2] or b"").decode("latin-1") in self.commands

    def _exact(self, packet: bytes) -> Message:
        """Decode one packet line by line; empty if no line is a header."""
        check_bounds(packet)
        text = _decode(packet)
        self._shapes.learn(text)
        return redact(Message.of(self._headers(text)))

    def _headers(self, text: str) -> list[tuple[str, str]]:
        pairs = []
        name_of = self._known.name
        for line in text.replace("\r\n", "\n").split("\n"):
            raw, colon, value = line.partition(":")
            name = name_of(raw) if colon else ""
            if name:
                pairs.append((name, value.removeprefix(" ")))
        return pairs

    def _old_command(self) -> Message | None:
        """Take the CLI answer at the start of the buffer, once its end marker has arrived."""
        end = _TEXT_END.search(self._buffer, max(0, self._searched - _TEXT_OVERLAP))
        if end is None:
            self._searched = len(self._buffer)
            return None
        marker = end.start()
        packet = self._take(end.end())
        self._in_text = False
        check_bounds(packet)
        head = _OLD_COMMAND.match(packet)
        begin = head.end() if head else 0
        pairs = self._headers(_decode(packet[:begin]))
        output = _decode(packet[begin:marker]).replace("\r\n", "\n")
        pairs += [("output", line) for line in output.removesuffix("\n").split("\n")]
        return Message.of(pairs)

    def _check_rest(self) -> None:
        """Check an incomplete packet as soon as it may exceed a bound."""
        size = len(self._buffer)
        if size > MAX_PACKET or (size > MAX_LINE and self._buffer.rfind(b"\n", size - MAX_LINE - 1) < 0):
            check_bounds(self._buffer)


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _end_of_blank_lines(data: bytes | bytearray, position: int) -> int:
    match = _BLANK_LINES.match(data, position)
    return match.end() if match else position


def check_bounds(packet: bytes | bytearray) -> None:
    """Raise ProtocolError for the first bound that the packet exceeds, in the order of its bytes."""
    if len(packet) <= MAX_LINE and packet.count(b"\n") <= MAX_HEADERS:
        return
    start = lines = 0
    while start < len(packet):
        if lines > MAX_HEADERS:
            raise _too_much(packet, Kind.TOO_MANY_HEADERS, f"a packet of more than {MAX_HEADERS} lines")
        end = packet.find(b"\n", start)
        stop = len(packet) if end < 0 else end
        bound = min(start + MAX_LINE, MAX_PACKET)
        if stop > bound:
            if bound < MAX_PACKET:
                raise _too_long(packet, start)
            raise _too_much(packet, Kind.PACKET_TOO_LARGE, f"a packet of more than {MAX_PACKET} bytes")
        start = stop + 1
        lines += 1


def _too_long(packet: bytes | bytearray, start: int) -> ProtocolError:
    """Name the line by its event and header, which hold nobody's data."""
    begin, header = _BEGIN.match(packet), _HEADER.match(packet, start)
    found = f"a line of more than {MAX_LINE} bytes"
    if begin is None or header is None:
        return _no_ami(Kind.LINE_TOO_LONG, found)
    event, name = begin[1].decode(), header[0].decode()
    advice = "what it holds has to be shorter on the PBX"
    if name.lower().endswith("chanvariable"):
        advice = "take that variable out of channelvars in manager.conf"
    return ProtocolError(Kind.LINE_TOO_LONG, f"the server sent {found}, header {name} of {event}: {advice}")


def _too_much(packet: bytes | bytearray, kind: Kind, found: str) -> ProtocolError:
    begin = _BEGIN.match(packet)
    if begin is None:
        return _no_ami(kind, found)
    advice = "no server known sends so much at once; channel variables are chosen by channelvars in manager.conf"
    return ProtocolError(kind, f"the server sent {found}, {begin[1].decode()}: {advice}")


def _no_ami(kind: Kind, found: str) -> ProtocolError:
    return ProtocolError(kind, f"the server sent {found}: is this address an Asterisk Manager Interface?")


def encode(action: Action, action_id: str) -> bytes:
    """Encode an action of the table; raises ForbiddenAction for values that AMI cannot carry."""
    return encode_headers([("Action", action.name), ("ActionID", action_id), *action.params])


def encode_headers(headers: Iterable[tuple[str, str]]) -> bytes:
    """Encode headers into a packet of at most MAX_SENT bytes. Values may be secrets, so errors name none."""
    lines = []
    for name, value in headers:
        check_value(f"header {name}", value)
        if name == "ActionID" and len(value.encode()) > MAX_ACTION_ID:
            raise ForbiddenAction(f"ActionID longer than {MAX_ACTION_ID} bytes, which Asterisk would cut")
        lines.append(f"{name}: {value}\r\n")
    packet = "".join((*lines, "\r\n")).encode()
    if len(packet) > MAX_SENT:
        raise ForbiddenAction(
            f"an action of {len(packet)} bytes; Asterisk reads at most {MAX_SENT}: shorten its parameters"
        )
    return packet
