"""The only call this program can start: a canary call, in one fixed form.

Observed with Asterisk 16 and 22 and write=originate alone: every event of the call has the ChannelId given here as
Uniqueid and Linkedid. `TIMEOUT(absolute)` ends the call in Asterisk, ringing or talking, even if this program has
ended. `CDR_PROP(disable)` keeps the call out of the call records. BridgeWait sends audio (silence, fifty packets a
second) for exactly the given time and then hangs up, which needs no right; Milliwatt would talk until the absolute
timeout.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from ami_exporter.ami.destinations import CONTEXT, refusal
from ami_exporter.ami.errors import ForbiddenAction
from ami_exporter.ami.own_calls import is_id, new_id

Audio = Literal["none", "rtp", "tone"]
AUDIO: Final = ("none", "rtp", "tone")
MAX_RING_SECONDS: Final = 60
MAX_TALK_SECONDS: Final = 60
SPARE_SECONDS: Final = 3
"""Seconds between the call's own end and the absolute timeout, for setting up the answer."""


@dataclass(frozen=True, slots=True)
class CanaryCall:
    """A checked canary call. Raises ForbiddenAction for anything but the one form.

    channel: `TECH/…`, see destinations. ring_seconds: wait for an answer. talk_seconds: from the answer to the end.
    audio: none sends nothing, rtp sends silence, tone lets the dialplan (ami-canary, extension tone) listen.
    """

    channel: str
    audio: Audio
    ring_seconds: int
    talk_seconds: int
    internal: bool = False
    call_id: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        if why := refusal(self.channel, internal=self.internal):
            raise ForbiddenAction(f"a canary call to {self.channel!r}: {why}")
        if self.audio not in AUDIO:
            raise ForbiddenAction(f"a canary call with audio {self.audio!r}, expected one of {', '.join(AUDIO)}")
        for name, seconds, most in (
            ("rings", self.ring_seconds, MAX_RING_SECONDS),
            ("talks", self.talk_seconds, MAX_TALK_SECONDS),
        ):
            if type(seconds) is not int or not 1 <= seconds <= most:
                raise ForbiddenAction(f"a canary call that {name} {seconds!r} s, expected whole seconds up to {most}")
        if not is_id(self.call_id):
            raise ForbiddenAction("a canary call whose identifier was not made by new_id")

    @property
    def longest(self) -> int:
        """Seconds after which Asterisk ends the call at the latest."""
        return self.ring_seconds + self.talk_seconds + SPARE_SECONDS

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers of the action."""
        return [
            ("Action", "Originate"),
            ("ActionID", self.call_id),
            ("Channel", self.channel),
            ("ChannelId", self.call_id),
            *self._what(),
            ("Timeout", str(self.ring_seconds * 1000)),
            ("Async", "true"),
            ("Account", CONTEXT),
            ("Variable", f"TIMEOUT(absolute)={self.longest}"),
            ("Variable", "CDR_PROP(disable)=1"),
        ]

    def _what(self) -> list[tuple[str, str]]:
        """Return what the PBX runs after the answer; each ends by itself after talk_seconds."""
        if self.audio == "tone":
            seconds = ("Variable", f"CANARY_SECONDS={self.talk_seconds}")
            return [("Context", CONTEXT), ("Exten", "tone"), ("Priority", "1"), seconds]
        if self.audio == "rtp":
            return [("Application", "BridgeWait"), ("Data", f"{CONTEXT},participant,e(s)S({self.talk_seconds})")]
        return [("Application", "Wait"), ("Data", str(self.talk_seconds))]
