"""Endpoints and phones: how many are reachable, which are not, and who comes and goes."""

from __future__ import annotations

from grafana import colours as c
from grafana import problems as p
from grafana.board import Board, Row
from grafana.boards.mobile import MOBILE
from grafana.model import Query
from grafana.panels import Ranking, Series
from grafana.selection import clicked
from grafana.stat import Stat
from grafana.table import Column, Table

JUDGED = 'asterisk_endpoints{@, state=~"reachable|lagged|unreachable"}'
DOWN = """max by (instance, technology, endpoint) (asterisk_endpoint_up{@} == 0)
    and max by (instance, technology, endpoint) (
        max_over_time(asterisk_endpoint_up{@}[1d:30m]) or max_over_time(asterisk_endpoint_up{@}[15m:3m])
    ) == 1"""
"""Those that were up within a day: phones that exist only in the configuration are no news.

Half hours come each half hour: until the first is within the data, the last quarter tells.
"""

FULLEST = """topk(20, max by (instance, aor) (asterisk_aor_contacts{@})
    / max by (instance, aor) (asterisk_aor_contacts_limit{@} > 1))"""

NO_MAINTENANCE = '0 * sum(asterisk_scrape_collector_success{@, collector="endpoints"} == 1)'
"""Only those in maintenance are listed: none is, where the list was read."""

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
            queries=(Query(expr=f"sum({p.REACHED})"),),
            thresholds=c.NONE_IS_BAD,
        ),
        Stat(
            title="Reachable share",
            description="""Reachable endpoints out of those that are reachable or not. Unmonitored ones are not
                judged.""",
            queries=(Query(expr=f"sum({p.REACHED}) / (sum({JUDGED}) > 0)"),),
            unit="percentunit",
            decimals=0,
            thresholds=c.SHARE_WORKS,
        ),
        Stat(
            title="Lost within a day",
            description="""Endpoints fewer than the most that were reachable at once within a day, each PBX for itself:
                a switch, a VLAN, an attack.""",
            queries=(Query(expr=f"sum({p.PHONES_LOST})"),),
            thresholds=c.Steps(c.GOOD, ((1, c.WARN), (5, c.BAD))),
        ),
        Stat(
            title="Slowest qualify",
            description="Largest round trip of a qualified endpoint, and whose it is.",
            queries=(
                Query(
                    expr="topk(1, max by (instance, endpoint) (asterisk_endpoint_rtt_seconds{@}))",
                    legend="{{endpoint}} · {{instance}}",
                ),
            ),
            text="value_and_name",
            unit="s",
            decimals=0,
            thresholds=c.Steps(c.GOOD, ((0.3, c.WARN), (2, c.BAD))),
        ),
        Stat(
            title="In maintenance",
            description="""PJSIP endpoints that an administrator took out of service: they count as down. None is
                told only by versions that know maintenance (22.10, 23.4).""",
            queries=(Query(expr=f"sum(asterisk_endpoint_maintenance{{@}}) or on () {NO_MAINTENANCE}"),),
            values={"0": ("none", c.DIM)},
            thresholds=c.NONE_IS_BEST,
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
            title="Endpoints that went down",
            description="""Endpoints that were reachable within a day and are not now. Empty is good. The list is
                capped by the exporter's series limit.""",
            nothing="None is known to have gone down",
            keys={"instance": "PBX", "endpoint": "Endpoint", "technology": "Technology"},
            links={"instance": clicked("asterisk-pbx", "instance")},
            columns=(Column(title="State", expr=DOWN, values=c.UP_DOWN, width=70),),
            width=8,
        ),
        Table(
            title="Slowest to answer a qualify",
            description="Round trip of the worst contact of each endpoint: Wi-Fi, VPN and satellite show here.",
            keys={"instance": "PBX", "endpoint": "Endpoint"},
            links={"instance": clicked("asterisk-pbx", "instance")},
            sort=("Round trip", True),
            columns=(
                Column(
                    title="Round trip",
                    expr="topk(20, max by (instance, endpoint) (asterisk_endpoint_rtt_seconds{@}))",
                    unit="s",
                    decimals=0,
                    thresholds=c.Steps(c.GOOD, ((0.3, c.WARN), (2, c.BAD))),
                    width=110,
                ),
            ),
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
            nothing="No change is known",
            queries=(
                Query(
                    expr="sum by (status) (instance:asterisk_contact_changes:rate5m{@}) * 60 > 0",
                    legend="{{status}}",
                ),
            ),
            words=c.CONTACTS,
            bars=True,
        ),
        Series(
            title="Peer changes per minute",
            description="""The same of chan_sip and IAX2 peers, and registrations of PJSIP phones, as PeerStatus events
                tell them.""",
            nothing="No change is known",
            queries=(
                Query(
                    expr="sum by (status) (instance:asterisk_peer_changes:rate5m{@}) * 60 > 0",
                    legend="{{status}}",
                ),
            ),
            words=c.PEERS,
            bars=True,
        ),
        Series(
            title="Devices by state",
            description="States of real devices as the dialplan sees them.",
            queries=(Query(expr="sum by (state) (asterisk_device_states{@}) > 0", legend="{{state}}"),),
            words=c.DEVICE_STATES,
            stacked=True,
            decimals=0,
            points=60,
        ),
        Table(
            title="Fullest addresses of record",
            description="""Contacts against max_contacts, where more than one is allowed. A full address of record
                refuses the next phone (or, with remove_existing, drops the oldest). The twenty fullest.""",
            nothing="None with room for several contacts is known",
            keys={"instance": "PBX", "aor": "AOR"},
            sort=("Full", True),
            columns=(
                Column(title="Contacts", expr=f"max by (instance, aor) (asterisk_aor_contacts{{@}}) and {FULLEST}"),
                Column(title="Limit", expr=f"max by (instance, aor) (asterisk_aor_contacts_limit{{@}}) and {FULLEST}"),
                Column(title="Full", expr=FULLEST, unit="percentunit", decimals=0),
            ),
            width=12,
        ),
    ),
)

ENDPOINTS = Board(
    uid="asterisk-endpoints",
    title="Asterisk / Endpoints",
    description="Phones and other endpoints: how many are reachable, and which are not.",
    rows=(NOW, STATE, CHANGE, MOBILE),
)
