"""What is generated is committed as it is generated: `make docs` changes nothing."""

from __future__ import annotations

from ami_exporter.commands.metricsdoc import as_markdown
from tests.support.documents import REPO


def test_the_page_of_metrics_is_the_one_generated() -> None:
    assert (REPO / "docs/metrics.md").read_text(encoding="utf-8") == as_markdown(), "run: make docs"
