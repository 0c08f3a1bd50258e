"""The folded row of the PBX board: versions, what channels are made of, and what people do with their calls."""

from __future__ import annotations

from grafana import colours as c
from grafana import versions
from grafana.board import Row
from grafana.causes import or_none, while_seen
from grafana.model import Query
from grafana.panels import Series
from grafana.stat import Named, Stat

ENGINE = Row(
    title="Engine: versions, channels, codecs, bridges",
    folded=True,
    panels=(
        Named(
            title="Asterisk",
            description="Version of Asterisk, without what a distribution adds to it.",
            queries=(
                Query(
                    expr=f"max by (version) ({versions.ASTERISK})",
                ),
            ),
            label="version",
            width=4,
        ),
        Stat(
            title="Running for",
            description="Time since Asterisk started.",
            queries=(Query(expr="min(time() - asterisk_start_time_seconds{@})"),),
            unit="dtdurations",
            decimals=0,
            thresholds=c.Steps(c.WARN, ((900, "text"),)),
            width=5,
        ),
        Stat(
            title="Since reload",
            description="Time since Asterisk was last reloaded.",
            queries=(Query(expr="min(time() - asterisk_last_reload_timestamp_seconds{@})"),),
            unit="dtdurations",
            decimals=0,
            width=5,
        ),
        Stat(
            title="Oldest channel",
            description="Age of the oldest channel: red from four hours, when it is rarely a person talking.",
            queries=(Query(expr="max(asterisk_oldest_channel_age_seconds{@})"),),
            unit="dthms",
            thresholds=c.Steps("text", ((3600, c.WARN), (14400, c.BAD))),
            width=5,
        ),
        Stat(
            title="Transcoding",
            description="Channels that translate between codecs, which costs the PBX's CPU.",
            queries=(Query(expr="sum(asterisk_transcoding_channels{@})"),),
            thresholds=c.PLAIN,
            width=5,
        ),
        Series(
            title="Channels by technology",
            description="Channels by their driver. Local channels are Asterisk's own, two for each use.",
            queries=(
                Query(
                    expr=or_none(
                        "sum by (technology) (asterisk_active_channels{@}) > 0",
                        "technology",
                        "no channels",
                        known="asterisk_active_calls{@}",
                    ),
                    legend="{{technology}}",
                ),
            ),
            words=c.TECHNOLOGIES,
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
        Series(
            title="Bridges by type",
            description="What joins the channels.",
            queries=(Query(expr="sum by (bridge_technology) (asterisk_bridges{@})", legend="{{bridge_technology}}"),),
            words=c.BRIDGES,
            stacked=True,
            known="asterisk_bridges{@}",
            decimals=0,
            width=8,
        ),
        Series(
            title="Conferences, parking, recordings",
            description="People in conferences, calls parked, and calls that are recorded.",
            queries=(
                Query(expr="sum(asterisk_conference_participants{@})", legend="in conferences"),
                Query(expr="sum(asterisk_conferences{@})", legend="conferences"),
                Query(expr="sum(asterisk_parked_calls{@})", legend="parked calls"),
                Query(expr="sum(asterisk_recordings_in_progress{@})", legend="recordings"),
            ),
            decimals=0,
        ),
        Series(
            title="Inbound calls a minute, by number",
            description="""Calls that came in, by the name that the configuration gives to the number dialled (dids);
                other: all numbers without one.""",
            nothing="No call to a named number is known",
            queries=(
                Query(
                    expr=while_seen("sum by (did) (rate(asterisk_did_calls_total{@}[$__rate_interval])) * 60"),
                    legend="{{did}}",
                ),
            ),
            interval="1m",
            stacked=True,
            width=12,
        ),
        Series(
            title="Time on hold",
            description="How long callers are left on hold: half of the holds are shorter, one in ten is longer.",
            nothing="No hold is known",
            queries=tuple(
                Query(
                    expr=f"""histogram_quantile(
                        {quantile}, sum by (le) (rate(asterisk_hold_seconds_bucket{{@}}[$__rate_interval]))
                    ) >= 0""",
                    legend=legend,
                )
                for quantile, legend in ((0.5, "half"), (0.9, "90 %"))
            ),
            interval="5m",
            unit="s",
            width=12,
        ),
        Series(
            title="Transfers, holds, pickups per minute",
            description="What people do with their calls.",
            queries=(
                Query(
                    expr=while_seen("sum by (type) (rate(asterisk_transfers_total{@}[$__rate_interval])) * 60"),
                    legend="{{type}} transfers",
                ),
                Query(expr=while_seen("sum(rate(asterisk_holds_total{@}[$__rate_interval])) * 60"), legend="holds"),
                Query(expr=while_seen("sum(rate(asterisk_pickups_total{@}[$__rate_interval])) * 60"), legend="pickups"),
            ),
            interval="1m",
        ),
    ),
)
