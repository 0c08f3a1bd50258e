"""Fleet: how many PBXs are in trouble, which and why, a tile for each by site; then all of them, and the trend."""

from __future__ import annotations

from grafana import colours as c
from grafana import problems as p
from grafana import versions
from grafana.alerting import firing
from grafana.board import Board, Row
from grafana.causes import seen, while_seen
from grafana.lookback import SHOWN, over
from grafana.model import Query
from grafana.panels import Series
from grafana.selection import clicked, url
from grafana.stat import Share, Stat, Wall
from grafana.table import Column, Table

CALLS = "instance:asterisk_calls:rate5m"
ANSWERED = f'{CALLS}{{@, outcome="answered"}}'
HALF_AN_HOUR = "30m:5m"
COUNT = 62


def by_pbx(expression: str, how: str = "sum") -> str:
    """One sample for each PBX."""
    return f"{how} by (@) ({expression})"


NOW = Row(
    title="Now",
    panels=(
        Share(
            title="PBXs up",
            description="""PBXs that answer, out of all that were seen within a day. Red: one is down, refuses the
                login, or Prometheus no longer gets its figures.""",
            have=f"sum({p.STATE} == bool 1)",
            total=f"count({p.KNOWN})",
            trouble=f"sum({p.STATE} < bool 1)",
            collector="core",
            thresholds=c.NONE_IS_GOOD,
            link=url("asterisk-exporter"),
        ),
        Stat(
            title="With trouble",
            description="""PBXs that are down, or have a trunk or registration down, a queue left alone, many phones
                lost, or figures that cannot be believed. They are listed below.""",
            queries=(Query(expr=f"sum({p.PROBLEMS} > bool 0)"),),
            thresholds=c.NONE_IS_GOOD,
            filled=True,
            link=url("asterisk-pbx"),
        ),
        Stat(
            title="Without a trunk",
            description="PBXs whose trunks are all down: they are cut off.",
            queries=(Query(expr=f"sum({p.WITHOUT_TRUNK})"),),
            thresholds=c.NONE_IS_GOOD,
            filled=True,
            link=url("asterisk-trunks"),
        ),
        Stat(
            title="Queues left alone",
            description="Queues in which somebody waits and no member can take the call.",
            queries=(Query(expr=f"sum({p.QUEUES_ALONE})"),),
            thresholds=c.NONE_IS_GOOD,
            filled=True,
            link=url("asterisk-queues"),
        ),
        Stat(
            title="Half seen",
            description="""PBXs that answer, but not all of it: a list fails, events are not seen, or the AMI user may
                not even read calls.""",
            queries=(Query(expr=f"sum({p.BLIND})"),),
            thresholds=c.NONE_IS_BEST,
            filled=True,
            link=url("asterisk-exporter"),
        ),
        Stat(
            title="Calls now",
            description="Calls in progress on all chosen PBXs.",
            queries=(Query(expr="sum(asterisk_active_calls{@})"),),
            thresholds=c.PLAIN,
            filled=True,
            link=url("asterisk-pbx"),
        ),
        Table(
            title="PBXs with trouble",
            description="""Only PBXs with a problem, the worst first; click a name for its board. Problems is the sum
                of the columns to its right; many phones lost are one problem.""",
            nothing="No problem is known",
            keys={"instance": "PBX", "site": "Site"},
            unseen=("job",),
            links={"instance": clicked("asterisk-pbx", "instance")},
            widths={"site": 80},
            width=15,
            height=18,
            sort=("Problems", True),
            only="Problems",
            columns=(
                Column(title="Problems", expr=p.PROBLEMS, thresholds=c.NONE_IS_GOOD, filled=True, width=96),
                Column(title="AMI", expr=p.STATE, values=p.STATES, width=74),
                Column(title="Trunks", expr=p.TRUNKS_DOWN, thresholds=c.NONE_IS_GOOD, width=COUNT),
                Column(title="Regs", expr=p.REGISTRATIONS_DOWN, thresholds=c.NONE_IS_GOOD, width=COUNT),
                Column(title="Queues", expr=p.QUEUES_ALONE, thresholds=c.NONE_IS_GOOD, width=68),
                Column(title="Phones", expr=p.PHONES_LOST, thresholds=c.NONE_IS_BEST, width=68),
                Column(title="Canary", expr=p.CANARIES_DOWN, thresholds=c.NONE_IS_GOOD, width=COUNT),
                Column(title="Half seen", expr=p.BLIND, values={"0": ("no", c.GOOD), "1": ("yes", c.WARN)}, width=82),
            ),
        ),
        Wall(
            title="PBXs by site",
            description="""A tile for each PBX. Green: nothing wrong; orange: up, with a problem; red: down or without
                a trunk; grey: nothing is known. Click one for its board.""",
            queries=(
                Query(
                    expr=f"""{p.PROBLEMS} + on (job, instance) group_left () 100 * (
                        {p.WITHOUT_TRUNK} or on (job, instance) (1 - asterisk_up{{@}})
                        or on (job, instance) ({p.KNOWN} * 0)
                    ) unless on (job, instance) ({p.UNSEEN})
                    or on (job, instance) {p.KNOWN} * 0 - 1"""
                ),
            ),
            keys=("site", "instance"),
            thresholds=c.Steps(c.DIM, ((0, c.GOOD), (1, c.WARN), (100, c.BAD))),
            link=url("asterisk-pbx", instance="${__data.fields.instance}"),
            width=9,
            height=18,
        ),
    ),
)

EACH = Row(
    title="All PBXs",
    panels=(
        Table(
            title="All PBXs",
            description="""One line for each PBX; click its name for its own board. Answered: share of the calls ended
                in the time shown. Trunks, registrations: that are down. Phones: endpoints fewer than the most that
                were reachable at once within a day. Silent: calls without audio on the worst trunk, in half an
                hour.""",
            keys={"instance": "PBX", "site": "Site", "version": "Version"},
            unseen=("job",),
            links={"instance": clicked("asterisk-pbx", "instance")},
            widths={"site": 80, "version": 90},
            height=19,
            sort=("Problems", True),
            columns=(
                Column(
                    title="Info",
                    expr=f"max by (@, version) ({versions.ASTERISK})",
                    hidden=True,
                ),
                Column(title="Problems", expr=p.PROBLEMS, thresholds=c.NONE_IS_GOOD, width=96),
                Column(title="AMI", expr=p.STATE, values=p.STATES, width=74),
                Column(
                    title="Running for",
                    expr=by_pbx("time() - asterisk_start_time_seconds{@}", "min"),
                    unit="dtdurations",
                    width=110,
                ),
                Column(title="Calls", expr=by_pbx("asterisk_active_calls{@}"), width=COUNT),
                Column(
                    title="Answered",
                    expr=f"""{by_pbx(over("avg", ANSWERED, SHOWN))} /
                        ({by_pbx(over("avg", f"{CALLS}{{@}}", SHOWN))} > 0)""",
                    unit="percentunit",
                    decimals=0,
                    width=84,
                ),
                Column(title="Trunks", expr=p.TRUNKS_DOWN, thresholds=c.NONE_IS_GOOD, width=68),
                Column(title="Regs", expr=p.REGISTRATIONS_DOWN, thresholds=c.NONE_IS_GOOD, width=COUNT),
                Column(title="Phones", expr=p.PHONES_LOST, thresholds=c.NONE_IS_BEST, width=72),
                Column(
                    title="Silent",
                    expr="""max by (@) (trunk:asterisk_silent_calls:ratio30m{@})
                        and on (job, instance) asterisk_up{@} == 1""",
                    unit="percentunit",
                    decimals=0,
                    thresholds=c.SHARE_LOST,
                    width=66,
                ),
                Column(title="Waiting", expr=by_pbx("asterisk_queue_callers{@}"), width=76),
                Column(
                    title="Longest wait",
                    expr=by_pbx("asterisk_queue_longest_wait_seconds{@}", "max"),
                    unit="dthms",
                    thresholds=c.Steps(c.GOOD, ((60, c.WARN), (300, c.BAD))),
                    width=104,
                ),
                Column(
                    title="Poll",
                    expr=by_pbx(
                        "asterisk_scrape_duration_seconds{@} and on (job, instance) asterisk_up{@} == 1", "max"
                    ),
                    unit="s",
                    decimals=0,
                    thresholds=c.Steps(c.GOOD, ((2, c.WARN), (5, c.BAD))),
                    width=76,
                ),
            ),
        ),
    ),
)

ALERTS = Row(title="Alerts", panels=(firing(by_instance=True, width=24, height=9),))

TREND = Row(
    title="Trend",
    folded=True,
    panels=(
        Series(
            title="Calls in progress, the ten busiest PBXs now",
            description="Calls at each moment of the ten PBXs that have most of them at the end of the time shown.",
            queries=(
                Query(
                    expr="""sum by (instance) (asterisk_active_calls{@})
                        and topk(10, sum by (instance) (asterisk_active_calls{@} @ end()))""",
                    legend="{{instance}}",
                ),
            ),
            decimals=0,
        ),
        Series(
            title="Calls ended per minute",
            description="Calls by how they ended, over all chosen PBXs.",
            queries=(Query(expr=while_seen(f"sum by (outcome) ({CALLS}{{@}}) * 60"), legend="{{outcome}}"),),
            words=c.CALLS,
            stacked=True,
            known=seen("call"),
        ),
        Table(
            title="Lowest share of calls answered",
            description="""The ten PBXs with at least 20 calls ended in the last half hour and the lowest share of
                answered ones. One PBX alone has its own fault; all together share a carrier.""",
            nothing="No PBX with 20 calls is known",
            keys={"instance": "PBX"},
            links={"instance": clicked("asterisk-pbx", "instance")},
            sort=("Answered", False),
            columns=(
                Column(
                    title="Answered",
                    expr=f"""bottomk(10, sum by (instance) ({over("avg", ANSWERED, HALF_AN_HOUR)})
                        / (sum by (instance) ({over("avg", f"{CALLS}{{@}}", HALF_AN_HOUR)}) * 1800 >= 20) * 1800)""",
                    unit="percentunit",
                    decimals=0,
                    thresholds=c.Steps(c.BAD, ((0.2, c.WARN), (0.4, "text"))),
                ),
            ),
            width=8,
        ),
        Series(
            title="PBXs up, and with trouble with trunks",
            description="PBXs that answer, and those with a trunk down, at each moment.",
            queries=(
                Query(expr="sum(asterisk_up{@})", legend="up"),
                Query(expr="sum(asterisk_up{@} == bool 0)", legend="down"),
                Query(expr="sum(min by (@) (asterisk_trunk_up{@}) == bool 0)", legend="with a trunk down"),
            ),
            words=c.Words({"up": c.GOOD, "down": c.BAD, "with a trunk down": c.WARN}),
            decimals=0,
            width=8,
        ),
        Table(
            title="PBXs by Asterisk version",
            description="How many PBXs run which version now.",
            keys={"version": "Version"},
            sort=("PBXs", True),
            columns=(Column(title="PBXs", expr=f"count by (version) ({versions.ASTERISK})"),),
            width=8,
        ),
    ),
)

FLEET = Board(
    uid="asterisk-fleet",
    title="Asterisk / Fleet",
    description="All PBXs: how many are in trouble, which, and why.",
    rows=(NOW, EACH, ALERTS, TREND),
)
