"""Exporter health: can the figures on the other boards be believed."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import INSTANCE, JOB, Board, Row, Variable
from grafana.boards.exporter_tables import ANSWERS, COLLECTORS_OF_EACH, DURATION, LINKS_OF_EACH, SUCCESS
from grafana.causes import or_none
from grafana.model import Query
from grafana.panels import Series
from grafana.stat import Named, Stat

PROCESS_ITSELF = Variable(
    name="exporter", label="Exporter", selector="ami_exporter_build_info", of="instance", all_value=""
)
"""A process is a target of its own beside the PBXs it asks, of another job: the choice of PBXs does not choose it."""
ITS = '{instance=~"$exporter"}'
OF_EXPORTERS = f"and on (job, instance) ami_exporter_build_info{ITS}"
"""Other processes of the same machine may have the same name of an instance."""

EVENTS = "rate(ami_exporter_events_received_total{@}[$__rate_interval])"

NOW = Row(
    title="Now",
    panels=(
        Stat(
            title="Failing collectors",
            description="""Collectors of PBXs that answer whose last list was not complete. Their metrics are absent,
                never guessed.""",
            queries=(Query(expr=f"sum((asterisk_scrape_collector_success{{@}} == bool 0) {ANSWERS})"),),
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
            width=3,
        ),
        Stat(
            title="Slowest poll",
            description="Time the slowest PBX took to answer a whole scrape.",
            queries=(
                Query(
                    expr=f"topk(1, max by (instance) (asterisk_scrape_duration_seconds{{@}} {ANSWERS}))",
                    legend="{{instance}}",
                ),
            ),
            text="value_and_name",
            decimals=0,
            unit="s",
            thresholds=c.Steps(c.GOOD, ((2, c.WARN), (5, c.BAD))),
            width=4,
        ),
        Stat(
            title="Events",
            description="Events received on the event links.",
            queries=(Query(expr=f"sum({EVENTS})"),),
            unit="cps",
            thresholds=c.PLAIN,
            width=3,
        ),
        Stat(
            title="Events not seen",
            description="""How long nobody listened to events in the time shown, from each link's last sign of life: may
                be too long, never too short. Events of that time are in no counter, and calls that were up when a link
                was cut are never counted. Those are the long ones: after many cuts counters show fewer answered calls
                than there were.""",
            queries=(
                Query(
                    expr="""sum(increase(ami_exporter_events_gap_seconds_total{@}[$__range])) >= 1
                        or on () 0 * count(ami_exporter_link_up{@, link="events"} == 1)"""
                ),
            ),
            unit="dthms",
            thresholds=c.Steps(c.GOOD, ((1, c.WARN), (60, c.BAD))),
        ),
        Stat(
            title="TLS ends",
            description="Time until the first certificate of an AMI server ends, and whose it is.",
            queries=(
                Query(
                    expr="""bottomk(1, max by (instance) (
                        asterisk_ami_certificate_not_after_timestamp_seconds{@} - time()
                    ))""",
                    legend="{{instance}}",
                ),
            ),
            text="value_and_name",
            nothing="none known",
            unit="dtdurations",
            decimals=0,
            thresholds=c.Steps(c.BAD, ((7 * 86400, c.WARN), (21 * 86400, c.GOOD))),
            width=3,
        ),
        Named(
            title="Version",
            description="Version of the exporter.",
            queries=(
                Query(
                    expr=f"""max by (version) (
                        label_replace(ami_exporter_build_info{ITS}, "version", "$1", "version", "([^+ ]+).*")
                    )""",
                ),
            ),
            label="version",
            width=3,
        ),
    ),
)

EACH = Row(
    title="Each PBX, each collector",
    panels=(
        LINKS_OF_EACH,
        COLLECTORS_OF_EACH,
        Series(
            title="PBXs on which a collector failed",
            description="How many of the PBXs that answer did not answer the lists of a collector in full.",
            queries=(
                Query(
                    expr=or_none(
                        f"count by (collector) ({SUCCESS} == 0)", "collector", "none", known="asterisk_up{@} == 1"
                    ),
                    legend="{{collector}}",
                ),
            ),
            words=c.Words({"none": c.DIM}),
            faults=True,
            bars=True,
            decimals=0,
        ),
        Series(
            title="Time of the ten slowest collectors",
            description="""How long the slowest PBX took for each collector's lists, of those that answer and of the ten
                collectors that take longest at the end of the time shown.""",
            queries=(
                Query(
                    expr=f"""max by (collector) ({DURATION} {ANSWERS})
                        and topk(10, max by (collector) ({DURATION} @ end()))""",
                    legend="{{collector}}",
                ),
            ),
            unit="s",
            stacked=True,
        ),
    ),
)

LINKS = Row(
    title="Links and events",
    panels=(
        Series(
            title="Events per second, the ten busiest PBXs",
            description="Events received on the event links, of the ten PBXs that send most at the end.",
            queries=(
                Query(
                    expr=f"""sum by (instance) ({EVENTS}) and topk(10, sum by (instance) (
                        rate(ami_exporter_events_received_total{{@}}[$__rate_interval] @ end())
                    ))""",
                    legend="{{instance}}",
                ),
            ),
            unit="cps",
            legend="right",
            width=8,
        ),
        Series(
            title="Connections and failed logins per minute",
            description="""New AMI connections, and logins that were not accepted, by reason. All the time: a link does
                not hold, or a password is wrong.""",
            queries=(
                Query(
                    expr="sum by (link) (instance:ami_exporter_link_connects:rate5m{@}) * 60",
                    legend="connected: {{link}}",
                ),
                Query(
                    expr="sum by (reason) (instance:ami_exporter_login_failures:rate5m{@}) * 60 > 0",
                    legend="login failed: {{reason}}",
                ),
                Query(expr="0 * sum(asterisk_up{@})", legend="none"),
            ),
            words=c.LINKS,
            bars=True,
            width=8,
        ),
        Series(
            title="Series dropped and protocol errors",
            description="""Series refused by a cap (raise limits.series_per_metric or filter), and AMI messages that
                could not be understood (please report them), per minute. Zero is right.""",
            queries=(
                Query(
                    expr="sum by (metric) (rate(ami_exporter_series_dropped_total{@}[$__rate_interval])) * 60 > 0",
                    legend="dropped: {{metric}}",
                ),
                Query(
                    expr="sum(instance:ami_exporter_protocol_errors:rate5m{@}) * 60 > 0",
                    legend="protocol errors",
                ),
                Query(expr="0 * sum(asterisk_up{@} == 1)", legend="none"),
            ),
            words=c.Words({"none": c.DIM}),
            faults=True,
            bars=True,
            interval="1m",
            width=8,
        ),
    ),
)

PROCESS = Row(
    title="Process: the chosen exporters, whatever PBXs are chosen",
    panels=(
        Series(
            title="CPU",
            description="Share of one core the exporter uses.",
            queries=(
                Query(
                    expr=f"rate(process_cpu_seconds_total{ITS}[$__rate_interval]) {OF_EXPORTERS}",
                    legend="{{instance}}",
                ),
            ),
            unit="percentunit",
            width=8,
        ),
        Series(
            title="Memory",
            description="Resident memory of the exporter.",
            queries=(Query(expr=f"process_resident_memory_bytes{ITS} {OF_EXPORTERS}", legend="{{instance}}"),),
            unit="bytes",
            width=8,
        ),
        Series(
            title="Samples of a scrape, the ten largest",
            description="How many samples Prometheus takes from a target at once, of the ten that have most.",
            queries=(
                Query(
                    expr="""sum by (instance) (scrape_samples_scraped{@})
                        and topk(10, sum by (instance) (scrape_samples_scraped{@} @ end()))""",
                    legend="{{instance}}",
                ),
            ),
            legend="right",
            width=8,
        ),
    ),
)

EXPORTER = Board(
    uid="asterisk-exporter",
    title="Asterisk / Exporter health",
    description="Whether the figures on the other boards can be believed.",
    variables=(JOB, INSTANCE, PROCESS_ITSELF),
    rows=(NOW, EACH, LINKS, PROCESS),
)
