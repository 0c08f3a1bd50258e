"""Trunks and registrations: which is down, how full they are, and whether the provider completes calls."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import INSTANCE, JOB, TRUNK, Board, Row
from grafana.causes import or_none
from grafana.model import Query
from grafana.panels import Series, Timeline
from grafana.ranking import SHOWN, most, that_was_down
from grafana.selection import clicked
from grafana.stat import Share, Stat
from grafana.table import Column, Table

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


NOW = Row(
    title="Now",
    panels=(
        Share(
            title="Trunks up",
            description="Trunks that are registered where they register, and reachable where they are qualified.",
            have=f"sum(asterisk_trunk_up{{{T}}})",
            total=f"count(asterisk_trunk_up{{{T}}})",
            trouble=f"sum(asterisk_trunk_up{{{T}}} == bool 0)",
            collector="trunks",
            thresholds=c.NONE_IS_GOOD,
        ),
        Share(
            title="Registrations",
            description="Outbound registrations that are accepted.",
            have="sum(asterisk_registration_up{@})",
            total="count(asterisk_registration_up{@})",
            trouble="sum(asterisk_registration_up{@} == bool 0)",
            collector="registrations",
            thresholds=c.NONE_IS_GOOD,
        ),
        Stat(
            title="Calls on trunks",
            description="Channels that trunks hold now.",
            queries=(Query(expr=f"sum(asterisk_trunk_channels{{{T}}})"),),
            thresholds=c.PLAIN,
        ),
        Stat(
            title="Worst NER",
            description="""Trunk with the lowest NER over 15 minutes, of those with at least ten attempts: share of
                outbound calls the provider carried. Busy and no answer count as carried.""",
            queries=(Query(expr=f"bottomk(1, {guarded(EFFECTIVE)})", legend=TRUNK_NAME),),
            text="value_and_name",
            nothing="too few calls",
            unit="percentunit",
            decimals=0,
            thresholds=c.SHARE_WORKS,
        ),
        Stat(
            title="Worst ASR",
            description="""Trunk with the lowest ASR over 15 minutes, of those with at least ten attempts: outbound
                calls answered out of attempted.""",
            queries=(Query(expr=f"bottomk(1, {guarded(ANSWERED)})", legend=TRUNK_NAME),),
            text="value_and_name",
            nothing="too few calls",
            unit="percentunit",
            decimals=0,
            thresholds=c.PLAIN,
        ),
        Stat(
            title="Longest delay",
            description="""Trunk with the longest post-dial delay (95th percentile over 15 minutes), of those with at
                least ten attempts: how long callers hear nothing before it rings. Red from eight seconds.""",
            queries=(Query(expr=f"topk(1, {guarded(DELAY)})", legend=TRUNK_NAME),),
            text="value_and_name",
            nothing="too few calls",
            unit="s",
            decimals=1,
            thresholds=c.Steps(c.GOOD, ((5, c.WARN), (8, c.BAD))),
        ),
        Table(
            title="Each trunk",
            description="""State and channels now, those that are down first. Over the last 15 minutes: outbound
                attempts, ASR (answered share), NER (share the network carried), mean talk time, 95th percentile of
                the post-dial delay.""",
            keys={"instance": "PBX", "trunk": "Trunk", "technology": "Technology"},
            links={"instance": clicked("asterisk-pbx", "instance"), "trunk": clicked("asterisk-trunks", "trunk")},
            widths={"technology": 100},
            height=9,
            sort=("State", False),
            columns=(
                Column(
                    title="Info",
                    expr=f"max by (instance, trunk, technology) (asterisk_trunk_info{{{T}}})",
                    hidden=True,
                ),
                Column(title="State", expr=by_trunk(STATE, "min"), values=STATES, width=84),
                Column(title="Channels", expr=by_trunk(f"asterisk_trunk_channels{{{T}}}"), width=84),
                Column(title="Limit", expr=by_trunk(f"asterisk_trunk_channels_limit{{{T}}}"), width=66),
                Column(
                    title="Use",
                    expr=by_trunk(f"trunk:asterisk_channels:use{{{T}}}", "max"),
                    unit="percentunit",
                    decimals=0,
                    thresholds=c.SHARE_USED,
                    width=66,
                ),
                Column(
                    title="Oldest channel",
                    expr=by_trunk(f"asterisk_trunk_oldest_channel_age_seconds{{{T}}}", "max"),
                    unit="dthms",
                    thresholds=c.Steps("text", ((14400, c.BAD),)),
                    width=116,
                ),
                Column(title="Attempts", expr=by_trunk(f"{ATTEMPTS} {LISTED}"), decimals=0, width=86),
                Column(
                    title="ASR", expr=by_trunk(f"{ANSWERED} {LISTED}", "max"), unit="percentunit", decimals=0, width=66
                ),
                Column(
                    title="NER",
                    expr=by_trunk(f"{EFFECTIVE} {LISTED}", "max"),
                    unit="percentunit",
                    decimals=0,
                    thresholds=c.SHARE_WORKS,
                    width=66,
                ),
                Column(
                    title="Mean talk",
                    expr=by_trunk(f"trunk:asterisk_talk_seconds:mean15m{{{OUT}}} >= 0 {LISTED}", "max"),
                    unit="dthms",
                    width=90,
                ),
                Column(
                    title="Delay p95",
                    expr=by_trunk(f"{DELAY} {LISTED}", "max"),
                    unit="s",
                    decimals=1,
                    thresholds=SLOW,
                    width=90,
                ),
            ),
        ),
        Timeline(
            title="Trunks that were down",
            description="Trunks that were down at some moment of the time shown, the twelve longest.",
            nothing="No trunk was down",
            queries=(Query(expr=that_was_down(by_trunk(f"asterisk_trunk_up{{{T}}}", "min")), legend=TRUNK_NAME),),
            values=c.UP_DOWN,
            unit="none",
            height=9,
        ),
        Timeline(
            title="Registrations that were down",
            description="Registrations that were not accepted at some moment of the time shown, the twelve longest.",
            nothing="No registration was down",
            queries=(
                Query(
                    expr=that_was_down("min by (instance, registration) (asterisk_registration_up{@})"),
                    legend="{{registration}} · {{instance}}",
                ),
            ),
            values={"0": ("not registered", c.BAD), "1": ("registered", c.GOOD)},
            unit="none",
            height=9,
        ),
    ),
)

USE = Row(
    title="Use",
    panels=(
        Series(
            title="Channels of the ten busiest trunks",
            description="Both directions together, of the ten trunks that hold most at the end of the time shown.",
            queries=(Query(expr=most(by_trunk(f"asterisk_trunk_channels{{{T}}}")), legend=TRUNK_NAME),),
            stacked=True,
            decimals=0,
        ),
        Series(
            title="Calls per minute, by direction",
            description="Outbound attempts and inbound calls over the chosen trunks.",
            queries=(
                Query(expr=f"sum by (direction) (trunk:asterisk_calls:rate5m{{{T}}}) * 60", legend="{{direction}}"),
            ),
            words=c.DIRECTIONS,
        ),
    ),
)

QUALITY = Row(
    title="Does the provider carry our calls",
    panels=(
        Series(
            title="Network effectiveness (NER), worst ten",
            description="""Share of outbound calls that did not end by a failure cause, over 15 minutes, of the ten
                trunks with the lowest mean and at least ten attempts. Low: the provider or the route fails.""",
            nothing="Too few calls",
            queries=(
                Query(
                    expr=most(guarded(EFFECTIVE), how="bottomk", over="avg", window=SHOWN),
                    legend=TRUNK_NAME,
                ),
            ),
            unit="percentunit",
            maximum=1,
            width=8,
        ),
        Series(
            title="Answered share (ASR), worst ten",
            description="""Outbound calls answered out of attempted, over 15 minutes, of the ten trunks with the lowest
                mean and at least ten attempts. Also falls when people do not answer.""",
            nothing="Too few calls",
            queries=(
                Query(
                    expr=most(guarded(ANSWERED), how="bottomk", over="avg", window=SHOWN),
                    legend=TRUNK_NAME,
                ),
            ),
            unit="percentunit",
            maximum=1,
            width=8,
        ),
        Series(
            title="Post-dial delay, longest ten",
            description="""From dialling until the far end rings or sends progress: 95th percentile over 15 minutes of
                the ten slowest trunks.""",
            nothing="No calls out",
            queries=(Query(expr=most(by_trunk(DELAY, "max"), over="avg", window=SHOWN), legend=TRUNK_NAME),),
            unit="s",
            width=8,
        ),
        Series(
            title="Failed outbound calls per minute, by cause",
            description="Hangup causes (Q.850) that mean the network failed.",
            queries=(
                Query(
                    expr=or_none(
                        f"sum by (cause) (trunk:asterisk_failures:rate5m{{{OUT}}}) * 60 > 0",
                        "cause",
                        ATTEMPTS,
                        "no failures",
                    ),
                    legend="{{cause}}",
                ),
            ),
            words=c.CAUSES,
            bars=True,
            width=8,
        ),
        Series(
            title="SIP failures per minute, by code",
            description="SIP codes the provider answered with, where Asterisk tells (22.7 and later).",
            nothing="Not told by this Asterisk",
            queries=(
                Query(
                    expr=or_none(
                        f"sum by (code) (trunk:asterisk_sip_failures:rate5m{{{T}}}) * 60 > 0",
                        "code",
                        f"trunk:asterisk_sip_failures:rate5m{{{T}}}",
                        "no failures",
                    ),
                    legend="{{code}}",
                ),
            ),
            words=c.SIP_CODES,
            bars=True,
            width=8,
        ),
        Series(
            title="Registration events per minute",
            description="Registry events by status; a healthy registration renews itself now and then.",
            nothing="No registration events",
            queries=(
                Query(
                    expr="sum by (status) (instance:asterisk_registration_events:rate5m{@}) * 60 > 0",
                    legend="{{status}}",
                ),
            ),
            words=c.REGISTRATIONS,
            bars=True,
            width=8,
        ),
    ),
)

TRUNKS = Board(
    uid="asterisk-trunks",
    title="Asterisk / Trunks and registrations",
    description="Which trunk is down, how full they are, and whether the provider completes calls.",
    variables=(JOB, INSTANCE, TRUNK),
    rows=(NOW, USE, QUALITY),
)
