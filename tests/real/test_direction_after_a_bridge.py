"""A trunk channel keeps the direction it began with when a bridge makes it part of an older call, on real servers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.exporter_process import ExporterProcess, exporter
from tests.support.planted import AMI_SECRETS
from tests.support.stranger import Stranger

INBOUND = {("carrier", "inbound"): 1.0}


@pytest.fixture(scope="module", params=[22, 16], ids=["asterisk22", "asterisk16"])
def server(
    request: pytest.FixtureRequest, asterisk_roots: dict[int, AsteriskRoot], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AsteriskServer]:
    """One with a carrier known by its address."""
    folder = tmp_path_factory.mktemp("bridged") / "pbx"
    started = AsteriskServer(
        asterisk_roots[request.param],
        folder,
        templates=("base", "strangers"),
        values={"PHONE_SECRET": "a-phone-s-secret"},
    )
    started.start()
    try:
        started.wait_booted()
        yield started
    finally:
        started.kill()


def test_an_inbound_call_that_joins_an_older_one_stays_inbound(server: AsteriskServer) -> None:
    flags = ("--ami.address", f"127.0.0.1:{server.ami_port}", "--ami.username", "all")
    with exporter(*flags, environ={"AMI_EXPORTER_AMI_SECRET": AMI_SECRETS["all"]}) as running, server.ami() as ami:
        wait_until(lambda: running.get().value("ami_exporter_link_up", link="events") == 1, 20, "the event link")
        ami.originate("Local/4711@from-carrier/n", Application="Wait", Data="60")
        wait_until(lambda: server.channels() == 2, 10, "the older call")
        with Stranger((server.place.address, server.place.pjsip), patience=5.0) as stranger:
            call = stranger.call("4711")
            assert call is not None
            wait_until(lambda: directions(running) == INBOUND, 10, "the call")
            older, trunk = named(server, "Local/"), named(server, "PJSIP/carrier")
            assert linkedid(server, trunk) == uniqueid(server, trunk)
            assert ami.action("Bridge", Channel1=trunk, Channel2=older)["Response"] == "Success"
            wait_until(lambda: linkedid(server, trunk) != uniqueid(server, trunk), 10, "one call of both")
            assert directions(running) == INBOUND
            call.end()
        server.hang_up_all()
        assert running.get().by("asterisk_trunk_calls_total", "trunk", "direction") == INBOUND


def directions(running: ExporterProcess) -> dict[tuple[str, ...], float]:
    """The trunk's channels by direction."""
    return running.get().by("asterisk_trunk_channels", "trunk", "direction")


def named(server: AsteriskServer, begin: str) -> str:
    """The first channel whose name begins so."""
    lines = server.cli("core show channels concise").splitlines()
    return next(name for name in (line.partition("!")[0] for line in lines) if name.startswith(begin))


def linkedid(server: AsteriskServer, channel: str) -> str:
    """The call that Asterisk takes the channel for a part of."""
    return _field(server, channel, "Linkedid")


def uniqueid(server: AsteriskServer, channel: str) -> str:
    """The channel's own identifier."""
    return _field(server, channel, "UniqueID")


def _field(server: AsteriskServer, channel: str, name: str) -> str:
    found = re.search(rf"^\s*{name}:\s*(\S+)", server.cli(f"core show channel {channel}"), re.IGNORECASE | re.MULTILINE)
    assert found is not None
    return found[1]
