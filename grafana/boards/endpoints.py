"""Endpoints and phones: how many are reachable, which are not, and who comes and goes."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import Board, Row
from grafana.model import Query
from grafana.panels import Ranking, Series, Stat
from grafana.table import Column, Table

REACHED = 'asterisk_endpoints{@, state=~"reachable|lagged"}'
JUDGED = 'asterisk_endpoints{@, state=~"reachable|lagged|unreachable"}'

NOW = Row(
    title="Now",
    panels=(
        Stat(
            title="Unreachable",
            description="Endpoints that were asked and did not answer, or have no contact.",
            queries=(Query(expr='sum(asterisk_endpoints{@, state="unreachable"})'),),
            thresholds=c.NONE_IS_BEST,
            filled=True,
        ),
        Stat(
            title="Reachable",
            description="Endpoints that answer; lagged ones (slow) included.",
            queries=(Query(expr=f"sum({REACHED})"),),
            thresholds=c.NONE_IS_BAD,
        ),
        Stat(
            title="Reachable share",
            description="""Reachable endpoints out of those that are reachable or not. Unmonitored ones are not
                judged.""",
            queries=(Query(expr=f"sum({REACHED}) / (sum({JUDGED}) > 0)"),),
            unit="percentunit",
            decimals=0,
            thresholds=c.SHARE_WORKS,
        ),
        Stat(
            title="Lost in ten minutes",
            description="""Endpoints that were reachable ten minutes ago and are no longer: a switch, a VLAN, an
                attack.""",
            queries=(Query(expr=f"clamp_min(sum({REACHED} offset 10m) - sum({REACHED}), 0)"),),
            thresholds=c.Steps(c.GOOD, ((1, c.WARN), (5, c.BAD))),
        ),
        Stat(
            title="Slowest qualify",
            description="Largest round trip of a qualified endpoint.",
            queries=(Query(expr="max(asterisk_endpoint_rtt_seconds{@})"),),
            unit="s",
            decimals=0,
            thresholds=c.Steps(c.GOOD, ((0.3, c.WARN), (2, c.BAD))),
        ),
        Stat(
            title="Contacts",
            description="Registered contacts of PJSIP endpoints: one for each phone that registered.",
            queries=(Query(expr="sum(asterisk_contacts{@})"),),
            thresholds=c.PLAIN,
        ),
    ),
)

STATE = Row(
    title="State",
    panels=(
        Series(
            title="Endpoints by reachability",
            description="All endpoints of all technologies.",
            queries=(Query(expr="sum by (state) (asterisk_endpoints{@}) > 0", legend="{{state}}"),),
            words=c.REACHABILITY,
            stacked=True,
            decimals=0,
        ),
        Series(
            title="Contacts by status",
            description="PJSIP contacts as their qualify sees them. Non qualified: nobody asks, which is no fault.",
            queries=(Query(expr="sum by (status) (asterisk_contacts{@}) > 0", legend="{{status}}"),),
            words=c.CONTACTS,
            stacked=True,
            decimals=0,
        ),
        Table(
            title="Endpoints that are down",
            description="""Endpoints that cannot be reached now. Empty is good. The list is capped by the exporter's
                series limit.""",
            keys={"instance": "PBX", "technology": "Technology", "endpoint": "Endpoint"},
            columns=(
                Column(
                    title="State",
                    expr="max by (instance, technology, endpoint) (asterisk_endpoint_up{@} == 0)",
                    values=c.UP_DOWN,
                ),
            ),
            width=8,
        ),
        Ranking(
            title="Slowest to answer a qualify",
            description="Round trip of the worst contact of each endpoint: Wi-Fi, VPN and satellite show here.",
            queries=(
                Query(
                    expr="""sort_desc(topk(8, max by (instance, endpoint) (asterisk_endpoint_rtt_seconds{@})))""",
                    legend="{{endpoint}} · {{instance}}",
                ),
            ),
            unit="s",
            thresholds=c.Steps(c.GOOD, ((0.3, c.WARN), (2, c.BAD))),
            width=8,
        ),
        Ranking(
            title="Phones by model",
            description="Families of user agents of the registered contacts.",
            queries=(
                Query(
                    expr="sort_desc(topk(10, sum by (user_agent) (asterisk_user_agent_contacts{@})))",
                    legend="{{user_agent}}",
                ),
            ),
            thresholds=c.PLAIN,
            width=8,
        ),
    ),
)

CHANGE = Row(
    title="Coming and going",
    panels=(
        Series(
            title="Contact changes per minute",
            description="""Contacts that became reachable, unreachable or were removed. Many at once: the network
                flaps.""",
            queries=(
                Query(
                    expr="sum by (status) (rate(asterisk_contact_changes_total{@}[$__rate_interval])) * 60 > 0",
                    legend="{{status}}",
                ),
            ),
            words=c.CONTACTS,
            bars=True,
            interval="1m",
            width=8,
        ),
        Series(
            title="Devices by state",
            description="States of real devices as the dialplan sees them.",
            queries=(Query(expr="sum by (state) (asterisk_device_states{@}) > 0", legend="{{state}}"),),
            words=c.DEVICE_STATES,
            stacked=True,
            decimals=0,
            width=8,
        ),
        Table(
            title="Fullest addresses of record",
            description="""Contacts against max_contacts, where more than one is allowed. A full address of record
                refuses the next phone (or, with remove_existing, drops the oldest).""",
            keys={"instance": "PBX", "aor": "AOR"},
            sort=("Full", True),
            columns=(
                Column(
                    title="Contacts",
                    expr="""max by (instance, aor) (asterisk_aor_contacts{@})
                        and max by (instance, aor) (asterisk_aor_contacts_limit{@} > 1)""",
                ),
                Column(title="Limit", expr="max by (instance, aor) (asterisk_aor_contacts_limit{@} > 1)"),
                Column(
                    title="Full",
                    expr="""max by (instance, aor) (asterisk_aor_contacts{@}) /
                        max by (instance, aor) (asterisk_aor_contacts_limit{@} > 1)""",
                    unit="percentunit",
                    decimals=0,
                ),
            ),
            width=8,
        ),
    ),
)

ENDPOINTS = Board(
    uid="asterisk-endpoints",
    title="Asterisk / Endpoints",
    description="Phones and other endpoints: how many are reachable, and which are not.",
    rows=(NOW, STATE, CHANGE),
)
