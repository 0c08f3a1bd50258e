"""Trunks and registrations: which is down, how full they are, and whether the provider completes calls."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import INSTANCE, JOB, TRUNK, Board, Row
from grafana.boards.canary import CANARY
from grafana.boards.trunk_quality import (
    ANSWERED,
    ATTEMPTS,
    DELAY,
    EFFECTIVE,
    LISTED,
    OUT,
    QUALITY,
    REGISTRATION_EVENTS,
    SLOW,
    STATE,
    STATES,
    TRUNK_NAME,
    T,
    by_trunk,
    guarded,
)
from grafana.causes import while_seen
from grafana.model import Query
from grafana.panels import Series
from grafana.ranking import down, most
from grafana.selection import clicked
from grafana.stat import Share, Stat
from grafana.table import Column, Table


def outages(state: str, label: str) -> tuple[Column, Column]:
    """How long a state of 1 or 0 was 0 in the time shown, and what it is now, for each of a PBX."""
    by = f"by (instance, {label})"
    return (
        Column(
            title="Down for",
            expr=f"max {by} (sum_over_time((1 - {state})[$__range:30s])) * 30",
            unit="dthms",
            width=104,
        ),
        Column(title="Now", expr=f"min {by} ({state})", values=c.UP_DOWN, width=60),
    )


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
            queries=(Query(expr=f"bottomk(1, {guarded(EFFECTIVE)} {LISTED})", legend=TRUNK_NAME),),
            text="value_and_name",
            nothing="too few known",
            unit="percentunit",
            decimals=0,
            thresholds=c.SHARE_WORKS,
        ),
        Stat(
            title="Worst ASR",
            description="""Trunk with the lowest ASR over 15 minutes, of those with at least ten attempts: outbound
                calls answered out of attempted.""",
            queries=(Query(expr=f"bottomk(1, {guarded(ANSWERED)} {LISTED})", legend=TRUNK_NAME),),
            text="value_and_name",
            nothing="too few known",
            unit="percentunit",
            decimals=0,
            thresholds=c.PLAIN,
        ),
        Stat(
            title="Longest delay",
            description="""Trunk with the longest post-dial delay (95th percentile over 15 minutes), of those with at
                least ten attempts: how long callers hear nothing before it rings. Red from eight seconds.""",
            queries=(Query(expr=f"topk(1, {guarded(DELAY)} {LISTED})", legend=TRUNK_NAME),),
            text="value_and_name",
            nothing="too few known",
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
        Series(
            title="Trunks down",
            description="""How many trunks were down when, however short. Point at a column for their names; the table
                beside it has them too.""",
            nothing="No outage of a trunk is known",
            queries=(Query(expr=by_trunk(down(f"asterisk_trunk_up{{{T}}}"), "count"), legend=TRUNK_NAME),),
            faults=True,
            bars=True,
            decimals=0,
            legend="",
            width=6,
        ),
        Table(
            title="Trunks that were down",
            description="For how much of the time shown, the longest first, and whether they are down now.",
            nothing="No outage of a trunk is known",
            keys={"instance": "PBX", "trunk": "Trunk"},
            links={"instance": clicked("asterisk-pbx", "instance"), "trunk": clicked("asterisk-trunks", "trunk")},
            sort=("Down for", True),
            only="Down for",
            columns=outages(f"asterisk_trunk_up{{{T}}}", "trunk"),
            width=8,
        ),
        Table(
            title="Registrations not accepted",
            description="For how much of the time shown, the longest first, and whether they are down now.",
            nothing="No refusal is known",
            keys={"instance": "PBX", "registration": "Registration"},
            links={"instance": clicked("asterisk-pbx", "instance")},
            sort=("Down for", True),
            only="Down for",
            columns=outages("asterisk_registration_up{@}", "registration"),
            widths={"instance": 105},
            width=10,
        ),
    ),
)

USE = Row(
    title="Use",
    panels=(
        Series(
            title="Channels of the ten busiest trunks",
            height=9,
            description="Both directions together, of the ten trunks that hold most at the end of the time shown.",
            queries=(Query(expr=most(by_trunk(f"asterisk_trunk_channels{{{T}}}")), legend=TRUNK_NAME),),
            stacked=True,
            decimals=0,
            legend="right",
            width=8,
        ),
        Series(
            title="Calls per minute, by direction",
            height=9,
            description="Outbound attempts and inbound calls over the chosen trunks.",
            queries=(
                Query(
                    expr=while_seen(f"sum by (direction) (trunk:asterisk_calls:rate5m{{{T}}}) * 60"),
                    legend="{{direction}}",
                ),
            ),
            words=c.DIRECTIONS,
            width=8,
        ),
        REGISTRATION_EVENTS,
    ),
)

TRUNKS = Board(
    uid="asterisk-trunks",
    title="Asterisk / Trunks and registrations",
    description="Which trunk is down, how full they are, and whether the provider completes calls.",
    variables=(JOB, INSTANCE, TRUNK),
    rows=(NOW, USE, QUALITY, CANARY),
)
