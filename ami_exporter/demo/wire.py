"""AMI on the wire, from the server's side: parses requests, formats packets.

Deliberately independent of ``ami_exporter.ami``: two implementations that agree test each other.
Facts: Asterisk 22 ``main/manager.c`` (get_input, do_message, astman_send_response_full).
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_LINE = 1024  # inbuf[1025], including the terminator
MAX_HEADERS = 128  # AST_MAX_MANHEADERS
LINE_TOO_LONG = "Failed to parse message: line too long"
TOO_MANY_HEADERS = "Too many lines in message or allocation failure"

# Marks the place of the ActionID line in a rendered answer, so that answers can be rendered before the request.
ID_MARK = "\0"


@dataclass(slots=True)
class AmiRequest:
    """One action as received: header lines in order, and the fault that makes it unusable, if any."""

    lines: list[str] = field(default_factory=list)
    fault: str = ""

    def get(self, name: str) -> str:
        """The value of the first header of that name, ignoring case; "" if there is none."""
        wanted = name.lower()
        for line in self.lines:
            key, colon, value = line.partition(":")
            if colon and key.lower() == wanted:
                return value.strip()
        return ""


class RequestReader:
    """Splits the bytes of one session into requests; lines end in CRLF or bare LF, a blank line ends a request."""

    def __init__(self) -> None:
        self._rest = b""
        self._request = AmiRequest()
        self._overlong = False

    def feed(self, data: bytes) -> list[AmiRequest]:
        """Return all requests that these bytes complete."""
        done: list[AmiRequest] = []
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            overlong, self._overlong = self._overlong or len(line) > MAX_LINE, False
            if overlong:
                self._request.fault = LINE_TOO_LONG
            elif text := line.rstrip(b"\r").decode("utf-8", "surrogateescape"):
                self._take(text)
            else:
                done.append(self._request)
                self._request = AmiRequest()
        if len(self._rest) > MAX_LINE:
            self._overlong, self._rest = True, b""
        return done

    def _take(self, line: str) -> None:
        if len(self._request.lines) < MAX_HEADERS:
            self._request.lines.append(line)
        else:
            self._request.fault = TOO_MANY_HEADERS


def headers(*pairs: tuple[str, object]) -> str:
    """Header lines in the given order."""
    return "".join(f"{name}: {value}\r\n" for name, value in pairs)


def item(name: str, body: str, *, id_first: bool = True) -> str:
    """One item of a list answer; Asterisk puts the ActionID second or last, depending on the action."""
    if id_first:
        return f"Event: {name}\r\n{ID_MARK}{body}\r\n"
    return f"Event: {name}\r\n{body}{ID_MARK}\r\n"


def event(name: str, privilege: str, body: str) -> bytes:
    """A broadcast event; ``privilege`` is its class or classes, comma-separated."""
    return f"Event: {name}\r\nPrivilege: {privilege},all\r\n{body}\r\n".encode("utf-8", "surrogateescape")


def response(kind: str, message: str = "", body: str = "") -> str:
    """A response with a mark in place of its ActionID."""
    text = f"Message: {message}\r\n" if message else ""
    return f"Response: {kind}\r\n{ID_MARK}{text}{body}\r\n"


def with_action_id(answer: bytes, action_id: str) -> bytes:
    """The answer with each mark replaced by the ActionID line, or removed if the request had no ActionID."""
    line = f"ActionID: {action_id}\r\n" if action_id else ""
    return answer.replace(ID_MARK.encode(), line.encode("utf-8", "surrogateescape"))
