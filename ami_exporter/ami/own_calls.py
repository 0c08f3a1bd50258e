"""How canary calls are known: by an identifier that no other call can have.

Asterisk's own Uniqueids are `[systemname-]seconds.number`; the ChannelId of a canary call, which becomes Uniqueid and
Linkedid of all its events, is `cny-` and 24 random hexadecimal digits. The calls of another exporter look the same, so
that two of them that watch one PBX leave each other's canaries out too.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ami_exporter.ami.message import Message

PREFIX: Final = "cny-"
_ID: Final = re.compile(r"cny-[0-9a-f]{24}")
_CHANNEL: Final = re.compile(r"cny-[0-9a-f]{24}(?:;2)?")
"""The second half of a Local channel has ;2 behind it."""
_NAMING: Final = ("linkedid", "destlinkedid", "uniqueid", "actionid")


def new_id() -> str:
    """An identifier that no other call has: a ChannelId used twice is refused."""
    return f"{PREFIX}{secrets.token_hex(12)}"


def is_id(text: str) -> bool:
    """Whether this is an identifier of a canary call."""
    return _ID.fullmatch(text) is not None


def canary_id(message: Message) -> str | None:
    """The identifier of the canary call that an event or a channel is of; None: of no canary call.

    OriginateResponse has no Linkedid, and no Uniqueid where the call failed: there the ActionID is the call's own.
    """
    for found in message.pick(_NAMING):
        if found.startswith(PREFIX) and _CHANNEL.fullmatch(found):
            return found.partition(";")[0]
    return None
