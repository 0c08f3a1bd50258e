"""Drops secrets that AMI sends in clear text, before anything sees the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ami_exporter.ami.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Events that hold nothing but credentials: only their name and ActionID are kept.
CREDENTIAL_EVENTS = frozenset({"authdetail", "authlist"})

#: Headers to drop from a packet that only begins like such an event: text from outside, followed by the rest of another
#: message. In a genuine one the ActionID directly follows the name.
CREDENTIAL_HEADERS = frozenset(
    {
        *("username", "password", "passworddigest", "md5cred", "realm"),
        *("oauthsecret", "oauthclientid", "refreshtoken"),
    }
)
_CHALLENGE = frozenset({"challenge", "response", "expectedresponse", "receivedchallenge", "receivedhash"})
#: Event name in lower case -> headers that hold a secret or a digest made of one.
SECRET_HEADERS: Mapping[str, frozenset[str]] = {
    "voicemailpasswordchange": frozenset({"newpassword"}),
    "challengeresponsefailed": _CHALLENGE,
    "challengesent": _CHALLENGE,
    "invalidpassword": _CHALLENGE,
}


def is_sensitive(event: str) -> bool:
    """Whether messages of this event must pass through `redact`."""
    name = event.strip().lower()
    return name in CREDENTIAL_EVENTS or name in SECRET_HEADERS


def redact(message: Message) -> Message:
    """Return the message without the secrets that its event carries."""
    name = message.get("event", "").strip().lower()
    if name in CREDENTIAL_EVENTS and message.layout.names[1:2] != ("actionid",):
        return Message.of(pair for pair in message.pairs() if pair[0] not in CREDENTIAL_HEADERS)
    if name in CREDENTIAL_EVENTS:
        return Message.of({key: message[key] for key in ("event", "actionid") if key in message})
    secret = SECRET_HEADERS.get(name)
    if secret is None:
        return message
    return Message.of(pair for pair in message.pairs() if pair[0] not in secret)
