"""Console output of any kind becomes rows or a reason, within bounds."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_exporter.ami.message import Message
from ami_exporter.collectors.cli.output import MAX_LINE, Fields, lines
from ami_exporter.collectors.cli.readers import Reader
from ami_exporter.collectors.declarations import Unreadable
from ami_exporter.collectors.fields import leading_number
from ami_exporter.config.custom_settings import CommandSettings, FieldsRead, MatchRead, TableRead

FIELDS = CommandSettings("odbc show", FieldsRead("Name"))


def rows(settings: CommandSettings, text: str) -> list[Fields]:
    message = Message.of([("output", line) for line in text.splitlines()])
    return Reader.of(settings, time.process_time).rows(lines(message))


def test_a_record_begins_with_its_first_key_whatever_its_case() -> None:
    assert rows(FIELDS, "Head: 1\n  name: a\n  Size: 3\n  NAME: b\n  - Size: 4\n") == [
        {"name": "a", "size": "3"},
        {"name": "b", "size": "4"},
    ]


def test_without_begin_the_output_is_one_record_and_the_first_of_a_key_counts() -> None:
    assert rows(replace(FIELDS, read=FieldsRead()), "A: 1\nno colon\n: none\nA: 2\nB: x: y") == [
        {"a": "1", "b": "x: y"}
    ]


def test_a_heading_labels_the_lines_below_it() -> None:
    settings = CommandSettings("x show", FieldsRead(), within=r"^Span (?P<span>\d+)")
    assert rows(settings, "Alarm: none\nSpan 1: up\n Errors: 3\nSpan 2: down\n Errors: 9") == [
        {"alarm": "none"},
        {"span": "1", "errors": "3"},
        {"span": "2", "errors": "9"},
    ]
    matching = replace(settings, read=MatchRead(r"Errors: (?P<errors>\d+)"))
    assert rows(matching, "Span 7: up\n Errors: 3") == [{"span": "7", "errors": "3"}]


def test_a_group_that_took_no_part_is_no_field() -> None:
    settings = CommandSettings("x show", MatchRead(r"^(?P<a>\d+)(?: of (?P<b>\d+))?"))
    assert rows(settings, "3 of 4\n5\nx") == [{"a": "3", "b": "4"}, {"a": "5"}]


TABLE = CommandSettings("x show", TableRead("Name", "found"))


def test_cells_that_fill_their_column_or_are_empty_are_cut_where_the_titles_begin() -> None:
    text = (
        "Name       Alarms  Count\n"
        "abcdefghij OK      3\n"
        "b                  4\n"
        "c          RED     5\n"
        "a sentence that crosses\n"
        "2 found\n"
        "after  the  end\n"
    )
    assert rows(TABLE, text) == [
        {"name": "abcdefghij", "alarms": "OK", "count": "3"},
        {"name": "b", "alarms": "", "count": "4"},
        {"name": "c", "alarms": "RED", "count": "5"},
    ]


def test_a_table_without_its_head_is_no_answer_and_with_nothing_below_is_empty() -> None:
    assert rows(TABLE, "Name       Alarms  Count\n0 found") == []
    with pytest.raises(Unreadable, match='begins with "Name"'):
        rows(TABLE, "something else")


def test_what_says_none_has_no_rows_and_what_lacks_the_expected_is_no_answer() -> None:
    settings = replace(TABLE, expect="Name", empty="Nothing here")
    assert rows(settings, "Nothing here.") == []
    with pytest.raises(Unreadable, match='does not hold "Name"'):
        rows(settings, "an error of the module")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "No such command 'odbc show' (type 'core show help odbc show' for other possible commands)",
            "no such command",
        ),
        ("\nUsage: odbc show [class]\n  List settings", "usage"),
    ],
)
def test_an_unknown_command_is_a_failure_also_where_the_server_calls_it_a_success(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        rows(FIELDS, text)


def test_more_than_a_mebibyte_is_refused() -> None:
    with pytest.raises(Unreadable, match="more than 1048576"):
        rows(FIELDS, ("x" * 500 + "\n") * 2200)


def test_a_line_that_is_too_long_is_left_out_whole() -> None:
    assert rows(FIELDS, "Name: a\nSize: 1\nLost: " + "9" * MAX_LINE) == [{"name": "a", "size": "1"}]


def test_an_unlucky_expression_is_given_up_within_its_time() -> None:
    settings = CommandSettings("x show", MatchRead(r"(?P<a>a*)*b|(?P<b>a+a+a+a+a+a+a+)c"))
    began = time.process_time()
    with pytest.raises(Unreadable, match=r"took more than 0\.5 s"):
        rows(settings, ("a" * 500 + "\n") * 50)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("37 records", 37),
        ("4 (out of 5)", 4),
        ("-71 dBm", -71),
        ("-71dBm", -71),
        (" 12.5%", 12.5),
        ("+3", 3),
        ("3.", 3),
        ("5, then 6", 5),
        ("007", 7),
        *(
            (text, None)
            for text in ("", "none", "1,234", "10.0.0.1", "00:12:01", "2026-11-28", "5/8", "0x1f", "1" * 30)
        ),
    ],
)
def test_a_number_is_what_the_text_begins_with_unless_it_is_something_else(text: str, number: float | None) -> None:
    assert leading_number(text) == number
    assert leading_number(None) is None


READS = [
    FieldsRead(),
    FieldsRead("Name"),
    MatchRead(r"(?P<n>\d+)"),
    TableRead("Name", "end"),
    TableRead("N", None, ("a",)),
]


@given(st.text(max_size=400), st.sampled_from(READS))
def test_any_text_gives_rows_or_a_reason(text: str, read: FieldsRead | MatchRead | TableRead) -> None:
    try:
        found = rows(CommandSettings("x show", read, within=r"^(?P<part>Part)"), text)
    except Unreadable:
        found = []
    assert all(name == name.lower() for row in found for name in row)
