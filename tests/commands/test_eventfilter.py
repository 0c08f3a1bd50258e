"""The form of eventfilter lines follows the server's version."""

from __future__ import annotations

import re

import pytest

from ami_exporter.commands.doctor.eventfilter import filters_by_name, lines


@pytest.mark.parametrize(
    ("version", "by_name"),
    [
        ("1.8.32.3", False),
        ("13.38.3", False),
        ("16.28.0~dfsg-0+deb11u4", False),
        ("18.25.0", False),
        ("18.26.0", True),
        ("19.8.1", False),
        ("20.10.1", False),
        ("20.11.0", True),
        ("21.5.0", False),
        ("21.6.1", True),
        ("22.0.0", False),
        ("22.1.0", True),
        ("22.10.1+dfsg+~cs6.17.60671434-1", True),
        ("23.0.0", True),
        ("24.0.0-rc1", True),
        ("certified-20.7-cert4", False),
        ("certified-22.8-cert1", True),
        ("certified/18.9-cert12", False),
        ("GIT-master-f0c1c1a7", False),
        ("", False),
    ],
)
def test_the_form_by_name_is_for_servers_that_know_it(version: str, by_name: bool) -> None:
    assert filters_by_name(version) is by_name


def test_lines_by_name() -> None:
    assert lines(["Hangup"], "22.10.1") == [
        "eventfilter(name(FullyBooted)) =",
        "eventfilter(name(Hangup)) =",
        "eventfilter(name(Load)) =",
        "eventfilter(name(Reload)) =",
        "eventfilter(name(Shutdown)) =",
        "eventfilter(name(Unload)) =",
    ]


def test_lines_of_the_old_form_are_one_alternation() -> None:
    assert lines(["Hangup"], "16.28.0") == ["eventfilter = ^Event: (FullyBooted|Hangup|Load|Reload|Shutdown|Unload)"]


def test_long_lines_of_the_old_form_are_parted_and_lose_no_event() -> None:
    events = [f"EventWithALongName{number:02}" for number in range(20)]
    found = lines(events, "16.28.0")
    assert len(found) > 1
    assert max(map(len, found)) <= 96
    assert set(re.findall(r"EventWithALongName\d\d", " ".join(found))) == set(events)
