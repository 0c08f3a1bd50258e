"""What is generated is committed as it is generated: `make docs` changes nothing."""

from __future__ import annotations

from ami_exporter.ami.actions import ACTIONS, AnswerForm
from ami_exporter.commands.flags import STATUSES
from ami_exporter.commands.metricsdoc import as_markdown
from tests.support import fields_page
from tests.support.documents import REPO


def test_the_page_of_metrics_is_the_one_generated() -> None:
    assert (REPO / "docs/metrics.md").read_text(encoding="utf-8") == as_markdown(), "run: make docs"


def test_the_page_of_fields_is_the_one_generated() -> None:
    assert fields_page.PAGE.read_text(encoding="utf-8") == fields_page.page(), "run: make docs"


def test_the_page_of_fields_lists_every_action_that_custom_may_name() -> None:
    text = fields_page.page()
    names = [name for name, spec in ACTIONS.items() if spec.form is not AnswerForm.COMMAND]
    assert [name for name in names if f"| `{name}` |" not in text] == []


def test_the_table_of_exit_statuses_is_the_programs() -> None:
    text = (REPO / "docs/configuration.md").read_text(encoding="utf-8")
    section = text.partition("\n## Exit status\n")[2].partition("\n## ")[0]
    rows = [
        line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ") and "status" not in line
    ]
    assert rows == [[str(status), meaning] for status, meaning in STATUSES.items()]
