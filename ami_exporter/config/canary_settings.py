"""`canaries:` of a target: periodic calls that test whether a trunk carries calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal

from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.catalogue import Catalogue
from ami_exporter.config.kinds import SENDABLE, SWITCH, choice, seconds, whole
from ami_exporter.config.model import Keyed, Model, Problems
from ami_exporter.config.numbers import hidden
from ami_exporter.config.scalars import found

CHANNEL: Final = replace(SENDABLE, write=hidden)
LEAST_INTERVAL: Final = 300.0
MOST_SECONDS: Final = 60.0
RTP_SECONDS: Final = 7
"""Seconds. RTCP reports come every five seconds, so a shorter call may have none."""
REPORTING: Final = ("PJSIP", "SIP", "Local")
"""Technologies whose calls have RTCP reports."""


def _interval(given: float) -> float:
    if given < LEAST_INTERVAL:
        raise ValueError("found less than 5m, expected at least 5m: each call costs money")
    return given


def _whole_seconds(given: float) -> int:
    if not 1 <= given <= MOST_SECONDS or given % 1:
        raise ValueError(f"found {given:g} s, expected whole seconds from 1s to 60s")
    return int(given)


@dataclass(frozen=True, slots=True)
class CanarySettings(Model):
    """One canary. Times in seconds."""

    channel: Annotated[str, CHANNEL, "what is called, as in Dial: PJSIP/+4930123456@telco-a"]
    user: Annotated[
        AmiUser,
        Keyed(AmiUser, ", such as `user: {username: ami_canary, secret_file: FILE}`"),
        "the AMI user that calls, with write=originate and nothing else",
    ]
    interval: Annotated[float, seconds(_interval), "time between two calls, at least 5m (default 15m)"] = 900.0
    ring_timeout: Annotated[int, seconds(_whole_seconds), "given up when not answered in this time (default 20s)"] = 20
    duration: Annotated[
        int,
        seconds(_whole_seconds),
        "length of an answered call (default 10s; providers surcharge very short ones)",
    ] = 10
    audio: Annotated[
        Literal["none", "rtp", "tone"],
        choice("none", "rtp", "tone"),
        "none (default); rtp: send silence and see by RTCP whether audio arrives at both ends; "
        "tone: the dialplan's context ami-canary listens for one",
    ] = "none"
    max_calls_per_day: Annotated[int, whole(1, 288), "calls in any 24 hours (default 100)"] = 100
    internal: Annotated[bool, SWITCH, "true: the destination may have fewer than six digits"] = False

    @classmethod
    def wrong_together(cls, given: Mapping[str, Any], catalogue: Catalogue) -> Problems:
        channel = given["channel"]
        if why := catalogue.refused_destination(channel, given["internal"]):
            yield ("channel",), f"found {found(channel)}: {why}"
        elif given["audio"] == "rtp" and channel.partition("/")[0] not in REPORTING:
            yield (
                ("audio",),
                "found rtp with a technology whose calls have no RTCP reports, expected none or tone",
            )
        if given["audio"] == "rtp" and given["duration"] < RTP_SECONDS:
            yield ("duration",), f"found {given['duration']} s with audio: rtp, expected at least 7s for a report"
