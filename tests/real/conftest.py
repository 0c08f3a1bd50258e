"""Real Asterisk servers as fixtures. Session-scoped ones are shared: leave them as you found them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import AsteriskServer
from tests.support.freepbx import freepbx
from tests.support.pbx_pair import RichPbx
from tests.support.rich_pbx import fill, rich_pbx


class AsteriskFactory(Protocol):
    """Makes and starts a server of the test's own, booted when it returns; it is stopped when the test ends."""

    def __call__(self, major: int, *, templates: tuple[str, ...] = ("base",)) -> AsteriskServer: ...


@pytest.fixture(scope="session")
def asterisk22(
    asterisk_roots: dict[int, AsteriskRoot], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AsteriskServer]:
    """A shared, empty Asterisk 22."""
    with AsteriskServer(asterisk_roots[22], tmp_path_factory.mktemp("asterisk22")).booted() as server:
        yield server


@pytest.fixture(scope="session")
def asterisk16(
    asterisk_roots: dict[int, AsteriskRoot], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AsteriskServer]:
    """A shared, empty Asterisk 16."""
    with AsteriskServer(asterisk_roots[16], tmp_path_factory.mktemp("asterisk16")).booted() as server:
        yield server


@pytest.fixture(scope="session", params=[22, 16], ids=["asterisk22", "asterisk16"])
def asterisk(request: pytest.FixtureRequest) -> AsteriskServer:
    """Each of the shared, empty servers in turn."""
    server: AsteriskServer = request.getfixturevalue(f"asterisk{request.param}")
    return server


@pytest.fixture
def asterisk_factory(asterisk_roots: dict[int, AsteriskRoot], tmp_path: Path) -> Iterator[AsteriskFactory]:
    """For tests that stop, kill or fill a server: makes one of their own (two seconds)."""
    servers: list[AsteriskServer] = []

    def make(major: int, *, templates: tuple[str, ...] = ("base",)) -> AsteriskServer:
        folder = tmp_path / f"{major}-{len(servers)}"
        server = AsteriskServer(asterisk_roots[major], folder, templates=templates)
        servers.append(server)
        server.start()
        server.wait_booted()
        return server

    yield make
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def rich22(
    asterisk_roots: dict[int, AsteriskRoot], sipp: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RichPbx]:
    """A shared Asterisk 22 in the rich state (8 s)."""
    with rich_pbx(asterisk_roots[22], asterisk_roots[22], tmp_path_factory.mktemp("rich22"), sipp) as pbx:
        fill(pbx)
        yield pbx


@pytest.fixture(scope="session")
def rich16(
    asterisk_roots: dict[int, AsteriskRoot], sipp: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RichPbx]:
    """A shared Asterisk 16 in the rich state (8 s), with chan_sip."""
    with rich_pbx(asterisk_roots[16], asterisk_roots[22], tmp_path_factory.mktemp("rich16"), sipp) as pbx:
        fill(pbx)
        yield pbx


@pytest.fixture(scope="session", params=[22, 16], ids=["asterisk22", "asterisk16"])
def rich(request: pytest.FixtureRequest) -> RichPbx:
    """Each of the shared rich servers in turn."""
    pbx: RichPbx = request.getfixturevalue(f"rich{request.param}")
    return pbx


@pytest.fixture(scope="session", params=[22, 16], ids=["asterisk22", "asterisk16"])
def freepbx_server(
    request: pytest.FixtureRequest, asterisk_roots: dict[int, AsteriskRoot], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RichPbx]:
    """A shared server with a configuration as FreePBX writes it, in both versions (6 s)."""
    with freepbx(asterisk_roots[request.param], asterisk_roots[22], tmp_path_factory.mktemp("freepbx")) as pbx:
        yield pbx
