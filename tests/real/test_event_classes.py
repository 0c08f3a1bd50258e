"""Which classes of events the exporter was given, on real Asterisk: by what the AMI user may read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ami_exporter.config.secret import Secret
from ami_exporter.pbx.target import Target
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer
from tests.support.faulty_proxy import FaultyProxy
from tests.support.planted import AMI_SECRETS
from tests.support.targets import listening, movable, scrape, target, until, value

ASKED = {"agent", "call", "reporting", "security", "system"}
ALL = "system,call,log,verbose,command,agent,user,config,dtmf,reporting,cdr,dialplan,originate,agi,cc,aoc,test,security"


def given(one: Target) -> set[str]:
    """The classes that a scrape says the event link has."""
    return {dict(labels)["class"] for name, labels in scrape(one) if name == "ami_exporter_event_classes"}


@pytest.mark.parametrize(("user", "lacks"), [("events", set[str]()), ("reporting", {"call"})])
def test_a_class_is_given_until_a_channel_began_without_its_event(
    asterisk: AsteriskServer, user: str, lacks: set[str]
) -> None:
    clock, _, clocks = movable()
    secret = Secret(AMI_SECRETS[user])
    with target(asterisk.ami_port, clocks=clocks, events=True, username=user, secret=secret) as one:
        listening(one)
        until(lambda: one.stats.events_received >= 1, "FullyBooted")

        assert given(one) == ASKED
        clock.ahead += 120  # so that no FullyBooted would show, and the channels below are younger than the link
        asterisk.originate_local(1)
        try:
            until(
                lambda: scrape(one)["asterisk_oldest_channel_age_seconds", frozenset({("technology", "Local")})] > 6,
                "age",
            )
            assert given(one) == ASKED - lacks
        finally:
            asterisk.hang_up_all()


@pytest.fixture(scope="module", params=[22, 16], ids=["asterisk22", "asterisk16"])
def granting(
    request: pytest.FixtureRequest,
    asterisk_roots: dict[int, AsteriskRoot],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[AsteriskServer, Callable[[set[str]], None]]]:
    """A server with queues, and what takes these classes from its user `events` and reloads."""
    folder = tmp_path_factory.mktemp("granting")
    server = AsteriskServer(asterisk_roots[request.param], folder, templates=("base", "callcentre"))
    file = folder / "etc" / "manager.conf"
    written = file.read_text()
    head, user, rest = written.partition("[events]\n")

    def without(classes: set[str]) -> None:
        read = ",".join(name for name in ALL.split(",") if name not in classes)
        file.write_text(head + user + rest.replace("read = all", f"read = {read}", 1))
        server.cli("manager reload")
        shown = next(line for line in server.cli("manager show user events").splitlines() if "read perm" in line)
        granted = set(shown.partition(":")[2].strip().split(","))
        assert granted >= ASKED - classes
        assert not granted & classes

    server.start()
    try:
        server.wait_booted()
        yield server, without
    finally:
        server.kill()


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param(set[str](), id="none"),
        *(pytest.param({name}, id=name) for name in sorted(ASKED)),
        pytest.param({"agent", "security"}, id="agent and security"),
    ],
)
def test_a_class_that_a_reload_took_from_the_user_is_found_missing(
    granting: tuple[AsteriskServer, Callable[[set[str]], None]], taken: set[str]
) -> None:
    """By a call, a caller in a queue, a login and FullyBooted. Nothing that a poll sees tells of class reporting."""
    server, without = granting
    without(taken)
    clock, _, clocks = movable()
    secret = Secret(AMI_SECRETS["events"])
    with (
        FaultyProxy(server.ami_port) as proxy,
        target(proxy.port, clocks=clocks, events=True, username="events", secret=secret) as one,
        server.ami() as ami,
    ):
        listening(one)
        assert given(one) == ASKED
        clock.ahead += 120  # a minute without FullyBooted, and what begins now is younger than the link
        proxy.cut(0)  # the poll link, which logs in again
        until(lambda: value(scrape(one), "asterisk_up") == 1, "the poll link's second login")
        clock.ahead += 10
        ami.originate("Local/patient@caller/n", Application="Queue", Data="night,,,,60")
        try:
            until(
                lambda: (value(scrape(one), "asterisk_queue_longest_wait_seconds", queue="night") or 0) > 6,
                "a caller who waits",
            )
            assert given(one) == ASKED - (taken - {"reporting"})
        finally:
            server.hang_up_all()
