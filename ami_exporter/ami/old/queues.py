"""Queue callers of a server before Asterisk 12 whose queue does not report answers. Pure.

Without eventwhencalled=yes a queue sends no AgentConnect. Then an answered caller leaves without abandoning,
and is bridged at once with a channel that no Dial has named: the member's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ami_exporter.ami.concluded import concluded
from ami_exporter.ami.message import Message
from ami_exporter.ami.old.channels import FollowedChannel

MAX_CALLERS: Final = 20_000
"""Maximum callers remembered, as many as the queue collector follows."""


@dataclass(slots=True)
class _Caller:
    queue: str
    joined: float
    waited: float | None = None


class Callers:
    """Callers who wait, and callers who have left and may have been answered, by their channel's identity."""

    def __init__(self) -> None:
        self._callers: dict[str, _Caller] = {}

    def __len__(self) -> int:
        return len(self._callers)

    def joined(self, uid: str, queue: str, now: float) -> None:
        if len(self._callers) >= MAX_CALLERS:
            del self._callers[next(iter(self._callers))]
        self._callers[uid] = _Caller(queue, now)

    def left(self, uid: str, now: float) -> None:
        caller = self._callers.get(uid)
        if caller is not None:
            caller.waited = now - caller.joined

    def gone(self, uid: str) -> None:
        """Forget a caller who abandoned, was answered or hung up: the end of the wait is already reported."""
        self._callers.pop(uid, None)

    def bridged(self, uid: str, partner: FollowedChannel) -> list[Message]:
        """A caller was bridged: return the AgentConnect that a queue without eventwhencalled does not send."""
        caller = self._callers.get(uid)
        if caller is None or caller.waited is None:
            return []
        del self._callers[uid]
        if partner.named or not partner.is_leg:
            return []
        waited = str(int(caller.waited))
        return [concluded("AgentConnect", ("queue", caller.queue), ("uniqueid", uid), ("holdtime", waited))]
