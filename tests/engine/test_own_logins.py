"""Security events of this exporter's own logins are not counted as those of others, relay or not."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import pytest

from ami_exporter.ami.errors import AmiError, ConnectFailed, LoginRefused, Timeout
from ami_exporter.pbx.login_backoff import LoginPaused
from ami_exporter.pbx.own_logins import CLAIM_SECONDS, OwnLogins
from tests.support.ami_server import Fields, Session
from tests.support.ami_wire import packet
from tests.support.exporter_process import Series
from tests.support.faulty_proxy import FaultyProxy
from tests.support.scripted_pbx import ScriptedPbx
from tests.support.targets import listening, scrape, target, until, value

OURS = ("192.0.2.1", 40001)
RELAY = ("192.0.2.9", 50001)


@dataclass
class Connection:
    """One end of a connection."""

    local_address: tuple[str, int] | None = OURS


class Logins:
    """OwnLogins with a clock to be moved."""

    def __init__(self) -> None:
        self.now = 0.0
        self.own = OwnLogins(lambda: self.now)

    def login(self, error: Exception | None = None, *, connected: bool = True) -> None:
        """One login of ours and its end."""
        try:
            with self.own.login(Connection(OURS if connected else None), "exporter"):
                if error is not None:
                    raise error
        except (AmiError, LoginPaused):
            pass

    def caused(
        self,
        event: str = "SuccessfulAuth",
        account: str = "exporter",
        address: tuple[str, int] | None = RELAY,
    ) -> bool:
        return self.own.caused(event, account, address)


def test_behind_a_relay_one_event_of_the_account_belongs_to_each_login() -> None:
    logins = Logins()
    logins.login()
    logins.login()
    assert [logins.caused() for _ in range(3)] == [True, True, False]


def test_the_event_may_come_before_the_logins_answer() -> None:
    logins = Logins()
    with logins.own.login(Connection(), "exporter"):
        assert logins.caused()
    assert not logins.caused()


def test_an_address_of_ours_needs_no_claim_and_shows_that_there_is_no_relay() -> None:
    logins = Logins()
    logins.login()
    logins.login()
    assert logins.caused(address=OURS)
    assert logins.caused(address=OURS)
    assert not logins.caused()  # somebody else with our account


def test_a_claim_ends_after_a_while() -> None:
    logins = Logins()
    logins.login()
    logins.now = CLAIM_SECONDS
    assert not logins.caused()


def test_another_account_is_somebody_else() -> None:
    logins = Logins()
    logins.login()
    assert not logins.caused(account="Exporter")
    assert not logins.caused(account="")


@pytest.mark.parametrize(
    ("error", "left_out"),
    [
        (None, ["SuccessfulAuth"]),
        (LoginRefused("no"), ["InvalidPassword"]),
        (Timeout("late"), ["SuccessfulAuth", "InvalidPassword"]),
        (LoginPaused("later"), []),
    ],
)
def test_only_an_event_of_the_logins_outcome_is_left_out(error: Exception | None, left_out: list[str]) -> None:
    for event in ("SuccessfulAuth", "InvalidPassword"):
        logins = Logins()
        logins.login(error)
        assert logins.caused(event) == (event in left_out)


def test_a_login_that_never_connected_leaves_nothing_out() -> None:
    logins = Logins()
    logins.login(ConnectFailed("refused"), connected=False)
    assert not logins.caused()


def test_an_unreadable_address_is_no_address_of_a_link_that_is_not_connected() -> None:
    logins = Logins()
    logins.login(ConnectFailed("refused"), connected=False)
    assert not logins.caused(address=None)


@pytest.mark.parametrize("relayed", [True, False])
def test_logins_of_both_links_count_for_nothing_and_those_of_others_do(relayed: bool) -> None:
    def announce(account: str, address: tuple[str, int]) -> bytes:
        place = f"IPV4/TCP/{address[0]}/{address[1]}"
        own = (("Service", "AMI"), ("AccountID", account), ("RemoteAddress", place))
        return packet(("Event", "SuccessfulAuth"), ("Privilege", "security,all"), *own)

    def log_in(session: Session, action: Fields) -> None:
        event = announce(action["Username"], session.connection.getpeername())
        for other in tuple(pbx.sessions):
            if other is not session and other.seen and other.seen[0]["Events"] != "system":
                with contextlib.suppress(OSError):  # one that was cut
                    other.send(event)
        pbx.obey(session, action)
        if action["Events"] != "system":
            session.send(event)

    pbx = ScriptedPbx(hooks={"Login": log_in})
    with pbx, FaultyProxy(pbx.port) as proxy:
        port = proxy.port if relayed else pbx.port
        with target(port, events=True) as one:
            listening(one)
            until(lambda: counted(scrape(one)) is not None, "the event of our own login")
            assert counted(scrape(one)) == 0
            pbx.kick()
            until(lambda: one.stats.up_since("events") is None, "the loss")
            listening(one)
            until(lambda: len(pbx.sessions) >= 4, "both links, again")
            assert counted(scrape(one)) == 0
            events = next(s for s in pbx.sessions[2:] if s.seen and s.seen[0]["Events"] != "system")
            events.send(announce("somebody", RELAY))
            until(lambda: counted(scrape(one)) == 1, "the login of somebody else")


def counted(series: Series) -> float | None:
    return value(series, "asterisk_security_events_total", event="SuccessfulAuth", service="AMI")
