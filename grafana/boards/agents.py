"""Agents: who of a PBX's queue members takes calls, who does not, and who lets the phone ring."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import JOB, ONE_INSTANCE, QUEUE, Board, Row
from grafana.model import Query
from grafana.panels import Ranking, Series
from grafana.selection import here
from grafana.stat import Stat
from grafana.table import Column, Table

Q = '@, queue=~"$queue"'
OPT_IN = "No member is known; the collector queue_members tells them"
MEMBER = "by (queue, member)"


def shown(metric: str) -> str:
    """Increase over the time shown, for each member."""
    return f"sum {MEMBER} (increase(asterisk_queue_member_{metric}{{{Q}}}[$__range]))"


def since(metric: str) -> str:
    """Seconds since a moment, for each member."""
    return f"max {MEMBER} (time() - asterisk_queue_member_{metric}_timestamp_seconds{{{Q}}})"


NOW = Row(
    title="Now",
    panels=(
        Stat(
            title="Ready",
            description="Members who can take a call now or after the current one: not paused, phone reachable.",
            queries=(Query(expr=f"sum(asterisk_queue_members_ready{{{Q}}})"),),
            thresholds=c.NONE_IS_BAD,
            filled=True,
        ),
        Stat(
            title="Free",
            description="Members who would be rung now.",
            queries=(Query(expr=f"sum(asterisk_queue_members_available{{{Q}}})"),),
            thresholds=c.FREE,
            filled=True,
        ),
        Stat(
            title="In a call",
            description="Members in a call of a queue.",
            queries=(Query(expr=f"sum(asterisk_queue_members_in_call{{{Q}}})"),),
            thresholds=c.PLAIN,
            filled=True,
        ),
        Stat(
            title="Wrapping up",
            description="Members in the pause after a call that their queue gives them.",
            queries=(Query(expr=f"sum(asterisk_queue_members_wrapup{{{Q}}})"),),
            thresholds=c.PLAIN,
            filled=True,
        ),
        Stat(
            title="Paused",
            description="Members on pause.",
            queries=(Query(expr=f"sum(asterisk_queue_members_paused{{{Q}}})"),),
            thresholds=c.PLAIN,
            filled=True,
        ),
        Stat(
            title="Callers waiting",
            description="Callers waiting in the chosen queues.",
            queries=(Query(expr=f"sum(asterisk_queue_callers{{{Q}}})"),),
            thresholds=c.Steps(c.GOOD, ((1, c.WORK), (10, c.WARN))),
            filled=True,
            link=here("asterisk-queues", "queue"),
        ),
        Table(
            title="Each member",
            description="""State now, since when paused and for which reason, logged in, and last call. Over the time
                shown: calls, talk time, and rings that were not answered. Asterisk counts a member once for each
                queue.""",
            nothing=OPT_IN,
            keys={"member": "Member", "queue": "Queue", "reason": "Pause"},
            widths={"queue": 120, "reason": 120},
            height=15,
            sort=("Unanswered", True),
            columns=(
                Column(
                    title="Phone",
                    expr=f"min {MEMBER} (asterisk_queue_member_up{{{Q}}})",
                    values=c.UP_DOWN,
                    width=76,
                ),
                Column(
                    title="Paused",
                    expr=f"max {MEMBER} (asterisk_queue_member_paused{{{Q}}})",
                    values={"0": ("no", "text"), "1": ("yes", c.WARN)},
                    width=76,
                ),
                Column(
                    title="Paused for",
                    expr=f"""max by (queue, member, reason) (
                        time() - asterisk_queue_member_pause_start_timestamp_seconds{{{Q}}}
                    )""",
                    unit="dthms",
                    thresholds=c.Steps("text", ((1800, c.WARN),)),
                    width=100,
                ),
                Column(title="Logged in for", expr=since("login"), unit="dthms", width=114),
                Column(title="Last call ago", expr=since("last_call"), unit="dthms", width=112),
                Column(title="Calls", expr=shown("calls_total"), decimals=0, width=66),
                Column(title="Talk time", expr=shown("talk_seconds_total"), unit="dthms", width=90),
                Column(
                    title="Unanswered",
                    expr=shown("ring_no_answer_total"),
                    decimals=0,
                    thresholds=c.Steps("text", ((1, c.WARN), (5, c.BAD))),
                    width=116,
                ),
            ),
        ),
    ),
)

DAY = Row(
    title="In the time shown",
    panels=(
        Series(
            title="Members by state",
            description="Device states of the members. A member of several queues is counted in each.",
            nothing="No member is known",
            queries=(Query(expr=f"sum by (state) (asterisk_queue_members{{{Q}}}) > 0", legend="{{state}}"),),
            words=c.DEVICE_STATES,
            stacked=True,
            decimals=0,
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
        ),
        Series(
            title="Agents of the agent pool",
            description="Agents who log in by AgentLogin, by state.",
            nothing="No agent pool is known",
            queries=(Query(expr="sum by (state) (asterisk_agents{@})", legend="{{state}}"),),
            words=c.AGENTS,
            stacked=True,
            decimals=0,
            width=6,
        ),
    ),
)

AGENTS = Board(
    uid="asterisk-agents",
    title="Asterisk / Agents",
    description="Who of a PBX's queue members takes calls, and who does not. Needs the collector queue_members.",
    variables=(JOB, ONE_INSTANCE, QUEUE),
    rows=(NOW, DAY),
)
