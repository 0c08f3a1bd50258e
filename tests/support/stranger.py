"""A SIP caller in plain UDP, which writes whatever it is told into its requests."""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import quote

_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
)
_RTP = bytes.fromhex("8000000100000000deadbeef") + b"\xff" * 160  # 20 ms of silence in PCMU


def escaped(text: str) -> str:
    """The text as the user part of a SIP address can carry it."""
    return quote(text.encode("utf-8", "surrogateescape"), safe="")


class Stranger:
    """One socket towards one server ("address", port). Calls one after the other, or several at a time.

    patience: seconds for an answer. On loopback it comes at once, and what is no SIP gets none.
    """

    def __init__(self, server: tuple[str, int], address: str = "127.0.0.1", patience: float = 1.0) -> None:
        self.server = server
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self._socket.settimeout(patience)
        self.local = f"{address}:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def call(
        self, extension: str, user: str = "100", name: str = "", more: Mapping[str, str] | None = None
    ) -> Call | None:
        """Call an extension and wait until it answers; None when it refuses, or takes it for no SIP.

        Everything is sent as it is given.
        """
        call = Call(self, extension, f'"{name}" <sip:{user}@127.0.0.1>' if name else f"<sip:{user}@127.0.0.1>")
        self.send(call.request("INVITE", more or {}, _SDP.format(port=self._socket.getsockname()[1])))
        try:
            status, headers = self.answer(call.call_id)
        except TimeoutError:
            return None
        call.to = headers.get("to", call.to)
        self.send(call.request("ACK"))
        if status != 200:
            return None
        # Answer() waits half a second for the first audio, and it must come from where SDP says.
        self._socket.sendto(_RTP, (self.server[0], int(headers["audio"])))
        return call

    def register(self, user: str, secret: str, agent: str) -> int:
        """Register with a User-Agent; return the final status, 0 when the request is taken for no SIP."""
        call = Call(self, user, f"<sip:{user}@{self.server[0]}>")
        headers = {"Expires": "300", "User-Agent": agent}
        self.send(call.request("REGISTER", headers))
        try:
            status, answer = self.answer(call.call_id)
        except TimeoutError:
            return 0
        if status == 401:
            challenge = dict(re.findall(r'(\w+)="?([^",]*)', answer["www-authenticate"]))
            self.send(call.request("REGISTER", headers | {"Authorization": call.credentials(user, secret, challenge)}))
            status, _ = self.answer(call.call_id)
        return status

    def send(self, request: str) -> None:
        """Send a request."""
        self._socket.sendto(request.encode("utf-8", "surrogateescape"), self.server)

    def answer(self, call_id: str) -> tuple[int, dict[str, str]]:
        """Wait for the final answer to a request: status and headers, and "audio": the port of its SDP."""
        while True:
            head, _, body = self._socket.recv(65535).decode("utf-8", "replace").partition("\r\n\r\n")
            first, *lines = head.split("\r\n")
            headers = {
                name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            if audio := re.search(r"m=audio (\d+)", body):
                headers["audio"] = audio[1]
            if first.startswith("SIP/2.0 ") and headers.get("call-id") == call_id and int(first[8:11]) >= 200:
                return int(first[8:11]), headers


class Call:
    """One call, or one registration: its identity and its requests."""

    def __init__(self, stranger: Stranger, user: str, sender: str) -> None:
        self._stranger = stranger
        self._target = f"sip:{user}@{stranger.server[0]}:{stranger.server[1]}"
        self._sender = f"{sender};tag={secrets.token_hex(4)}"
        self.to = f"<{self._target}>"
        self.call_id = secrets.token_hex(8)
        self._number = 0

    def request(self, method: str, more: Mapping[str, str] | None = None, body: str = "") -> str:
        """The next request of this call."""
        self._number += method != "ACK"
        headers = {
            "Via": f"SIP/2.0/UDP {self._stranger.local};branch=z9hG4bK{secrets.token_hex(6)};rport",
            "Max-Forwards": "70",
            "From": self._sender,
            "To": self.to,
            "Call-ID": self.call_id,
            "CSeq": f"{self._number} {method}",
            "Contact": f"<sip:x@{self._stranger.local}>",
            **(more or {}),
            **({"Content-Type": "application/sdp"} if body else {}),
            "Content-Length": str(len(body)),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        target = self._target if method != "REGISTER" else f"sip:{self._stranger.server[0]}:{self._stranger.server[1]}"
        return f"{method} {target} SIP/2.0\r\n{lines}\r\n{body}"

    def credentials(self, user: str, secret: str, challenge: Mapping[str, str]) -> str:
        """The answer to a digest challenge of a registration."""
        uri = f"sip:{self._stranger.server[0]}:{self._stranger.server[1]}"
        first = _md5(f"{user}:{challenge['realm']}:{secret}")
        second = _md5(f"REGISTER:{uri}")
        key = _md5(f"{first}:{challenge['nonce']}:00000001:0a4f113b:auth:{second}")
        return (
            f'Digest username="{user}",realm="{challenge["realm"]}",nonce="{challenge["nonce"]}",uri="{uri}",'
            f'response="{key}",algorithm=MD5,qop=auth,nc=00000001,cnonce="0a4f113b",'
            f'opaque="{challenge.get("opaque", "")}"'
        )

    def end(self) -> None:
        """Hang up."""
        self._stranger.send(self.request("BYE"))
        self._stranger.answer(self.call_id)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
