from __future__ import annotations

from collections.abc import Callable

import pytest

from ami_exporter.ami.message import Message
from ami_exporter.collectors import taskprocessors
from ami_exporter.collectors.declarations import Unreadable
from ami_exporter.collectors.taskprocessors import POLL, family
from tests.support.collecting import Samples, polled

TODAY = """
Processor                              Processed   In Queue  Max Depth  Low water High water Low time(us) High time(us)
app_voicemail                                       3          0          1        450        500          0          0
pjsip/distributor-0000001a                        100          2          9        450        500         10         20
pjsip/distributor-0000001b                         50          1          7        450        500         10         20
stasis/m:manager:core-00000006                   2000          5         40       2700       3000          0          0
stasis/p:channel:1700000000.12-00000044             8          0          2        450        500          0          0

5 taskprocessors

"""
ASTERISK_16 = """
Processor                                      Processed   In Queue  Max Depth  Low water High water
subm:manager_topic-00000006                         2000          5         40       2700       3000
pjsip/outreg/my trunk 2-0000001a                      10          0          1        450        500

2 taskprocessors
"""
ASTERISK_13 = """
Processor                                      Processed   In Queue  Max Depth
6a5d7a6b-0b9b-4a8c-8f1e-0123456789ab                  10          1          4

1 taskprocessors
"""


def new_form(text: str) -> Message:
    """The answer of 14 and later: one Output a line."""
    lines = [("output", line) for line in text.splitlines()]
    return Message.of([("response", "Success"), ("message", "Command output follows"), *lines])


def old_form(text: str) -> Message:
    """All lines in one value, as a `Response: Follows` holds them."""
    return Message.of([("response", "Follows"), ("privilege", "Command"), ("output", text)])


def samples(answer: Message) -> Samples:
    return polled(taskprocessors.COLLECTOR, {POLL: [answer]})


@pytest.mark.parametrize("form", [new_form, old_form])
def test_trap_command_output_both_forms_fold_to_the_same_families(form: Callable[[str], Message]) -> None:
    found = samples(form(TODAY))
    assert found == {
        ("asterisk_taskprocessor_queue_depth", "app_voicemail"): 0,
        ("asterisk_taskprocessor_queue_high_water", "app_voicemail"): 1,
        ("asterisk_taskprocessor_processed_total", "app_voicemail"): 3,
        ("asterisk_taskprocessor_queue_depth", "pjsip/distributor"): 3,
        ("asterisk_taskprocessor_queue_high_water", "pjsip/distributor"): 9,
        ("asterisk_taskprocessor_processed_total", "pjsip/distributor"): 150,
        ("asterisk_taskprocessor_queue_depth", "stasis/m:manager"): 5,
        ("asterisk_taskprocessor_queue_high_water", "stasis/m:manager"): 40,
        ("asterisk_taskprocessor_processed_total", "stasis/m:manager"): 2000,
        ("asterisk_taskprocessor_queue_depth", "stasis/p:channel"): 0,
        ("asterisk_taskprocessor_queue_high_water", "stasis/p:channel"): 2,
        ("asterisk_taskprocessor_processed_total", "stasis/p:channel"): 8,
    }


def test_columns_of_older_versions_are_found_by_their_titles() -> None:
    found = samples(new_form(ASTERISK_16))
    assert found["asterisk_taskprocessor_queue_high_water", "subm:manager_topic"] == 40
    assert found["asterisk_taskprocessor_processed_total", "pjsip/outreg"] == 10
    assert samples(old_form(ASTERISK_13)) == {
        ("asterisk_taskprocessor_queue_depth", "unnamed"): 1,
        ("asterisk_taskprocessor_queue_high_water", "unnamed"): 4,
        ("asterisk_taskprocessor_processed_total", "unnamed"): 10,
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("app_queue", "app_queue"),
        ("pjsip/distributor-0000001a", "pjsip/distributor"),
        ("pjsip/outreg/telco-a-0000001a", "pjsip/outreg"),
        ("pjsip/session/201-0000001a", "pjsip/session"),
        ("stasis/m:manager:core-00000006", "stasis/m:manager"),
        ("stasis/p:endpoint:PJSIP/201-00000006", "stasis/p:endpoint"),
        ("subp:PJSIP/201-00000044", "subp:PJSIP"),
        ("subm:ast_channel_topic_all-cached-00000032", "subm:ast_channel_topic_all-cached"),
        ("Confbridge/8000-00000001", "Confbridge"),
        ("sorcery/contact-00000001", "sorcery"),
        ("6a5d7a6b-0b9b-4a8c-8f1e-0123456789ab", "unnamed"),
    ],
)
def test_a_family_names_no_endpoint_channel_or_conference(name: str, expected: str) -> None:
    assert family(name) == expected


def test_an_unknown_command_is_a_failure() -> None:
    with pytest.raises(Unreadable, match="no such command"):
        samples(new_form("No such command 'core show taskprocessors'"))


@pytest.mark.parametrize("text", ["", "a 1 2 3 4 5\nb 1 2 3 4 5"])
def test_text_that_is_no_such_table_gives_nothing(text: str) -> None:
    assert samples(new_form(text)) == {}


def test_it_is_opt_in_since_it_needs_the_strongest_right() -> None:
    assert taskprocessors.COLLECTOR.enabled is False
