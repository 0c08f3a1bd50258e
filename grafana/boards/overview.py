"""One PBX: is everything up, does it carry calls, what fires and what changed; then how calls end and what is done."""

from __future__ import annotations

from grafana import colours as c
from grafana import problems as p
from grafana.alerting import firing
from grafana.board import JOB, ONE_INSTANCE, Board, Row
from grafana.boards.engine import ENGINE
from grafana.causes import FAILURES, or_none, seen, while_seen
from grafana.lookback import over_before_the_end
from grafana.model import Query
from grafana.panels import Heat, Series, Timeline, counted_at_all
from grafana.ranking import that_was_down
from grafana.selection import here
from grafana.stat import Share, Stat, problem_count

OUT = 'asterisk_trunk_hangups_total{@, direction="outbound"'
FAILED_OUT = f'sum(increase({OUT}, cause=~"{FAILURES}"}}[15m]))'
ENDED_OUT = f"sum(increase({OUT}}}[15m]))"
OTHER_CAUSES = 'asterisk_hangups_total{@, cause!~"normal_clearing|answered_elsewhere"}'


MOST_CALLS = over_before_the_end("max", "sum(asterisk_active_calls{@})", "$__range:1m")

NOW = Row(
    title="Now",
    panels=(
        Stat(
            title="Telephony",
            description="""Trunks, registrations and canary calls that fail, queues left alone, and many phones lost:
                how many such problems there are. Unknown: the exporter is not logged in, so nothing can be said.
                Half seen: no problem is known, but a list of these is not answered, or the AMI user may not read
                calls.""",
            queries=(Query(expr=f"sum({p.TELEPHONY}) > 0 or on () sum({p.TELEPHONY}) - max({p.UNTOLD})"),),
            values={"-1": ("half seen", c.DIM), **problem_count()},
            thresholds=c.Steps(c.GOOD, ((1, c.BAD),)),
            nothing="unknown",
            filled=True,
            link=here("asterisk-trunks"),
        ),
        Stat(
            title="AMI",
            description="Up: the exporter is logged in to AMI and Asterisk answers.",
            queries=(Query(expr=f"min({p.STATE})"),),
            values=p.STATES,
            nothing="unknown",
            filled=True,
            link=here("asterisk-exporter"),
            width=3,
        ),
        Share(
            title="Trunks up",
            description="Trunks that are registered where they register, and reachable where they are qualified.",
            have="sum(asterisk_trunk_up{@})",
            total="count(asterisk_trunk_up{@})",
            trouble="sum(asterisk_trunk_up{@} == bool 0)",
            collector="trunks",
            thresholds=c.NONE_IS_GOOD,
            link=here("asterisk-trunks"),
            width=3,
        ),
        Share(
            title="Registrations",
            description="Registrations at providers that are accepted, those of trunks among them.",
            have="sum(asterisk_registration_up{@})",
            total="count(asterisk_registration_up{@})",
            trouble="sum(asterisk_registration_up{@} == bool 0)",
            collector="registrations",
            thresholds=c.NONE_IS_GOOD,
            link=here("asterisk-trunks"),
        ),
        Share(
            title="Phones",
            description="""Endpoints reachable now, out of the most that were at once within a day, trunks among them.
                Orange from 5 % lost, red from 20 %.""",
            have=f"sum({p.PHONES_NOW})",
            total=f"sum({p.PHONES_OF_THE_DAY})",
            trouble=f"sum({p.PHONES_LOST}) / (sum({p.PHONES_OF_THE_DAY}) > 0)",
            collector="endpoints",
            thresholds=c.Steps(c.GOOD, ((0.05, c.WARN), (0.2, c.BAD))),
            link=here("asterisk-endpoints"),
            width=3,
        ),
        Share(
            title="Queues",
            description="""Queues with a member who can take a call, out of all. Red: somebody waits in one that has
                none; blue: one has none, and nobody waits.""",
            have="sum(asterisk_queue_members_ready{@} > bool 0)",
            total="count(asterisk_queue_members_ready{@})",
            trouble=f"""2 * sum({p.QUEUES_ALONE}) + (sum(asterisk_queue_members_ready{{@}} == bool 0) > bool 0)""",
            collector="queues",
            thresholds=c.Steps(c.GOOD, ((1, c.WORK), (2, c.BAD))),
            link=here("asterisk-queues"),
            width=3,
        ),
        Stat(
            title="Figures complete",
            description="""Whether the figures can be believed: every list is answered, events are seen, and the AMI
                user may at least read calls.""",
            queries=(Query(expr=f"max({p.BLIND})"),),
            values={"0": ("yes", c.GOOD), "1": ("no", c.WARN)},
            nothing="unknown",
            filled=True,
            link=here("asterisk-exporter"),
        ),
        Series(
            title="Calls in progress",
            description="""Calls now, and the same time last week (dashed); the PBX's own call limit (dashed), where one
                is set and a tenth of it was used in the time shown.""",
            queries=(
                Query(expr="sum(asterisk_active_calls{@})", legend="calls"),
                Query(expr=f"sum(asterisk_calls_limit{{@}}) <= 10 * {MOST_CALLS}", legend="limit"),
                Query(expr="sum(asterisk_active_calls{@} offset 1w)", legend="last week"),
            ),
            words=c.CHANNELS_AND_CALLS,
            dashed=("limit", "last week"),
            decimals=0,
        ),
        Series(
            title="Outbound calls that failed, and attempts",
            description="""Share of outbound calls on trunks that the network or the provider failed, over 15 minutes,
                by hangup cause; columns: attempts in those 15 minutes. Busy and no answer are no failures.""",
            queries=(
                Query(expr=while_seen(f"{FAILED_OUT} / ({ENDED_OUT} > 0)"), legend="failed"),
                Query(expr=while_seen(ENDED_OUT), legend="attempts"),
            ),
            words=c.Words({"failed": c.BAD}),
            right=("attempts",),
            unit="percentunit",
            maximum=1,
            points=100,
        ),
        firing(by_instance=False, width=12, height=8),
        Timeline(
            title="What was down",
            description="""Trunks, registrations, queues, canary calls, event link and AMI, but only those that were
                down or left alone at some moment of the time shown.""",
            nothing="No outage is known",
            queries=(
                Query(expr=that_was_down("min(asterisk_up{@})"), legend="AMI"),
                Query(
                    expr=that_was_down('min(ami_exporter_link_up{@, link="events"})'),
                    legend="event link",
                ),
                Query(expr=that_was_down("min by (trunk) (asterisk_trunk_up{@})"), legend="trunk {{trunk}}"),
                Query(
                    expr=that_was_down("min by (registration) (asterisk_registration_up{@})"),
                    legend="reg {{registration}}",
                ),
                Query(
                    expr=that_was_down(
                        """1 - max by (queue) ((asterisk_queue_callers{@} > bool 0)
                            * (asterisk_queue_members_ready{@} == bool 0))"""
                    ),
                    legend="queue {{queue}}",
                ),
                Query(expr=that_was_down("min by (canary) (asterisk_canary_up{@})"), legend="canary {{canary}}"),
            ),
            values={"0": ("down, or left alone", c.BAD), "1": ("up", c.GOOD)},
            unit="none",
            points=100,
        ),
    ),
)

TRAFFIC = Row(
    title="Traffic",
    panels=(
        Series(
            title="Calls ended per minute, by direction",
            description="""Inbound and outbound calls used a trunk, internal ones did not. Dashed: all of them at the
                same time last week.""",
            queries=(
                Query(
                    expr=while_seen("sum by (direction) (rate(asterisk_calls_total{@}[$__rate_interval])) * 60"),
                    legend="{{direction}}",
                ),
                Query(
                    expr="sum(rate(asterisk_calls_total{@}[$__rate_interval] offset 1w)) * 60",
                    legend="last week",
                ),
            ),
            words=c.DIRECTIONS,
            stacked=True,
            known=seen("call"),
            dashed=("last week",),
            interval="1m",
        ),
        Series(
            title="Channels by state",
            description="What the channels are doing.",
            queries=(
                Query(
                    expr=or_none(
                        "sum by (state) (asterisk_active_channels{@}) > 0",
                        "state",
                        "no channels",
                        known="asterisk_active_calls{@}",
                    ),
                    legend="{{state}}",
                ),
            ),
            words=c.CHANNEL_STATES,
            stacked=True,
            decimals=0,
        ),
    ),
)

OUTCOMES = Row(
    title="How calls end",
    panels=(
        Series(
            title="Dialled legs per minute, by outcome",
            description="Each phone or trunk that was dialled, by what came of it.",
            queries=(
                Query(
                    expr=while_seen("sum by (status) (rate(asterisk_dials_total{@}[$__rate_interval])) * 60"),
                    legend="{{status}}",
                ),
            ),
            words=c.OUTCOMES,
            stacked=True,
            known=seen("call"),
            interval="1m",
            width=8,
        ),
        Series(
            title="Hangups per minute, by cause",
            description="""The eight commonest Q.850 causes but for normal clearing. The truth about failed calls is
                here, not in the dial outcome.""",
            queries=(
                Query(
                    expr=or_none(
                        f"topk(8, sum by (cause) (rate({OTHER_CAUSES}[$__rate_interval])) * 60 > 0)",
                        "cause",
                        "no failures",
                        known=seen("call"),
                    ),
                    legend="{{cause}}",
                ),
            ),
            words=c.CAUSES,
            bars=True,
            interval="1m",
            width=8,
        ),
        Heat(
            title="Talk time",
            description="How many answered legs ended after how long a talk.",
            nothing="No answered call is known",
            queries=(
                Query(
                    expr=counted_at_all(
                        "sum by (le) (increase(asterisk_dial_talk_seconds_bucket{@%s}[$__rate_interval]))"
                    )
                ),
            ),
            unit="s",
            scheme="Greens",
            interval="2m",
            width=8,
        ),
    ),
)

OVERVIEW = Board(
    uid="asterisk-pbx",
    title="Asterisk / PBX",
    description="One PBX: is everything up, does it carry calls, what fires and what changed.",
    variables=(JOB, ONE_INSTANCE),
    rows=(NOW, TRAFFIC, OUTCOMES, ENGINE),
    points=None,
)
