"""The media board's row on calls without audio: what RTCP's packet counts say of each call that ended."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import Row
from grafana.causes import seen, while_seen
from grafana.model import Query
from grafana.panels import Series
from grafana.selection import clicked
from grafana.table import Column, Table

CALLS = "instance:asterisk_media_calls:increase30m"
MEASURED = f"{CALLS}{{@}} and on (job, instance) {seen('reporting')}"


def heard(media: str) -> str:
    """Calls of half an hour, by what was heard of them in one direction."""
    return while_seen(f'sum by (result) ({CALLS}{{@, media="{media}"}})', "reporting")


def dead(matcher: str) -> str:
    """Calls of half an hour with these results, for each PBX and direction."""
    return f"sum by (instance, media) ({CALLS}{{@{matcher}}})"


AUDIO = Row(
    title="Was anything heard",
    panels=(
        Series(
            title="Calls by what was received of them",
            description="""Calls ended in half an hour: audio heard to the end, stopped, or never heard, as the RTCP
                reports of what we received tell. Silent ones are calls in which our side hears nothing.""",
            nothing="No calls whose audio is known",
            queries=(Query(expr=heard("inbound"), legend="{{result}}"),),
            words=c.AUDIO,
            stacked=True,
            known=MEASURED,
            width=8,
        ),
        Series(
            title="Calls by what the far end received",
            description="The same for audio that we sent, as the far end reports it.",
            nothing="No calls whose audio is known",
            queries=(Query(expr=heard("outbound"), legend="{{result}}"),),
            words=c.AUDIO,
            stacked=True,
            known=MEASURED,
            width=8,
        ),
        Table(
            title="PBXs with calls without audio",
            description="Share of calls in the last half hour that were silent or whose audio stopped, by direction.",
            nothing="No calls whose audio is known",
            keys={"instance": "PBX", "media": "Audio"},
            links={"instance": clicked("asterisk-pbx", "instance")},
            widths={"media": 100},
            sort=("Silent", True),
            columns=(
                Column(
                    title="Silent",
                    expr=f"""{dead(', result=~"silent|stopped"')} / ({dead(', result!="unknown"')} > 0)""",
                    unit="percentunit",
                    decimals=1,
                    thresholds=c.SHARE_LOST,
                    width=90,
                ),
            ),
            width=8,
        ),
    ),
)
