"""What real PBXs answered (tests/captures) folds to the samples written down beside it."""

from __future__ import annotations

import pytest

from ami_exporter.ami.actions import Action
from tests.support.captures import NAMES, expected_file, fold, lines, read_file
from tests.support.collecting import Samples

TOTALS = {
    "asterisk_active_channels": 44,
    "asterisk_bridges": 9,
    "asterisk_conference_participants": 5,
    "asterisk_conferences": 2,
    "asterisk_endpoint_active_channels": 10,
    "asterisk_hints": 8,
    "asterisk_parked_calls": 2,
    "asterisk_queue_callers": 4,
    "asterisk_queue_members": 19,
    "asterisk_queue_members_paused": 5,
    "asterisk_agents": 3,
    "asterisk_trunk_channels": 6,
    "asterisk_trunk_info": 4,
    "asterisk_trunk_up": 2,
    "asterisk_voicemail_messages": 7,
}
"""Metric → sum over its series: what tests/support/rich_pbx.py put into both servers."""


def total(samples: Samples, metric: str) -> float:
    return sum(value for key, value in samples.items() if key[0] == metric)


def by_state(samples: Samples, *begin: str) -> dict[str, float]:
    """Values that are not 0, by the last label."""
    return {key[-1]: value for key, value in samples.items() if key[: len(begin)] == begin and value}


def metric_of(line: str) -> str:
    """Name of a sample's metric. One that is younger than the files has a test of its own."""
    return line.split(" ", 1)[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_captured_list_folds_to_the_samples_written_down(name: str) -> None:
    expected = expected_file(name).read_text().splitlines()
    assert [
        line for line in lines(fold(read_file(name))) if metric_of(line) in set(map(metric_of, expected))
    ] == expected


@pytest.mark.parametrize("name", ["asterisk-16", "asterisk-22"])
def test_totals_are_what_was_put_into_the_servers(name: str) -> None:
    samples = fold(read_file(name))
    assert {metric: total(samples, metric) for metric in TOTALS} == TOTALS


@pytest.mark.parametrize("name", ["asterisk-16", "asterisk-22"])
def test_reachability_of_phones_and_trunks_of_every_technology(name: str) -> None:
    samples = fold(read_file(name))
    assert by_state(samples, "asterisk_endpoints", "PJSIP") == {"reachable": 9, "unmonitored": 2, "unreachable": 4}
    assert by_state(samples, "asterisk_endpoints", "IAX2") == {"reachable": 1, "unmonitored": 1, "unreachable": 1}
    assert by_state(samples, "asterisk_contacts") == {"reachable": 7, "non_qualified": 1, "unreachable": 2}


def test_chan_sip_is_there_on_16_alone() -> None:
    on_16, on_22 = fold(read_file("asterisk-16")), fold(read_file("asterisk-22"))
    assert by_state(on_16, "asterisk_endpoints", "SIP") == {
        "reachable": 2,
        "lagged": 1,
        "unmonitored": 1,
        "unreachable": 1,
        "unknown": 1,
    }
    assert by_state(on_22, "asterisk_endpoints", "SIP") == {}


@pytest.mark.parametrize("name", ["asterisk-16", "asterisk-22"])
def test_credentials_in_a_registration_list_leave_nothing_but_their_name(name: str) -> None:
    items = read_file(name)[Action("PJSIPShowRegistrationsOutbound")].items
    assert [dict(item) for item in items if item["event"] == "AuthDetail"] == [{"event": "AuthDetail"}] * 3
