"""The recipes of docs/custom-metrics.md on real servers, run as a user that may run commands and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ami_exporter.collectors import custom
from ami_exporter.collectors.registry import builtin
from ami_exporter.commands.loading import catalogue
from ami_exporter.config.ami_user import AmiUser
from ami_exporter.config.load import load
from ami_exporter.config.secret import Secret
from ami_exporter.config.target_settings import CollectorSettings, TargetSettings
from ami_exporter.pbx.target import Target
from tests.support.asterisk_root import AsteriskRoot
from tests.support.asterisk_server import CONFIG_FOLDER, AsteriskServer
from tests.support.documents import REPO
from tests.support.exporter_process import run
from tests.support.pbx_pair import RichPbx
from tests.support.planted import AMI_SECRETS, PLANTED
from tests.support.targets import scrape, value

PAGE = (REPO / "docs" / "custom-metrics.md").read_text(encoding="utf-8")
HERE = ("cdr show status", "module show like odbc", "confbridge list", "rtp show settings", "pjsip show channelstats")
HEAD = "targets: {pbx: {address: a, username: u, secret: s, command_user: {username: c, secret: t}}}\n"
ODBC = "[pool one]\nenabled => yes\ndsn => nowhere\npre-connect => no\nmax_connections => 7\n"


def recipes(*commands: str) -> str:
    """The page's rules of these commands, as one list."""
    blocks = re.findall(r"```yaml\ncustom:\n(.*?)```", PAGE, re.DOTALL)
    chosen = [block for block in blocks if any(f"command: {command}\n" in block for command in commands)]
    assert len(chosen) == len(commands)
    return "custom:\n" + "".join(chosen)


@contextmanager
def watching(server: AsteriskServer, *commands: str) -> Iterator[Target]:
    settings = TargetSettings(
        "pbx",
        "127.0.0.1",
        "reporting",
        Secret(AMI_SECRETS["reporting"]),
        server.ami_port,
        events=False,
        collectors={"custom": CollectorSettings(min_interval=0.001)},
        command_user=AmiUser("cli", Secret(AMI_SECRETS["cli"])),
    )
    rules = custom.collector(load("page", HEAD + recipes(*commands), catalogue({})).custom)
    target = Target(settings, [*builtin(), rules])
    target.start()
    try:
        yield target
    finally:
        target.stop()
        target.join(3.0)


def test_the_recipes_read_what_the_console_says(rich: RichPbx) -> None:
    with watching(rich.server, *HERE) as target:
        series = scrape(target)
    assert target.last["custom"].detail == ""
    assert value(series, "asterisk_scrape_collector_success", collector="custom") == 1
    assert value(series, "asterisk_custom_conference_users", conference="weekly") == 3
    assert value(series, "asterisk_custom_conference_users", conference="Board Room.1") == 2
    first, last = (re.search(rf"^rtp{end} *= *(\d+)", _rtp(rich.server), re.MULTILINE) for end in ("start", "end"))
    assert first is not None
    assert last is not None
    assert value(series, "asterisk_custom_rtp_port_first") == int(first[1])
    assert value(series, "asterisk_custom_rtp_port_last") == int(last[1])
    assert value(series, "asterisk_custom_cdr_enabled") == 1
    loaded = re.findall(r"^(\S+odbc\S*) ", rich.server.cli("module show like odbc"), re.MULTILINE)
    found = {dict(labels)["module"] for name, labels in series if name == "asterisk_custom_module_running"}
    assert found == set(loaded)
    media = {dict(labels)["endpoint"] for name, labels in series if name == "asterisk_custom_media_rtt_seconds"}
    assert "telco-good" in media
    text = repr(series)
    assert [secret for secret in PLANTED if secret in text] == []


def _rtp(server: AsteriskServer) -> str:
    return (server.folder / "etc" / "rtp.conf").read_text()


@pytest.mark.parametrize("major", [22, 16])
def test_pools_of_a_database_are_read_from_res_odbc(
    asterisk_roots: dict[int, AsteriskRoot], major: int, tmp_path: Path
) -> None:
    modules = (CONFIG_FOLDER / "base" / "modules.conf").read_text()
    loaded = re.sub(r"noload = res_odbc(?:_transaction)?\.so\n", "", modules)
    server = AsteriskServer(
        asterisk_roots[major], tmp_path, files={"etc/modules.conf": loaded, "etc/res_odbc.conf": ODBC}
    )
    server.start()
    try:
        server.wait_booted()
        check_pools(server)
    finally:
        server.kill()


def check_pools(server: AsteriskServer) -> None:
    with watching(server, "odbc show") as target:
        series = scrape(target)
    assert value(series, "asterisk_custom_odbc_connections", pool="pool one") == 0
    assert value(series, "asterisk_custom_odbc_connections_limit") == 7


def test_a_command_of_a_module_that_is_not_there_is_a_failed_collector_that_says_so(rich: RichPbx) -> None:
    with watching(rich.server, "g729 show licenses", "rtp show settings") as target:
        series = scrape(target)
    assert value(series, "asterisk_scrape_collector_success", collector="custom") == 0
    assert target.last["custom"].detail.startswith("g729 show licenses: ")
    assert value(series, "asterisk_custom_rtp_port_first") is not None


def test_the_doctor_runs_each_command_and_names_what_is_amiss(rich: RichPbx, tmp_path: Path) -> None:
    file = tmp_path / "c.yml"
    user = "command_user: {username: cli, secret_env: CLI}"
    canary = "canaries: {c: {channel: PJSIP/4930123456@telco-good, user: {username: all, secret_env: ALL}}}"
    file.write_text(
        f"targets: {{pbx: {{address: '127.0.0.1:{rich.server.ami_port}', username: events, secret_env: EVENTS, {user}, "
        f"{canary}}}}}\n" + recipes("g729 show licenses", "rtp show settings")
    )
    environ = {"CLI": AMI_SECRETS["cli"], "EVENTS": AMI_SECRETS["events"], "ALL": AMI_SECRETS["all"]}
    done = run("doctor", "--config.file", str(file), environ=environ)
    said = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert "custom: g729 show licenses: No such command" in said
    assert "user all has write=command, which it does not need" in said
    assert "user cli has" not in said
    assert "[cli] secret = a-long-random-one" in said
    assert "write = originate" in said
