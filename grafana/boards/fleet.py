"""Fleet: is any PBX down or in trouble, then one line for each."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import Board, Row, dashboard_link
from grafana.model import Query
from grafana.panels import Series, Stat
from grafana.table import Column, Table


def by_pbx(expression: str, how: str = "sum") -> str:
    """One sample for each PBX."""
    return f"{how} by (instance) ({expression})"


NOW = Row(
    title="Now",
    panels=(
        Stat(
            title="PBXs down",
            description="PBXs whose AMI does not answer or refuses the login.",
            queries=(Query(expr="sum(asterisk_up{@} == bool 0)"),),
            thresholds=c.NONE_IS_GOOD,
            filled=True,
        ),
        Stat(
            title="Trunks down",
            description="Trunks whose registration is not accepted or whose qualify gets no answer.",
            queries=(Query(expr="sum(asterisk_trunk_up{@} == bool 0)"),),
            thresholds=c.NONE_IS_GOOD,
            filled=True,
        ),
        Stat(
            title="Queues left alone",
            description="Queues in which somebody waits and no member can take the call.",
            queries=(
                Query(expr="sum((asterisk_queue_callers{@} > bool 0) * (asterisk_queue_members_ready{@} == bool 0))"),
            ),
            thresholds=c.NONE_IS_GOOD,
            filled=True,
        ),
        Stat(
            title="Calls",
            description="Calls in progress on all chosen PBXs.",
            queries=(Query(expr="sum(asterisk_active_calls{@})"),),
            thresholds=c.PLAIN,
        ),
        Stat(
            title="Callers waiting",
            description="Callers waiting in the queues of all chosen PBXs.",
            queries=(Query(expr="sum(asterisk_queue_callers{@})"),),
            thresholds=c.PLAIN,
        ),
        Stat(
            title="PBXs up",
            description="PBXs that answer.",
            queries=(Query(expr="sum(asterisk_up{@})"),),
            thresholds=c.NONE_IS_BAD,
        ),
    ),
)

EACH = Row(
    title="Each PBX",
    panels=(
        Table(
            title="PBXs",
            description="""One line for each PBX; click its name for its own board. Answered: share of the calls ended
                in the time shown.""",
            keys={"instance": "PBX", "version": "Version"},
            links={"instance": dashboard_link("asterisk-pbx", "instance")},
            height=8,
            sort=("State", False),
            columns=(
                Column(title="Info", expr="max by (instance, version) (asterisk_info{@})", hidden=True),
                Column(title="State", expr=by_pbx("asterisk_up{@}", "min"), values=c.UP_DOWN),
                Column(
                    title="Uptime", expr=by_pbx("time() - asterisk_start_time_seconds{@}", "min"), unit="dtdurations"
                ),
                Column(title="Calls", expr=by_pbx("asterisk_active_calls{@}")),
                Column(title="Channels", expr=by_pbx("asterisk_active_channels{@}")),
                Column(
                    title="Answered",
                    expr=f"""{by_pbx('increase(asterisk_calls_total{@, outcome="answered"}[$__range])')} /
                        ({by_pbx("increase(asterisk_calls_total{@}[$__range])")} > 0)""",
                    unit="percentunit",
                    decimals=0,
                ),
                Column(title="Trunks down", expr=by_pbx("asterisk_trunk_up{@} == bool 0"), thresholds=c.NONE_IS_GOOD),
                Column(
                    title="Regs down",
                    expr=by_pbx("asterisk_registration_up{@} == bool 0"),
                    thresholds=c.NONE_IS_GOOD,
                ),
                Column(
                    title="Phones lost",
                    expr=by_pbx('asterisk_endpoints{@, state="unreachable"}'),
                    thresholds=c.NONE_IS_BEST,
                ),
                Column(title="Waiting", expr=by_pbx("asterisk_queue_callers{@}")),
                Column(
                    title="Longest wait",
                    expr=by_pbx("asterisk_queue_longest_wait_seconds{@}", "max"),
                    unit="dthms",
                    thresholds=c.Steps(c.GOOD, ((60, c.WARN), (300, c.BAD))),
                ),
                Column(
                    title="Poll",
                    expr=by_pbx("asterisk_scrape_duration_seconds{@}", "max"),
                    unit="s",
                    thresholds=c.Steps(c.GOOD, ((2, c.WARN), (5, c.BAD))),
                ),
            ),
        ),
    ),
)

TREND = Row(
    title="Trend",
    panels=(
        Series(
            title="Calls in progress, the ten busiest PBXs",
            description="Calls at each moment.",
            queries=(Query(expr="topk(10, sum by (instance) (asterisk_active_calls{@}))", legend="{{instance}}"),),
        ),
        Series(
            title="Calls ended per minute",
            description="Calls by how they ended, over all chosen PBXs.",
            queries=(
                Query(
                    expr="sum by (outcome) (rate(asterisk_calls_total{@}[$__rate_interval])) * 60",
                    legend="{{outcome}}",
                ),
            ),
            words=c.CALLS,
            stacked=True,
            interval="1m",
        ),
        Series(
            title="Share of calls answered, each PBX",
            description="""Answered calls out of all ended calls, over 15 minutes; a dip of one PBX alone is its own
                fault.""",
            queries=(
                Query(
                    expr=f"""{by_pbx('increase(asterisk_calls_total{@, outcome="answered"}[15m])')} /
                        ({by_pbx("increase(asterisk_calls_total{@}[15m])")} > 0)""",
                    legend="{{instance}}",
                ),
            ),
            unit="percentunit",
            maximum=1,
        ),
        Series(
            title="PBXs by Asterisk version",
            description="How many PBXs run which version.",
            queries=(Query(expr="count by (version) (asterisk_info{@})", legend="{{version}}"),),
            stacked=True,
            decimals=0,
        ),
    ),
)

FLEET = Board(
    uid="asterisk-fleet",
    title="Asterisk / Fleet",
    description="All PBXs: what is broken, and one line for each.",
    rows=(NOW, EACH, TREND),
)
