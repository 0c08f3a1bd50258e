"""One PBX: is it up and carrying calls, how calls end, and what the engine does."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import Board, Row
from grafana.model import Query
from grafana.panels import Heat, Series, Stat

LAST_WEEK = "sum(rate(asterisk_calls_total{@}[$__rate_interval] offset 1w)) * 60"

NOW = Row(
    title="Now",
    panels=(
        Stat(
            title="PBX",
            description="Up: the exporter is logged in to AMI and Asterisk answers.",
            queries=(Query(expr="min(asterisk_up{@})"),),
            values=c.UP_DOWN,
            unit="none",
            filled=True,
            width=3,
        ),
        Stat(
            title="Calls",
            description="Calls in progress: channels that belong together are one call.",
            queries=(Query(expr="sum(asterisk_active_calls{@})"),),
            thresholds=c.PLAIN,
            width=3,
        ),
        Stat(
            title="Answered",
            description="Share of calls answered, out of all calls ended in the time shown.",
            queries=(
                Query(
                    expr="""sum(increase(asterisk_calls_total{@, outcome="answered"}[$__range])) /
                        (sum(increase(asterisk_calls_total{@}[$__range])) > 0)"""
                ),
            ),
            unit="percentunit",
            decimals=0,
            thresholds=c.PLAIN,
            width=3,
        ),
        Stat(
            title="Trunks down",
            description="Trunks whose registration is not accepted or whose qualify gets no answer.",
            queries=(Query(expr="sum(asterisk_trunk_up{@} == bool 0)"),),
            thresholds=c.NONE_IS_GOOD,
            width=3,
        ),
        Stat(
            title="Callers waiting",
            description="Callers waiting in all queues.",
            queries=(Query(expr="sum(asterisk_queue_callers{@})"),),
            thresholds=c.PLAIN,
            width=3,
        ),
        Stat(
            title="Oldest channel",
            description="Age of the oldest channel: red from four hours, when it is rarely a person talking.",
            queries=(Query(expr="max(asterisk_oldest_channel_age_seconds{@})"),),
            unit="dthms",
            thresholds=c.Steps("text", ((3600, c.WARN), (14400, c.BAD))),
            width=3,
        ),
        Stat(
            title="Running for",
            description="Time since Asterisk started.",
            queries=(Query(expr="min(time() - asterisk_start_time_seconds{@})"),),
            unit="dtdurations",
            decimals=0,
            thresholds=c.Steps(c.WARN, ((900, "text"),)),
            width=3,
        ),
        Stat(
            title="Asterisk",
            description="Version of Asterisk.",
            queries=(Query(expr="max by (version) (asterisk_info{@})", legend="{{version}}"),),
            unit="none",
            text="name",
            width=3,
        ),
    ),
)

TRAFFIC = Row(
    title="Traffic",
    panels=(
        Series(
            title="Calls and channels",
            description="Calls in progress, the channels they hold, and the PBX's own call limit where one is set.",
            queries=(
                Query(expr="sum(asterisk_active_channels{@})", legend="channels"),
                Query(expr="sum(asterisk_active_calls{@})", legend="calls"),
                Query(expr="sum(asterisk_calls_limit{@})", legend="limit"),
            ),
            words=c.CHANNELS_AND_CALLS,
            dashed=("limit",),
            decimals=0,
        ),
        Series(
            title="Calls ended per minute, by direction",
            description="""Inbound and outbound calls used a trunk, internal ones did not. Dashed: all of them at the
                same time last week.""",
            queries=(
                Query(
                    expr="sum by (direction) (rate(asterisk_calls_total{@}[$__rate_interval])) * 60",
                    legend="{{direction}}",
                ),
                Query(expr=LAST_WEEK, legend="last week"),
            ),
            words=c.DIRECTIONS,
            stacked=True,
            dashed=("last week",),
            interval="1m",
        ),
        Series(
            title="Channels by state",
            description="What the channels are doing.",
            queries=(Query(expr="sum by (state) (asterisk_active_channels{@}) > 0", legend="{{state}}"),),
            words=c.CHANNEL_STATES,
            stacked=True,
            decimals=0,
            width=8,
        ),
        Series(
            title="Channels by technology",
            description="Channels by their driver. Local channels are Asterisk's own, two for each use.",
            queries=(Query(expr="sum by (technology) (asterisk_active_channels{@}) > 0", legend="{{technology}}"),),
            stacked=True,
            decimals=0,
            width=8,
        ),
        Series(
            title="Channels by codec, and transcoded ones",
            description="First native format of each channel; transcoding (dashed) costs the PBX's CPU.",
            queries=(
                Query(expr="sum by (codec) (asterisk_codec_channels{@})", legend="{{codec}}"),
                Query(expr="sum(asterisk_transcoding_channels{@})", legend="transcoding"),
            ),
            stacked=True,
            dashed=("transcoding",),
            decimals=0,
            width=8,
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
                    expr="sum by (status) (rate(asterisk_dials_total{@}[$__rate_interval])) * 60",
                    legend="{{status}}",
                ),
            ),
            words=c.OUTCOMES,
            stacked=True,
            interval="1m",
            width=8,
        ),
        Series(
            title="Hangups per minute, by cause",
            description="""The eight commonest Q.850 causes but for normal clearing. The truth about failed calls is
                here, not in the dial outcome.""",
            queries=(
                Query(
                    expr="""topk(8, sum by (cause) (rate(asterisk_hangups_total{@,
                        cause!="normal_clearing"}[$__rate_interval])) * 60 > 0)""",
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
            queries=(Query(expr="sum by (le) (increase(asterisk_dial_talk_seconds_bucket{@}[$__rate_interval]))"),),
            unit="s",
            scheme="Greens",
            interval="2m",
            width=8,
        ),
    ),
)

SERVICES = Row(
    title="Services",
    panels=(
        Series(
            title="Conferences and parking",
            description="People in conferences and calls parked.",
            queries=(
                Query(expr="sum(asterisk_conference_participants{@})", legend="in conferences"),
                Query(expr="sum(asterisk_conferences{@})", legend="conferences"),
                Query(expr="sum(asterisk_parked_calls{@})", legend="parked calls"),
            ),
            decimals=0,
            width=8,
        ),
        Series(
            title="Bridges by type",
            description="What joins the channels.",
            queries=(Query(expr="sum by (bridge_technology) (asterisk_bridges{@})", legend="{{bridge_technology}}"),),
            stacked=True,
            decimals=0,
            width=8,
        ),
        Series(
            title="Transfers, holds, pickups per minute",
            description="What people do with their calls.",
            queries=(
                Query(
                    expr="sum by (type) (rate(asterisk_transfers_total{@}[$__rate_interval])) * 60",
                    legend="{{type}} transfers",
                ),
                Query(expr="sum(rate(asterisk_holds_total{@}[$__rate_interval])) * 60", legend="holds"),
                Query(expr="sum(rate(asterisk_pickups_total{@}[$__rate_interval])) * 60", legend="pickups"),
            ),
            interval="1m",
            width=8,
        ),
    ),
)

OVERVIEW = Board(
    uid="asterisk-pbx",
    title="Asterisk / PBX",
    description="One PBX: is it up and carrying calls, and how do calls end.",
    rows=(NOW, TRAFFIC, OUTCOMES, SERVICES),
)
