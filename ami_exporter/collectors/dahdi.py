"""DAHDI hardware: channels and spans in alarm, ISDN D-channels."""

from __future__ import annotations

from ami_exporter.ami.actions import Action
from ami_exporter.ami.message import Message
from ami_exporter.collectors.declarations import Collector, Rule, counter, gauge
from ami_exporter.collectors.fields import OTHER, constant, labels, mapped, text, word

CHANNELS = Action("DAHDIShowChannels")
SPANS = Action("DAHDIShowStatus")
PRI_SPANS = Action("PRIShowSpans")

# channels/chan_dahdi.c: alarms[]
_ALARMS = {
    "no alarm": "none",
    "red alarm": "red",
    "yellow alarm": "yellow",
    "blue alarm": "blue",
    "recovering": "recovering",
    "loopback": "loopback",
    "not open": "not_open",
}

DAHDI_CHANNELS = gauge(
    "asterisk_dahdi_channels",
    "DAHDI channels by alarm (AMI DAHDIShowChannels: Alarm)",
    "alarm",
    closed={"alarm": (*_ALARMS.values(), OTHER)},
)
SPAN_ALARM = gauge(
    "asterisk_dahdi_span_alarm",
    "1 when the span has an alarm, 0 when it is OK, absent when it is not configured (AMI DAHDIShowStatus: Alarms)",
    "span",
)
SPAN_UP = gauge(
    "asterisk_pri_span_up", "1 when one of the ISDN span's D-channels is up, else 0 (AMI PRIShowSpans: Up)", "span"
)

_KINDS = ("channel", "span")
_STATES = ("raised", "cleared")
ALARMS = counter(
    "asterisk_alarms_total",
    "Alarms of DAHDI channels and spans, raised and cleared (AMI events Alarm, AlarmClear, SpanAlarm, SpanAlarmClear)",
    "kind",
    "state",
    closed={"kind": _KINDS, "state": _STATES},
)


def _span_alarm(message: Message) -> float | None:
    alarms = message.get("alarms", "").strip().upper()
    if not alarms or alarms == "UNCONFIGURED":
        return None
    return 0.0 if alarms == "OK" else 1.0


def _alarm_event(name: str, kind: str, state: str) -> Rule:
    return Rule(ALARMS, None, (name,), labels(constant(kind), constant(state)))


COLLECTOR = Collector(
    name="dahdi",
    title="DAHDI channels, spans and their alarms, ISDN",
    metrics=(DAHDI_CHANNELS, SPAN_ALARM, SPAN_UP, ALARMS),
    polls=((CHANNELS,), (SPANS,), (PRI_SPANS,)),
    rules=(
        Rule(DAHDI_CHANNELS, CHANNELS, ("DAHDIShowChannels",), labels(word("Alarm", _ALARMS))),
        Rule(SPAN_ALARM, SPANS, ("DAHDIShowStatus",), labels(text("Span")), _span_alarm, reduce="max"),
        Rule(
            SPAN_UP,
            PRI_SPANS,
            ("PRIShowSpans",),
            labels(text("Span")),
            mapped("Up", {"yes": 1, "no": 0}),
            reduce="max",
        ),
        _alarm_event("Alarm", "channel", "raised"),
        _alarm_event("AlarmClear", "channel", "cleared"),
        _alarm_event("SpanAlarm", "span", "raised"),
        _alarm_event("SpanAlarmClear", "span", "cleared"),
    ),
)
