"""Hosts without 127.0.0.1: IPv6 alone, or no loopback at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.exporter_process import clean_environ, command

IPV6_ALONE = "ip link set lo up && ip address delete 127.0.0.1/8 dev lo"
NOTHING = "ip link set lo down"

LIFE = """
import http.client, json, subprocess, sys
demo, healthcheck = json.loads(sys.argv[1])
served = subprocess.Popen(demo, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
port = next(line.rpartition(":")[2].strip().strip('"') for line in served.stderr if "listening on" in line)
try:
    connection = http.client.HTTPConnection("::1", int(port), timeout=20)
    connection.request("GET", "/metrics")
    assert "\\nasterisk_up 1\\n" in connection.getresponse().read().decode()
    health = subprocess.run([*healthcheck, ":" + port], capture_output=True, text=True)
    print(json.dumps([health.returncode, health.stdout.replace(port, "PORT")]))
finally:
    served.terminate()
    served.wait()
"""


@pytest.fixture
def apart(ip_program: Path) -> Sequence[str]:
    """What a command begins with that sets up a network of its own by a line of shell, its next argument."""
    assert ip_program
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    return ("unshare", *user, "--net", "sh", "-c")


def ran(apart: Sequence[str], network: str, *line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*apart, f'{network} && exec "$@"', "sh", *line],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**clean_environ(), "AMI_EXPORTER_AMI_SECRET": "s"},
    )


def test_where_there_is_ipv6_alone_the_demo_serves_and_healthcheck_finds_it(apart: Sequence[str]) -> None:
    lines = [
        command("demo", "--web.listen-address", ":0"),
        command("healthcheck", "--web.listen-address"),
    ]
    done = ran(apart, IPV6_ALONE, sys.executable, "-c", LIFE, json.dumps(lines))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [0, "healthy: http://[::1]:PORT/-/healthy: HTTP 200\n"]


def test_without_any_loopback_each_command_says_so_in_a_line(apart: Sequence[str]) -> None:
    demo = ran(apart, NOTHING, *command("demo", "--log.level", "error"))
    assert (demo.returncode, demo.stderr) == (
        1,
        "the simulated PBX cannot listen: neither 127.0.0.1 nor ::1 can be reached here; try `ip link set lo up`\n",
    )
    health = ran(apart, NOTHING, *command("healthcheck"))
    assert health.returncode == 1
    assert health.stdout.startswith("unhealthy: http://127.0.0.1:15038/-/healthy: ")
    assert "; http://[::1]:15038/-/healthy: " in health.stdout
    assert health.stderr == ""


def test_without_a_route_the_reason_asks_about_routes_and_not_about_asterisk(apart: Sequence[str]) -> None:
    line = command("scrape", "--ami.address", "192.0.2.1", "--ami.username", "u", "--log.level", "error")
    done = ran(apart, NOTHING, *line)
    assert done.returncode == 1
    assert done.stderr.startswith("default: no session with 192.0.2.1:5038: ")
    assert "Network is unreachable" in done.stderr
    assert "look at the address, at the routes" in done.stderr
    assert "manager.conf" not in done.stderr


def test_without_any_loopback_the_exporter_listens_all_the_same(apart: Sequence[str]) -> None:
    line = command("serve", "--web.listen-address", ":0", "--ami.address", "192.0.2.1", "--ami.username", "u")
    program = (
        "import subprocess, sys\n"
        "served = subprocess.Popen(sys.argv[1:], stderr=subprocess.PIPE, text=True)\n"
        "found = next(line for line in served.stderr if 'listening on' in line)\n"
        "served.terminate()\n"
        "sys.exit(served.wait())\n"
    )
    done = ran(apart, NOTHING, sys.executable, "-c", program, *line)
    assert done.returncode == 0, done.stderr
