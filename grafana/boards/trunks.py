"""Trunks and registrations: which is down, how full they are, and whether the provider completes calls."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import INSTANCE, JOB, TRUNK, Board, Row
from grafana.model import Query
from grafana.panels import Series, Stat, Timeline
from grafana.table import Column, Table

T = '@, trunk=~"$trunk"'
OUT = f'{T}, direction="outbound"'
FAILURES = (
    "unallocated_number|no_route_transit_net|no_route_destination|channel_unacceptable|no_user_response|call_rejected"
    "|destination_out_of_order|facility_rejected|normal_circuit_congestion|network_out_of_order"
    "|normal_temporary_failure|switch_congestion|requested_chan_unavail|facility_not_subscribed"
    "|outgoing_call_barred|bearer_capability_.+|channel_not_implemented|facility_not_implemented"
    "|incompatible_destination|recovery_on_timer_expire|protocol_error"
)
"""Q.850 causes that say the network or the provider failed; busy, no answer and hanging up are not among them."""


def by_trunk(expression: str) -> str:
    """Sum for each trunk of each PBX."""
    return f"sum by (instance, trunk) ({expression})"


def answered_share(window: str) -> str:
    """ASR: answered out of attempted, outbound."""
    answered = by_trunk(f'increase(asterisk_trunk_calls_total{{{OUT}, outcome="answered"}}[{window}])')
    return f"{answered} / ({by_trunk(f'increase(asterisk_trunk_calls_total{{{OUT}}}[{window}])')} > 0)"


def effective_share(window: str) -> str:
    """NER: 1 − hangups with a failure cause out of all, outbound."""
    failed = by_trunk(f'increase(asterisk_trunk_hangups_total{{{OUT}, cause=~"{FAILURES}"}}[{window}])')
    return f"1 - {failed} / ({by_trunk(f'increase(asterisk_trunk_hangups_total{{{OUT}}}[{window}])')} > 0)"


def slowest(window: str) -> str:
    """95th percentile of the post-dial delay, over a fixed window."""
    bucket = f"asterisk_trunk_post_dial_delay_seconds_bucket{{{T}}}"
    return f"histogram_quantile(0.95, sum by (instance, trunk, le) (increase({bucket}[{window}])))"


def delay(window: str) -> str:
    """95th percentile of the post-dial delay."""
    bucket = f"asterisk_trunk_post_dial_delay_seconds_bucket{{{T}}}"
    return f"histogram_quantile(0.95, sum by (instance, trunk, le) (rate({bucket}[{window}])))"


NOW = Row(
    title="Now",
    panels=(
        Stat(
            title="Trunks down",
            description="Trunks whose registration is not accepted or whose qualify gets no answer.",
            queries=(Query(expr=f"sum(asterisk_trunk_up{{{T}}} == bool 0)"),),
            thresholds=c.NONE_IS_GOOD,
            filled=True,
        ),
        Stat(
            title="Registrations not accepted",
            description="Outbound registrations that are not Registered.",
            queries=(Query(expr="sum(asterisk_registration_up{@} == bool 0)"),),
            thresholds=c.NONE_IS_GOOD,
            filled=True,
        ),
        Stat(
            title="Calls on trunks",
            description="Channels that trunks hold now.",
            queries=(Query(expr=f"sum(asterisk_trunk_channels{{{T}}})"),),
            thresholds=c.PLAIN,
        ),
        Stat(
            title="Worst NER",
            description="""NER of the worst trunk in the time shown: share of outbound calls the provider carried.
                Busy and no answer count as carried.""",
            queries=(Query(expr=f"min({effective_share('$__range')})"),),
            unit="percentunit",
            decimals=0,
            thresholds=c.SHARE_WORKS,
        ),
        Stat(
            title="Worst ASR",
            description="ASR of the worst trunk in the time shown: outbound calls answered out of attempted.",
            queries=(Query(expr=f"min({answered_share('$__range')})"),),
            unit="percentunit",
            decimals=0,
            thresholds=c.PLAIN,
        ),
        Stat(
            title="Worst post-dial delay",
            description="""95th percentile of the slowest trunk in the time shown: how long callers hear nothing
                before it rings. Red from eight seconds.""",
            queries=(Query(expr=f"max({slowest('$__range')} >= 0)"),),
            unit="s",
            decimals=1,
            thresholds=c.Steps(c.GOOD, ((5, c.WARN), (8, c.BAD))),
        ),
        Table(
            title="Each trunk",
            description="""State and channels now; over the time shown: outbound attempts, ASR (answered share), NER
                (share the network carried), mean talk time, 95th percentile of the post-dial delay.""",
            keys={"instance": "PBX", "trunk": "Trunk", "technology": "Technology"},
            height=8,
            sort=("State", False),
            columns=(
                Column(
                    title="Info",
                    expr=f"max by (instance, trunk, technology) (asterisk_trunk_info{{{T}}})",
                    hidden=True,
                ),
                Column(title="State", expr=by_trunk(f"asterisk_trunk_up{{{T}}}"), values=c.UP_DOWN),
                Column(title="Channels", expr=by_trunk(f"asterisk_trunk_channels{{{T}}}")),
                Column(title="Limit", expr=by_trunk(f"asterisk_trunk_channels_limit{{{T}}}")),
                Column(
                    title="Use",
                    expr=f"""{by_trunk(f"asterisk_trunk_channels{{{T}}}")} /
                        {by_trunk(f"asterisk_trunk_channels_limit{{{T}}}")}""",
                    unit="percentunit",
                    decimals=0,
                    thresholds=c.SHARE_USED,
                ),
                Column(
                    title="Oldest channel",
                    expr=f"max by (instance, trunk) (asterisk_trunk_oldest_channel_age_seconds{{{T}}})",
                    unit="dthms",
                    thresholds=c.Steps("text", ((14400, c.BAD),)),
                ),
                Column(
                    title="Attempts out",
                    expr=by_trunk(f"increase(asterisk_trunk_calls_total{{{OUT}}}[$__range])"),
                    decimals=0,
                ),
                Column(title="ASR", expr=answered_share("$__range"), unit="percentunit", decimals=0),
                Column(
                    title="NER",
                    expr=effective_share("$__range"),
                    unit="percentunit",
                    decimals=0,
                    thresholds=c.SHARE_WORKS,
                ),
                Column(
                    title="Mean talk",
                    expr=f"""{by_trunk(f"increase(asterisk_trunk_talk_seconds_sum{{{T}}}[$__range])")} /
                        ({by_trunk(f"increase(asterisk_trunk_talk_seconds_count{{{T}}}[$__range])")} > 0)""",
                    unit="s",
                    decimals=0,
                ),
                Column(
                    title="Delay p95",
                    expr=slowest("$__range"),
                    unit="s",
                    decimals=1,
                    thresholds=c.Steps("text", ((5, c.WARN), (8, c.BAD))),
                ),
            ),
        ),
        Timeline(
            title="Trunks",
            description="Up: registered where it registers, reachable where it is qualified.",
            queries=(
                Query(expr=f"min by (instance, trunk) (asterisk_trunk_up{{{T}}})", legend="{{trunk}} · {{instance}}"),
            ),
            values=c.UP_DOWN,
            unit="none",
            height=6,
        ),
        Timeline(
            title="Registrations",
            description="Outbound registrations: accepted by the provider or not.",
            queries=(
                Query(
                    expr="min by (instance, registration) (asterisk_registration_up{@})",
                    legend="{{registration}} · {{instance}}",
                ),
            ),
            values={"0": ("not registered", c.BAD), "1": ("registered", c.GOOD)},
            unit="none",
            height=6,
        ),
    ),
)

USE = Row(
    title="Use",
    panels=(
        Series(
            title="Channels of each trunk",
            description="Both directions together.",
            queries=(Query(expr=by_trunk(f"asterisk_trunk_channels{{{T}}}"), legend="{{trunk}} · {{instance}}"),),
            stacked=True,
            decimals=0,
        ),
        Series(
            title="Calls per minute, by direction",
            description="Outbound attempts and inbound calls over the chosen trunks.",
            queries=(
                Query(
                    expr=f"sum by (direction) (rate(asterisk_trunk_calls_total{{{T}}}[$__rate_interval])) * 60",
                    legend="{{direction}}",
                ),
            ),
            words=c.DIRECTIONS,
            interval="1m",
        ),
    ),
)

QUALITY = Row(
    title="Does the provider carry our calls",
    panels=(
        Series(
            title="Network effectiveness (NER), outbound",
            description="""Share of outbound calls that did not end by a failure cause, over 15 minutes. Low: the
                provider or the route fails.""",
            queries=(Query(expr=effective_share("15m"), legend="{{trunk}} · {{instance}}"),),
            unit="percentunit",
            maximum=1,
            width=8,
        ),
        Series(
            title="Answered share (ASR), outbound",
            description="""Outbound calls answered out of attempted, over 15 minutes. Also falls when people do not
                answer.""",
            queries=(Query(expr=answered_share("15m"), legend="{{trunk}} · {{instance}}"),),
            unit="percentunit",
            maximum=1,
            width=8,
        ),
        Series(
            title="Post-dial delay, 95th percentile",
            description="From dialling until the far end rings or sends progress.",
            queries=(Query(expr=delay("$__rate_interval"), legend="{{trunk}} · {{instance}}"),),
            unit="s",
            interval="2m",
            width=8,
        ),
        Series(
            title="Failed outbound calls per minute, by cause",
            description="Hangup causes (Q.850) that mean the network failed.",
            queries=(
                Query(
                    expr=f"""sum by (cause) (rate(asterisk_trunk_hangups_total{{{OUT},
                        cause=~"{FAILURES}"}}[$__rate_interval])) * 60 > 0""",
                    legend="{{cause}}",
                ),
            ),
            words=c.CAUSES,
            bars=True,
            interval="1m",
            width=8,
        ),
        Series(
            title="SIP failures per minute, by code",
            description="SIP codes the provider answered with, where chan_pjsip tells (Asterisk 20.17, 22.7, 23.1).",
            queries=(
                Query(
                    expr=f"""sum by (code) (rate(asterisk_trunk_sip_failures_total{{{T}}}[$__rate_interval]))
                        * 60 > 0""",
                    legend="{{code}}",
                ),
            ),
            words=c.SIP_CODES,
            bars=True,
            interval="1m",
            width=8,
        ),
        Series(
            title="Registration events per minute",
            description="Registry events by status; a healthy registration renews itself now and then.",
            queries=(
                Query(
                    expr="sum by (status) (rate(asterisk_registration_events_total{@}[$__rate_interval])) * 60 > 0",
                    legend="{{status}}",
                ),
            ),
            words=c.Words({"registered": c.GOOD, "unregistered": c.WARN, "rejected": c.BAD}),
            bars=True,
            interval="1m",
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
