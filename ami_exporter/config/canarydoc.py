"""`canaries:` of a target, as pydantic models: calls made again and again, to see whether a trunk carries them."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, PlainValidator, model_validator
from pydantic import ValidationInfo as Info

from ami_exporter.config import scalars
from ami_exporter.config.scalar_types import Duration, Sendable, Strict, Switch, WithinError, facts, integer, schema
from ami_exporter.config.userdoc import AmiUserDoc

AUDIO: Final = ("none", "rtp", "tone")
LEAST_INTERVAL: Final = 300.0
MOST_SECONDS: Final = 60.0
RTP_SECONDS: Final = 7.0
"""RTCP reports come every five seconds: a shorter call may have none."""
REPORTING: Final = ("PJSIP", "SIP", "Local")
"""Technologies whose calls have RTCP reports."""


def _audio(value: object) -> str:
    return scalars.choice(value, AUDIO)


class CanaryDoc(Strict):
    """One canary."""

    channel: Sendable = Field(description="what is called, as in Dial: PJSIP/+4930123456@telco-a")
    user: AmiUserDoc = Field(description="the AMI user that calls, with write=originate and nothing else")
    interval: Duration = Field(default=900.0, description="time between two calls, at least 5m (default 15m)")
    ring_timeout: Duration = Field(default=20.0, description="given up when not answered in this time (default 20s)")
    duration: Duration = Field(
        default=10.0, description="length of an answered call (default 10s; providers surcharge very short ones)"
    )
    audio: Annotated[Literal["none", "rtp", "tone"], PlainValidator(_audio), schema("string", enum=list(AUDIO))] = (
        Field(
            default="none",
            description="none (default); rtp: send silence and see by RTCP whether audio arrives at both ends; "
            "tone: the dialplan's context ami-canary listens for one",
        )
    )
    max_calls_per_day: Annotated[int, *integer(1, 288)] = Field(
        default=100, description="calls in any 24 hours (default 100)"
    )
    internal: Switch = Field(default=False, description="true: the destination may have fewer than six digits")

    @model_validator(mode="after")
    def _check(self, info: Info) -> Self:
        if why := facts(info).refused_destination(self.channel, self.internal):
            raise WithinError(("channel",), f"found {scalars.found(self.channel)}: {why}")
        if self.interval < LEAST_INTERVAL:
            raise WithinError(("interval",), "found less than 5m, expected at least 5m: each call costs money")
        for key in ("ring_timeout", "duration"):
            seconds = getattr(self, key)
            if not 1 <= seconds <= MOST_SECONDS or seconds % 1:
                raise WithinError((key,), f"found {seconds:g} s, expected whole seconds from 1s to 60s")
        if self.audio == "rtp" and self.duration < RTP_SECONDS:
            raise WithinError(
                ("duration",), f"found {self.duration:g} s with audio: rtp, expected at least 7s for a report"
            )
        technology = self.channel.partition("/")[0]
        if self.audio == "rtp" and technology not in REPORTING:
            raise WithinError(
                ("audio",), "found rtp with a technology whose calls have no RTCP reports, expected none or tone"
            )
        return self
