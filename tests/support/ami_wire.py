"""AMI packets for tests, as real servers write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.errors import ProtocolError
from ami_exporter.ami.message import Message

#: Headers of a Status item of Asterisk 22.
STATUS_NAMES = (
    *("Event", "Privilege", "Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName"),
    *("ConnectedLineNum", "ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority"),
    *("Uniqueid", "Linkedid", "Type", "DNID", "EffectiveConnectedLineNum", "EffectiveConnectedLineName"),
    *("TimeToHangup", "BridgeID", "Application", "Data", "Nativeformats", "Readformat", "Readtrans"),
    *("Writeformat", "Writetrans", "Callgroup", "Pickupgroup", "Seconds", "ActionID"),
)


def packet(*headers: tuple[str, str], end: str = "\r\n") -> bytes:
    """One packet of the headers given."""
    return ("".join(f"{name}: {value}{end}" for name, value in headers) + end).encode()


def boot(uptime: object) -> bytes:
    """FullyBooted of a server that has been up for so many seconds."""
    return packet(("Event", "FullyBooted"), ("Privilege", "system,all"), ("Uptime", str(uptime)))


def status_item(number: int, action_id: str = "s-1", caller: str = "<unknown>") -> bytes:
    """One Status item of a Local channel."""
    values = dict.fromkeys(STATUS_NAMES, "")
    values |= {"Event": "Status", "Privilege": "Call", "Channel": f"Local/100@bench-{number:08x};1"}
    values |= {"ChannelState": "6", "ChannelStateDesc": "Up", "CallerIDNum": caller, "CallerIDName": caller}
    values |= {"ConnectedLineNum": caller, "ConnectedLineName": caller, "Language": "en", "Context": "bench"}
    values |= {"Exten": "100", "Priority": "1", "Uniqueid": f"1700000000.{number}", "Type": "Local"}
    values |= {"Linkedid": f"1700000000.{number // 2}", "TimeToHangup": "0", "Application": "Wait", "Data": "3600"}
    values |= {"Nativeformats": "(slin)", "Readformat": "slin", "Writeformat": "slin", "Callgroup": "0"}
    values |= {"Pickupgroup": "0", "Seconds": "120", "ActionID": action_id}
    return packet(*values.items())


#: ActionIDs whose answer may come in the old form of a command's output; "": it has none.
COMMANDS = frozenset({"1", "7", ""})


def decode(chunks: Iterable[bytes], decoder: Decoder | None = None) -> list[Message]:
    """All messages of bytes that arrive in these pieces."""
    decoder = decoder or Decoder(COMMANDS)
    return [message for chunk in chunks for message in decoder.feed(chunk)]


def outcome(chunks: Iterable[bytes], decoder: Decoder | None = None) -> tuple[list[Message], str]:
    """The messages of a whole stream, and the kind of the error that ended it, or nothing."""
    decoder = decoder or Decoder(COMMANDS)
    messages: list[Message] = []
    try:
        for chunk in chunks:
            for message in decoder.feed(chunk):
                messages.append(message)  # noqa: PERF402 - those before an error count too
        decoder.end()
    except ProtocolError as error:
        return messages, error.kind
    return messages, ""


def chunkings(data: bytes) -> Iterator[Sequence[bytes]]:
    """The data whole, cut in two at every place, and byte by byte."""
    yield [data]
    for place in range(1, len(data)):
        yield [data[:place], data[place:]]
    yield [data[place : place + 1] for place in range(len(data))]


def pairs(messages: Iterable[Message]) -> list[list[tuple[str, str]]]:
    """Messages in a form that compares order and repeated headers too."""
    return [message.pairs() for message in messages]
