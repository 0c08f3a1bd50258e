"""Media quality: share of bad reports, then loss, jitter, round trip and MES, by direction and by trunk."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import INSTANCE, JOB, TRUNK, Board, Row
from grafana.model import Query
from grafana.panels import Series, Stat

T = '@, trunk=~"$trunk"'
BAD_LOSS = "0.03"
LOSS = c.Steps(c.GOOD, ((0.01, c.WARN), (0.03, c.BAD)))
JITTER = c.Steps(c.GOOD, ((0.03, c.WARN), (0.05, c.BAD)))
ROUND_TRIP = c.Steps(c.GOOD, ((0.2, c.WARN), (0.4, c.BAD)))
MES = c.Steps(c.BAD, ((70, c.WARN), (80, c.GOOD)))


def quantile(share: float, histogram: str, by: str = "", selector: str = "@", window: str = "$__rate_interval") -> str:
    """Quantile of a histogram, by further labels."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({histogram}_bucket{{{selector}}}[{window}])))"


def over_range(share: float, histogram: str) -> str:
    """Quantile over the time shown; NaN where nothing was reported is left out."""
    found = f"histogram_quantile({share}, sum by (le) (increase({histogram}_bucket{{@}}[$__range])))"
    return f"{found} >= 0"


def bad_share(
    window: str,
    by: str,
    *,
    metric: str = "asterisk_rtcp_loss_ratio",
    selector: str = "@",
    bound: str = BAD_LOSS,
) -> str:
    """Share of RTCP reports with more packets lost than a bucket's bound."""
    grouped = f"sum by ({by})" if by else "sum"
    good = f'{grouped} (increase({metric}_bucket{{{selector}, le="{bound}"}}[{window}]))'
    return f"1 - {good} / ({grouped} (increase({metric}_count{{{selector}}}[{window}])) > 0)"


def loss_bands(media: str) -> tuple[Query, ...]:
    """Share of reports over each of three levels of loss."""
    bands = {"over 1 %": "0.01", "over 3 %": "0.03", "over 10 %": "0.1"}
    selector = f'@, media="{media}"'
    return tuple(
        Query(expr=bad_share("$__rate_interval", "", selector=selector, bound=bound), legend=legend)
        for legend, bound in bands.items()
    )


NOW = Row(
    title="In the time shown",
    panels=(
        Stat(
            title="Reports with bad loss",
            description="Share of RTCP reports that tell of more than 3 % of packets lost: listeners notice.",
            queries=(Query(expr=bad_share("$__range", "")),),
            unit="percentunit",
            decimals=1,
            thresholds=c.SHARE_LOST,
            filled=True,
        ),
        Stat(
            title="Loss, 95th percentile",
            description="Packets lost, in the report that 95 % of reports do not exceed.",
            queries=(Query(expr=over_range(0.95, "asterisk_rtcp_loss_ratio")),),
            unit="percentunit",
            decimals=1,
            thresholds=LOSS,
        ),
        Stat(
            title="Jitter, 95th percentile",
            description="Variation of packets' arrival. Above 50 ms jitter buffers drop speech.",
            queries=(Query(expr=over_range(0.95, "asterisk_rtcp_jitter_seconds")),),
            unit="s",
            decimals=0,
            thresholds=JITTER,
        ),
        Stat(
            title="Round trip, 95th percentile",
            description="Time to the far end and back. Above 400 ms people talk over each other.",
            queries=(Query(expr=over_range(0.95, "asterisk_rtcp_rtt_seconds")),),
            unit="s",
            decimals=0,
            thresholds=ROUND_TRIP,
        ),
        Stat(
            title="Median MES",
            description="""Asterisk's media experience score, 0 to 100, where the version sends it (18.17, 20.2, 21
                and later).""",
            queries=(Query(expr=over_range(0.5, "asterisk_rtcp_mes")),),
            unit="none",
            decimals=0,
            thresholds=MES,
        ),
        Stat(
            title="Reports per minute",
            description="""RTCP reports counted. None at all: phones or trunks do not send RTCP, or the user lacks
                read=reporting.""",
            queries=(Query(expr="sum(rate(asterisk_rtcp_loss_ratio_count{@}[$__rate_interval])) * 60"),),
            unit="short",
            decimals=1,
            thresholds=c.PLAIN,
        ),
    ),
)

TRUNKS = Row(
    title="By trunk",
    panels=(
        Series(
            title="Reports with bad loss, each trunk",
            description="Share of reports with more than 3 % of packets lost, over 15 minutes.",
            queries=(
                Query(
                    expr=bad_share("15m", "instance, trunk", metric="asterisk_trunk_rtcp_loss_ratio", selector=T),
                    legend="{{trunk}} · {{instance}}",
                ),
            ),
            unit="percentunit",
        ),
        Series(
            title="Jitter, 95th percentile, each trunk",
            description="Variation of packets' arrival on each trunk.",
            queries=(
                Query(
                    expr=quantile(0.95, "asterisk_trunk_rtcp_jitter_seconds", "instance, trunk", T),
                    legend="{{trunk}} · {{instance}}",
                ),
            ),
            unit="s",
            interval="2m",
        ),
    ),
)

ALL = Row(
    title="By direction",
    panels=(
        Series(
            title="Loss of what we receive",
            description="""Share of RTCP reports with more than 1, 3 and 10 % of packets lost on the way to the PBX:
                noticed, annoying, not to be understood.""",
            queries=loss_bands("inbound"),
            unit="percentunit",
            words=c.LOSS_BANDS,
            interval="2m",
        ),
        Series(
            title="Loss of what we send",
            description="The same for packets lost on the way to the phone or trunk, as the far end reports it.",
            queries=loss_bands("outbound"),
            unit="percentunit",
            words=c.LOSS_BANDS,
            interval="2m",
        ),
        Series(
            title="Jitter, 95th percentile",
            description="Inbound: what we received; outbound: what the far end received.",
            queries=(Query(expr=quantile(0.95, "asterisk_rtcp_jitter_seconds", "media"), legend="{{media}}"),),
            unit="s",
            words=c.MEDIA,
            interval="2m",
            width=8,
        ),
        Series(
            title="Round trip",
            description="Median and 95th percentile of the time to the far end and back.",
            queries=(
                Query(expr=quantile(0.95, "asterisk_rtcp_rtt_seconds"), legend="95 %"),
                Query(expr=quantile(0.5, "asterisk_rtcp_rtt_seconds"), legend="median"),
            ),
            unit="s",
            interval="2m",
            width=8,
        ),
        Series(
            title="Reports per minute, by technology",
            description="Where quality is measured at all.",
            queries=(
                Query(
                    expr="sum by (technology) (rate(asterisk_rtcp_loss_ratio_count{@}[$__rate_interval])) * 60",
                    legend="{{technology}}",
                ),
            ),
            stacked=True,
            interval="1m",
            width=8,
        ),
    ),
)

MEDIA_QUALITY = Board(
    uid="asterisk-media",
    title="Asterisk / Media quality",
    description="What callers hear: loss, jitter, round trip, from RTCP reports.",
    variables=(JOB, INSTANCE, TRUNK),
    rows=(NOW, TRUNKS, ALL),
)
