"""Our AMI session against real servers: every list action, plain and TLS, with every set of rights."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ami_exporter.ami.actions import ACTIONS, Action, cli
from ami_exporter.ami.errors import LoginRefused
from ami_exporter.ami.link import Link, Outcome
from ami_exporter.ami.login import Credentials
from ami_exporter.collectors.database import tree
from ami_exporter.config.target_settings import AmiTlsSettings
from tests.support.planted import AMI_SECRETS

if TYPE_CHECKING:
    from tests.support.asterisk_server import AsteriskServer

pytestmark = pytest.mark.usefixtures("asterisk_roots")

#: Seconds that any step here may take.
SECONDS = 20.0
EVERY_ACTION = [
    *(Action(name) for name, spec in ACTIONS.items() if name != "Command" and not spec.required),
    tree("DND"),
    cli("core show taskprocessors"),
]


def soon() -> float:
    return time.monotonic() + SECONDS


def opened(
    server: AsteriskServer, username: str, tls: AmiTlsSettings | None = None, classes: tuple[str, ...] = ()
) -> Link:
    port = server.place.ami if tls is None else server.place.ami_tls
    link = Link("127.0.0.1", port, Credentials(username, AMI_SECRETS[username]), tls=tls, classes=classes)
    link.open(soon())
    return link


def ignore(_action: Action, _message: object) -> None:
    """Fold nothing."""


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
def test_every_action_on_offer_is_answered_in_full(asterisk: AsteriskServer, encrypted: bool) -> None:
    link = opened(asterisk, "all", AmiTlsSettings(str(asterisk.ca_file)) if encrypted else None)
    offered = [action for action in EVERY_ACTION if link.offers(action.name)]
    answers = link.exchange(offered, ignore, soon())
    assert len(offered) >= 27
    assert {action.name: answer for action, answer in answers.items() if not answer.full} == {}
    assert link.protocol_errors == {}
    link.close()


def test_what_is_not_on_offer_is_refused_or_unknown(asterisk: AsteriskServer) -> None:
    link = opened(asterisk, "nothing")
    hidden = [action for action in EVERY_ACTION if not link.offers(action.name)]
    answers = link.exchange(hidden, ignore, soon())
    assert answers[Action("Status")].outcome is Outcome.REFUSED
    assert {answer.outcome is Outcome.REFUSED or answer.unsupported for answer in answers.values()} == {True}
    link.close()


def test_rights_in_the_table_are_those_of_the_server(asterisk: AsteriskServer) -> None:
    with closing(opened(asterisk, "all")) as link:
        known = [spec for spec in ACTIONS.values() if link.offers(spec.name)]
    for username, rights in {
        "nothing": set[str](),
        "reporting": {"reporting"},
        "system": {"reporting", "system"},
    }.items():
        with closing(opened(asterisk, username)) as link:
            for spec in known:
                assert link.offers(spec.name) == (not spec.rights or bool(spec.rights & rights)), spec.name


@pytest.mark.parametrize(("username", "booted"), [("reporting", True), ("nothing", False)])
def test_the_uptime_comes_with_the_login_where_the_user_may_read_it(
    asterisk: AsteriskServer, username: str, booted: bool
) -> None:
    link = opened(asterisk, username)
    assert (link.boot is not None) is booted
    if link.boot is not None:
        assert link.boot.uptime is not None
        assert link.boot.uptime >= 0
    link.close()


def test_a_challenge_is_answered_and_a_wrong_secret_refused(asterisk: AsteriskServer) -> None:
    user = Credentials("reporting", AMI_SECRETS["reporting"], md5=True)
    link = Link("127.0.0.1", asterisk.place.ami, user)
    link.open(soon())
    link.close()
    for md5 in (False, True):
        wrong = Link("127.0.0.1", asterisk.place.ami, Credentials("reporting", "wrong", md5=md5))
        with pytest.raises(LoginRefused, match="Authentication failed"):
            wrong.open(soon())


def test_events_of_a_call_reach_an_event_link(asterisk: AsteriskServer) -> None:
    link = opened(asterisk, "events", classes=("system", "call"))
    names: set[str] = set()
    asterisk.originate_local(1)
    try:
        while "Newchannel" not in names:
            names |= {event["event"] for event in link.read_events(soon())}
    finally:
        asterisk.hang_up_all()
    while "Hangup" not in names:
        names |= {event["event"] for event in link.read_events(soon())}
    link.refresh_commands(soon())
    assert link.boot is not None
    assert link.protocol_errors == {}
    link.close()
