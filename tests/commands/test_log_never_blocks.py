"""A log that nobody reads stops neither scrapes nor reloads nor the end; a stderr that is closed neither."""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ami_exporter.commands import logwriter
from ami_exporter.commands.logs import Guard, configure
from tests.support.exporter_process import clean_environ, command
from tests.support.targets import until

pytestmark = pytest.mark.slow

SOON = 20.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(stderr: int | None, *flags: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """An exporter with this descriptor, or none at all, as its stderr, once it answers."""
    port = free_port()
    listen = (
        "--web.listen-address",
        f"127.0.0.1:{port}",
        "--ami.address",
        "127.0.0.1:1",
        "--ami.username",
        "u",
        *flags,
    )
    words = command("serve", *listen)
    process = subprocess.Popen(
        words if stderr is not None else ["sh", "-c", 'exec "$@" 2>&-', "sh", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env={**clean_environ(), "AMI_EXPORTER_AMI_SECRET": "hunter2"},
    )
    try:
        deadline = time.monotonic() + SOON
        while True:
            try:
                ask(port, "GET", "/-/healthy")
                break
            except OSError:
                assert time.monotonic() < deadline, "it does not answer"
                time.sleep(0.05)
        yield process, port
    finally:
        process.kill()
        process.wait(10)


def ask(port: int, method: str, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SOON)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def fill(writer: int) -> None:
    """Fill a pipe up to the last byte."""
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The writing end of a pipe that is full and that nobody reads."""
    reader, writer = os.pipe()
    fill(writer)
    yield writer
    os.close(reader)
    os.close(writer)


def test_a_full_pipe_stops_neither_scrapes_nor_reloads_nor_the_end(full_pipe: int) -> None:
    with serving(full_pipe, "--log.level", "debug") as (process, port):
        for _ in range(20):
            assert ask(port, "POST", "/-/reload") == 200
            assert ask(port, "GET", "/metrics") == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_without_a_stderr_it_serves_and_ends() -> None:
    with serving(None) as (process, port):
        assert ask(port, "POST", "/-/reload") == 200
        assert ask(port, "GET", "/metrics") == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_a_reader_that_has_gone_stops_nothing() -> None:
    reader, writer = os.pipe()
    with serving(writer) as (process, port):
        os.close(reader)
        assert ask(port, "POST", "/-/reload") == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    os.close(writer)


def test_lines_that_do_not_fit_are_counted_and_the_rest_arrives_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logwriter, "MOST_WAITING", 10)
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    log = configure("info", "logfmt", stream, Guard())
    try:
        fill(writer)
        handler = log.handlers[0]
        assert isinstance(handler, logwriter.QueueingHandler)
        log.info("line", extra={"number": 0})
        until(lambda: not handler._lines, "the first line to be on its way")
        for number in range(1, 50):
            log.info("line", extra={"number": number})
        lines: list[bytes] = []
        with os.fdopen(reader, "rb") as pipe:

            def read() -> None:
                lines.extend(pipe)

            reading = threading.Thread(target=read)
            reading.start()
            until(lambda: not handler._lines, "the lines to be on their way")
            log.info("the last")
            until(lambda: not handler._lines, "the last line to be on its way")
            handler.close()
            stream.close()
            reading.join(SOON)
        told = [line.decode().lstrip("x").strip() for line in lines]
        numbers = [int(line.rpartition("number=")[2]) for line in told if "number=" in line]
        assert numbers == list(range(11))
        (lost,) = [line for line in told if "log lines were lost" in line]
        assert f"lines={50 - len(numbers)}" in lost
        assert "the last" in told[-1]
    finally:
        logging.getLogger("ami_exporter").handlers.clear()
