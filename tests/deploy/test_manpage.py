"""The manual page of the Debian package: all commands and flags, as roff prints them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ami_exporter.commands.flags import COMMANDS, STATUSES
from ami_exporter.config.amiflags import SECRET_VARIABLE


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    """The page's source."""
    command = (sys.executable, str(repository / "deploy/deb/manpage.py"))
    return subprocess.run(command, env={"PYTHONPATH": str(repository)}, check=True, capture_output=True).stdout.decode()


def printed(page: str) -> str:
    """The page without what is roff's."""
    return re.sub(r"\\f[BIR]|\\&", "", page).replace("\\-", "-").replace("\\e", "\\")


def test_every_command_and_flag_is_there_with_its_variable(page: str) -> None:
    text = printed(page)
    for command in COMMANDS.values():
        assert f"\n{command.summary}\n" in text
        for flag in command.flags:
            found = re.search(rf"\n--{flag.name}( .+)?\n{re.escape(flag.help)} \(of (.+); {flag.variable}\)\n", text)
            assert found is not None, flag.name
            assert (found[1] or "").strip() == flag.metavar
            assert command.name in found[2].split(", ")
    assert f"\n{SECRET_VARIABLE}\n" in text


def test_every_exit_status_is_there(page: str) -> None:
    text = printed(page)
    assert list(STATUSES) == [0, 1, 2, 130]
    for status, meaning in STATUSES.items():
        assert f"\n.TP\n{status}\n{meaning}\n" in text


def test_it_begins_as_man_and_whatis_read_it(page: str) -> None:
    assert page.startswith('.TH AMI\\-EXPORTER 1 "" ')
    assert re.search(r"\n\.SH NAME\nami\\-exporter \\- Prometheus exporter .+\n", page)


def test_no_text_is_taken_for_a_macro_and_no_minus_for_a_hyphen(page: str) -> None:
    macros = {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))}
    assert macros == {".TH", ".nh", ".ad", ".SH", ".TP"}
    assert re.findall(r"(?<!\\)-", page) == []
    assert set(re.findall(r"\\(.)", page)) <= set("-fe&")
