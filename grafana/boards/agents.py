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
NONE = "No member is known; the collector queue_members tells them"
MEMBER = "by (queue, member)"


def of_members(state: str) -> str:
    """1 or 0 for each member of each queue."""
    return f"asterisk_queue_member_{state}{{{Q}}}"


def people(state: str) -> str:
    """How many people are so in one of their queues at least: a member of five queues counts once."""
    return f"sum(max by (member) ({state}))"


def shown(metric: str) -> str:
    """Increase over the time shown, for each member."""
    return f"sum {MEMBER} (increase(asterisk_queue_member_{metric}{{{Q}}}[$__range]))"


def since(metric: str) -> str:
    """Seconds since a moment, for each member."""
    return f"max {MEMBER} (time() - asterisk_queue_member_{metric}_timestamp_seconds{{{Q}}})"


READY = f"{of_members('up')} * (1 - {of_members('paused')})"
DOING = " or ".join(
    (
        *(
            f"max {MEMBER} ({of_members(state)} == 1) * {code}"
            for state, code in (("in_call", 4), ("paused", 3), ("wrapup", 2), ("available", 1))
        ),
        f"max {MEMBER} ({of_members('up')}) - 1",
    )
)
"""What a member does: 0 is none of these, as a call that no queue sent; -1: its phone is unreachable."""
DOINGS = {
    "4": ("in a call", c.WORK),
    "3": ("paused", c.WARN),
    "2": ("wraps up", c.ODD),
    "1": ("free", c.GOOD),
    "0": ("busy", "text"),
    "-1": ("phone down", c.BAD),
}

NOW = Row(
    title="Now: people, each counted once, whatever number of queues they are in",
    panels=(
        Stat(
            title="Ready",
            description="""People who can take a call of one of the queues, now or after the current one: not paused,
                phone reachable.""",
            queries=(Query(expr=people(READY)),),
            thresholds=c.NONE_IS_BAD,
            filled=True,
        ),
        Stat(
            title="Free",
            description="People whom one of the queues would ring now.",
            queries=(Query(expr=people(of_members("available"))),),
            thresholds=c.FREE,
            filled=True,
        ),
        Stat(
            title="In a call",
            description="People in a call of one of the queues.",
            queries=(Query(expr=people(of_members("in_call"))),),
            thresholds=c.PLAIN,
            filled=True,
        ),
        Stat(
            title="Wrapping up",
            description="""People whom a queue does not ring yet, since their last call of it has just ended. Only of
                members with a wrap-up time of their own; that of a queue is not told.""",
            queries=(Query(expr=people(of_members("wrapup"))),),
            thresholds=c.PLAIN,
            filled=True,
        ),
        Stat(
            title="Paused",
            description="People on pause in one of the queues at least.",
            queries=(Query(expr=people(of_members("paused"))),),
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
            title="Each member of each queue",
            description="""A line for each queue that a person is in: Asterisk pauses and counts them in each. State
                now, since when paused and for which reason, logged in, and last call. Over the time shown: calls, talk
                time, and rings that were not answered.""",
            nothing=NONE,
            keys={"member": "Member", "queue": "Queue", "reason": "Pause"},
            widths={"queue": 120, "reason": 120},
            height=15,
            sort=("Unanswered", True),
            columns=(
                Column(title="Now", expr=DOING, values=DOINGS, width=110),
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
            title="What people do",
            description="""People, each counted once, as above. One who is free in one queue and paused in another
                counts as both.""",
            nothing=NONE,
            queries=(
                Query(expr=people(READY), legend="ready"),
                Query(expr=people(of_members("in_call")), legend="in a call"),
                Query(expr=people(of_members("available")), legend="free"),
                Query(expr=people(of_members("wrapup")), legend="wraps up"),
                Query(expr=people(of_members("paused")), legend="paused"),
            ),
            words=c.Words({"ready": "text", "in a call": c.WORK, "free": c.GOOD, "wraps up": c.ODD, "paused": c.WARN}),
            decimals=0,
        ),
        Ranking(
            title="Paused, by reason",
            description="People on pause now, each counted once a reason, by the reason they gave.",
            nothing="No pause is known",
            queries=(
                Query(
                    expr=f"""sort_desc(count by (reason) (
                        max by (member, reason) (asterisk_queue_member_pause_start_timestamp_seconds{{{Q}}})
                    ))""",
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
