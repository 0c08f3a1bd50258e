"""Security: failed logins and refused addresses, and calls that might be fraud."""

from __future__ import annotations

from grafana import colours as c
from grafana.board import Board, Row
from grafana.model import Query
from grafana.panels import Ranking, Series, Stat

FAILED = "InvalidPassword|InvalidAccountID|ChallengeResponseFailed"
LIMITS = "SessionLimit|MemoryLimit|LoadAverageLimit"
ATTACKS = c.Steps(c.GOOD, ((1, c.WARN), (100, c.BAD)))


def events(names: str = "", more: str = "") -> str:
    """Security events in the time shown."""
    matcher = f', event=~"{names}"' if names else ""
    return f"sum(increase(asterisk_security_events_total{{@{matcher}{more}}}[$__range]))"


NOW = Row(
    title="In the time shown",
    panels=(
        Stat(
            title="Failed logins",
            description="Wrong password, unknown account, or failed challenge, on any service.",
            queries=(Query(expr=events(FAILED)),),
            decimals=0,
            thresholds=ATTACKS,
            filled=True,
        ),
        Stat(
            title="Failed AMI logins",
            description="""Somebody tried the manager interface, which can run anything on the PBX. The exporter's own
                logins are not counted.""",
            queries=(Query(expr=f"""{events(f"{FAILED}|FailedACL", ', service="AMI"')} or 0 * {events()}"""),),
            decimals=0,
            thresholds=c.NONE_IS_GOOD,
            filled=True,
        ),
        Stat(
            title="Refused by ACL",
            description="Requests from addresses that an access list keeps out.",
            queries=(Query(expr=events("FailedACL")),),
            decimals=0,
            thresholds=ATTACKS,
        ),
        Stat(
            title="Limits hit",
            description="Sessions, memory or load limit reached: Asterisk refused work.",
            queries=(Query(expr=events(LIMITS)),),
            decimals=0,
            thresholds=c.NONE_IS_GOOD,
        ),
        Stat(
            title="Outbound talk time",
            description="Time talked over trunks outbound: what is billed.",
            queries=(Query(expr='sum(increase(asterisk_trunk_talk_seconds_sum{@, direction="outbound"}[$__range]))'),),
            unit="s",
            decimals=1,
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
                    expr="""sum by (event) (rate(asterisk_security_events_total{@,
                        event!~"SuccessfulAuth|ChallengeSent"}[$__rate_interval])) * 60 > 0""",
                    legend="{{event}}",
                ),
            ),
            words=c.SECURITY,
            bars=True,
            interval="1m",
        ),
        Series(
            title="Failed logins per minute, by service",
            description="Where they try: PJSIP, AMI, IAX2 and others.",
            queries=(
                Query(
                    expr=f"""sum by (service) (rate(asterisk_security_events_total{{@,
                        event=~"{FAILED}|FailedACL"}}[$__rate_interval])) * 60 > 0""",
                    legend="{{service}}",
                ),
            ),
            words=c.SERVICES,
            bars=True,
            interval="1m",
        ),
        Ranking(
            title="Events by kind",
            description="All security events in the time shown. Success far above failure is a healthy sign.",
            queries=(
                Query(
                    expr="sort_desc(sum by (event) (increase(asterisk_security_events_total{@}[$__range])) > 0)",
                    legend="{{event}}",
                ),
            ),
            decimals=0,
            thresholds=c.PLAIN,
            width=8,
        ),
        Series(
            title="Failed logins per minute, each PBX",
            description="One PBX alone: it is exposed; all together: a scan of the network.",
            queries=(
                Query(
                    expr=f"""sum by (instance) (rate(asterisk_security_events_total{{@,
                        event=~"{FAILED}"}}[$__rate_interval])) * 60""",
                    legend="{{instance}}",
                ),
            ),
            interval="1m",
            width=8,
        ),
        Series(
            title="Outbound talk time per hour, and last week's",
            description="""Minutes talked outbound over trunks, in the hour before; dashed: the same hour last week.
                Several times last week's, or at night: look for fraud.""",
            queries=(
                Query(
                    expr="""sum by (trunk) (increase(asterisk_trunk_talk_seconds_sum{@,
                        direction="outbound"}[1h]))""",
                    legend="{{trunk}}",
                ),
                Query(
                    expr='sum(increase(asterisk_trunk_talk_seconds_sum{@, direction="outbound"}[1h] offset 1w))',
                    legend="last week",
                ),
            ),
            unit="s",
            stacked=True,
            dashed=("last week",),
            width=8,
        ),
    ),
)

SECURITY = Board(
    uid="asterisk-security",
    title="Asterisk / Security",
    description="Failed logins, refused addresses, and calls that might be fraud.",
    rows=(NOW, LOGINS),
)
