"""Fields of a queue's member in items and events: name, pause reason, wrap-up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Context, Labels
from ami_exporter.collectors.fields import OTHER, both, having, holds_number, is_number_or_address, labels, number, text
from ami_exporter.collectors.lists import QUEUE_MEMBER

REASON_CHARACTERS: Final = 64
"""Most characters of a pause reason: whoever pauses writes it."""

by_queue: Final = labels(text("Queue"))
paused: Final = having("Paused", "1")
not_paused: Final = having("Paused", "0")
_free = both(not_paused, having("Status", "0", "1"))
_wrapup_time = number("Wrapuptime")
_last_call = number("LastCall")


def member_name(message: Message, _context: Context) -> str | None:
    """Return the member's name, or its interface. Events have other headers than items.

    If the queue dials a number (Local/NUMBER@context), a name that equals the number becomes `other`.
    """
    listed = message.get("event") == QUEUE_MEMBER[0]
    name, interface = map(message.get, ("name", "location") if listed else ("membername", "interface"))
    shown = name or interface or None
    dials = (interface or "").lower().startswith("local/")
    return OTHER if shown and dials and holds_number(shown) else shown


def pause_reason(message: Message, _context: Context) -> str | None:
    """Return why a member is paused: `none` without a reason, `other` for one that contains a number or an address.

    None if this version sends no reasons.
    """
    reason = message.get("pausedreason")
    if reason is None:
        return None
    if is_number_or_address(reason) or not reason.strip().isprintable():
        return OTHER
    return reason.strip()[:REASON_CHARACTERS].rstrip() or "none"


def available(message: Message, context: Context) -> bool:
    """Whether the queue would ring the member: not paused, not in use or unknown, not in wrap-up."""
    return _free(message) and not wraps_up(message, context)


def tells_wrapup(message: Message, _context: Context) -> bool:
    """Whether this version sends the member's wrap-up time: from Asterisk 16.3 on."""
    return "wrapuptime" in message


def when(labels_of: Labels, condition: Callable[[Message, Context], bool]) -> Labels:
    """Return the same labels, only for messages that meet the condition."""
    return lambda message, context: labels_of(message, context) if condition(message, context) else None


def tells_in_call(message: Message, _context: Context) -> bool:
    """Members say whether they are in a call from Asterisk 13.8 on, and as IsInCall from 11.22 on."""
    return "incall" in message or "isincall" in message


def in_call(message: Message) -> bool:
    """Whether the member is in a call of the queue."""
    return message.get("incall", message.get("isincall", "")).strip() == "1"


def wraps_up(message: Message, context: Context) -> bool:
    """Whether a member's last call ended less than its wrap-up time ago, by the PBX's clock."""
    seconds, last_call = _wrapup_time(message), _last_call(message)
    return bool(seconds and last_call and context.now + context.pbx_ahead - last_call < seconds)


def in_wrapup(message: Message, context: Context) -> bool:
    """Whether a member who could be rung is not, since its last call has just ended: not paused, in no call."""
    return _free(message) and not in_call(message) and wraps_up(message, context)
