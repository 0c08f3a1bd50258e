"""Queues: a wallboard on top (who waits, how long, who can take the call, is the service level kept), then the day."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import INSTANCE, JOB, QUEUE, Board, Row
from grafana.model import Query
from grafana.panels import Heat, Ranking, Series, Stat
from grafana.table import Column, Table

Q = '@, queue=~"$queue"'
DECIDED = f'asterisk_queue_calls_total{{{Q}, outcome=~"answered|abandoned"}}'
IN_TIME = f"asterisk_queue_answered_in_service_level_total{{{Q}}}"
ABANDONED = f'asterisk_queue_calls_total{{{Q}, outcome="abandoned"}}'
WAITED = f'{Q}, outcome="answered"'
WAIT = c.Steps(c.GOOD, ((60, c.WARN), (300, c.BAD)))
MANY = c.Steps(c.GOOD, ((1, c.WORK), (10, c.WARN)))


def by_queue(expression: str) -> str:
    """Sum for each queue of each PBX."""
    return f"sum by (instance, queue) ({expression})"


def over_range(expression: str) -> str:
    """Increase over the time shown."""
    return f"increase({expression}[$__range])"


NOW = Row(
    title="Now",
    panels=(
        Stat(
            title="Waiting",
            description="Callers waiting in the chosen queues at this moment.",
            queries=(Query(expr=f"sum(asterisk_queue_callers{{{Q}}})"),),
            thresholds=MANY,
            filled=True,
            height=5,
        ),
        Stat(
            title="Longest wait",
            description="""How long the caller who has waited longest is waiting: orange from one minute, red from
                five.""",
            queries=(Query(expr=f"max(asterisk_queue_longest_wait_seconds{{{Q}}})"),),
            unit="dthms",
            decimals=0,
            thresholds=WAIT,
            filled=True,
            height=5,
        ),
        Stat(
            title="Free to take a call",
            description="""Members who would be rung now: not paused and not in a call, as Asterisk counts them. A
                member of several queues is counted in each.""",
            queries=(Query(expr=f"sum(asterisk_queue_members_available{{{Q}}})"),),
            thresholds=c.FREE,
            filled=True,
            height=5,
        ),
        Stat(
            title="Service level",
            description="""Share of callers answered within their queue's own service level (queues.conf:
                servicelevel), out of all answered or abandoned in the time shown. Green from 80 %.""",
            queries=(Query(expr=f"sum({over_range(IN_TIME)}) / (sum({over_range(DECIDED)}) > 0)"),),
            unit="percentunit",
            decimals=1,
            thresholds=c.SHARE_KEPT,
            filled=True,
            height=5,
        ),
        Stat(
            title="Abandoned",
            description="""Share of callers who gave up, out of all answered or abandoned in the time shown. Red from
                10 %.""",
            queries=(Query(expr=f"sum({over_range(ABANDONED)}) / (sum({over_range(DECIDED)}) > 0)"),),
            unit="percentunit",
            decimals=0,
            thresholds=c.SHARE_LOST,
            filled=True,
            height=5,
        ),
        Stat(
            title="Queues left alone",
            description="""Queues in which somebody waits and no member can take the call, now or after the current
                one.""",
            queries=(
                Query(
                    expr=f"""sum((asterisk_queue_callers{{{Q}}} > bool 0)
                        * (asterisk_queue_members_ready{{{Q}}} == bool 0))"""
                ),
            ),
            thresholds=c.NONE_IS_GOOD,
            filled=True,
            height=5,
        ),
        Table(
            title="Each queue",
            description="""Now: waiting, longest wait, members. Over the time shown: answered, abandoned, timed out,
                service level at the queue's own threshold, and mean wait until answered.""",
            keys={"instance": "PBX", "name": "Queue", "queue": "Id"},
            unseen=("queue",),
            height=11,
            sort=("Longest wait", True),
            columns=(
                Column(
                    title="Info",
                    expr=f"max by (instance, queue, name) (asterisk_queue_info{{{Q}}})",
                    hidden=True,
                ),
                Column(title="Waiting", expr=by_queue(f"asterisk_queue_callers{{{Q}}}"), thresholds=MANY),
                Column(
                    title="Longest wait",
                    expr=by_queue(f"asterisk_queue_longest_wait_seconds{{{Q}}}"),
                    unit="dthms",
                    thresholds=WAIT,
                ),
                Column(
                    title="Free",
                    expr=by_queue(f"asterisk_queue_members_available{{{Q}}}"),
                    thresholds=c.FREE,
                ),
                Column(
                    title="Service level",
                    expr=f"{by_queue(over_range(IN_TIME))} / ({by_queue(over_range(DECIDED))} > 0)",
                    unit="percentunit",
                    decimals=0,
                    thresholds=c.SHARE_KEPT,
                ),
                Column(title="In call", expr=by_queue(f"asterisk_queue_members_in_call{{{Q}}}")),
                Column(title="Paused", expr=by_queue(f"asterisk_queue_members_paused{{{Q}}}")),
                Column(
                    title="Answered",
                    expr=by_queue(over_range(f'asterisk_queue_calls_total{{{Q}, outcome="answered"}}')),
                    decimals=0,
                ),
                Column(title="Abandoned", expr=by_queue(over_range(ABANDONED)), decimals=0),
                Column(
                    title="Timed out",
                    expr=by_queue(over_range(f'asterisk_queue_calls_total{{{Q}, outcome="timeout"}}')),
                    decimals=0,
                ),
                Column(
                    title="Mean wait",
                    expr=f"""{by_queue(over_range(f"asterisk_queue_wait_seconds_sum{{{WAITED}}}"))} /
                        ({by_queue(over_range(f"asterisk_queue_wait_seconds_count{{{WAITED}}}"))} > 0)""",
                    unit="s",
                    decimals=0,
                ),
                Column(
                    title="Mean talk",
                    expr=f"""{by_queue(over_range(f"asterisk_queue_talk_seconds_sum{{{Q}}}"))} /
                        ({by_queue(over_range(f"asterisk_queue_talk_seconds_count{{{Q}}}"))} > 0)""",
                    unit="s",
                    decimals=0,
                ),
            ),
        ),
    ),
)

FLOW = Row(
    title="Callers",
    panels=(
        Series(
            title="Waiting callers",
            description="Callers waiting in each queue.",
            queries=(Query(expr=by_queue(f"asterisk_queue_callers{{{Q}}}"), legend="{{queue}} · {{instance}}"),),
            stacked=True,
            decimals=0,
        ),
        Series(
            title="How calls left the queue, per minute",
            description="""Answered by a member; abandoned: the caller hung up; timeout: the queue's time or its
                members ran out, or the caller was redirected; other: by a key and the like.""",
            queries=(
                Query(
                    expr=f"sum by (outcome) (rate(asterisk_queue_calls_total{{{Q}}}[$__rate_interval])) * 60",
                    legend="{{outcome}}",
                ),
            ),
            words=c.QUEUE_OUTCOMES,
            bars=True,
            interval="1m",
        ),
        Series(
            title="Service level",
            description="""Share answered within each queue's own service level, over the last half hour, with the
                usual target of 80 %.""",
            queries=(
                Query(
                    expr=f"""{by_queue(f"increase({IN_TIME}[30m])")} / ({by_queue(f"increase({DECIDED}[30m])")} > 0)""",
                    legend="{{queue}} · {{instance}}",
                ),
                Query(expr="vector(0.8)", legend="target"),
            ),
            unit="percentunit",
            maximum=1,
            dashed=("target",),
        ),
        Heat(
            title="Wait until answered",
            description="How many answered callers had waited how long.",
            queries=(
                Query(
                    expr=f"""sum by (le) (increase(asterisk_queue_wait_seconds_bucket{{{Q},
                        outcome="answered"}}[$__rate_interval]))"""
                ),
            ),
            unit="s",
            scheme="Greens",
            interval="2m",
        ),
    ),
)

STAFF = Row(
    title="Members",
    panels=(
        Series(
            title="Members by state",
            description="""Device states of the members of the chosen queues. A member of several queues is counted in
                each.""",
            queries=(Query(expr=f"sum by (state) (asterisk_queue_members{{{Q}}}) > 0", legend="{{state}}"),),
            words=c.DEVICE_STATES,
            stacked=True,
            decimals=0,
        ),
        Ranking(
            title="Paused, by reason",
            description="Members on pause now, by the reason they gave.",
            queries=(
                Query(
                    expr=f"sort_desc(sum by (reason) (asterisk_queue_pause_reason_members{{{Q}}}))",
                    legend="{{reason}}",
                ),
            ),
            thresholds=c.PLAIN,
            width=6,
        ),
        Series(
            title="Rang, not answered, per minute",
            description="Times a member's phone rang and nobody took it: each costs the caller that ring time.",
            queries=(
                Query(
                    expr=f"sum by (queue) (rate(asterisk_queue_ring_no_answer_total{{{Q}}}[$__rate_interval])) * 60",
                    legend="{{queue}}",
                ),
            ),
            interval="1m",
            bars=True,
            width=6,
        ),
    ),
)

QUEUES = Board(
    uid="asterisk-queues",
    title="Asterisk / Queues",
    description="Who waits, how long, who can take the call, and is the service level kept.",
    variables=(JOB, INSTANCE, QUEUE),
    rows=(NOW, FLOW, STAFF),
    refresh="10s",
)
