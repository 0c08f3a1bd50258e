"""What is generated is committed as it is generated: `make docs` changes nothing."""

from __future__ import annotations

from ami_exporter.commands.flags import STATUSES
from ami_exporter.commands.metricsdoc import as_markdown
from tests.support.documents import REPO


def test_the_page_of_metrics_is_the_one_generated() -> None:
    assert (REPO / "docs/metrics.md").read_text(encoding="utf-8") == as_markdown(), "run: make docs"


def test_the_table_of_exit_statuses_is_the_programs() -> None:
    text = (REPO / "docs/configuration.md").read_text(encoding="utf-8")
    section = text.partition("\n## Exit status\n")[2].partition("\n## ")[0]
    rows = [
        line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ") and "status" not in line
    ]
    assert rows == [[str(status), meaning] for status, meaning in STATUSES.items()]
