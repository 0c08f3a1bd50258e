"""Media quality: share of bad reports, then loss, jitter, round trip and MES, by direction and by trunk."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import INSTANCE, JOB, TRUNK, Board, Row
from grafana.boards.audio import AUDIO
from grafana.causes import of_seen, seen, while_seen
from grafana.lookback import SHOWN, over
from grafana.model import Query
from grafana.panels import Series
from grafana.ranking import LAST_HOUR, most
from grafana.stat import Stat

T = '@, trunk=~"$trunk"'
BAD_LOSS = "0.03"
LOSS = c.Steps(c.GOOD, ((0.01, c.WARN), (0.03, c.BAD)))
JITTER = c.Steps(c.GOOD, ((0.03, c.WARN), (0.05, c.BAD)))
ROUND_TRIP = c.Steps(c.GOOD, ((0.2, c.WARN), (0.4, c.BAD)))
MES = c.Steps(c.BAD, ((70, c.WARN), (80, c.GOOD)))


def buckets(metric: str, selector: str = "@") -> str:
    """Recorded rate of a histogram's buckets."""
    return f"instance:{metric}_bucket:rate5m{{{selector}}}"


def quantile(share: float, metric: str, by: str = "", of: str = "") -> str:
    """Quantile of a histogram, by further labels; NaN where nothing was reported is left out."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) ({of or buckets(metric)})) >= 0"


def shown(metric: str, selector: str = "@") -> str:
    """Mean rate of buckets over the time shown."""
    return over("avg", buckets(metric, selector), SHOWN)


def bad_share(of: str, bound: str = BAD_LOSS, by: str = "") -> str:
    """Share of RTCP reports with more packets lost than a bucket's bound; `of` answers rates, with %s for the bound."""
    grouped = f"sum by ({by})" if by else "sum"
    bad, all_of_them = (of.replace("%s", one) for one in (bound, "+Inf"))
    return f"1 - {grouped} ({bad}) / ({grouped} ({all_of_them}) > 0)"


def loss_bands(media: str) -> tuple[Query, ...]:
    """Share of reports over each of three levels of loss."""
    bands = {"over 1 %": "0.01", "over 3 %": "0.03", "over 10 %": "0.1"}
    of = buckets("asterisk_rtcp_loss_ratio", f'@, media="{media}", le="%s"')
    return tuple(Query(expr=bad_share(of, bound), legend=legend) for legend, bound in bands.items())


def tile(metric: str, share: float, how: str = "topk") -> tuple[Query, ...]:
    """Quantile over all chosen PBXs, then that of the worst PBX, by name."""
    worst = f"{how}(1, {quantile(share, metric, 'instance', of=shown(metric))})"
    return (
        Query(expr=quantile(share, metric, of=shown(metric)), legend="all"),
        Query(expr=worst, legend="{{instance}}"),
    )


LOSS_SHOWN = shown("asterisk_rtcp_loss_ratio", '@, le="%s"')
WORST_TRUNK = f"topk(1, max by (instance, trunk) (trunk:asterisk_bad_loss:ratio15m{{{T}}}))"

ALL_REPORTS = buckets("asterisk_rtcp_loss_ratio", '@, le="+Inf"')

NOW = Row(
    title="In the time shown: all PBXs together, and the worst one",
    panels=(
        Stat(
            title="Reports with bad loss",
            description="""Share of RTCP reports that tell of more than 3 % of packets lost: listeners notice. All
                chosen PBXs together, then the worst PBX.""",
            queries=(
                Query(expr=bad_share(LOSS_SHOWN), legend="all"),
                Query(expr=f"topk(1, {bad_share(LOSS_SHOWN, by='instance')})", legend="{{instance}}"),
            ),
            text="value_and_name",
            unit="percentunit",
            decimals=1,
            thresholds=c.SHARE_LOST,
            width=6,
        ),
        Stat(
            title="Bad loss of the worst trunk",
            description="""Trunk with the largest share of RTCP reports over 3 % loss, over 15 minutes.""",
            queries=(Query(expr=WORST_TRUNK, legend="{{trunk}} · {{instance}}"),),
            text="value_and_name",
            unit="percentunit",
            decimals=1,
            thresholds=c.SHARE_LOST,
            width=6,
        ),
        Stat(
            title="Loss, 95th percentile",
            description="Packets lost, in the report that 95 % of reports do not exceed.",
            queries=tile("asterisk_rtcp_loss_ratio", 0.95),
            text="value_and_name",
            unit="percentunit",
            decimals=1,
            thresholds=LOSS,
            width=6,
        ),
        Stat(
            title="Jitter, 95th percentile",
            description="Variation of packets' arrival. Above 50 ms jitter buffers drop speech.",
            queries=tile("asterisk_rtcp_jitter_seconds", 0.95),
            text="value_and_name",
            unit="s",
            decimals=0,
            thresholds=JITTER,
            width=6,
        ),
        Stat(
            title="Round trip, 95th percentile",
            description="Time to the far end and back. Above 400 ms people talk over each other.",
            queries=tile("asterisk_rtcp_rtt_seconds", 0.95),
            text="value_and_name",
            unit="s",
            decimals=0,
            thresholds=ROUND_TRIP,
            width=6,
        ),
        Stat(
            title="Median MES",
            description="""Asterisk's media experience score, 0 to 100, where the version sends it (18.17, 20.2, 21
                and later).""",
            queries=tile("asterisk_rtcp_mes", 0.5, "bottomk"),
            text="value_and_name",
            unit="none",
            decimals=0,
            thresholds=MES,
            width=6,
        ),
        Stat(
            title="Reports per minute",
            description="""RTCP reports counted. None at all: phones or trunks do not send RTCP, or the user lacks
                read=reporting.""",
            queries=(Query(expr=while_seen(f"sum({ALL_REPORTS}) * 60", "reporting")),),
            unit="none",
            decimals=0,
            thresholds=c.PLAIN,
            width=6,
        ),
        Stat(
            title="PBXs that report",
            description="PBXs with RTCP reports in the last five minutes: only of these is quality known.",
            queries=(Query(expr=f"count(sum by (instance) ({ALL_REPORTS}) > 0)"),),
            thresholds=c.PLAIN,
            width=6,
        ),
    ),
)

TRUNKS = Row(
    title="By trunk",
    panels=(
        Series(
            title="Reports with bad loss, the ten worst trunks",
            height=9,
            description="Share of reports with more than 3 % of packets lost, over 15 minutes.",
            nothing="No report is known",
            queries=(
                Query(
                    expr=of_seen(
                        most(
                            f"max by (instance, trunk) (trunk:asterisk_bad_loss:ratio15m{{{T}}})",
                            over="avg",
                            window=LAST_HOUR,
                        ),
                        "reporting",
                    ),
                    legend="{{trunk}} · {{instance}}",
                ),
            ),
            unit="percentunit",
        ),
        Series(
            title="Jitter, 95th percentile, the ten worst trunks",
            height=9,
            description="Variation of packets' arrival on each trunk, over 15 minutes.",
            nothing="No report is known",
            queries=(
                Query(
                    expr=of_seen(
                        most(
                            f"max by (instance, trunk) (trunk:asterisk_rtcp_jitter_seconds:p95_15m{{{T}}} >= 0)",
                            over="avg",
                            window=LAST_HOUR,
                        ),
                        "reporting",
                    ),
                    legend="{{trunk}} · {{instance}}",
                ),
            ),
            unit="s",
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
        ),
        Series(
            title="Loss of what we send",
            description="The same for packets lost on the way to the phone or trunk, as the far end reports it.",
            queries=loss_bands("outbound"),
            unit="percentunit",
            words=c.LOSS_BANDS,
        ),
        Series(
            title="Jitter, 95th percentile",
            description="Inbound: what we received; outbound: what the far end received.",
            queries=(Query(expr=quantile(0.95, "asterisk_rtcp_jitter_seconds", "media"), legend="{{media}}"),),
            unit="s",
            words=c.MEDIA,
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
            width=8,
        ),
        Series(
            title="Reports per minute, by direction",
            description="Where quality is measured at all. Inbound: what we received.",
            queries=(
                Query(
                    expr=while_seen(f"sum by (media) ({ALL_REPORTS}) * 60", "reporting"),
                    legend="{{media}}",
                ),
            ),
            words=c.MEDIA,
            stacked=True,
            known=seen("reporting"),
            width=8,
        ),
    ),
)

MEDIA_QUALITY = Board(
    uid="asterisk-media",
    title="Asterisk / Media quality",
    description="What callers hear: loss, jitter, round trip, from RTCP reports.",
    variables=(JOB, INSTANCE, TRUNK),
    rows=(NOW, AUDIO, TRUNKS, ALL),
)
