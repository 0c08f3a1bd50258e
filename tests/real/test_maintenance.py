"""PJSIP maintenance mode, which Asterisk has from 20.20, 22.10 and 23.4 on, against what the console says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pbx_pair import RichPbx
from tests.support.watching import agree, watching

PHONE = "1001"
METRIC = "asterisk_endpoint_maintenance"


@pytest.fixture
def maintained(rich22: RichPbx) -> Iterator[RichPbx]:
    rich22.server.cli(f"pjsip set maintenance on {PHONE}")
    yield rich22
    rich22.server.cli(f"pjsip set maintenance off {PHONE}")


def test_an_endpoint_in_maintenance_mode_is_named_and_counts_as_down(maintained: RichPbx, tmp_path: Path) -> None:
    with watching(maintained.server, tmp_path, "reporting") as running:

        def shown() -> tuple[object, float | None]:
            scrape = running.get()
            up = scrape.value("asterisk_endpoint_up", technology="PJSIP", endpoint=PHONE)
            return scrape.by(METRIC, "technology", "endpoint"), up

        assert PHONE in maintained.server.cli("pjsip show maintenance")
        agree(shown, lambda: ({("PJSIP", PHONE): 1.0}, 0.0))
        maintained.server.cli(f"pjsip set maintenance off {PHONE}")
        assert PHONE not in maintained.server.cli("pjsip show maintenance")
        agree(shown, lambda: ({}, 1.0))


def test_where_there_is_no_maintenance_mode_nothing_says_that_none_is_in_it(rich16: RichPbx, tmp_path: Path) -> None:
    with watching(rich16.server, tmp_path, "reporting") as running:
        assert [name for name, _ in running.get().series() if name == METRIC] == []
