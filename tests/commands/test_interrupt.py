"""Ctrl-C: exit status 130 from every command, and no traceback, wherever it is caught."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.asterisk_server import wait_until
from tests.support.exporter_process import clean_environ, command, exporter

pytestmark = pytest.mark.slow

INTERRUPTED = 130
PIPE_BYTES = 4096


@contextmanager
def running(arguments: Sequence[str], stdout: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    """A command under way."""
    process = subprocess.Popen(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**clean_environ(), "AMI_EXPORTER_AMI_SECRET": "s"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


def interrupted(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Status and standard error after a Ctrl-C."""
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    return process.returncode, err.decode()


@pytest.mark.parametrize("name", ["scrape", "doctor", "capture", "healthcheck"])
def test_while_a_server_does_not_answer(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        flags = ("--web.listen-address", address) if name == "healthcheck" else ("--ami.address", address)
        user = () if name == "healthcheck" else ("--ami.username", "u", "--log.level", "error")
        with running((name, *flags, *user)) as process:
            connection, _ = silent.accept()
            with connection:
                assert interrupted(process) == (INTERRUPTED, "")


def test_while_a_file_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "config.yml"
    os.mkfifo(pipe)
    with running(("check", "--config.file", str(pipe))) as process, pipe.open("wb"):
        assert interrupted(process) == (INTERRUPTED, "")


@pytest.mark.parametrize("arguments", [("metrics",), ("metrics", "--format", "json")])
def test_while_nobody_reads_the_output(arguments: Sequence[str]) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    try:
        with running(arguments, writing) as process:
            wait_until(lambda: waiting(reading) == PIPE_BYTES, 30, "a full pipe")
            assert interrupted(process) == (INTERRUPTED, "")
    finally:
        os.close(reading)
        os.close(writing)


IMPORTING = """
import builtins, os, signal, sys
from ami_exporter.cli import main
real = builtins.__import__
def importing(name, *more):
    if name == sys.argv[1]:
        builtins.__import__ = real
        os.kill(os.getpid(), signal.SIGINT)
    return real(name, *more)
builtins.__import__ = importing
sys.exit(main(["metrics"]))
"""


@pytest.mark.parametrize("name", ["ami_exporter.commands.run", "argparse", "ami_exporter.collectors.registry"])
def test_while_the_program_is_still_loading(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, name], capture_output=True, timeout=60, check=False, env=clean_environ()
    )
    assert (done.returncode, done.stderr) == (INTERRUPTED, b"")


def waiting(pipe: int) -> int:
    """Bytes in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), "little")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, 0)])
@pytest.mark.parametrize("name", ["serve", "demo"])
def test_a_server_stops_in_order_and_tells_ctrl_c_from_a_stop(name: str, number: signal.Signals, status: int) -> None:
    flags = ("--ami.address", "127.0.0.1:1", "--ami.username", "u") if name == "serve" else ()
    with exporter(name, *flags, environ={"AMI_EXPORTER_AMI_SECRET": "s"} if flags else {}) as process:
        process.signal(number)
        assert process.process.wait(10) == status
        assert "stopping" in process.log
    assert "Traceback" not in process.log
