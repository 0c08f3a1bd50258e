"""Queues: a wallboard on top (who waits, how long, who can take the call, is the service level kept), then the day."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import INSTANCE, JOB, QUEUE, Board, Row
from grafana.causes import of_seen, seen, while_seen
from grafana.lookback import SHOWN, counted, over
from grafana.model import Query
from grafana.panels import Heat, Ranking, Series, counted_at_all
from grafana.ranking import LAST_HOUR, most
from grafana.selection import clicked
from grafana.stat import Stat
from grafana.table import Column, Table

Q = '@, queue=~"$queue"'
CALLS = "queue:asterisk_calls:rate5m"
DECIDED = f'{CALLS}{{{Q}, outcome=~"answered|abandoned"}}'
IN_TIME = f"queue:asterisk_answered_in_service_level:rate5m{{{Q}}}"
ABANDONED = f'{CALLS}{{{Q}, outcome="abandoned"}}'
LONGEST = f"asterisk_queue_longest_wait_seconds{{{Q}}}"
KEPT = f"queue:asterisk_service_level:ratio30m{{{Q}}}"
WAIT = c.Steps(c.GOOD, ((60, c.WARN), (300, c.BAD)))
MANY = c.Steps(c.GOOD, ((1, c.WORK), (10, c.WARN)))
RUNG_OUT = f"sum by (instance, queue) (queue:asterisk_ring_no_answer:rate5m{{{Q}}}) * 60"
LISTED = f"and on (job, instance, queue) asterisk_queue_info{{{Q}}}"
"""Only queues that their PBX lists now: of a PBX that is down counters remain."""
QUEUE_NAME = "{{queue}} · {{instance}}"


def by_queue(expression: str, how: str = "sum") -> str:
    """One sample for each queue of each PBX: queues of one name on two PBXs are two queues."""
    return f"{how} by (instance, queue) ({expression})"


def shown(expression: str) -> str:
    """Mean rate over the time shown."""
    return over("avg", expression, SHOWN)


def count(outcome: str) -> str:
    """How many callers left the queue so in the time shown."""
    ended = counted(f'{CALLS}{{{Q}, outcome="{outcome}"}}')
    return by_queue(f"{ended} {LISTED}")


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
            description="""How long the caller who has waited longest is waiting, and in which queue: orange from one
                minute, red from five.""",
            queries=(
                Query(
                    expr=f"""label_join(
                            topk(1, {by_queue(LONGEST, "max")} > 0), "who", " · ", "queue", "instance"
                        ) or on () label_replace(max({LONGEST}), "who", "nobody waits", "", "")""",
                    legend="{{who}}",
                ),
            ),
            text="value_and_name",
            unit="dthms",
            thresholds=WAIT,
            filled=True,
            height=5,
        ),
        Stat(
            title="Free members",
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
                servicelevel), out of all answered or abandoned in the time shown. Green from 80 %; grey when nobody
                called.""",
            queries=(Query(expr=f"sum({shown(IN_TIME)}) / (sum({shown(DECIDED)}) > 0)"),),
            nothing="no calls known",
            unit="percentunit",
            decimals=1,
            thresholds=c.SHARE_KEPT,
            filled=True,
            height=5,
        ),
        Stat(
            title="Abandoned",
            description="""Share of callers who gave up, out of all answered or abandoned in the time shown. Red from
                10 %; grey when nobody called.""",
            queries=(Query(expr=f"sum({shown(ABANDONED)}) / (sum({shown(DECIDED)}) > 0)"),),
            nothing="no calls known",
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
            description="""Now: waiting, longest wait, members. Over the time shown: answered, abandoned, timed out, and
                the service level at the queue's own threshold. Mean wait: of those answered in the last half hour.""",
            keys={"instance": "PBX", "name": "Queue", "queue": "Id"},
            links={"instance": clicked("asterisk-pbx", "instance"), "queue": clicked("asterisk-queues", "queue")},
            widths={"queue": 100},
            height=11,
            sort=("Longest wait", True),
            columns=(
                Column(
                    title="Info",
                    expr=f"max by (instance, queue, name) (asterisk_queue_info{{{Q}}})",
                    hidden=True,
                ),
                Column(title="Waiting", expr=by_queue(f"asterisk_queue_callers{{{Q}}}"), thresholds=MANY, width=76),
                Column(
                    title="Longest wait",
                    expr=by_queue(LONGEST, "max"),
                    unit="dthms",
                    thresholds=WAIT,
                    width=122,
                ),
                Column(
                    title="Free",
                    expr=by_queue(f"asterisk_queue_members_available{{{Q}}}"),
                    thresholds=c.FREE,
                    width=60,
                ),
                Column(
                    title="Service level",
                    expr=f"""{by_queue(f"{shown(IN_TIME)} {LISTED}")}
                        / ({by_queue(f"{shown(DECIDED)} {LISTED}")} > 0)""",
                    unit="percentunit",
                    decimals=0,
                    thresholds=c.SHARE_KEPT,
                    width=112,
                ),
                Column(title="In call", expr=by_queue(f"asterisk_queue_members_in_call{{{Q}}}"), width=66),
                Column(title="Wrap-up", expr=by_queue(f"asterisk_queue_members_wrapup{{{Q}}}"), width=80),
                Column(title="Paused", expr=by_queue(f"asterisk_queue_members_paused{{{Q}}}"), width=72),
                Column(title="Answered", expr=count("answered"), decimals=0, width=84),
                Column(title="Abandoned", expr=count("abandoned"), decimals=0, width=94),
                Column(title="Timed out", expr=count("timeout"), decimals=0, width=86),
                Column(
                    title="Mean wait",
                    expr=by_queue(f"queue:asterisk_wait_seconds:mean30m{{{Q}}} >= 0 {LISTED}", "max"),
                    unit="dthms",
                    width=88,
                ),
            ),
        ),
    ),
)

FLOW = Row(
    title="Callers",
    panels=(
        Series(
            title="Waiting callers, the ten fullest queues",
            description="Callers waiting in each queue, of the ten with most in the last hour.",
            queries=(
                Query(
                    expr=most(by_queue(f"asterisk_queue_callers{{{Q}}}"), over="avg", window=LAST_HOUR),
                    legend=QUEUE_NAME,
                ),
            ),
            stacked=True,
            decimals=0,
            legend="right",
        ),
        Series(
            title="How calls left the queue, per minute",
            description="""Answered by a member; abandoned: the caller hung up; timeout: the queue's time or its
                members ran out, or the caller was redirected; other: by a key and the like.""",
            queries=(Query(expr=while_seen(f"sum by (outcome) ({CALLS}{{{Q}}}) * 60", "agent"), legend="{{outcome}}"),),
            words=c.QUEUE_OUTCOMES,
            bars=True,
            known=seen("agent"),
        ),
        Series(
            title="Service level, worst ten queues",
            height=9,
            description="""Share answered within each queue's own service level, over the last half hour, of the ten
                queues with the lowest mean in the last hour, with the usual target of 80 %.""",
            nothing="No caller is known",
            queries=(
                Query(
                    expr=of_seen(most(by_queue(KEPT, "max"), how="bottomk", over="avg", window=LAST_HOUR), "agent"),
                    legend=QUEUE_NAME,
                ),
                Query(expr=while_seen(f"0 * max({KEPT}) + 0.8", "agent"), legend="target"),
            ),
            unit="percentunit",
            maximum=1,
            dashed=("target",),
        ),
        Heat(
            title="Wait until answered",
            height=9,
            description="How many answered callers a minute had waited how long.",
            nothing="No caller is known",
            queries=(
                Query(expr=counted_at_all(f"sum by (le) (queue:asterisk_wait_seconds_bucket:rate5m{{{Q}%s}}) * 60")),
            ),
            unit="s",
            scheme="Greens",
            points=50,
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
            nothing="No member is known",
            queries=(Query(expr=f"sum by (state) (asterisk_queue_members{{{Q}}}) > 0", legend="{{state}}"),),
            words=c.DEVICE_STATES,
            stacked=True,
            decimals=0,
            points=60,
            width=8,
            height=9,
        ),
        Ranking(
            title="Paused, by reason",
            description="Members on pause now, by the reason they gave.",
            nothing="No pause is known",
            queries=(
                Query(
                    expr=f"sort_desc(sum by (reason) (asterisk_queue_pause_reason_members{{{Q}}}) > 0)",
                    legend="{{reason}}",
                ),
            ),
            thresholds=c.PLAIN,
            width=6,
            height=9,
        ),
        Series(
            title="Rang, not answered, per minute",
            description="""Times a member's phone rang and nobody took it, in the ten queues with most in the last hour:
                each costs the caller that ring time.""",
            nothing="No unanswered ring is known",
            queries=(
                Query(
                    expr=f"{most(RUNG_OUT, over='avg', window=LAST_HOUR)} and {RUNG_OUT} > 0",
                    legend=QUEUE_NAME,
                ),
            ),
            faults=True,
            bars=True,
            width=10,
            height=9,
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
