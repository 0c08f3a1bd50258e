"""Recognises canary calls by an identifier that no other call can have.

Asterisk's own Uniqueids are `[systemname-]seconds.number`; the ChannelId of a canary call, which becomes Uniqueid and
Linkedid of all its events, is `cny-` and 24 random hexadecimal digits. Calls of other exporters look the same, so two
exporters that watch one PBX ignore each other's canaries, too.
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
"""The second half of a Local channel ends with ;2."""
_NAMING: Final = ("linkedid", "destlinkedid", "uniqueid", "actionid")


def new_id() -> str:
    """Return a new identifier: Asterisk refuses a ChannelId that is in use."""
    return f"{PREFIX}{secrets.token_hex(12)}"


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def canary_id(message: Message) -> str | None:
    """Return the identifier of the canary call that an event or a channel belongs to; None for other calls.

    OriginateResponse has no Linkedid, and no Uniqueid if the call failed; its ActionID identifies the call.
    """
    for found in message.pick(_NAMING):
        if found.startswith(PREFIX) and _CHANNEL.fullmatch(found):
            return found.partition(";")[0]
    return None
