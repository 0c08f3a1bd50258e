"""Writes the lists of docs/alerts.md that come from the rules: python -m prometheus.pages, or make docs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from prometheus.build import build, sources, used
from prometheus.parameters import Parameter, declared

PAGE = Path(__file__).resolve().parent.parent / "docs" / "alerts.md"


def alerts() -> list[Mapping[str, Any]]:
    """Every alert with the usual thresholds, in the order of the files."""
    groups = [group for text in build(declared()).values() for group in yaml.safe_load(text)["groups"]]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def alert_rows() -> str:
    """A table of all alerts."""
    rows = [
        f"| [{rule['alert']}](runbooks/{rule['alert']}.md) | {rule['labels']['severity']} | {rule.get('for', '0m')} "
        f"| {rule['annotations']['summary']} |\n"
        for rule in alerts()
    ]
    return "| alert | severity | for | meaning |\n|---|---|---|---|\n" + "".join(rows)


def parameter_rows() -> str:
    """A table of all parameters. Long values (lists of causes) stay in parameters.yml."""
    return "| parameter | value | meaning |\n|---|---|---|\n" + "".join(map(_row, declared().values()))


def _row(parameter: Parameter) -> str:
    value = parameter.value.replace("|", "\\|")
    shown = f"`{value}`" if len(value) < 60 else "a list"  # noqa: PLR2004 - what fits a column
    return f"| `{parameter.name}` | {shown} | {parameter.about} |\n"


def page(text: str) -> str:
    """The page with its lists made anew, each between two comments."""
    for name, rows in (("alerts", alert_rows()), ("parameters", parameter_rows())):
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        text = f"{before}{begin}\n{rows}\n{end}{after}"
    return text


def unused() -> set[str]:
    """Parameters that no rule uses."""
    return declared().keys() - set().union(*map(used, sources().values()))


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
