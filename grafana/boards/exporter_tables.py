"""The exporter board's tables: links of each PBX, and each of its collectors, what fails first."""

from __future__ import annotations

from grafana import colours as c
from grafana.selection import clicked
from grafana.table import Column, Table

ANSWERS = "and on (job, instance) asterisk_up{@} == 1"
"""A PBX that is down answers no list: that is one fault, and not one of every collector."""
SUCCESS = f"(asterisk_scrape_collector_success{{@}} {ANSWERS})"
DURATION = "asterisk_scrape_collector_duration_seconds{@}"

LINKS_OF_EACH = Table(
    title="Links of each PBX",
    description="""AMI: logged in and answering. Events: the event link. Classes: read classes it was given.
        Failed: connections within an hour that ended before the login was accepted; the chart below says why. New
        links: connections made within an hour; many mean that a link does not hold.""",
    keys={"instance": "PBX"},
    links={"instance": clicked("asterisk-pbx", "instance")},
    sort=("AMI", False),
    width=12,
    height=10,
    columns=(
        Column(
            title="AMI",
            expr="min by (instance) (asterisk_up{@})",
            values=c.UP_DOWN,
            width=70,
        ),
        Column(
            title="Events",
            expr='min by (instance) (ami_exporter_link_up{@, link="events"})',
            values={"0": ("not seen", c.BAD), "1": ("seen", c.GOOD)},
            width=84,
        ),
        Column(
            title="Classes",
            expr="count by (instance) (ami_exporter_event_classes{@})",
            width=80,
        ),
        Column(
            title="Failed",
            expr="sum by (instance) (increase(ami_exporter_login_failures_total{@}[1h]))",
            decimals=0,
            thresholds=c.NONE_IS_BEST,
            width=82,
        ),
        Column(
            title="New links",
            expr="sum by (instance) (increase(ami_exporter_link_connects_total{@}[1h]))",
            decimals=0,
            thresholds=c.Steps("text", ((6, c.WARN),)),
            width=90,
        ),
        Column(
            title="Poll",
            expr=f"max by (instance) (asterisk_scrape_duration_seconds{{@}} {ANSWERS})",
            unit="s",
            decimals=0,
            width=80,
        ),
    ),
)

COLLECTORS_OF_EACH = Table(
    title="Each collector",
    description="""Of PBXs that answer, the failing ones first. Complete: its last answer. Age: how old figures
        are that are served again to spare the PBX. Not offered: actions this server or this AMI user lacks,
        which are not asked; `ami-exporter doctor` tells a missing right from a missing module.""",
    keys={"instance": "PBX", "collector": "Collector"},
    sort=("Complete", False),
    width=12,
    height=10,
    columns=(
        Column(title="Complete", expr=f"min by (instance, collector) ({SUCCESS})", values=c.YES_NO, width=104),
        Column(
            title="Time",
            expr=f"""max by (instance, collector) (
                {DURATION} {ANSWERS}
            )""",
            unit="s",
            decimals=0,
            width=80,
        ),
        Column(
            title="Age",
            expr=f"""max by (instance, collector) (
                asterisk_scrape_collector_data_age_seconds{{@}} {ANSWERS}
            )""",
            unit="dthms",
            thresholds=c.Steps("text", ((600, c.WARN),)),
            width=80,
        ),
        Column(
            title="Not offered",
            expr=f"""count by (instance, collector) (asterisk_scrape_collector_unavailable{{@}} {ANSWERS})
                or 0 * min by (instance, collector) ({SUCCESS})""",
            thresholds=c.Steps("text", ((1, c.WARN),)),
            width=100,
        ),
    ),
)
