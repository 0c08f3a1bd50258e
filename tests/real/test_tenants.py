"""Tenants on real Asterisk: channels, calls and talk, compared with the console and an own listener."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.ami_raw import EventRecorder
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.planted import AMI_SECRETS
from tests.support.server_pair import calls_pair
from tests.support.watching import watching

CALLS = {"1001": 3, "1002": 1, "4930987654": 2}
BY_ACCOUNT = '{from: AccountCode, map: {"1001": Acme, "1002": Globex}}'
NAMES = {"1001": "Acme", "1002": "Globex"}
BY_PATTERN = '{from: AccountCode, pattern: "1(?P<tenant>[0-9]+)"}'
TALK = "asterisk_tenant_talk_seconds_total"


@pytest.mark.parametrize(
    ("major", "tenants", "named"),
    [
        (22, BY_ACCOUNT, NAMES),
        (16, BY_ACCOUNT, NAMES),
        (22, BY_PATTERN, {"1001": "001", "1002": "002"}),
        (16, BY_PATTERN, {"1001": "001", "1002": "002"}),
        (22, "{from: Tenantid}", {"1001": "t1001", "1002": "t1002"}),
    ],
    ids=["22 AccountCode", "16 AccountCode", "22 pattern", "16 pattern", "22 Tenantid"],
)
def test_calls_of_tenants_equal_those_of_an_own_listener(
    asterisk_factory: Callable[[int], AsteriskServer],
    tmp_path: Path,
    major: int,
    tenants: str,
    named: dict[str, str],
) -> None:
    server = asterisk_factory(major)

    def by(metric: str, *labels: str) -> dict[tuple[str, ...], float]:
        return running.get().by(metric, *labels)

    with (
        watching(server, tmp_path, "all", f"    tenants: {tenants}") as running,
        EventRecorder(server.ami_port, "all", AMI_SECRETS["all"]) as recorder,
        server.ami() as ami,
    ):
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 20, "the event link")
        for account, wanted in CALLS.items():
            for number in range(wanted):
                more = {} if account not in named else {"Variable": f"CHANNEL(tenantid)={named[account]}"}
                ami.originate(
                    f"Local/{100000 + number}@load/n",
                    Application="Wait",
                    Data="3600",
                    Account=account,
                    **(more if "Tenantid" in tenants else {}),
                )
        wait_until(lambda: server.channels() == 2 * sum(CALLS.values()), 30, "all channels")
        running.get()
        lines = server.cli("core show channels concise").splitlines()
        console = Counter(line.split("!")[8] for line in lines if "!" in line)
        channels = by("asterisk_tenant_active_channels", "tenant")
        if "AccountCode" in tenants:
            assert channels == {
                key: value
                for key, value in {
                    (named["1001"],): console["1001"],
                    (named["1002"],): console["1002"],
                    ("other",): sum(console.values()) - console["1001"] - console["1002"],
                }.items()
                if value
            }
        calls = {(named[account],): float(CALLS[account]) for account in named} | {("other",): 2.0}
        assert by("asterisk_tenant_active_calls", "tenant") == calls
        server.hang_up_all()
        wait_until(lambda: sum(by("asterisk_tenant_calls_total", "tenant").values()) == 6, 20, "six calls counted")
        assert by("asterisk_tenant_calls_total", "tenant", "direction", "outcome") == {
            (tenant, "internal", "answered"): count for (tenant,), count in calls.items()
        }
        firsts = [event for event in recorder.events("Hangup") if event["Uniqueid"] == event["Linkedid"]]
        assert len(firsts) == sum(CALLS.values())
        up = recorder.events("Newstate", lambda event: event["ChannelState"] == "6")
        since = {event["Uniqueid"]: float(event["Timestamp"]) for event in up}
        talked: dict[tuple[str, ...], float] = {}
        for event in firsts:
            tenant = (named.get(event["AccountCode"], "other"),)
            talked[tenant] = talked.get(tenant, 0.0) + float(event["Timestamp"]) - since[event["Uniqueid"]]
        assert by(TALK, "tenant") == pytest.approx(talked, abs=0.5)
        output = running.get().body
        assert "4930987654" not in output


@pytest.mark.parametrize("major", [22, 16])
def test_calls_over_a_trunk_count_by_their_direction_and_tenants_are_capped(
    asterisk_roots: dict[int, AsteriskRoot], sipp: Path, tmp_path: Path, major: int
) -> None:
    """Two calls out and one in; each names another tenant, and the limit has room for two of their counters."""
    target = """
    trunks: [{name: telco-b, match: PJSIP/telco-b}, {name: telco-a, match: PJSIP/telco-a}]
    tenants: {from: AccountCode, pattern: "(?P<tenant>[a-z]+)"}
    limits: {series_per_metric: 17}
"""
    with (
        calls_pair(asterisk_roots[major], asterisk_roots[22], tmp_path / "pair", sipp) as pair,
        watching(pair.server, tmp_path, "events", target) as running,
        pair.server.ami() as ami,
        pair.peer.ami() as peer,
    ):
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 20, "the event link")

        def calls() -> dict[tuple[str, ...], float]:
            return running.get().by("asterisk_tenant_calls_total", "tenant", "direction", "outcome")

        ami.originate("PJSIP/030100001@telco-a", Application="Wait", Data="2", Account="acme")
        wait_until(lambda: bool(calls()), 20, "the first call")
        peer.originate("PJSIP/4930555123@pbx", Application="Wait", Data="2")
        wait_until(lambda: len(calls()) == 2, 20, "the call from outside")
        ami.originate("PJSIP/030100001@telco-a", Application="Wait", Data="2", Account="globex")
        wait_until(lambda: running.get().total("asterisk_calls_total") == 3, 20, "the third call")
        assert calls() == {("acme", "outbound", "answered"): 1, ("other", "inbound", "answered"): 1}
        shown = [name for name, _ in running.get().series() if name == "asterisk_tenant_calls_total"]
        assert len(shown) == 12
        dropped = running.get().by("ami_exporter_series_dropped_total", "metric")
        assert dropped["asterisk_tenant_calls_total",] > 0
