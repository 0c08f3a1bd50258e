"""The trunk board's row of canary calls: the exporter's own test calls, with their audio."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import Row
from grafana.lookback import over
from grafana.model import Query
from grafana.panels import Series
from grafana.ranking import LAST_HOUR, down, most
from grafana.selection import clicked
from grafana.table import Column, Table

NONE = "No canary call is known"
GOOD_BAD = {"0": ("bad", c.BAD), "1": ("good", c.GOOD)}
AUDIO = {"0": ("none", c.BAD), "1": ("heard", c.GOOD)}


def of_canary(metric: str, more: str = "", how: str = "max") -> str:
    """One sample for each canary of each PBX."""
    return f"{how} by (instance, canary) (asterisk_canary_{metric}{{@{more}}})"


CANARY = Row(
    title="Canary calls",
    folded=True,
    panels=(
        Table(
            title="Each canary",
            description="""The last call of each canary, the failed ones first: whether it was answered with audio as
                asked for, when, how it ended, how long until it was answered, and audio heard here (in) and at the far
                end (out). Good: share of six hours in which the last call was good.""",
            nothing=NONE,
            keys={"instance": "PBX", "canary": "Canary", "cause": "Hangup cause"},
            links={"instance": clicked("asterisk-pbx", "instance")},
            widths={"cause": 210},
            sort=("Last call", False),
            columns=(
                Column(
                    title="Cause",
                    expr="max by (instance, canary, cause) (asterisk_canary_hangup_cause{@})",
                    hidden=True,
                ),
                Column(title="Last call", expr=of_canary("up", how="min"), values=GOOD_BAD, width=104),
                Column(
                    title="Ended ago",
                    expr="max by (instance, canary) (time() - asterisk_canary_last_run_timestamp_seconds{@})",
                    unit="dthms",
                    thresholds=c.Steps("text", ((7200, c.WARN),)),
                    width=96,
                ),
                Column(
                    title="Answer", expr=of_canary("phase_seconds", ', phase="answer"'), unit="s", decimals=1, width=76
                ),
                Column(title="Audio in", expr=of_canary("media", ', media="inbound"', "min"), values=AUDIO, width=84),
                Column(title="Audio out", expr=of_canary("media", ', media="outbound"', "min"), values=AUDIO, width=88),
                Column(title="Loss", expr=of_canary("loss_ratio"), unit="percentunit", decimals=1, width=66),
                Column(title="Round trip", expr=of_canary("rtt_seconds"), unit="s", decimals=0, width=92),
                Column(title="MES", expr=of_canary("mes", how="min"), decimals=0, width=56),
                Column(
                    title="Good",
                    expr=f"min by (instance, canary) ({over('avg', 'asterisk_canary_up{@}', '6h:15m')})",
                    unit="percentunit",
                    decimals=0,
                    thresholds=c.SHARE_WORKS,
                    width=66,
                ),
            ),
        ),
        Series(
            title="Canaries that failed",
            description="""How many canaries' last call was not good when; the table above has their names (Good below
                100 %).""",
            nothing="No failed canary call is known",
            queries=(
                Query(
                    expr=f"count by (instance, canary) ({down('asterisk_canary_up{@}')})",
                    legend="{{canary}} · {{instance}}",
                ),
            ),
            faults=True,
            bars=True,
            decimals=0,
            legend="",
            width=8,
        ),
        Series(
            title="Time until answered, slowest ten",
            description="From dialling to the answer, of the ten canaries that took longest in the last hour.",
            nothing="No answered canary call is known",
            queries=(
                Query(
                    expr=most(of_canary("phase_seconds", ', phase="answer"'), over="max", window=LAST_HOUR),
                    legend="{{canary}} · {{instance}}",
                ),
            ),
            unit="s",
            legend="right",
            width=8,
        ),
        Series(
            title="Canaries, good and bad",
            description="How many canaries had a good or a bad last call.",
            nothing=NONE,
            queries=(
                Query(expr="sum(asterisk_canary_up{@})", legend="good"),
                Query(expr="sum(asterisk_canary_up{@} == bool 0)", legend="bad"),
            ),
            words=c.Words({"good": c.GOOD, "bad": c.BAD}),
            stacked=True,
            decimals=0,
            width=8,
        ),
    ),
)
