"""The errors of an AMI session. Each says where it happened, what was found and what to do."""

# ruff: noqa: N818 - the names say what happened ("LoginRefused"); a suffix adds nothing, and TimeoutError is taken
from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

#: Label values of ami_exporter_login_failures_total.
Reason = Literal["authentication", "refused", "timeout", "tls", "protocol"]


class Kind(StrEnum):
    """Label values of ami_exporter_protocol_errors_total."""

    NOT_AMI = "not_ami"
    LINE_TOO_LONG = "line_too_long"
    PACKET_TOO_LARGE = "packet_too_large"
    TOO_MANY_HEADERS = "too_many_headers"
    CUT_PACKET = "cut_packet"
    UNEXPECTED_ANSWER = "unexpected_answer"
    REPEATED_COMPLETION = "repeated_completion"
    TORN_ITEM = "torn_item"
    DOUBTFUL_EVENT = "doubtful_event"
    LIST_COUNT = "list_count"


class AmiError(Exception):
    """Base of all errors of this package; `reason` is the label value for a failed login."""

    reason: ClassVar[Reason] = "protocol"


class ForbiddenAction(AmiError):
    """An action outside the table, or a parameter or value that must not be sent. Nothing was sent."""


class ProtocolError(AmiError):
    """The server sent something that is not AMI, or more than the named bounds allow."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ConnectFailed(AmiError):
    """No TCP connection, or it was closed before the login was answered."""

    reason = "refused"


class TlsFailed(AmiError):
    """The TLS handshake failed, or the certificate was not accepted."""

    reason = "tls"


class LoginRefused(AmiError):
    """The server answered the login with an error."""

    reason = "authentication"


class AlreadyInUse(LoginRefused):
    """The secret is right, but the user may have one session only (manager.conf: allowmultiplelogin)."""


class Timeout(AmiError):
    """The deadline passed."""

    reason = "timeout"


class LinkClosed(AmiError):
    """The session has ended: the server closed it, or this link was closed after a fault."""

    reason = "refused"


class StaleLink(LinkClosed):
    """Nothing came back in time on an idle link. It is half open and must be reopened."""
