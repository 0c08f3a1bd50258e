"""The trunk board's row on quality: NER, ASR, post-dial delay, and why calls failed; and the expressions of a trunk."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import Row
from grafana.causes import of_seen, or_none, seen
from grafana.model import Query
from grafana.panels import Series
from grafana.ranking import LAST_HOUR, most

T = '@, trunk=~"$trunk"'
OUT = f'{T}, direction="outbound"'
ATTEMPTS = f"trunk:asterisk_calls:increase15m{{{OUT}}}"
ANSWERED = f"trunk:asterisk_answered:ratio15m{{{OUT}}}"
EFFECTIVE = f"trunk:asterisk_effective:ratio15m{{{OUT}}}"
DELAY = f"trunk:asterisk_post_dial_delay_seconds:p95_15m{{{T}}} >= 0"
BUSY = f"max by (@, trunk) ({ATTEMPTS}) >= 10"
"""Traffic guard: one failed call out of two says nothing about a trunk."""
STATE = f"asterisk_trunk_up{{{T}}} or on (job, instance, trunk) asterisk_trunk_info{{{T}}} * 2"
STATES = {**c.UP_DOWN, "2": ("not told", c.DIM)}
"""A trunk that neither registers nor is qualified says nothing about itself."""
LISTED = f"and on (job, instance, trunk) asterisk_trunk_info{{{T}}}"
TRUNK_NAME = "{{trunk}} · {{instance}}"
SLOW = c.Steps("text", ((5, c.WARN), (8, c.BAD)))


def by_trunk(expression: str, how: str = "sum") -> str:
    """One sample for each trunk of each PBX."""
    return f"{how} by (instance, trunk) ({expression})"


def guarded(expression: str) -> str:
    """Only trunks with ten attempts in 15 minutes."""
    return f"max by (@, trunk) ({expression}) and {BUSY}"


REGISTRATION_EVENTS = Series(
    title="Registration events per minute",
    description="Registry events by status; a healthy registration renews itself now and then.",
    nothing="No registration event is known",
    queries=(
        Query(
            expr="sum by (status) (instance:asterisk_registration_events:rate5m{@}) * 60 > 0",
            legend="{{status}}",
        ),
    ),
    words=c.REGISTRATIONS,
    bars=True,
    width=8,
    height=9,
)

QUALITY = Row(
    title="Does the provider carry our calls",
    panels=(
        Series(
            title="Network effectiveness (NER), worst ten",
            description="""Share of outbound calls that did not end by a failure cause, over 15 minutes, of the ten
                trunks with the lowest mean in the last hour and at least ten attempts. Low: the provider or the route
                fails.""",
            nothing="No trunk with ten attempts is known",
            queries=(
                Query(
                    expr=of_seen(
                        most(guarded(EFFECTIVE), how="bottomk", over="avg", window=LAST_HOUR), on="job, instance"
                    ),
                    legend=TRUNK_NAME,
                ),
            ),
            unit="percentunit",
            maximum=1,
            width=8,
            legend="right",
        ),
        Series(
            title="Answered share (ASR), worst ten",
            description="""Outbound calls answered out of attempted, over 15 minutes, of the ten trunks with the lowest
                mean in the last hour and at least ten attempts. Also falls when people do not answer.""",
            nothing="No trunk with ten attempts is known",
            queries=(
                Query(
                    expr=of_seen(
                        most(guarded(ANSWERED), how="bottomk", over="avg", window=LAST_HOUR), on="job, instance"
                    ),
                    legend=TRUNK_NAME,
                ),
            ),
            unit="percentunit",
            maximum=1,
            width=8,
            legend="right",
        ),
        Series(
            title="Post-dial delay, longest ten",
            description="""From dialling until the far end rings or sends progress: 95th percentile over 15 minutes of
                the ten slowest trunks of the last hour.""",
            nothing="No call out is known",
            queries=(
                Query(expr=of_seen(most(by_trunk(DELAY, "max"), over="avg", window=LAST_HOUR)), legend=TRUNK_NAME),
            ),
            unit="s",
            width=8,
            legend="right",
        ),
        Series(
            title="Calls without audio, worst ten",
            description="""Share of calls whose audio was never heard or stopped, over half an hour, in the worse of
                both directions, of the ten worst trunks now.""",
            nothing="No call whose audio is known",
            queries=(
                Query(
                    expr=of_seen(
                        most(f"max by (instance, trunk) (trunk:asterisk_silent_calls:ratio30m{{{T}}})"), "reporting"
                    ),
                    legend=TRUNK_NAME,
                ),
            ),
            unit="percentunit",
            faults=True,
            maximum=1,
            width=8,
            legend="right",
        ),
        Series(
            title="Failed calls a minute",
            description="Outbound calls by the hangup causes (Q.850) that mean the network failed.",
            queries=(
                Query(
                    expr=or_none(
                        f"sum by (cause) (trunk:asterisk_failures:rate5m{{{OUT}}}) * 60 > 0",
                        "cause",
                        "no failures",
                        known=seen("call"),
                    ),
                    legend="{{cause}}",
                ),
            ),
            words=c.CAUSES,
            bars=True,
            width=8,
        ),
        Series(
            title="SIP failures a minute",
            description="SIP codes the provider answered with, where chan_pjsip tells (Asterisk 20.17, 22.7, 23.1).",
            nothing="No SIP code is known",
            queries=(
                Query(
                    expr=or_none(
                        f"sum by (code) (trunk:asterisk_sip_failures:rate5m{{{T}}}) * 60 > 0",
                        "code",
                        "no failures",
                        known=f"trunk:asterisk_sip_failures:rate5m{{{T}}} and on (job, instance) {seen('call')}",
                    ),
                    legend="{{code}}",
                ),
            ),
            words=c.SIP_CODES,
            bars=True,
            width=8,
        ),
    ),
)
