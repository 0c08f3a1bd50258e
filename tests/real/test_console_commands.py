"""The commands of Asterisk's console that our pages tell people to type exist on a real server."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.asterisk_server import AsteriskServer
from tests.support.documents import REPO, pages

COMMAND = re.compile(r"asterisk -rx '([^']+)'|asterisk -rx \"([^\"]+)\"")
# Of modules that Debian's package or our servers do not have (hardware), of chan_sip, which 22 has no more,
# and of a build for debugging.
NOT_ON_22 = {
    *("dahdi show status", "pri show spans", "dongle show devices", "quectel show devices"),
    *("sip show registry", "sip reload", "core show locks"),
}


def named() -> dict[str, Path]:
    """Console command → a page that names it; words in capitals are placeholders."""
    found: dict[str, Path] = {}
    for page in pages():
        for single, double in COMMAND.findall(page.read_text(encoding="utf-8")):
            command = re.sub(r"\b[A-Z]{4,}\b", "127.0.0.1", single or double)
            if page.is_relative_to(REPO / "tests"):
                continue
            found.setdefault(command, page)
    return found


def test_every_command_of_the_pages_is_known_to_asterisk(asterisk_factory: Callable[[int], AsteriskServer]) -> None:
    server = asterisk_factory(22)
    answers = {command: server.cli(command) for command in sorted(named().keys() - NOT_ON_22)}
    assert len(answers) > 20
    unknown = [command for command, answer in answers.items() if "No such command" in answer or "Usage:" in answer]
    assert unknown == []


def test_commands_of_chan_sip_are_known_to_16(asterisk_factory: Callable[[int], AsteriskServer]) -> None:
    if "sip show registry" not in named():
        pytest.skip("no page names one any more")
    assert "No such command" not in asterisk_factory(16).cli("sip show registry")
