"""Tenants of shared PBXs: who calls how much, whose calls fail."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import INSTANCE, JOB, TENANT, Board, Row
from grafana.causes import while_seen
from grafana.lookback import counted
from grafana.model import Query
from grafana.panels import Series
from grafana.ranking import most
from grafana.selection import clicked
from grafana.stat import Stat
from grafana.table import Column, Table

T = '@, tenant=~"$tenant"'
CALLS = "tenant:asterisk_calls:rate5m"
TALK = f"tenant:asterisk_talk_seconds:increase1h{{{T}}}"
NONE = "No tenant is known"


def by_tenant(expression: str) -> str:
    """Sum over all PBXs: a tenant may be on several."""
    return f"sum by (tenant) ({expression})"


def ended(matcher: str = "") -> str:
    """Calls ended in the time shown, for each tenant."""
    return by_tenant(counted(f"{CALLS}{{{T}{matcher}}}", minutes=10))


NOW = Row(
    title="Now",
    panels=(
        Stat(
            title="Tenants",
            description="""Tenants that were seen, other among them: channels that name none. Those beyond the
                exporter's series limit are left out.""",
            queries=(Query(expr=f"count({by_tenant(f'asterisk_tenant_active_calls{{{T}}}')})"),),
            thresholds=c.PLAIN,
            width=8,
        ),
        Stat(
            title="Calls now",
            description="Calls in progress of the chosen tenants.",
            queries=(Query(expr=f"sum(asterisk_tenant_active_calls{{{T}}})"),),
            thresholds=c.PLAIN,
            width=8,
        ),
        Stat(
            title="Busiest tenant",
            description="Tenant with most channels now.",
            queries=(
                Query(expr=f"topk(1, {by_tenant(f'asterisk_tenant_active_channels{{{T}}}')})", legend="{{tenant}}"),
            ),
            text="value_and_name",
            thresholds=c.PLAIN,
            width=8,
        ),
        Table(
            title="Each tenant",
            description="""Now: calls and channels. In the time shown: calls ended and the share answered. Last hour:
                time talked.""",
            nothing=NONE,
            keys={"tenant": "Tenant"},
            links={"tenant": clicked("asterisk-tenants", "tenant")},
            height=14,
            sort=("Calls", True),
            columns=(
                Column(title="Calls", expr=by_tenant(f"asterisk_tenant_active_calls{{{T}}}"), width=80),
                Column(title="Channels", expr=by_tenant(f"asterisk_tenant_active_channels{{{T}}}"), width=90),
                Column(title="Ended", expr=ended(), decimals=0, width=80),
                Column(
                    title="Answered",
                    expr=f"""{ended(', outcome="answered"')} / ({ended()} > 0)""",
                    unit="percentunit",
                    decimals=0,
                    width=90,
                ),
                Column(title="Talk, last hour", expr=by_tenant(TALK), unit="dthms", width=130),
            ),
        ),
    ),
)

TREND = Row(
    title="In the time shown",
    panels=(
        Series(
            title="Calls of the ten busiest tenants",
            description="Calls in progress, of the ten tenants with most now.",
            nothing=NONE,
            queries=(
                Query(
                    expr=most(by_tenant(f"asterisk_tenant_active_calls{{{T}}}")),
                    legend="{{tenant}}",
                ),
            ),
            decimals=0,
            stacked=True,
            points=24,
        ),
        Series(
            title="Talk an hour, the ten tenants with most",
            description="Time talked in the hour before, of the ten tenants with most now.",
            nothing=NONE,
            queries=(Query(expr=while_seen(most(by_tenant(TALK))), legend="{{tenant}}"),),
            unit="dthms",
            points=24,
        ),
    ),
)

TENANTS = Board(
    uid="asterisk-tenants",
    title="Asterisk / Tenants",
    description="Tenants of shared PBXs: who calls how much, whose calls fail. Needs tenants in the configuration.",
    variables=(JOB, INSTANCE, TENANT),
    rows=(NOW, TREND),
)
