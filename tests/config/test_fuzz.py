"""Whatever the text: Settings, or ConfigErrors. Never another exception, never long."""

import string
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ami_exporter.config.faults import ConfigErrors
from ami_exporter.config.load import load
from ami_exporter.config.target_settings import Settings
from tests.support.config_catalogue import catalogue

HERE = Path(__file__).parent
GOOD = (HERE / "good/everything.yml").read_text()
KEYS = sorted({word for line in GOOD.splitlines() for word in line.replace("{", " ").split() if word.endswith(":")})
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(string.printable, max_size=12),
    st.sampled_from(["auto", "9s", "count", "PJSIP/x", "gauge", "counter", "UserEvent", "asterisk_custom_x_total"]),
)
WORDS = st.sampled_from([key.rstrip(":") for key in KEYS] + ["pbx1"])
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=30,
)


def outcome(text: str) -> Settings | ConfigErrors:
    result: Settings | ConfigErrors
    try:
        result = load(str(HERE / "good" / "fuzz.yml"), text, catalogue())
    except ConfigErrors as errors:
        result = errors
    if isinstance(result, ConfigErrors):
        assert result.faults
        assert all("\n" not in str(fault) for fault in result.faults)
    return result


@given(st.text())
def test_any_text(text: str) -> None:
    outcome(text)


@given(st.text(alphabet="&*!|>'\"%@`{}[]:,-?#~<= \n\tabc019.\\", max_size=60))
def test_any_mixture_of_yamls_signs(text: str) -> None:
    outcome(text)


@pytest.mark.slow
@settings(max_examples=300)
@given(TREES)
def test_any_tree_of_our_keys(tree: object) -> None:
    outcome(yaml.safe_dump(tree))


@pytest.mark.slow
@settings(max_examples=300)
@given(st.integers(0, len(GOOD)), st.integers(0, 40), st.text(max_size=12))
def test_a_good_file_with_a_piece_replaced(start: int, length: int, piece: str) -> None:
    outcome(GOOD[:start] + piece + GOOD[start + length :])


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{" * 100_000,
        "- " * 100_000,
        "? " * 50_000,
        "a: " * 1_000,
        "&a [*a]",
        "targets: {a: " + "9" * 100_000 + "}",
        "targets: {a: {timeout: " + "9" * 5_000 + "s}}",
        "targets: {a: {address: x:" + "9" * 5_000 + "}}",
        "targets: {a: {queue_wait_buckets: [" + "1, " * 50_000 + "]}}",
        "targets: {a: {collectors: {core: {include: '" + "(" * 900 + "'}}}}",
        "targets: {a: {collectors: {core: {include: 'a{99999999999}'}}}}",
        'targets: {a: {labels: {x: "\\ud800"}}}',
        "a: \x00",
        "a: \ud800",
        "\ufeff",
        "a: !!binary x",
        "a: !!timestamp 2001-99-99",
        "a: 2001-99-99",
        "a: 0b2",
        "a: 1e999999999",
        'targets: {a: {secret_file: "x\\0y"}}',
        "targets: {a: {secret_file: " + "x" * 5_000 + "}}",
        'targets: {a: {secret_env: "x\\0y="}}',
    ],
    ids=lambda text: text[:24].encode("ascii", "backslashreplace").decode(),
)
def test_known_traps_end_soon_and_with_a_fault(text: str) -> None:
    started = time.process_time()  # of our own: a busy machine may take longer
    assert isinstance(outcome(text), ConfigErrors)
    assert time.process_time() - started < 5
