"""Exposition text: what Prometheus reads."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric as LibraryMetric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from ami_exporter.collectors.declarations import Metric, counter, gauge, histogram
from ami_exporter.exposition.formats import Format
from ami_exporter.exposition.text import number, render
from ami_exporter.exposition.writer import Family, HistogramValue

QUEUE = gauge("asterisk_queue_callers", "Callers waiting (AMI QueueStatus: Calls)", "queue")
HANGUPS = counter("asterisk_hangups_total", 'Hang-ups, "by" cause', "cause")
WAIT = histogram("asterisk_wait_seconds", "Wait", "queue", buckets=(5.0, 10.5))


def test_writes_help_type_and_series_in_sorted_order() -> None:
    family = Family(QUEUE, {("support",): 3.0, ("sales",): 0.0})
    assert render([family], Format.TEXT_004).decode() == (
        "# HELP asterisk_queue_callers Callers waiting (AMI QueueStatus: Calls)\n"
        "# TYPE asterisk_queue_callers gauge\n"
        'asterisk_queue_callers{queue="sales"} 0\n'
        'asterisk_queue_callers{queue="support"} 3\n'
    )


def test_openmetrics_names_the_counter_family_without_total_and_ends_with_eof() -> None:
    assert render([Family(HANGUPS, {("none",): 2.0})], Format.OPENMETRICS_100).decode() == (
        '# HELP asterisk_hangups Hang-ups, \\"by\\" cause\n'
        "# TYPE asterisk_hangups counter\n"
        'asterisk_hangups_total{cause="none"} 2\n'
        "# EOF\n"
    )


def test_histogram_buckets_are_cumulative_and_end_with_inf() -> None:
    family = Family(WAIT, {}, {("a",): HistogramValue([1, 0, 2], 43.25, 3)})
    assert render([family], Format.TEXT_004).decode().splitlines()[2:] == [
        'asterisk_wait_seconds_bucket{queue="a",le="5.0"} 1',
        'asterisk_wait_seconds_bucket{queue="a",le="10.5"} 1',
        'asterisk_wait_seconds_bucket{queue="a",le="+Inf"} 3',
        'asterisk_wait_seconds_sum{queue="a"} 43.25',
        'asterisk_wait_seconds_count{queue="a"} 3',
    ]


@pytest.mark.parametrize("names", [("sales", "a%s", 'x"y'), ("a" * 5_000,)], ids=["short", "long"])
def test_families_in_which_all_is_0_are_written_as_others_are(names: tuple[str, ...]) -> None:
    label_sets: list[tuple[str, ...]] = [(name,) for name in names]
    empty = {labels: HistogramValue([0, 0, 0]) for labels in label_sets}
    zeros = [Family(QUEUE, dict.fromkeys(label_sets, 0.0)), Family(WAIT, {}, empty)]
    counted = {labels: HistogramValue([8, 0, 0], 8.0, 8) for labels in label_sets}
    others = [Family(QUEUE, dict.fromkeys(label_sets, 8.0)), Family(WAIT, {}, counted)]
    written = render(zeros, Format.TEXT_004)
    assert written == re.sub(rb" 8$", b" 0", render(others, Format.TEXT_004), flags=re.MULTILINE)
    assert render(zeros, Format.TEXT_004) == written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-3.0, "-3"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (math.inf, "+Inf"),
        (math.nan, "NaN"),
        (2e9, "2000000000"),
    ],
)
def test_numbers_read_back_the_same(value: float, text: str) -> None:
    assert number(value) == text
    assert math.isnan(value) or float(text) == value


HOSTILE = st.text(st.characters(exclude_categories=[]), max_size=30) | st.sampled_from(
    ['"', "\\", "\n", "\r", "\0", "\x85", "\u2028", "\u202e", "\ud800", 'x"} 1\nforged 1', "\\n", "é"]
)


def list_openmetrics(body: str) -> list[LibraryMetric]:
    return list(openmetrics.text_string_to_metric_families(body))  # type: ignore[no-untyped-call] # the library's


@given(st.dictionaries(st.tuples(HOSTILE), st.floats(allow_nan=False), min_size=1, max_size=5))
def test_any_label_value_gives_text_that_parses_back_to_as_many_series(values: dict[tuple[str, ...], float]) -> None:
    body = render([Family(QUEUE, values)], Format.TEXT_004).decode()
    (family,) = parse_text(body)
    assert sorted(s.value for s in family.samples) == sorted(values.values())
    (family,) = list_openmetrics(render([Family(QUEUE, values)], Format.OPENMETRICS_100).decode())
    assert len(family.samples) == len(values)
    assert all(len(line.split("\n")) == 1 for line in body.split("\n"))


def test_help_with_line_ends_stays_one_line() -> None:
    metric = Metric("asterisk_x", "gauge", "a\nb\\c")
    assert render([Family(metric, {(): 1.0})], Format.TEXT_004).startswith(b"# HELP asterisk_x a\\nb\\\\c\n")
