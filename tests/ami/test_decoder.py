"""Bytes to messages: every case whole, cut at every byte, byte by byte, and with more behind it."""

from __future__ import annotations

import pytest

from ami_exporter.ami.codec import Decoder
from ami_exporter.ami.errors import Kind, ProtocolError
from tests.support.ami_wire import COMMANDS, chunkings, decode, pairs, status_item

CASES: dict[str, tuple[bytes, list[dict[str, str]]]] = {
    "response": (
        b"Response: Success\r\nActionID: a-1\r\nMessage: Authentication accepted\r\n\r\n",
        [{"response": "Success", "actionid": "a-1", "message": "Authentication accepted"}],
    ),
    "names in any case are lower-cased": (
        b"EVENT: Status\r\nBridgeID: 1\r\nIPport: 2\r\ncause-TXT: 3\r\n\r\n",
        [{"event": "Status", "bridgeid": "1", "ipport": "2", "cause-txt": "3"}],
    ),
    "no blank after the colon": (b"Event:Ping\r\nA:\r\nB: \r\n\r\n", [{"event": "Ping", "a": "", "b": ""}]),
    "only one blank is dropped": (b"Event:  Ping \r\nA:   x\r\n\r\n", [{"event": " Ping ", "a": "  x"}]),
    "blanks around a name are dropped": (b" Event : Ping\r\n\r\n", [{"event": "Ping"}]),
    "a value may hold colons": (
        b"Event: X\r\nClientUri: sip:a@b: c\r\n\r\n",
        [{"event": "X", "clienturi": "sip:a@b: c"}],
    ),
    "line order has no meaning": (b"A: 1\r\nEvent: X\r\n\r\n", [{"a": "1", "event": "X"}]),
    "a bare LF ends a line": (
        b"Event: Agents\r\nCallStarted: 5\nLoggedInTime: 6\r\n\r\n",
        [{"event": "Agents", "callstarted": "5", "loggedintime": "6"}],
    ),
    "LF everywhere": (b"Event: A\nX: 1\n\nEvent: B\n\n", [{"event": "A", "x": "1"}, {"event": "B"}]),
    "LF in an error text, then the end": (
        b"Response: Error\r\nMessage: No endpoints found\n\r\n\r\nEvent: B\r\n\r\n",
        [{"response": "Error", "message": "No endpoints found"}, {"event": "B"}],
    ),
    "items that end in CRLF LF": (b"Event: A\r\n\nEvent: B\r\n\n", [{"event": "A"}, {"event": "B"}]),
    "stray blank lines": (
        b"\r\n\n\r\nEvent: A\r\n\r\n\r\n\r\nEvent: B\r\n\r\n\n\n",
        [{"event": "A"}, {"event": "B"}],
    ),
    "a line without a colon is skipped": (
        b"Event: UserEvent\r\nNoColon\r\nA: 1\r\n\r\n",
        [{"event": "UserEvent", "a": "1"}],
    ),
    "a header without a name is skipped": (b"Event: A\r\n: b\r\n : c\r\n\r\n", [{"event": "A"}]),
    "text without headers is no message": (b"No calls\r\nnone\r\n\r\nEvent: A\r\n\r\n", [{"event": "A"}]),
    "a CR inside a value stays": (b"Event: A\r\nB: x\ry\r\nC: z\r\r\n\r\n", [{"event": "A", "b": "x\ry", "c": "z\r"}]),
    "a CR alone at the start": (b"\rEvent: A\r\n\r\n", [{"event": "A"}]),
    "bytes that are not UTF-8": (
        b"Event: A\r\nName: caf\xe9 \xff\r\nUtf: caf\xc3\xa9\r\nCut: \xe2\x82\r\n\r\n",
        [{"event": "A", "name": "caf\\xe9 \\xff", "utf": "café", "cut": "\\xe2\\x82"}],
    ),
    "line ends of Unicode end no line": (
        "Event: A\r\nB: x\u2028y\x85z\x0bw\r\n\r\n".encode(),
        [{"event": "A", "b": "x\u2028y\x85z\x0bw"}],
    ),
    "an event with a response is one message": (
        b"Event: OriginateResponse\r\nResponse: Failure\r\nReason: 5\r\n\r\n",
        [{"event": "OriginateResponse", "response": "Failure", "reason": "5"}],
    ),
    "Follows with its data in events": (
        b"Response: Follows\r\nActionID: 1\r\n\r\nEvent: Status\r\nActionID: 1\r\n\r\nEvent: StatusComplete\r\n\r\n",
        [
            {"response": "Follows", "actionid": "1"},
            {"event": "Status", "actionid": "1"},
            {"event": "StatusComplete"},
        ],
    ),
    "credentials of PJSIP never become values": (
        b"Event: AuthDetail\r\nActionID: 1\r\nObjectName: o\r\nPassword: hunter2\r\nMd5Cred: hunter3\r\n\r\n",
        [{"event": "AuthDetail", "actionid": "1"}],
    ),
    "credentials whatever the case and the order": (
        b"Password: hunter2\r\nevent: AUTHLIST\r\n\r\n",
        [{"event": "AUTHLIST"}],
    ),
    "a new voicemail password": (
        b"Event: VoicemailPasswordChange\r\nMailbox: 1\r\nNewPassword: 4711\r\n\r\n",
        [{"event": "VoicemailPasswordChange", "mailbox": "1"}],
    ),
    "digests of a refused challenge": (
        b"Event: ChallengeResponseFailed\r\nService: AMI\r\nChallenge: 1\r\nResponse: 2\r\nExpectedResponse: 3\r\n\r\n",
        [{"event": "ChallengeResponseFailed", "service": "AMI"}],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_packets_are_decoded_however_they_arrive(name: str) -> None:
    data, expected = CASES[name]
    for chunks in chunkings(data):
        decoder = Decoder()
        assert decode(chunks, decoder) == expected, chunks
        decoder.end()


@pytest.mark.parametrize("name", CASES)
def test_packets_are_decoded_with_more_behind_them(name: str) -> None:
    data, expected = CASES[name]
    for chunks in chunkings(data + b"Event: Next\r\nHalf: a li"):
        decoder = Decoder()
        assert decode(chunks, decoder) == expected, chunks
        with pytest.raises(ProtocolError, match="middle of a packet"):
            decoder.end()
        assert decode([b"ne\r\n\r\n"], decoder) == [{"event": "Next", "half": "a line"}]


REPEATED = b"Event: S\r\nVariable: a=1\r\nX: y\r\nvariable: b=2\r\nVARIABLE: \r\n\r\n"


def test_the_first_of_a_repeated_header_counts_and_all_are_kept() -> None:
    for chunks in chunkings(REPEATED):
        [message] = decode(chunks)
        assert message == {"event": "S", "variable": "a=1", "x": "y"}
        assert message.values_of("variable") == ["a=1", "b=2", ""]
        assert message.values_of("x") == ["y"]
        assert message.values_of("absent") == []
        assert message.pairs() == [
            ("event", "S"),
            ("variable", "a=1"),
            ("x", "y"),
            ("variable", "b=2"),
            ("variable", ""),
        ]


OLD_COMMANDS = {
    "marker on its own line": (b"one\ntwo: 2\n--END COMMAND--\r\n\r\n", ["one", "two: 2"]),
    "marker glued to the last line": (b"one\nno such command--END COMMAND--\r\n\r\n", ["one", "no such command"]),
    "blank lines in the text": (b"one\n\n\r\n\ntwo\n\n--END COMMAND--\r\n\r\n", ["one", "", "", "", "two", ""]),
    "lines that look like headers": (b"Event: x\nResponse: y\n\n--END COMMAND--\n\n", ["Event: x", "Response: y", ""]),
    "no text": (b"--END COMMAND--\r\n\r\n", [""]),
    "a marker that is no end": (b"--END COMMAND--\r\nx\n--END COMMAND--\r\n\r\n", ["--END COMMAND--", "x"]),
}


@pytest.mark.parametrize("name", OLD_COMMANDS)
def test_a_cli_answer_of_asterisk_13_becomes_output_lines(name: str) -> None:
    text, expected = OLD_COMMANDS[name]
    data = b"Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\n" + text
    for chunks in chunkings(data + b"Event: Next\r\n\r\n"):
        command, following = decode(chunks)
        assert command["response"] == "Follows"
        assert command["actionid"] == "7"
        assert "event" not in command
        assert command.values_of("output") == expected, chunks
        assert following == {"event": "Next"}


def test_a_cli_answer_that_nobody_asked_for_hides_nothing() -> None:
    data = b"Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\n\r\nEvent: Next\r\n\r\n"
    for chunks in chunkings(data):
        found = decode(chunks, Decoder({"8"}))
        assert [message.get("event") for message in found] == [None, "Next"]


def test_a_cli_answer_of_asterisk_14_has_the_same_form() -> None:
    data = (
        b"Response: Success\r\nActionID: 7\r\nMessage: Command output follows\r\n"
        b"Output: a: 1\r\nOutput: \r\nOutput: b\r\n\r\n"
    )
    for chunks in chunkings(data):
        [command] = decode(chunks)
        assert command.values_of("output") == ["a: 1", "", "b"]


def test_an_end_in_the_middle_of_a_cli_answer_is_noticed() -> None:
    decoder = Decoder(COMMANDS)
    assert decode([b"Response: Follows\r\nPrivilege: Command\r\ntext\n\n\n"], decoder) == []
    with pytest.raises(ProtocolError) as caught:
        decoder.end()
    assert caught.value.kind is Kind.CUT_PACKET


def test_a_list_is_decoded_alike_by_learned_shapes_and_line_by_line() -> None:
    data = b"".join(status_item(number) for number in range(60))
    messages = decode([data])
    whole = pairs(messages)
    assert [message["uniqueid"] for message in messages] == [f"1700000000.{number}" for number in range(60)]
    assert whole == [pair for number in range(60) for pair in pairs(decode([status_item(number)]))]
