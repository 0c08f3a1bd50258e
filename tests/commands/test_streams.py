"""Standard output and standard error that are full, closed, left by their reader, or not of Unicode: no traceback."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from ami_exporter.commands.streams import StandardStream
from ami_exporter.demo import DemoSettings, SimulatedPbx
from tests.support.exporter_process import clean_environ, command

pytestmark = pytest.mark.slow

NAMES = ("version", "help", "help of scrape", "metrics", "json", "completion", "scrape", "check", "doctor", "capture")
EACH = [*((name, "") for name in NAMES), *((name, "1") for name in ("version", "help", "metrics"))]
FULL = "standard output: No space left on device\n"


@pytest.fixture(scope="module")
def commands() -> Iterator[Mapping[str, Sequence[str]]]:
    """Name → arguments of what writes to standard output and ends by itself."""
    with SimulatedPbx(DemoSettings()) as pbx:
        ami = ("--ami.address", f"127.0.0.1:{pbx.port}", "--ami.username", pbx.username, "--log.level", "error")
        yield {
            "version": ("--version",),
            "help": ("--help",),
            "help of scrape": ("scrape", "--help"),
            "metrics": ("metrics",),
            "json": ("metrics", "--format", "json"),
            "completion": ("completion", "bash"),
            **{name: (name, *ami) for name in ("scrape", "check", "doctor", "capture")},
        }


def started(
    arguments: Sequence[str], stdout: int | None, environ: Mapping[str, str] | None = None, *, close: bool = False
) -> tuple[int, str]:
    """Exit status and standard error. close: start it with standard output closed, as `>&-` does."""
    line = command(*arguments)
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *line] if close else line,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
        env={**clean_environ(), "AMI_EXPORTER_AMI_SECRET": "demo", **(environ or {})},
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(("name", "unbuffered"), EACH)
def test_a_full_standard_output_is_one_line_and_status_1(
    commands: Mapping[str, Sequence[str]], name: str, unbuffered: str
) -> None:
    with Path("/dev/full").open("wb") as full:
        assert started(commands[name], full.fileno(), {"PYTHONUNBUFFERED": unbuffered}) == (1, FULL)


@pytest.mark.parametrize(("name", "unbuffered"), EACH)
def test_a_reader_that_has_gone_is_no_fault(commands: Mapping[str, Sequence[str]], name: str, unbuffered: str) -> None:
    """As `| head -1` is when it has its line."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert started(commands[name], writing, {"PYTHONUNBUFFERED": unbuffered}) == (0, "")
    finally:
        os.close(writing)


@pytest.mark.parametrize("name", ["version", "help", "metrics", "check"])
def test_a_closed_standard_output_is_one_line_and_status_1(commands: Mapping[str, Sequence[str]], name: str) -> None:
    assert started(commands[name], None, close=True) == (1, "standard output: it is closed\n")


@pytest.mark.parametrize(("name", "encoding"), [*((name, "ascii") for name in NAMES), ("metrics", "latin-1")])
def test_an_encoding_that_lacks_a_letter_stops_nothing(
    commands: Mapping[str, Sequence[str]], name: str, encoding: str
) -> None:
    assert started(commands[name], subprocess.DEVNULL, {"PYTHONIOENCODING": encoding}) == (0, "")


@pytest.mark.parametrize("name", ["check", "scrape", "doctor", "capture", "healthcheck"])
def test_standard_error_that_cannot_be_written_does_not_change_the_status(name: str) -> None:
    line = command(name, *(() if name == "healthcheck" else ("--config.file", "/nowhere")))
    for redirected in ("2>/dev/full", "2>&-", "2>&- >&-"):
        if name == "healthcheck":
            line = command(name, "--web.listen-address", "127.0.0.1:1")
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {redirected}', "sh", *line],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=60,
            check=False,
            env=clean_environ(),
        )
        assert (redirected, done.returncode) == (redirected, 1)


@pytest.mark.parametrize(("device", "status", "told"), [("/dev/full", 1, FULL), ("/dev/null", 0, "")])
def test_the_demo_serves_whatever_becomes_of_its_greeting(device: str, status: int, told: str) -> None:
    with Path(device).open("wb") as out:
        process = subprocess.Popen(
            command("demo", "--web.listen-address", "127.0.0.1:0"),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environ(),
        )
    try:
        assert process.stderr is not None
        assert any("listening on" in line for line in process.stderr)
        process.terminate()
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == status
    assert err.endswith(told)
    assert "Traceback" not in err


def test_a_path_that_is_not_of_unicode_is_told_with_escapes() -> None:
    done = subprocess.run(
        [*command("check", "--config.file"), b"/no\xff.yml"],
        capture_output=True,
        timeout=60,
        check=False,
        env=clean_environ(),
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"/no\\udcff.yml: cannot be read: ")


def test_wrong_usage_is_status_2_wherever_it_is_written() -> None:
    for redirected in ("2>/dev/full", "2>&-", ">&-"):
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {redirected}', "sh", *command("serv")],
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
            env=clean_environ(),
        )
        assert (redirected, done.returncode) == (redirected, 2)


def test_what_is_data_is_utf_8_in_a_pipe_whatever_the_locale(commands: Mapping[str, Sequence[str]]) -> None:
    for name in ("metrics", "scrape", "capture"):
        done = subprocess.run(
            command(*commands[name]),
            capture_output=True,
            timeout=60,
            check=True,
            env={**clean_environ(), "AMI_EXPORTER_AMI_SECRET": "demo", "PYTHONIOENCODING": "latin-1"},
        )
        assert done.stdout.decode("utf-8")
        if name == "metrics":
            assert "≥" in done.stdout.decode("utf-8")


def test_completion_scripts_and_help_are_ascii() -> None:
    for arguments in (("completion", "bash"), ("completion", "zsh"), ("completion", "fish"), ("serve", "--help")):
        done = subprocess.run(command(*arguments), capture_output=True, timeout=60, check=True, env=clean_environ())
        assert done.stdout.isascii()


def test_a_stream_that_was_closed_meanwhile_drops_what_is_written_and_can_be_freed() -> None:
    """Python 3.13 and later report what a stream raises when it is freed."""
    below = io.StringIO()
    stream = StandardStream(below)
    below.close()
    assert stream.write("text") == 4
    stream.close()
    assert stream.fault == "it is closed"
