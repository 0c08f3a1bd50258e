"""The PBXs that are asked: a real Asterisk 22 filled with channels, and simulated ones in processes of their own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.asterisk_root import provide_roots
from tests.support.asterisk_server import AsteriskServer, free_port
from tests.support.planted import AMI_SECRETS

#: Time to make channels in: a busy machine needs minutes for 10,000.
FILL_SECONDS = 900.0
#: Calls being set up at a time.
PORTION = 250
PORTION_SECONDS = 10.0
#: A user that may have everything the default set asks for, and events.
USER = "all"
SECRET = AMI_SECRETS[USER]

# A timer is one file a channel; with two files a channel 10,000 channels need more than many containers may open.
_NO_TIMERS = "noload = res_timing_timerfd.so\nnoload = res_timing_pthread.so\n"

_ENDPOINT = """
[{name}]
type = endpoint
context = load
aors = {name}
auth = {name}
disallow = all
allow = ulaw
[{name}]
type = auth
auth_type = userpass
username = {name}
password = {secret}
[{name}]
type = aor
max_contacts = 2
contact = sip:{name}@{address}:{port}
"""


@contextmanager
def asterisk(folder: Path, endpoints: int = 0) -> Iterator[AsteriskServer]:
    """A real Asterisk 22, booted, with so many PJSIP endpoints (static contacts, nobody behind them)."""
    server = AsteriskServer(provide_roots([22])[22], folder)
    with (folder / "etc" / "modules.conf").open("a") as config:
        config.write(_NO_TIMERS)
    with (folder / "etc" / "pjsip.conf").open("a") as config:
        for number in range(endpoints):
            nobody = free_port("127.0.0.1")
            name = f"bench-{number:03}"
            config.write(_ENDPOINT.format(name=name, secret=SECRET, address="127.0.0.1", port=nobody))
    with server.booted():
        yield server


def fill(server: AsteriskServer, channels: int) -> None:
    """Bring the server to this many channels: answered calls of two Local channels each, waiting."""
    deadline = time.monotonic() + FILL_SECONDS
    with server.ami() as ami:
        while (have := server.channels()) < channels:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{have} of {channels} channels within {FILL_SECONDS} s")
            calls = min(PORTION, (channels - have) // 2)
            for number in range(calls):
                ami.originate(f"Local/{100_000 + have + number}@load/n", Application="Wait", Data="36000")
            until = time.monotonic() + PORTION_SECONDS  # a call that failed is made again
            while server.channels() < have + 2 * calls and time.monotonic() < until:
                time.sleep(0.05)


def asterisk_pid(server: AsteriskServer) -> int:
    """The process of Asterisk itself, whose CPU is read."""
    return server.processes()[-1]


@contextmanager
def simulated(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Simulated PBXs in a process of their own; gives it and the ports they listen on."""
    with process_of("benchmarks.simulated", *arguments) as both:
        yield both


@contextmanager
def process_of(module: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A module of ours that prints the ports it listens on, as a process."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, [int(port) for port in line_of(process).split()]
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def tell(process: subprocess.Popen[str], command: str) -> str:
    """Send one line to a process of ours and return the line it answers with."""
    assert process.stdin is not None
    process.stdin.write(command + "\n")
    process.stdin.flush()
    return line_of(process)


def line_of(process: subprocess.Popen[str]) -> str:
    """Read the next line that a process of ours prints."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"process {process.pid} of ours ended without an answer")
    return line.strip()


def settings(ports: Sequence[int], username: str, secret: str, extra: str = "") -> str:
    """A configuration of one target for each port, named pbx0 and so on."""
    lines = [f"defaults: {{username: {username}, secret: {secret}, timeout: 60s}}", "targets:"]
    lines += [f"  pbx{number}: {{address: '127.0.0.1:{port}'}}" for number, port in enumerate(ports)]
    return "\n".join(lines) + "\n" + extra
