"""The exporter's logins through a relay are not counted as security events of others; those of others are."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.real.conftest import AsteriskFactory
from tests.support.ami_raw import RawAmi
from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import ExporterProcess, exporter
from tests.support.faulty_proxy import FaultyProxy
from tests.support.planted import AMI_SECRETS, WRONG_SECRET

METRIC = "asterisk_security_events_total"


@pytest.mark.parametrize("md5", ["true", "false"])
@pytest.mark.parametrize("major", [22, 16])
def test_only_the_logins_of_others_count(
    asterisk_factory: AsteriskFactory, tmp_path: Path, major: int, md5: str
) -> None:
    server = asterisk_factory(major)
    file = tmp_path / "exporter.yml"
    with FaultyProxy(server.ami_port) as relay:
        address = f"address: 127.0.0.1:{relay.port}"
        file.write_text(
            f"targets: {{pbx: {{{address}, username: events, secret: {AMI_SECRETS['events']}, md5: {md5}}}}}\n"
        )
        with exporter("--config.file", str(file)) as running:
            wait_until(lambda: listens(running), 20, "the event link")
            assert counted(running) == {}
            relay.kick()
            wait_until(lambda: len(relay.passed) >= 4 and listens(running), 30, "both links, again")
            with server.ami("all"):
                pass
            with contextlib.suppress(PermissionError):
                RawAmi(server.ami_port, "nobody", WRONG_SECRET)
            others = {("SuccessfulAuth", "AMI"): 1.0, ("InvalidAccountID", "AMI"): 1.0}
            wait_until(lambda: counted(running).keys() >= others.keys(), 20, "the logins of others")
            assert counted(running) == others


def listens(running: ExporterProcess) -> bool:
    return running.get().value("ami_exporter_link_up", link="events") == 1


def counted(running: ExporterProcess) -> dict[tuple[str, ...], float]:
    """What was counted of AMI, without zeros."""
    return running.get().by(METRIC, "event", "service")
