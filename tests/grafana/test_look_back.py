"""What a panel finds by looking back in coarse steps is there as soon as the data is, not at the clock's next step.

Prometheus puts the steps of `[1h:5m]` on whole five minutes of the day: data that began two minutes ago may lie between
two of them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import promql_parser as promql
import pytest

from tests.support.backfill import Labels, lines, write_blocks
from tests.support.dashboards import CHOSEN_ALL, every_panel, filled_in, replaced
from tests.support.prometheus_server import PrometheusServer, prometheus_server
from tests.support.promql import selectors
from tests.support.series import SERIES

pytestmark = pytest.mark.timeout(120)
LOOKS_BACK = re.compile(r"\[[^]:]+:[^]]+\]")
SECONDS, SCRAPE = 110, 10
BETWEEN = (int(time.time()) // 1800 - 1) * 1800 + 290
"""A moment a little before whole five minutes, and long after the last whole quarter and half of an hour."""
TARGET: Labels = (("instance", "pbx1"), ("job", "asterisk"), ("site", "berlin"))
WORDS = {
    label: sorted({word for metric in SERIES.values() for word in metric.closed.get(label, ())}) or ["some"]
    for label in {label for metric in SERIES.values() for label in metric.labels}
} | {"le": ["0.01", "0.03", "0.1", "+Inf"], "class": ["agent", "call", "reporting"]}
"""What rules record has labels, but not their words: any metric's."""


def read(expression: str) -> str:
    """The expression as Prometheus gets it when all is chosen and an hour is shown."""
    return replaced(expression, {"$__range": "1h", **CHOSEN_ALL, "offset 1w": ""})


QUERIES = [
    pytest.param(filled_in(read(target["expr"])), id=f"{board['uid']}: {panel['title']}: {target['refId']}")
    for board, panel in every_panel()
    for target in panel["targets"]
    if LOOKS_BACK.search(target["expr"])
]


def made_up() -> Iterator[tuple[tuple[str, Labels], float]]:
    """Every series that the queries read: all words of closed labels, one of the others."""
    names = {str(one.name) for query in QUERIES for one in selectors(promql.parse(str(query.values[0])))}
    for name in names:
        metric = SERIES[name]
        labels = sorted(metric.labels - dict(TARGET).keys() | ({"le"} if "_bucket" in name else set()))
        value = 0.0 if name.endswith("_up") else 30.0
        for values in product(*(metric.closed.get(label) or WORDS[label] for label in labels)):
            own = {**dict(zip(labels, values, strict=True)), **dict(TARGET)}
            yield (name, tuple(sorted(own.items()))), value


@pytest.fixture(scope="module")
def young(
    prometheus_program: Path, promtool: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusServer]:
    """A Prometheus whose data began two minutes before BETWEEN."""
    folder = tmp_path_factory.mktemp("young")
    first = BETWEEN - SECONDS
    write_blocks(promtool, folder, lines(dict(made_up()), range(first, BETWEEN + 1, SCRAPE), first))
    with prometheus_server(prometheus_program, folder, "global: {scrape_interval: 1h}\n") as server:
        yield server


@pytest.mark.parametrize("query", QUERIES)
def test_what_began_two_minutes_ago_is_shown(young: PrometheusServer, query: str) -> None:
    finely = LOOKS_BACK.sub("[5m:1s]", query)
    assert len(young.query(query, at=BETWEEN)) == len(young.query(finely, at=BETWEEN))


def test_most_of_the_queries_find_something(young: PrometheusServer) -> None:
    found = [bool(young.query(LOOKS_BACK.sub("[5m:1s]", str(query.values[0])), at=BETWEEN)) for query in QUERIES]
    assert sum(found) > 0.8 * len(found) > 20
