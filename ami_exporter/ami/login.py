"""The start of a session: greeting, credentials, event classes, list of commands. Without I/O."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ami_exporter.ami.errors import (
    AlreadyInUse,
    AmiError,
    ConnectFailed,
    ForbiddenAction,
    Kind,
    LoginRefused,
    ProtocolError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ami_exporter.ami.message import Message

#: Most bytes of the greeting line; real ones have about 30, those of proxies some more.
MAX_BANNER = 256
#: Bytes of a wrong greeting shown in the error.
SHOWN = 60
#: Class names of Asterisk 22 (`authority_to_str` in main/manager.c).
EVENT_CLASSES = frozenset(
    {
        *("system", "call", "log", "verbose", "command", "agent", "user", "config", "dtmf", "reporting"),
        *("cdr", "dialplan", "originate", "agi", "cc", "aoc", "test", "security", "message"),
    }
)
#: The beginnings of other protocols' greetings, and of a TLS alert.
OTHERS = {
    b"HTTP/": "a web server",
    b"RTSP/": "a media server",
    b"SIP/": "a SIP server",
    b"SSH-": "an SSH server",
    b"220 ": "a mail server",
    b"\x15\x03": "a TLS server",
}

_NAME = re.compile(rb"[ -~]*[A-Za-z][ -~]*")
_VERSION = re.compile(rb"\d+(?:\.\d+)*")
_ADVICE = "expected the greeting of an Asterisk Manager Interface: check the port (manager.conf: 5038; TLS 5039)"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The AMI user. `md5`: answer a challenge, so that the secret itself is not sent."""

    username: str
    secret: str = field(repr=False)
    md5: bool = False


class LoginPace(Protocol):
    """Decides when credentials may be sent."""

    def begin(self, deadline: float) -> None:
        """Return if they may be sent now; raise if not."""

    def accepted(self) -> None:
        """Note that the server has accepted the login."""


def parse_banner(line: bytes) -> tuple[int, ...]:
    """Read the AMI version from a greeting such as `Asterisk Call Manager/11.0.0`; raises ProtocolError.

    Proxies and forks put other words before the last slash. The version is AMI's, not Asterisk's.
    """
    name, _, version = line.rstrip(b" \r").rpartition(b"/")
    known = len(line) <= MAX_BANNER and _NAME.fullmatch(name) and _VERSION.fullmatch(version)
    if not known or line.startswith(tuple(OTHERS)):
        raise not_ami(line)
    return tuple(int(part) for part in version.split(b"."))


def not_ami(found: bytes) -> ProtocolError:
    """Describe a greeting that is not AMI's."""
    start = found[:SHOWN].rstrip(b"\r\n")
    what = next((name for begin, name in OTHERS.items() if found.startswith(begin)), "something else")
    return ProtocolError(Kind.NOT_AMI, f"the server greeted with {ascii(start)[1:]} ({what}); {_ADVICE}")


def silence(found: bytes) -> str:
    """Describe a greeting that did not arrive in time."""
    if found:
        return f"the greeting {ascii(found[:SHOWN])[1:]} had no end before the deadline; {_ADVICE}"
    return f"connected, but the server sent nothing before the deadline; {_ADVICE}"


def no_greeting(found: bytes) -> AmiError:
    """Describe a connection that ended before a whole greeting."""
    if found:
        return not_ami(found)
    return ConnectFailed(
        "the server closed the connection without a greeting: authlimit in manager.conf is reached (too many"
        " connections that never log in), a firewall or proxy refuses this host, or the port is another program's"
    )


def challenge_key(challenge: str, secret: str) -> str:
    """Return the answer to a Challenge; AMI has no digest other than MD5."""
    return hashlib.md5((challenge + secret).encode(), usedforsecurity=False).hexdigest()


def event_mask(classes: Iterable[str]) -> str:
    """Join event classes for `Events:`; raises ForbiddenAction for an unknown one.

    Blanks and empty names are not allowed: Asterisk reads an empty name as *all* classes.
    """
    names = list(classes)
    unknown = sorted(set(names) - EVENT_CLASSES)
    if unknown or not names:
        raise ForbiddenAction(f"event classes {unknown}: expected one or more of {', '.join(sorted(EVENT_CLASSES))}")
    return ",".join(names)


def check_login(answer: Message) -> None:
    """Raise the error that a refused login means."""
    if answer.get("response", "").lower() == "success":
        return
    text = answer.get("message", "no reason given").strip()
    if "shutting down" in text.lower():
        raise ConnectFailed(f"the server said {text!r}: it restarts or stops")
    if "already in use" in text.lower():
        raise AlreadyInUse(
            f"the server said {text!r}: set allowmultiplelogin=yes in manager.conf or give each link its own user"
        )
    raise LoginRefused(
        f"the server said {text!r}: check username and secret against manager.conf, and that deny/permit of that"
        " user lets this host in (Asterisk answers all three alike)"
    )


def parse_commands(answer: Message) -> frozenset[str]:
    """Return the names (lower case) of the actions that a ListCommands answer offers."""
    return frozenset(answer) - {"response", "actionid", "message"}
