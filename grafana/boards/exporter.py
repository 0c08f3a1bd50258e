"""Exporter health: can the figures on the other boards be believed."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import Board, Row, Variable
from grafana.model import Query
from grafana.panels import Series, Stat, Timeline
from grafana.table import Column, Table

ANY = '{__name__=~"asterisk_up|ami_exporter_build_info"}'
JOB = Variable(name="job", label="Job", selector=ANY)
INSTANCE = Variable(name="instance", label="Instance", selector=ANY.replace("}", ', job=~"$job"}'))

SUCCESS = "asterisk_scrape_collector_success{@}"

NOW = Row(
    title="Now",
    panels=(
        Stat(
            title="Failing collectors",
            description="Collectors whose last answer was not complete. Their metrics are absent, never guessed.",
            queries=(Query(expr="sum(asterisk_scrape_collector_success{@} == bool 0)"),),
            thresholds=c.NONE_IS_GOOD,
            filled=True,
        ),
        Stat(
            title="Links down",
            description="""AMI connections that are not up. Without the poll link gauges are absent, without the
                events link counters stand still.""",
            queries=(Query(expr="sum(ami_exporter_link_up{@} == bool 0)"),),
            thresholds=c.NONE_IS_GOOD,
            filled=True,
        ),
        Stat(
            title="Slowest poll",
            description="Time the slowest PBX took to answer a whole scrape.",
            queries=(Query(expr="max(asterisk_scrape_duration_seconds{@})"),),
            unit="s",
            thresholds=c.Steps(c.GOOD, ((2, c.WARN), (5, c.BAD))),
        ),
        Stat(
            title="Events per second",
            description="Events received on the event links.",
            queries=(Query(expr="sum(rate(ami_exporter_events_received_total{@}[$__rate_interval]))"),),
            unit="cps",
            thresholds=c.PLAIN,
        ),
        Stat(
            title="Time without events",
            description="""How long nobody listened to events in the time shown, from each link's last sign of life: may
                be too long, never too short. Events of that time are in no counter, and calls that were up when a link
                was cut are never counted. Those are the long ones: after many cuts counters show fewer answered calls
                than there were.""",
            queries=(Query(expr="sum(increase(ami_exporter_events_gap_seconds_total{@}[$__range]))"),),
            unit="s",
            decimals=0,
            thresholds=c.Steps(c.GOOD, ((1, c.WARN), (60, c.BAD))),
        ),
        Stat(
            title="Version",
            description="Version of the exporter.",
            queries=(Query(expr="max by (version) (ami_exporter_build_info{@})", legend="{{version}}"),),
            unit="none",
            text="name",
        ),
    ),
)

COLLECTORS = Row(
    title="Collectors",
    panels=(
        Timeline(
            title="Collectors",
            description="Complete answers, over all chosen PBXs: the worst counts.",
            queries=(
                Query(
                    expr="min by (collector) (asterisk_scrape_collector_success{@})",
                    legend="{{collector}}",
                ),
            ),
            values={"0": ("failed", c.BAD), "1": ("complete", c.GOOD)},
            unit="none",
            height=10,
        ),
        Series(
            title="Time of each collector",
            description="How long the PBX took for each collector's lists, over all chosen PBXs: the worst counts.",
            queries=(
                Query(
                    expr="max by (collector) (asterisk_scrape_collector_duration_seconds{@})",
                    legend="{{collector}}",
                ),
            ),
            unit="s",
            stacked=True,
            height=10,
        ),
        Table(
            title="Each collector",
            description="""Complete: its last answer. Age: how old figures are that are served again to spare the PBX.
                Not offered: actions this server or this AMI user lacks, which are not asked; `ami-exporter doctor`
                tells a missing right from a missing module.""",
            keys={"instance": "PBX", "collector": "Collector"},
            sort=("Not offered", True),
            columns=(
                Column(
                    title="Complete",
                    expr=f"min by (instance, collector) ({SUCCESS})",
                    values=c.YES_NO,
                ),
                Column(
                    title="Time",
                    expr="max by (instance, collector) (asterisk_scrape_collector_duration_seconds{@})",
                    unit="s",
                ),
                Column(
                    title="Age",
                    expr="max by (instance, collector) (asterisk_scrape_collector_data_age_seconds{@})",
                    unit="s",
                    decimals=0,
                    thresholds=c.Steps("text", ((600, c.WARN),)),
                ),
                Column(
                    title="Not offered",
                    expr=f"""count by (instance, collector) (asterisk_scrape_collector_unavailable{{@}})
                        or 0 * min by (instance, collector) ({SUCCESS})""",
                    thresholds=c.Steps("text", ((1, c.WARN),)),
                ),
            ),
        ),
    ),
)

LINKS = Row(
    title="Links and events",
    panels=(
        Series(
            title="Events per second, each PBX",
            description="Events received on the event link.",
            queries=(
                Query(
                    expr="sum by (instance) (rate(ami_exporter_events_received_total{@}[$__rate_interval]))",
                    legend="{{instance}}",
                ),
            ),
            unit="cps",
            width=8,
        ),
        Series(
            title="Connections made, and logins refused",
            description="""Each bar is the number of new AMI connections in that step. Bars all the time: a link does
                not hold.""",
            queries=(
                Query(
                    expr="sum by (link) (increase(ami_exporter_link_connects_total{@}[$__rate_interval]))",
                    legend="{{link}}",
                ),
                Query(
                    expr="sum by (reason) (increase(ami_exporter_login_failures_total{@}[$__rate_interval])) > 0",
                    legend="refused: {{reason}}",
                ),
            ),
            words=c.LINKS,
            bars=True,
            interval="1m",
            decimals=0,
            width=8,
        ),
        Series(
            title="Series dropped and protocol errors",
            description="""Series refused by a cap (raise limits.series_per_metric or filter), and AMI messages that
                could not be understood (please report them). Zero is right.""",
            queries=(
                Query(
                    expr="sum by (metric) (increase(ami_exporter_series_dropped_total{@}[$__rate_interval])) > 0",
                    legend="dropped: {{metric}}",
                ),
                Query(
                    expr="sum(increase(ami_exporter_protocol_errors_total{@}[$__rate_interval]))",
                    legend="protocol errors",
                ),
            ),
            bars=True,
            interval="1m",
            width=8,
        ),
    ),
)

PROCESS = Row(
    title="Process",
    panels=(
        Series(
            title="CPU",
            description="Share of one core the exporter uses.",
            queries=(Query(expr="rate(process_cpu_seconds_total{@}[$__rate_interval])", legend="{{instance}}"),),
            unit="percentunit",
            width=8,
            height=6,
        ),
        Series(
            title="Memory",
            description="Resident memory of the exporter.",
            queries=(Query(expr="process_resident_memory_bytes{@}", legend="{{instance}}"),),
            unit="bytes",
            width=8,
            height=6,
        ),
        Series(
            title="Samples of each scrape",
            description="How many samples Prometheus took from each target.",
            queries=(Query(expr="sum by (instance) (scrape_samples_scraped{@})", legend="{{instance}}"),),
            width=8,
            height=6,
        ),
    ),
)

EXPORTER = Board(
    uid="asterisk-exporter",
    title="Asterisk / Exporter health",
    description="Whether the figures on the other boards can be believed.",
    variables=(JOB, INSTANCE),
    rows=(NOW, COLLECTORS, LINKS, PROCESS),
)
