"""An exporter process that watches a real server, with a configuration of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.support.asterisk_server import AsteriskServer, wait_until
from tests.support.exporter_process import ExporterProcess, exporter
from tests.support.planted import AMI_SECRETS

T = TypeVar("T")

AGREE_SECONDS = 20.0
"""States change by themselves (a registration is tried again, a contact expires): between two looks, not for long."""

CLI_SECRET = {"CLI_SECRET": AMI_SECRETS["cli"]}
"""The environment that configurations with task processors need."""

OPT_IN = ("queue_averages", "queue_members", "voicemail", "voicemail_mailboxes", "taskprocessors")


def config(server: AsteriskServer, user: str, target: str = "", custom: str = "") -> str:
    """A configuration of one target named pbx. target: further lines of it, each indented by four blanks.

    Where task processors are wanted, the user `cli` runs the console's command for them.
    """
    lines = [
        "targets:",
        "  pbx:",
        f"    address: 127.0.0.1:{server.ami_port}",
        f"    username: {user}",
        "    secret_env: PBX_SECRET",
        *(["    command_user: {username: cli, secret_env: CLI_SECRET}"] if "taskprocessors" in target else []),
    ]
    return "\n".join([*lines, target, custom, ""])


def enabled(*names: str, interval: str = "1s") -> str:
    """The line that turns these collectors on; their min_interval, so that a test does not wait for it."""
    each = ", ".join(f"{name}: {{enabled: true, min_interval: {interval}}}" for name in names)
    return f"    collectors: {{{each}}}"


@contextmanager
def watching(
    server: AsteriskServer, folder: Path, user: str = "all", target: str = "", custom: str = "", *flags: str
) -> Iterator[ExporterProcess]:
    """Run an exporter with that configuration."""
    file = folder / "ami-exporter.yml"
    file.write_text(config(server, user, target, custom))
    secrets = {"PBX_SECRET": AMI_SECRETS[user], **CLI_SECRET}
    with exporter("--config.file", str(file), *flags, environ=secrets) as running:
        yield running


def agree(figures: Callable[[], T], truth: Callable[[], T]) -> None:
    """Wait until both say the same; the failure shows both."""
    last: list[T] = []

    def same() -> bool:
        last[:] = [figures(), truth()]
        return last[0] == last[1]

    try:
        wait_until(same, AGREE_SECONDS, "agreement")
    except TimeoutError:
        raise AssertionError(f"figures: {last[0]}\ntruth:   {last[1]}") from None
