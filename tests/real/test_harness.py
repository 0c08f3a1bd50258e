"""The harness itself: servers are the versions they claim, count calls, obey faults, and leave nothing behind."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path

import pytest

from tests.real.conftest import AsteriskFactory
from tests.support.ami_raw import EventRecorder
from tests.support.asterisk_server import AsteriskServer, ServerFailedError, wait_until
from tests.support.planted import AMI_SECRETS


def test_the_console_names_the_version(asterisk: AsteriskServer) -> None:
    assert asterisk.cli("core show version").startswith(f"Asterisk {asterisk.major}.")


def test_a_fresh_server_has_every_module_and_no_channel(asterisk: AsteriskServer) -> None:
    assert "declined to load" not in asterisk.log()
    assert "undefined symbol" not in asterisk.log()
    assert asterisk.channels() == 0


@pytest.mark.parametrize("username", AMI_SECRETS)
def test_each_planted_ami_user_logs_in(asterisk: AsteriskServer, username: str) -> None:
    with asterisk.ami(username) as ami:
        assert ami.action("Ping")["Ping"] == "Pong"


def test_a_user_without_rights_is_refused_a_list(asterisk: AsteriskServer) -> None:
    with asterisk.ami("nothing") as ami:
        assert ami.action("CoreShowChannels") == {
            "Response": "Error",
            "ActionID": "raw-2",
            "Message": "Permission denied",
        }


def test_ami_answers_over_tls_with_the_servers_certificate(asterisk: AsteriskServer) -> None:
    context = ssl.create_default_context(cafile=asterisk.ca_file)
    with (
        socket.create_connection(("127.0.0.1", asterisk.place.ami_tls), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        assert tls.recv(1024).startswith(b"Asterisk Call Manager/")


def test_fifty_originated_calls_are_a_hundred_channels_on_the_console(asterisk: AsteriskServer) -> None:
    asterisk.originate_local(50)
    try:
        assert "\n100 active channels\n" in asterisk.cli("core show channels")
    finally:
        asterisk.hang_up_all()


def test_a_recorder_counts_the_events_of_a_call(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    with EventRecorder(server.ami_port, "events", AMI_SECRETS["events"]) as recorder:
        server.originate_local(3)
        server.hang_up_all()
        recorder.wait_for(lambda recorded: recorded.names().get("Hangup", 0) == 6, 10)
    assert recorder.count_by("Newchannel", "Exten") == {("100000",): 2, ("100001",): 2, ("100002",): 2}
    assert recorder.sum_of("Hangup", "ChannelState") == 6 * 6


def test_a_server_killed_and_started_again_has_the_same_ports(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    port = server.ami_port
    server.kill()
    with pytest.raises(ConnectionRefusedError):
        server.ami()
    server.start()
    server.wait_booted()
    assert server.ami_port == port
    with server.ami() as ami:
        assert ami.action("Ping")["Response"] == "Success"


def test_a_paused_server_answers_nothing_until_it_is_resumed(asterisk_factory: AsteriskFactory) -> None:
    server = asterisk_factory(22)
    with server.ami(seconds=0.5) as ami:
        server.pause()
        with pytest.raises(TimeoutError):
            ami.action("Ping")
        server.resume()
    with server.ami() as ami:
        assert ami.action("Ping")["Response"] == "Success"


@pytest.mark.parametrize("major", [22, 16])
def test_nothing_is_left_of_a_stopped_server(asterisk_factory: AsteriskFactory, major: int) -> None:
    server = asterisk_factory(major)
    processes = server.processes()
    assert len(processes) == 2
    server.stop()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes), 5, "processes gone")
    assert str(server.root.path) not in Path("/proc/self/mounts").read_text()
    assert not list((server.root.path / "srv").iterdir())
    with pytest.raises(ServerFailedError, match="is not running"):
        server.cli("core show uptime")


def test_a_killed_holder_takes_the_server_with_it(asterisk_factory: AsteriskFactory) -> None:
    holder, asterisk = asterisk_factory(22).processes()
    os.kill(holder, 9)
    wait_until(lambda: not Path(f"/proc/{asterisk}").exists(), 5, "Asterisk gone with its holder")
