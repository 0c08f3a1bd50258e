"""Security: failed logins and refused addresses, and calls that might be fraud."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import Board, Row
from grafana.causes import of_seen, or_none, seen, while_seen
from grafana.lookback import counted
from grafana.model import Query
from grafana.panels import Series
from grafana.ranking import LAST_HOUR, most
from grafana.selection import clicked
from grafana.stat import Stat
from grafana.table import Column, Table

LIMITS = "SessionLimit|MemoryLimit|LoadAverageLimit"
ATTACKS = c.Steps(c.GOOD, ((1, c.WARN), (100, c.BAD)))


RATES = "instance:asterisk_security_events:rate5m"
BY_SERVICE = "service:asterisk_failed_logins:rate5m"
FAILURES = "instance:asterisk_failed_logins:rate5m{@}"
TALK = 'trunk:asterisk_talk_seconds:increase1h{@, direction="outbound"}'
BY_DESTINATION = "sum by (instance, trunk, destination)"
DESTINED = "destination:asterisk_talk_seconds:increase1h{@}"
TRUNK = "sum by (instance, trunk)"
EXCESS = f"""topk(20, {TRUNK} ({TALK}) - 2 * ({TRUNK} ({TALK} offset 1w) or 0 * {TRUNK} ({TALK})))"""


def came(rate: str) -> str:
    """How many there were in the time shown; 0 where events are seen and none of these came."""
    return f"sum({counted(rate)}) > 0 or 0 * count({seen('security')})"


def events(names: str) -> str:
    """Security events of these names in the time shown."""
    return came(f'{RATES}{{@, event=~"{names}"}}')


NOW = Row(
    title="In the time shown",
    panels=(
        Stat(
            title="Failed logins",
            description="Wrong password, unknown account, or failed challenge, on any service.",
            queries=(Query(expr=came(FAILURES)),),
            unit="none",
            decimals=0,
            thresholds=ATTACKS,
            filled=True,
        ),
        Stat(
            title="Failed AMI logins",
            description="""Somebody tried the manager interface, which can run anything on the PBX. The exporter's own
                logins are not counted.""",
            queries=(Query(expr=came(f'{BY_SERVICE}{{@, service="AMI"}}')),),
            unit="none",
            decimals=0,
            thresholds=c.NONE_IS_GOOD,
            filled=True,
        ),
        Stat(
            title="Refused by ACL",
            description="Requests from addresses that an access list keeps out.",
            queries=(Query(expr=events("FailedACL")),),
            unit="none",
            decimals=0,
            thresholds=ATTACKS,
        ),
        Stat(
            title="Limits hit",
            description="Sessions, memory or load limit reached: Asterisk refused work.",
            queries=(Query(expr=events(LIMITS)),),
            unit="none",
            decimals=0,
            thresholds=c.NONE_IS_GOOD,
        ),
        Stat(
            title="Most talk an hour",
            description="""Trunk with most outbound talk time in the last hour: what is billed. One trunk alone far
                above the others, or above its last week: look for fraud.""",
            queries=(Query(expr=f"topk(1, {TRUNK} ({TALK}))", legend="{{trunk}} · {{instance}}"),),
            text="value_and_name",
            unit="dthms",
            thresholds=c.PLAIN,
        ),
        Stat(
            title="Outbound calls now",
            description="Channels on trunks, outbound. Many in the night are a reason to look.",
            queries=(Query(expr='sum(asterisk_trunk_channels{@, direction="outbound"})'),),
            decimals=0,
            thresholds=c.PLAIN,
        ),
    ),
)

LOGINS = Row(
    title="Who knocks",
    panels=(
        Series(
            title="Failed logins and refusals per minute",
            description="By kind. Successful logins and challenges are everyday events and not shown.",
            queries=(
                Query(
                    expr=or_none(
                        f'sum by (event) ({RATES}{{@, event!~"SuccessfulAuth|ChallengeSent"}}) * 60 > 0',
                        "event",
                        "none",
                        known=seen("security"),
                    ),
                    legend="{{event}}",
                ),
            ),
            words=c.SECURITY,
            bars=True,
            width=8,
            height=9,
        ),
        Series(
            title="Failed logins per minute, by service",
            description="Where they try: PJSIP, AMI, IAX2 and others.",
            queries=(
                Query(
                    expr=or_none(
                        f"sum by (service) ({BY_SERVICE}{{@}}) * 60 > 0",
                        "service",
                        "none",
                        known=seen("security"),
                    ),
                    legend="{{service}}",
                ),
            ),
            words=c.SERVICES,
            bars=True,
            width=8,
            height=9,
        ),
        Series(
            title="Failed logins per minute, most tried PBXs",
            description="""The ten PBXs with most in the last hour. One alone: it is exposed; all together: a scan of
                the network.""",
            nothing="No failed login is known",
            queries=(
                Query(
                    expr=most(
                        f"sum by (instance) ({FAILURES}) * 60 > 0",
                        over="avg",
                        window=LAST_HOUR,
                    ),
                    legend="{{instance}}",
                ),
            ),
            faults=True,
            bars=True,
            width=8,
            height=9,
        ),
    ),
)

FRAUD = Row(
    title="Who talks: calls that are billed",
    panels=(
        Series(
            title="Outbound talk per hour, the ten trunks with most",
            description="""Time talked outbound in the hour before, by trunk and PBX, of the ten trunks with most in the
                last hour. A rise on one trunk at night: look for fraud.""",
            nothing="No outbound talk is known",
            queries=(
                Query(
                    expr=of_seen(most(f"{TRUNK} ({TALK})", over="max", window=LAST_HOUR)),
                    legend="{{trunk}} · {{instance}}",
                ),
            ),
            unit="dthms",
            legend="right",
        ),
        Table(
            title="Outbound talk in the last hour against last week",
            description="""The twenty trunks that talked most beyond twice the same hour last week; without a last week
                the twenty that talked most. Calls: channels they hold now.""",
            nothing="No outbound talk is known",
            keys={"instance": "PBX", "trunk": "Trunk"},
            links={"instance": clicked("asterisk-pbx", "instance"), "trunk": clicked("asterisk-trunks", "trunk")},
            sort=("Last hour", True),
            columns=(
                Column(title="Last hour", expr=f"{TRUNK} ({TALK}) and {EXCESS}", unit="dthms", width=100),
                Column(title="Last week", expr=f"{TRUNK} ({TALK} offset 1w) and {EXCESS}", unit="dthms", width=100),
                Column(
                    title="Calls now",
                    expr=f'{TRUNK} (asterisk_trunk_channels{{@, direction="outbound"}}) and {EXCESS}',
                    width=90,
                ),
            ),
            width=12,
        ),
    ),
)

DESTINATIONS = Row(
    title="Where they call: classes of destinations",
    folded=True,
    panels=(
        Series(
            title="Outbound talk an hour, by destination",
            description="""Time talked in the hour before, by the class of the number dialled (destinations in the
                configuration).""",
            nothing="No class of destinations is known",
            queries=(
                Query(
                    expr=while_seen(f"sum by (destination) ({DESTINED})"),
                    legend="{{destination}}",
                ),
            ),
            unit="dthms",
            stacked=True,
        ),
        Table(
            title="Calls and talk of the last hour, by destination",
            description="By PBX, trunk and class of destination, the fifty with most talk.",
            nothing="No class of destinations is known",
            keys={"instance": "PBX", "trunk": "Trunk", "destination": "Destination"},
            links={"instance": clicked("asterisk-pbx", "instance"), "trunk": clicked("asterisk-trunks", "trunk")},
            sort=("Talk", True),
            columns=(
                Column(title="Talk", expr=f"topk(50, {BY_DESTINATION} ({DESTINED}))", unit="dthms", width=90),
                Column(
                    title="Calls",
                    expr=f"""{BY_DESTINATION} (destination:asterisk_calls:increase1h{{@}})
                        and topk(50, {BY_DESTINATION} ({DESTINED}))""",
                    decimals=0,
                    width=70,
                ),
            ),
            width=12,
        ),
    ),
)

SECURITY = Board(
    uid="asterisk-security",
    title="Asterisk / Security",
    description="Failed logins, refused addresses, and calls that might be fraud.",
    rows=(NOW, LOGINS, FRAUD, DESTINATIONS),
)
