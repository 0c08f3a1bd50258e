"""What `serve` sets in its process."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from ami_exporter.commands import serve
from ami_exporter.commands.serve import SWITCH_SECONDS
from ami_exporter.service.exporter import Exporter
from ami_exporter.web.views import ReloadOutcome
from tests.support.exporter_process import clean_environ

#: It ends at once, because its address is taken.
SERVES = """
import os, sys
from ami_exporter.commands.run import run
status = run(["serve", "--ami.address", "127.0.0.1:1", "--web.listen-address", sys.argv[1]], os.environ)
print(status, sys.getswitchinterval())
"""


def test_a_thread_that_computes_lets_others_run_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        environ = {**clean_environ(), "AMI_EXPORTER_AMI_USERNAME": "u", "AMI_EXPORTER_AMI_SECRET": "s"}
        ended = subprocess.run(
            [sys.executable, "-c", SERVES, address], env=environ, capture_output=True, text=True, check=True, timeout=60
        )
    assert ended.stdout == f"1 {SWITCH_SECONDS}\n", ended.stderr


class Reloading(Exporter):
    """Does at each reload what a test says."""

    def __init__(self, *reloads: Callable[[], object]) -> None:
        self._reloads = iter(reloads)

    def reload(self) -> ReloadOutcome:
        next(self._reloads)()
        return ReloadOutcome(ok=True, message="")


def fails() -> None:
    raise ZeroDivisionError


def test_a_reload_that_fails_in_an_unforeseen_way_is_logged_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = serve._Asked(reload=True)
    ends = iter((False, False, True))
    asked.wakes.put(None)
    asked.wakes.put(None)
    serve._obey(asked, Reloading(fails), lambda: next(ends))
    assert "unexpected error while reloading" in caplog.text
    assert not asked.reload


def test_a_reload_that_is_asked_for_during_another_one_follows_it() -> None:
    """The file may have changed after the first one read it."""
    asked, done = serve._Asked(), list[str]()

    def first() -> None:
        done.append("first")
        asked.reload = True
        asked.wakes.put(None)

    def second() -> None:
        done.append("second")
        asked.end = True
        asked.wakes.put(None)

    first()
    serve._obey(asked, Reloading(first, second), lambda: False)
    assert done == ["first", "first", "second"]
