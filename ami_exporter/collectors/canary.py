"""Canary calls: does a trunk carry a call, how fast, with audio both ways? Opt-in: they cost money."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from ami_exporter.collectors.declarations import Collector, Metric, MetricType, Origin
from ami_exporter.collectors.vocabulary import DIRECTIONS

RESULTS: Final = ("success", "busy", "no_answer", "rejected", "failed", "one_way", "silent")
SKIPPED: Final = ("busy", "limit", "cap", "starting", "back_off", "down")
PHASES: Final = ("first_ringing", "answer", "total")

EVENTS: Final = (
    *("Newchannel", "Newstate", "DialBegin", "DialState", "DialEnd", "HangupRequest", "Hangup", "OriginateResponse"),
    *("RTCPSent", "RTCPReceived"),
)
TONE_EVENT: Final = "UserEvent"


def _metric(kind: MetricType, name: str, text: str, *labels: str, **closed: tuple[str, ...]) -> Metric:
    names = ("canary", *labels)
    return Metric(f"asterisk_canary_{name}", kind, text, names, Origin.EXPORTER, MappingProxyType(closed))


UP = _metric(
    "gauge",
    "up",
    "1: the last canary call was answered, with audio as asked for "
    "(AMI events DialEnd, Hangup, RTCPSent, RTCPReceived)",
)
PHASE = _metric(
    "gauge",
    "phase_seconds",
    "Of the last canary call, time from dialling to the first sign of the far end, to the answer, to the end; absent "
    "for phases that the call did not reach (AMI events DialBegin, DialState, DialEnd, Hangup)",
    "phase",
    phase=PHASES,
)
LAST_RUN = _metric("gauge", "last_run_timestamp_seconds", "End of the last canary call, Unix time (AMI event Hangup)")
CAUSE = _metric(
    "gauge",
    "hangup_cause",
    "1: Q.850 cause of the last canary call; absent when our own ring_timeout ended it (AMI event Hangup: Cause)",
    "cause",
)
SIP_CODE = _metric(
    "gauge",
    "sip_code",
    "1: SIP answer the last canary call failed with; absent when our own ring_timeout ended it "
    "(AMI event Hangup: TechCause, from Asterisk 20.17, 22.7, 23.1)",
    "code",
)
MEDIA = _metric(
    "gauge",
    "media",
    "Whether audio of the last canary call arrived, inbound here, outbound at the far end; absent where no report "
    "says so (AMI events RTCPSent, RTCPReceived: ReportCount; UserEvent CanaryTone)",
    "media",
    media=DIRECTIONS,
)
RTT = _metric("gauge", "rtt_seconds", "Round trip time of the last canary call's audio (AMI event RTCPReceived: RTT)")
LOSS = _metric(
    "gauge",
    "loss_ratio",
    "Share of packets lost in the last canary call, the mean of its reports "
    "(AMI events RTCPSent, RTCPReceived: Report0FractionLost)",
    "media",
    media=DIRECTIONS,
)
MES = _metric(
    "gauge",
    "mes",
    "Media experience score of the last canary call, the lower of both directions (AMI events RTCPSent, "
    "RTCPReceived: MES, from Asterisk 18.17, 20.2)",
)
RUNS = _metric(
    "counter",
    "runs_total",
    "Canary calls finished, by result (AMI events DialEnd, Hangup, RTCPSent, RTCPReceived)",
    "result",
    result=RESULTS,
)
SKIPS = _metric(
    "counter",
    "skipped_total",
    "Canary calls that were due and not made: another one under way, channel_limit, max_calls_per_day, the PBX in its "
    "first minute, back-off after failures, the PBX or its event link down (configuration: canaries)",
    "reason",
    reason=SKIPPED,
)

COLLECTOR = Collector(
    name="canary",
    title="Canary calls",
    metrics=(UP, PHASE, LAST_RUN, CAUSE, SIP_CODE, MEDIA, RTT, LOSS, MES, RUNS, SKIPS),
    hears=EVENTS,
)
"""Enabled if the target has canaries. Their calls are in no other metric, except for the trunk channel they occupy."""
