"""The action guard against every action that a real server registers: nothing but reading can be sent."""

from __future__ import annotations

import re

import pytest

from ami_exporter.ami.actions import ACTIONS, Action
from ami_exporter.ami.errors import ForbiddenAction
from tests.support.asterisk_server import AsteriskServer

#: How Asterisk's own one-line description of an action begins when it only reads.
READS = re.compile(r"(Lists?|Shows?|Get a list|Get DB entries|Responds with)\b")
#: Ping answers Pong. Command may do anything and has a guard of its own: one command, which only shows.
OTHERS = {"Ping": "Keepalive command.", "Command": "Execute Asterisk CLI Command."}


def registered(server: AsteriskServer) -> dict[str, str]:
    """Name → beginning of the description of every action the server knows."""
    lines = server.cli("manager show commands").splitlines()[2:]
    matches = (re.match(r"\s+(\S+)\s+(\S.*?)\s*$", line) for line in lines)
    found = {match[1]: match[2] for match in matches if match is not None}
    assert len(found) > 120
    return found


def test_no_action_of_the_server_outside_the_table_can_be_made(asterisk: AsteriskServer) -> None:
    forbidden = registered(asterisk).keys() - ACTIONS.keys()
    assert {"Originate", "Hangup", "QueueReset", "BridgeDestroy", "DBDelTree", "UpdateConfig"} <= forbidden
    for name in forbidden:
        for spelling in (name, name.lower(), name.upper(), f" {name}"):
            with pytest.raises(ForbiddenAction, match="never sent"):
                Action(spelling)


def test_every_action_of_the_table_reads_by_the_servers_own_words(asterisk: AsteriskServer) -> None:
    known = registered(asterisk)
    offered = ACTIONS.keys() & known.keys()
    assert len(offered) >= 27
    for name in offered - OTHERS.keys():
        assert READS.match(known[name]), f"{name}: {known[name]}"
    assert {name: known[name] for name in OTHERS} == OTHERS
